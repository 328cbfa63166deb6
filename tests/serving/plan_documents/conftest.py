"""A plan with a line that somebody changed, on names that no file name or sheet expects."""

import shutil

import pytest
from postgres import advisor_on, sqlite_at

from serving.access.principal import LOCAL, acting


@pytest.fixture(scope="module")
def advisor(trained_home, migrated_file, tmp_path_factory):
    """Not to be changed: see `own`."""
    return _with_plan(trained_home, shutil.copy(migrated_file, tmp_path_factory.mktemp("planned") / "one.db"))


@pytest.fixture
def own(own_home, migrated_file, tmp_path):
    """A home and a plan of its own."""
    return _with_plan(own_home, shutil.copy(migrated_file, tmp_path / "own.db"))


def _with_plan(home, file):
    made = advisor_on(home, sqlite_at(file))
    with acting(LOCAL):
        plan = made.plans.draft(2025, title="=2025+targets")
        line = made.plans.line(plan.id, "=1+1", "LOANS")
        made.plans.override(plan.id, "=1+1", "LOANS", revision=line.revision, reason="=cmd|'/C calc'!A0", target=9_000)
    return made


@pytest.fixture
def plan(request):
    """The newest plan of the advisor that the test uses."""
    name = "own" if "own" in request.fixturenames else "advisor"
    (found,) = request.getfixturevalue(name).plans.list()
    return found
