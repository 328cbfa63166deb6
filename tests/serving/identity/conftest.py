"""Identities on both databases, and the whole application over an empty home with people in it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from identity_home import Clock, identity_on, settings_at
from oidc_provider import CLIENT, SECRET, Provider, running_provider
from serving_home import ADDRESS, NOW, TOKEN
from starlette.testclient import TestClient

from serving.advisor import Advisor
from serving.app import create_app
from serving.database.connection import Database
from serving.identity.identity import Identity


@dataclass
class Service:
    """The application, whom it knows, and its clock."""

    app: Any
    identity: Identity
    clock: Clock
    home: Path

    def begin(self, migrated: Path) -> None:
        """Begin anew: an empty database, and the usual time. Making an application takes longer than most tests."""
        self.identity.database.close()
        for name in ("loadline.db-wal", "loadline.db-shm"):
            (self.home / name).unlink(missing_ok=True)
        shutil.copy(migrated, self.home / "loadline.db")
        self.clock.now = NOW
        self.identity.forget()

    def caller(
        self, key: str = "", *, address: str = ADDRESS, client: str = "10.0.0.1", page: bool = False
    ) -> TestClient:
        """Come from somewhere, with a key or without one."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= {"Accept": "text/html"} if page else {}
        return TestClient(
            self.app,
            base_url=address,
            headers=headers,
            client=(client, 50_000),
            raise_server_exceptions=False,
            follow_redirects=False,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity(database: Database, tmp_path: Path, clock: Clock) -> Identity:
    """On a fresh database of each kind in turn."""
    return identity_on(database, tmp_path, clock)


@pytest.fixture
def home(migrated_file: Path, tmp_path: Path) -> Path:
    """A home with an empty database and nothing else."""
    made = tmp_path / "home"
    made.mkdir()
    shutil.copy(migrated_file, made / "loadline.db")
    return made


@pytest.fixture
def small(home: Path, clock: Clock) -> Identity:
    """On SQLite alone."""
    return identity_on(Database.of(settings_at(home)), home, clock)


def make(home: Path, clock: Clock, **settings: Any) -> Service:
    advisor = Advisor(settings_at(home, **{"rate": 0, **settings}), clock=clock)
    app = create_app(advisor, token=TOKEN)
    return Service(app, app.state.identity, clock, home)


@pytest.fixture
def serve(home: Path, clock: Clock) -> Callable[..., Service]:
    """Make the application with these settings."""
    return lambda **settings: make(home, clock, **settings)


@pytest.fixture(scope="session")
def plain_service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return make(tmp_path_factory.mktemp("plain"), Clock())


@pytest.fixture
def service(plain_service: Service, migrated_file: Path) -> Iterator[Service]:
    plain_service.begin(migrated_file)
    yield plain_service
    plain_service.identity.database.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def provided_service(running: Provider, tmp_path_factory: pytest.TempPathFactory) -> Service:
    settings = {"oidc_issuer": running.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    return make(tmp_path_factory.mktemp("provided"), Clock(), **settings)


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The one provider, as it was made; its clock is the service's usual one."""
    running.forge, running.signing = None, "one"
    running.keys = {"one": running.keys["one"]}
    running.person = {"sub": "s-1", "email": "li.wei@bank.example", "email_verified": True}
    running.now = NOW.timestamp
    running.asked.clear()
    return running


@pytest.fixture
def oidc(provided_service: Service, provider: Provider, migrated_file: Path) -> Iterator[Service]:
    """The application with the provider set."""
    provided_service.begin(migrated_file)
    provided_service.identity.__dict__.pop("provider", None)  # with the keys that it had published
    yield provided_service
    provided_service.identity.database.close()
