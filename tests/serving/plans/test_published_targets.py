"""Published targets are what scores use: from the day they were known, and not in what was closed before."""

from datetime import UTC, date, datetime

import pytest
from plan_home import LOANS, by, drafted, published
from score_home import write_policy_file
from sqlalchemy import update

from serving.database.tables import plans as tables
from serving.errors import NotFoundError
from serving.plans.published import published_plan, targets_of
from serving.scoring import NO_TARGETS, ScoreRequest

CARD = {"indicator": LOANS, "weight": 100, "against": "target", "rule": {"kind": "ratio"}}


@pytest.fixture
def policy(tmp_path):
    """Holds every branch against its target of the year."""
    path = write_policy_file(tmp_path / "policy.yaml")
    import yaml

    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["scorecards"][0] |= {"items": [CARD], "adjustments": []}
    document["gates"] = document["gates"][:1]
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture
def plan_of_2024(database_advisor):
    """A published plan, its year turned back to one that has figures: published on 15 January 2024 at 23:30 UTC."""
    plan = published(database_advisor, drafted(database_advisor))
    at = datetime(2024, 1, 15, 23, 30, tzinfo=UTC)
    with database_advisor.database.write() as connection:
        mine = tables.plans.c.id == plan.id
        connection.execute(update(tables.plans).where(mine).values(year=2024, published_at=at))
    return plan


def test_scores_are_held_against_the_published_plan(database_advisor, plan_of_2024, policy):
    scored = database_advisor.scoring.score(ScoreRequest("2024", policy))
    assert scored.notes[0].startswith("Targets: the plan for 2024, version 1, published on 2024-01-15 (digest ")
    assert plan_of_2024.digest[:12] in scored.notes[0]
    assert NO_TARGETS not in scored.notes
    line = database_advisor.plans.line(plan_of_2024.id, "N01", LOANS)
    told = scored.lines()
    mine = told[(told["unit"] == "N01") & (told["indicator"] == LOANS)].iloc[0]
    assert mine["reference"] == line.target
    assert set(scored.summary()["targets_version"]) == {f"plan 2024 v1 {plan_of_2024.digest[:12]}"}


@pytest.mark.parametrize(("known_on", "told"), [(date(2024, 1, 14), False), (date(2024, 1, 15), True)])
def test_a_plan_that_was_not_published_yet_counts_for_nothing(database_advisor, plan_of_2024, policy, known_on, told):
    scored = database_advisor.scoring.published(ScoreRequest("2024", policy, known_on=known_on))
    assert (scored is not None) is told
    found = database_advisor.explaining.bases.stamp(ScoreRequest("2024", policy, known_on=known_on))
    assert ("plan" in str(found[-1])) is told


def test_without_a_plan_of_the_year_all_is_as_before(database_advisor, policy):
    scored = database_advisor.scoring.score(ScoreRequest("2024", policy))
    assert scored.targets is None
    assert scored.notes[0] == NO_TARGETS


def test_the_version_in_force_on_a_day_counts(database_advisor):
    advisor = database_advisor
    first = published(advisor, drafted(advisor))
    with by("Li"):
        second = advisor.plans.revise(first.id, revision=first.revision)
        advisor.plans.override(second.id, "N01", LOANS, revision=1, target=3_900.0, reason="x")
    second = published(advisor, advisor.plans.get(second.id))
    days = {first.id: datetime(2025, 1, 10, tzinfo=UTC), second.id: datetime(2025, 3, 1, tzinfo=UTC)}
    with advisor.database.write() as connection:
        for plan, at in days.items():
            connection.execute(update(tables.plans).where(tables.plans.c.id == plan).values(published_at=at))
    known = {
        day: published_plan(advisor.database, "hostile-bank", 2025, known_on=day)
        for day in (date(2025, 1, 9), date(2025, 2, 1), date(2025, 3, 1))
    }
    assert [None if found is None else found.version for found in known.values()] == [None, 1, 2]
    frames = [targets_of(advisor.database, found) for found in known.values() if found is not None]
    found = [
        float(frame.loc[(frame["unit"] == "N01") & (frame["indicator"] == LOANS), "target"].iloc[0]) for frame in frames
    ]
    assert found[1] == 3_900.0 != found[0]


def test_a_closed_period_keeps_the_targets_that_it_was_closed_with(own_home, policy):
    from serving_home import advisor_at

    advisor = advisor_at(own_home)
    advisor.database.create()
    _closed, new = advisor.scoring.close(advisor.scoring.score(ScoreRequest("2024", policy)), by="Li")
    assert new
    plan = published(advisor, drafted(advisor))
    with advisor.database.write() as connection:
        connection.execute(update(tables.plans).where(tables.plans.c.id == plan.id).values(year=2024))
    again = advisor.scoring.score(ScoreRequest("2024"))
    assert again.targets is None
    assert advisor.scoring.reproduce("2024").same


def test_the_outlook_on_published_targets(database_advisor):
    advisor = database_advisor
    with pytest.raises(NotFoundError, match="no target plan is published"):
        advisor.plans.outlook(2025)
    plan = published(advisor, drafted(advisor))
    table = advisor.plans.outlook(2025)
    line = advisor.plans.line(plan.id, "N01", LOANS)
    mine = table[(table["unit"] == "N01") & (table["indicator"] == LOANS)].iloc[0]
    assert mine["target"] == line.target
    assert mine["p_attain"] == pytest.approx(line.p_target, abs=1e-9)
