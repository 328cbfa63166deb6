"""Lines of a draft: overridden with a reason, pinned, reset, undone; nobody overwrites what he did not see."""

import pytest
from plan_home import GOAL, LOANS, NPL, by, drafted, goal

from features.errors import LoadlineError
from serving.errors import InvalidError, NotFoundError, StaleError
from serving.plans.plan import Action, State


@pytest.fixture
def plans(database_advisor):
    return database_advisor.plans


@pytest.fixture
def plan(database_advisor):
    return drafted(database_advisor)


def edit(plans, plan, unit="N01", code=LOANS, *, revision=None, reason="a large customer left", **levels):
    seen = plans.line(plan.id, unit, code).revision if revision is None else revision
    with by("Li"):
        return plans.override(plan.id, unit, code, revision=seen, reason=reason, **levels)


def test_an_override_is_told_with_its_new_probability_and_with_the_goal_that_it_puts_out(plans, plan):
    before = plans.line(plan.id, "N01", LOANS)
    found = edit(plans, plan, target=before.target + 10)
    line = found.line
    assert line.target == before.target + 10
    assert line.p_target < before.p_target
    assert (line.overridden, line.reason, line.changed_by) == (True, "a large customer left", "Li")
    assert line.suggested == before.suggested
    assert len(found.notes) == 2  # the root's goal, and the region's total
    assert found.notes[0] == "ROOT on LOANS: the units below come to 119,010, 10 more than the goal 119,000"
    event = plans.events(plan.id)[-1]
    assert (event.action, event.by, event.reason) == (Action.OVERRIDE, "Li", "a large customer left")
    assert event.detail["lines"][0]["before"]["target"] == before.target


def test_floor_and_stretch_follow_a_target_that_crosses_them(plans, plan):
    before = plans.line(plan.id, "N01", NPL)
    line = edit(plans, plan, code=NPL, target=before.floor + 0.5).line  # lower is better: this is easier than the floor
    assert line.floor == line.target == before.floor + 0.5
    assert line.p_floor == line.p_target >= before.p_floor
    assert line.stretch == before.stretch


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ({"target": 2_000.0, "floor": 3_000.0}, "asks more"),
        ({"floor": 99_999.0}, "asks more"),
        ({"target": 2_000.005}, "finer"),
        ({"target": float("nan")}, "no number"),
        ({}, "no level"),
    ],
)
def test_values_that_no_target_can_be_are_refused(plans, plan, levels, told):
    with pytest.raises(InvalidError, match=told):
        edit(plans, plan, **levels)
    assert plans.get(plan.id).revision == 1


def test_a_value_out_of_the_indicators_bounds_is_refused(plans, plan):
    with pytest.raises(InvalidError, match="out of bounds"):
        edit(plans, plan, code=NPL, target=-0.1)


def test_an_override_needs_a_reason_and_a_line_that_is_there(plans, plan):
    with pytest.raises(LoadlineError, match="needs a reason"):
        edit(plans, plan, target=3_000.0, reason="  ")
    with pytest.raises(NotFoundError):
        edit(plans, plan, unit="nobody", revision=1, target=1.0)
    with pytest.raises(NotFoundError):
        plans.get("0" * 32)


def test_a_change_of_what_was_changed_since_is_refused(plans, plan):
    edit(plans, plan, target=3_900.0)
    with pytest.raises(StaleError):
        edit(plans, plan, revision=1, target=4_000.0)
    assert plans.line(plan.id, "N01", LOANS).target == 3_900.0
    edit(plans, plan, unit="N02", revision=1, target=2_000.0)  # another line is another matter
    with by("Li"), pytest.raises(StaleError):
        plans.submit(plan.id, revision=2)  # not what is to be submitted


def test_a_line_goes_back_to_the_suggestion(plans, plan):
    edit(plans, plan, target=3_900.0)
    seen = plans.line(plan.id, "N01", LOANS)
    with by("Li"):
        line = plans.reset(plan.id, "N01", LOANS, revision=seen.revision).line
    assert {name: getattr(line, name) for name in ("floor", "target", "stretch", "p_target", "evidence")} == {
        name: line.suggested[name] for name in ("floor", "target", "stretch", "p_target", "evidence")
    }
    assert not line.held
    assert line.reason == ""


def test_undoing_takes_back_one_change_after_the_other(plans, plan):
    start = plans.lines(plan.id)
    edit(plans, plan, target=3_900.0)
    middle = [line.content for line in plans.lines(plan.id)]
    with by("Li"):
        seen = plans.reallocate(plan.id, revision=2, goals=[goal(GOAL + 500)]).revision
        seen = plans.undo(plan.id, revision=seen).revision
        assert [line.content for line in plans.lines(plan.id)] == middle
        assert plans.get(plan.id).asked["goals"] == [["ROOT", LOANS, GOAL]]
        seen = plans.undo(plan.id, revision=seen).revision
        assert [line.content for line in plans.lines(plan.id)] == [line.content for line in start]
        with pytest.raises(LoadlineError, match="no change to take back"):
            plans.undo(plan.id, revision=seen)


def test_a_sheet_changes_many_lines_at_once_or_none(plans, plan):
    rows = [("N01", LOANS, {"target": 3_900.0}, "by hand"), ("N02", LOANS, {"target": 2_000.0}, "")]
    with by("Li"):
        with pytest.raises(InvalidError, match="N03 on LOANS"):
            plans.change_lines(plan.id, [*rows, ("N03", LOANS, {"target": 0.001}, "")], revision=1, reason="sheet")
        assert plans.get(plan.id).revision == 1
        assert plans.change_lines(plan.id, rows, revision=1, reason="sheet").revision == 2
    assert [plans.line(plan.id, unit, LOANS).reason for unit in ("N01", "N02")] == ["by hand", "sheet"]


def test_only_a_draft_is_changed(plans, plan):
    with by("Li"):
        held = plans.submit(plan.id, revision=1)
    assert held.state is State.SUBMITTED
    with pytest.raises(LoadlineError, match="is submitted, so it cannot be changed"):
        edit(plans, plan, target=3_900.0)
    with by("Li"), pytest.raises(LoadlineError, match="is submitted"):
        plans.undo(plan.id, revision=2)
