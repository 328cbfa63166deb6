"""A home with data, a model, a policy in force and a closed period, for the tests of appeals."""

import shutil
from pathlib import Path

import pytest
from appealing_bank import UNIT, put_in_force
from postgres import advisor_on
from serving_home import LAST_YEAR, advisor_at

from serving.advisor import Advisor
from serving.scoring import ScoreRequest


@pytest.fixture(scope="session")
def appealing_home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: see `advisor`."""
    folder = tmp_path_factory.mktemp("appealing")
    advisor = advisor_at(shutil.copytree(trained_home, folder / "home"))
    put_in_force(advisor, folder)
    advisor.suggesting.suggestion(UNIT)  # kept in the home: no service needs to try the model out first
    advisor.scoring.close(advisor.scoring.score(ScoreRequest(str(LAST_YEAR - 1))), by="Zhao Yun")
    return folder / "home"


@pytest.fixture
def advisor(appealing_home: Path, tmp_path: Path) -> Advisor:
    """An advisor of an own copy."""
    found = advisor_at(shutil.copytree(appealing_home, tmp_path / "home"))
    found.database.create()
    return found


@pytest.fixture
def on_each(appealing_home: Path, tmp_path: Path, database) -> Advisor:
    """An advisor of an own copy, with a fresh database of each kind in turn."""
    return advisor_on(shutil.copytree(appealing_home, tmp_path / "home"), database)
