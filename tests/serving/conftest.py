"""A home trained once, and the real application over it, asked by a stranger, a program and a person."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Postgres, advisor_on, running_postgres, sqlite_at
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at, copy_home, promote_model, write_dataset
from starlette.testclient import TestClient

from serving.advisor import Advisor
from serving.app import create_app
from serving.database.connection import Database


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with data and a promoted model. Not to be changed: see `own_home`."""
    home = tmp_path_factory.mktemp("trained") / "home"
    advisor = advisor_at(home)
    advisor.ingest(write_dataset(home.parent / "dataset"))
    promote_model(advisor)
    return home


@pytest.fixture
def own_home(trained_home: Path, tmp_path: Path) -> Path:
    """A copy of the trained home."""
    return copy_home(trained_home, tmp_path / "home")


@pytest.fixture(scope="session")
def trained(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    """The advisor of a copy: what is asked is audited, which changes its home."""
    return advisor_at(copy_home(trained_home, tmp_path_factory.mktemp("asked") / "home"))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    """Data, but no model."""
    folder = tmp_path_factory.mktemp("untrained")
    advisor = advisor_at(folder / "home")
    advisor.ingest(write_dataset(folder / "dataset"))
    return advisor


@pytest.fixture
def empty(tmp_path: Path) -> Advisor:
    """Nothing at all."""
    return advisor_at(tmp_path / "home")


@pytest.fixture(scope="session")
def app(trained: Advisor):
    return create_app(trained, token=TOKEN)


@pytest.fixture
def stranger(app) -> TestClient:
    """Comes without a key."""
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def client(app) -> TestClient:
    """A program with the key."""
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, headers=BEARER)


@pytest.fixture
def browser(app) -> TestClient:
    """A person who is signed in."""
    person = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, headers={"Accept": "text/html"})
    assert person.get("/", params={"token": TOKEN}).status_code == 200
    return person


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables and nothing in them. Not to be changed: it is copied."""
    path = tmp_path_factory.mktemp("migrated") / "loadline.db"
    database = sqlite_at(path)
    database.create()
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with all tables, one of each kind in turn."""
    if request.param == "sqlite":
        made = sqlite_at(shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "fresh.db"))
        yield made
        made.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    made = server.fresh()
    yield made
    server.drop(made)


@pytest.fixture
def database_advisor(trained_home: Path, database: Database) -> Iterator[Advisor]:
    """The trained home, which is not to be changed, with a fresh database of each kind in turn."""
    advisor = advisor_on(trained_home, database)
    yield advisor
    advisor.database.close()


@pytest.fixture
def own_database_advisor(own_home: Path, database: Database) -> Iterator[Advisor]:
    """A copy of the trained home with a fresh database of each kind in turn."""
    advisor = advisor_on(own_home, database)
    yield advisor
    advisor.database.close()
