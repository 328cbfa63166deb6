"""Changes and steps of target plans at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.plan_options import By, IndicatorAsked, PlanAsked, Revision, UnitAsked, Why, acting_as, tell_plan
from serving.terminal import As, DatasetName, Format, Home, shown_progress

if TYPE_CHECKING:
    from serving.plans.editing import Edited

Level = Annotated[float | None, typer.Option(help="In the indicator's unit.")]


def override(
    plan: PlanAsked,
    unit: UnitAsked,
    indicator: IndicatorAsked,
    by: By = "",
    reason: Why = "",
    target: Level = None,
    floor: Level = None,
    stretch: Level = None,
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Set levels of a line by hand; a reason is needed."""
    with acting_as(home, by) as plans:
        found = plans.find(plan, dataset=dataset)
        seen = plans.line(found.id, unit, indicator).revision
        edited = plans.override(
            found.id, unit, indicator, revision=seen, reason=reason, target=target, floor=floor, stretch=stretch
        )
    _tell_line(edited)


def pin(
    plan: PlanAsked,
    unit: UnitAsked,
    indicator: IndicatorAsked,
    by: By = "",
    reason: Why = "",
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Keep a line as it is when the rest is allocated again."""
    _edit("pin", plan, unit, indicator, by=by, reason=reason, home=home, dataset=dataset)


def unpin(
    plan: PlanAsked,
    unit: UnitAsked,
    indicator: IndicatorAsked,
    by: By = "",
    reason: Why = "",
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Let a pinned line be allocated again with the rest."""
    _edit("unpin", plan, unit, indicator, by=by, reason=reason, home=home, dataset=dataset)


def reset(
    plan: PlanAsked,
    unit: UnitAsked,
    indicator: IndicatorAsked,
    by: By = "",
    reason: Why = "",
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Take a line back to the suggestion."""
    _edit("reset", plan, unit, indicator, by=by, reason=reason, home=home, dataset=dataset)


def reallocate(
    plan: PlanAsked,
    by: By = "",
    reason: Why = "",
    goals: Annotated[Path | None, typer.Option(help="New goals: unit, indicator, year, value.")] = None,
    revision: Revision = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Break the goals down again over the lines that nobody holds."""
    from serving.plans.steering import rows_of
    from training.goals import read_goal_file

    with acting_as(home, by) as plans, shown_progress() as progress:
        found = plans.find(plan, dataset=dataset)
        snapshot = plans.advisor.store.snapshot(found.data_version, dataset=found.dataset)
        given = () if goals is None else rows_of(read_goal_file(goals, snapshot, found.year))
        seen = found.revision if revision is None else revision
        made = plans.reallocate(found.id, revision=seen, goals=given, reason=reason, progress=progress)
    tell_plan(made, form)


def undo(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Take back the last change of a draft."""
    _step("undo", plan, by=by, reason=reason, revision=revision, home=home)


def submit(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Put a draft forward for approval."""
    _step("submit", plan, by=by, reason=reason, revision=revision, home=home)


def approve(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Approve what was submitted, as a second person."""
    _step("approve", plan, by=by, reason=reason, revision=revision, home=home)


def return_(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Give a plan back to be changed; a reason is needed."""
    _step("return_", plan, by=by, reason=reason, revision=revision, home=home)


def publish(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Publish what was approved: from here scores are held against it."""
    _step("publish", plan, by=by, reason=reason, revision=revision, home=home)


def revise(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Begin a new version from the published plan."""
    _step("revise", plan, by=by, reason=reason, revision=revision, home=home)


def withdraw(plan: PlanAsked, by: By = "", reason: Why = "", revision: Revision = None, home: Home = None) -> None:
    """Give up a plan that is not published."""
    _step("withdraw", plan, by=by, reason=reason, revision=revision, home=home)


def _step(name: str, plan: str, *, by: str, reason: str, revision: int | None, home: Path | None) -> None:
    with acting_as(home, by) as plans:
        found = plans.find(plan)
        seen = found.revision if revision is None else revision
        tell_plan(getattr(plans, name)(found.id, revision=seen, reason=reason), Format.text)


def _edit(
    name: str,
    plan: str,
    unit: str,
    indicator: str,
    *,
    by: str,
    reason: str,
    home: Path | None,
    dataset: str | None,
) -> None:
    with acting_as(home, by) as plans:
        found = plans.find(plan, dataset=dataset)
        seen = plans.line(found.id, unit, indicator).revision
        _tell_line(getattr(plans, name)(found.id, unit, indicator, revision=seen, reason=reason))


def _tell_line(edited: Edited) -> None:
    line = edited.line
    chance = "unknown" if line.p_target is None else f"{line.p_target:.0%}"
    typer.echo(
        f"{line.unit} on {line.indicator}: floor {line.floor}, target {line.target}, stretch {line.stretch}; "
        f"probability of attaining the target {chance}."
    )
    for note in edited.notes:
        typer.echo(f"Note: {note}.", err=True)


STEPS = {"override": override, "pin": pin, "unpin": unpin, "reset": reset, "reallocate": reallocate, "undo": undo}
STEPS |= {"submit": submit, "approve": approve, "return": return_, "publish": publish, "revise": revise}
STEPS |= {"withdraw": withdraw}
