"""Target plans at the command line: drafting, changing lines, submitting, approving, publishing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from serving.cli_plan_documents import DOCUMENTS
from serving.cli_plan_steps import STEPS
from serving.plan_options import By, PlanAsked, acting_as, tell_plan
from serving.terminal import As, AsOf, DatasetName, Format, Home, Out, advisor_of, show_table, shown_progress

Table = Annotated[Path | None, typer.Option(help="A table: unit, indicator, value.")]


def add_plan_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    plan = typer.Typer(
        help="Target plans: drafted from suggestions, changed, approved by a second person, published.\n\n"
        "目标方案的起草、调整、审批与发布。",
        no_args_is_help=True,
    )
    commands = {"draft": draft, "list": listed, "show": show, "lines": lines, "events": events, "outlook": outlook}
    for name, command in {**commands, **STEPS, **DOCUMENTS}.items():
        plan.command(name)(command)
    app.add_typer(plan, name="plan")


def draft(
    year: Annotated[
        int | None, typer.Option(help="The fiscal year; by default the one that targets are due for.")
    ] = None,
    by: By = "",
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    goals: Annotated[Path | None, typer.Option(help="Goals to break down: unit, indicator, year, value.")] = None,
    pins: Table = None,
    floors: Table = None,
    caps: Table = None,
    flagged: Annotated[Path | None, typer.Option(help="Units flagged for risk: unit, indicator, growth.")] = None,
    stored_goals: Annotated[bool, typer.Option("--stored-goals", help="Also goals that came with the data.")] = False,
    cap_ratchet: Annotated[bool, typer.Option("--cap-ratchet", help="Hold units to the policy's ratchet cap.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Draft a plan from the suggestions of this moment, goals broken down within what is fixed."""
    from serving.planning import stored_goals_of
    from serving.plans.steering import Steering
    from training.goals import read_flagged_file, read_goal_file, read_limit_file, read_pin_file

    with acting_as(home, by) as plans, shown_progress() as progress:
        snapshot = plans.advisor.snapshot(dataset)
        year = plans.advisor.default_year(dataset) if year is None else year
        frames: dict[str, Any] = {
            "goals": None if goals is None else read_goal_file(goals, snapshot, year),
            "pins": None if pins is None else read_pin_file(pins, snapshot),
            "floors": None if floors is None else read_limit_file(floors, snapshot),
            "caps": None if caps is None else read_limit_file(caps, snapshot),
            "flagged": None if flagged is None else read_flagged_file(flagged, snapshot),
        }
        asked = Steering.of_frames(frames, cap_ratchet=cap_ratchet)
        if stored_goals:
            kept = Steering.of_frames({"goals": stored_goals_of(snapshot, year)})
            asked = kept.with_goals(asked.goals).merged(asked)
        made = plans.draft(year, asked=asked, title=title, dataset=dataset, progress=progress)
    for note in made.notes:
        typer.echo(f"Note: {note}.", err=True)
    tell_plan(made, form)


def listed(
    year: Annotated[int | None, typer.Option(help="Only of this year.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List plans, the newest first."""
    import pandas as pd

    names = ["id", "dataset", "year", "version", "state", "revision", "title", "created_at", "created_by"]
    names += ["published_at"]
    found = advisor_of(home).plans.list(dataset=dataset, year=year)
    table = pd.DataFrame([[_text(getattr(plan, name)) for name in names] for plan in found], columns=names)
    show_table(table, out=out, form=form, title="Target plans")


def show(
    plan: PlanAsked, home: Home = None, dataset: DatasetName = None, out: Out = None, form: As = Format.text
) -> None:
    """Show a plan: where it stands, its totals against its goals, what people changed."""
    import pandas as pd

    plans = advisor_of(home).plans
    found = plans.find(plan, dataset=dataset)
    told = plans.summary(found.id)
    typer.echo(
        f"Plan for {found.year}, version {found.version}: {found.state.value}, revision {found.revision}; "
        f"{told.lines:,} lines, {told.pinned:,} pinned, {told.overridden:,} overridden, {told.flagged:,} flagged, "
        f"{told.without:,} without a target. Id {found.id}.",
        err=True,
    )
    for total in told.totals:
        if not total.adds_up:
            typer.echo(f"Note: {total.told()}.", err=True)
    names = ["unit", "indicator", "role", "goal", "stated", "allocated", "off"]
    rows = [[getattr(total, name) for name in names] for total in told.totals]
    show_table(pd.DataFrame(rows, columns=names), out=out, form=form, title="Totals against goals")


def lines(
    plan: PlanAsked,
    unit: Annotated[str | None, typer.Option(help="Only of this unit.")] = None,
    indicator: Annotated[str | None, typer.Option(help="Only on this indicator.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only lines that a person holds.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Give the lines of a plan as a table; scores and `loadline outlook` read the file as targets that were set."""
    import pandas as pd

    from serving.plans.shelf import Filter

    plans = advisor_of(home).plans
    found = plans.find(plan, dataset=dataset)
    names = ["unit", "indicator", "last_actual", "floor", "target", "stretch", "p_floor", "p_target", "p_stretch"]
    names += ["role", "pinned", "overridden", "flagged", "reason", "changed_by", "revision", "evidence"]
    wanted = Filter(unit, indicator, changed or None)
    rows = [[getattr(line, name) for name in names] for line in plans.lines(found.id, wanted)]
    table = pd.DataFrame(rows, columns=names)
    table.insert(2, "year", found.year)
    show_table(table, out=out, form=form, title=f"Targets for {found.year}, version {found.version}")


def events(
    plan: PlanAsked, home: Home = None, dataset: DatasetName = None, out: Out = None, form: As = Format.text
) -> None:
    """Tell what was done to a plan: who, when, why."""
    import pandas as pd

    plans = advisor_of(home).plans
    names = ["number", "at", "by", "action", "reason"]
    rows = [
        [_text(getattr(event, name)) for name in names] for event in plans.events(plans.find(plan, dataset=dataset).id)
    ]
    show_table(pd.DataFrame(rows, columns=names), out=out, form=form, title="Events")


def outlook(
    year: Annotated[int, typer.Option(help="The year whose published plan is looked at.")],
    as_of: AsOf = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Say how likely each published target still is, given what is in of the year."""
    with shown_progress() as progress:
        found = advisor_of(home).plans.outlook(year, as_of=as_of, dataset=dataset, progress=progress)
    show_table(found, out=out, form=form, title=f"Outlook on the published targets for {year}")


def _text(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)
