"""A bank with one of everything, asked by everybody; on SQLite, and with a fresh database of either kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzzed_bank import Bank, fill_home, open_bank


@pytest.fixture(scope="session")
def fuzzed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: it is copied."""
    home = tmp_path_factory.mktemp("fuzzed") / "home"
    fill_home(home).database.close()
    return home


@pytest.fixture(scope="session")
def bank(fuzzed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """On SQLite. Tests may change what is in it: what they say holds whatever is."""
    made = open_bank(shutil.copytree(fuzzed_home, tmp_path_factory.mktemp("bank") / "home"))
    yield made
    made.ask.close()
    made.advisor.database.close()


@pytest.fixture(scope="session")
def postgres_bank(fuzzed_home: Path, postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """On PostgreSQL."""
    home = shutil.copytree(fuzzed_home, tmp_path_factory.mktemp("bank") / "home")
    database = postgres.fresh()
    made = open_bank(home, database_url=database.url.render_as_string(hide_password=False))
    yield made
    made.ask.close()
    made.advisor.database.close()
    postgres.drop(database)


@pytest.fixture(params=["bank", "postgres_bank"])
def either_bank(request: pytest.FixtureRequest) -> Bank:
    """On each in turn."""
    return request.getfixturevalue(request.param)
