"""Goals broken down again around what people hold: totals exact, held lines untouched, the impossible told in words."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_home import GOAL, LOANS, NPL, by, drafted, goal
from serving_home import advisor_at, promote_model, write_dataset

from models.goals.relaxation import InfeasibleError
from serving.errors import StaleError
from serving.plans.steering import Asked

LEAVES = [f"N{number:02d}" for number in range(1, 14)]


def sum_of_leaves(plans, plan) -> Decimal:
    return sum((Decimal(repr(x.target)) for x in plans.lines(plan.id) if x.leaf and x.indicator == LOANS), Decimal(0))


def test_pins_of_a_draft_stay_and_the_rest_comes_to_the_goal(database_advisor):
    plans = database_advisor.plans
    plan = drafted(database_advisor, pins=(Asked("N01", LOANS, 4_000.0),), flagged=(Asked("N02", ""),))
    line = plans.line(plan.id, "N01", LOANS)
    assert (line.target, line.pinned, line.overridden) == (4_000.0, True, False)
    assert sum_of_leaves(plans, plan) == Decimal(GOAL)
    assert plans.line(plan.id, "N02", NPL).flagged
    assert not line.flagged
    assert all(total.adds_up for total in plans.summary(plan.id).totals)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.dictionaries(st.sampled_from(LEAVES), st.floats(-0.02, 0.02), max_size=4),
    change=st.floats(-0.003, 0.01),
)
def test_any_reallocation_is_exact_and_leaves_held_lines_alone(database_advisor, held, change):
    plans, plan = database_advisor.plans, drafted(database_advisor)
    with by("Li"):
        for unit, share in held.items():
            line = plans.line(plan.id, unit, LOANS)
            if share > 0.01:
                plans.pin(plan.id, unit, LOANS, revision=line.revision)
            else:
                plans.override(
                    plan.id, unit, LOANS, revision=line.revision, target=round(line.target * (1 + share), 2), reason="x"
                )
        before = {line.unit: line.content for line in plans.lines(plan.id) if line.held}
        asked = round(GOAL * (1 + change), 2)
        seen = plans.get(plan.id).revision
        plans.reallocate(plan.id, revision=seen, goals=[goal(asked)])
    assert sum_of_leaves(plans, plan) == Decimal(repr(asked))
    lines = plans.lines(plan.id)
    assert {line.unit: line.content for line in lines if line.held} == before
    free = [line.p_target for line in lines if line.leaf and line.indicator == LOANS and not line.held]
    assert max(free) - min(free) < 0.01  # equally hard for all that nobody holds
    assert all(total.adds_up for total in plans.summary(plan.id).totals)


def test_an_overridden_region_is_a_goal_for_what_is_below_it(database_advisor):
    plans, plan = database_advisor.plans, drafted(database_advisor)
    region = plans.line(plan.id, "东部/一区", LOANS)
    with by("Li"):
        told = plans.override(plan.id, region.unit, LOANS, revision=1, target=region.target + 300, reason="agreed")
        assert not any("ROOT" in note for note in told.notes)  # the leaves have not moved yet
        plans.reallocate(plan.id, revision=told.plan.revision)
    below = [
        line for line in plans.lines(plan.id) if line.leaf and line.indicator == LOANS and region.unit in line.above
    ]
    assert sum(Decimal(repr(line.target)) for line in below) == Decimal(repr(region.target + 300))
    assert sum_of_leaves(plans, plan) == Decimal(GOAL)


def test_what_cannot_be_met_is_told_with_the_smallest_way_out(database_advisor):
    plans, plan = database_advisor.plans, drafted(database_advisor)
    with by("Li"), pytest.raises(InfeasibleError, match="beyond what the units can reach") as found:
        plans.reallocate(plan.id, revision=1, goals=[goal(900_000.0)])
    assert "Lower the goal of ROOT from 900,000" in found.value.hint
    assert plans.get(plan.id).revision == 1
    with by("Li"), pytest.raises(StaleError):
        plans.reallocate(plan.id, revision=7)


def test_a_plan_is_allocated_again_from_its_own_data_and_model(own_home, tmp_path):
    advisor = advisor_at(own_home)
    advisor.database.create()
    plan = drafted(advisor)
    before = [line.content for line in advisor.plans.lines(plan.id)]
    advisor.ingest(write_dataset(tmp_path / "later", scale=3.0))
    promote_model(advisor, seed=9)
    with by("Li"):
        advisor.plans.reallocate(plan.id, revision=1)
    assert [line.content for line in advisor.plans.lines(plan.id)] == before
