"""A home trained once, and the real application over it, asked by a stranger, a program and a person."""

import shutil
from pathlib import Path

import pytest
from serving_home import ADDRESS, BEARER, TOKEN, advisor_at, promote_model, write_dataset
from starlette.testclient import TestClient

from serving.advisor import Advisor
from serving.app import create_app


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
    return shutil.copytree(trained_home, tmp_path / "home")


@pytest.fixture(scope="session")
def trained(trained_home: Path) -> Advisor:
    return advisor_at(trained_home)


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
