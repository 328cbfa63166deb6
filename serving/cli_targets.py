"""Commands about targets: suggesting them, breaking goals down, the path through the year and how it stands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.terminal import (
    As,
    AsOf,
    DatasetName,
    Format,
    Home,
    Out,
    advisor_of,
    asked_quantiles,
    show_table,
    shown_progress,
)


class Against(StrEnum):
    """What a unit's own course is held against."""

    peers = "peers"
    last_year = "last_year"
    group = "group"


def add_target_commands(app: typer.Typer, explain: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (targets, forecast, outlook, calibrate):
        app.command()(command)
    explain.command("target")(explain_target)


def targets(
    year: Annotated[int, typer.Option(help="The fiscal year to suggest targets for.")],
    as_of: AsOf = None,
    goals: Annotated[
        Path | None, typer.Option(help="CSV: unit, indicator, year, value of goals to break down.")
    ] = None,
    pins: Annotated[Path | None, typer.Option(help="CSV: unit, indicator, value of targets fixed by a person.")] = None,
    floors: Annotated[Path | None, typer.Option(help="CSV: unit, indicator, value not to go below.")] = None,
    caps: Annotated[Path | None, typer.Option(help="CSV: unit, indicator, value not to go above.")] = None,
    flagged: Annotated[
        Path | None,
        typer.Option(help="CSV: unit, indicator, growth of units flagged for risk; a growth ceiling in %, or blank."),
    ] = None,
    stored_goals: Annotated[
        bool, typer.Option("--stored-goals", help="Break down the goals that came with the dataset.")
    ] = False,
    cap_ratchet: Annotated[
        bool, typer.Option("--cap-ratchet", help="Hold units to the policy's cap on last year's out-performance.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option(help="Folder for the plan: goals, lines, other methods beside it, fairness.")
    ] = None,
    quantiles: Annotated[str, typer.Option(help="Quantiles to add as columns, such as 0.05,0.5,0.95.")] = "",
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Suggest floor, target and stretch for every unit, each with its probability of being attained."""
    from features.errors import LoadlineError
    from models.suggestion import MILESTONES
    from serving.planning import PlanFiles
    from serving.tables import write_table

    if plan is not None and plan.exists() and not plan.is_dir():
        raise LoadlineError("this is no folder", where=str(plan), hint="Name a folder, or a new one, with --plan.")
    asked = PlanFiles(goals, pins, floors, caps, flagged, stored_goals, cap_ratchet)
    wanted = asked_quantiles(quantiles)
    with shown_progress() as progress:
        made = advisor_of(home).planning.plan(
            year, as_of=as_of, asked=asked, quantiles=wanted, dataset=dataset, progress=progress
        )
        tables = {}
        if plan is not None:
            named = {"goals": made.goals, "lines": made.lines, "alternatives": made.alternatives}
            named |= {"methods": made.methods, "fairness": made.fairness}
            tables = {name: table() for name, table in named.items()}
    for note in made.notes:
        typer.echo(f"Note: {note}.", err=True)
    if plan is not None and not made.parts:
        typer.echo("No goal, pin, floor, cap or flagged unit is given, so there is no plan to write.", err=True)
    elif plan is not None:
        plan.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_table(table, plan / f"{name}.csv")
        typer.echo(f"Plan: {', '.join(f'{name}.csv' for name in tables)} in {plan}", err=True)
    show_table(made.frame.drop(columns=list(MILESTONES)), out=out, form=form, title=f"Suggested targets for {year}")


def forecast(
    horizon: Annotated[int, typer.Option(min=1, help="How many periods ahead.")],
    as_of: AsOf = None,
    quantiles: Annotated[str, typer.Option(help="Quantiles, such as 0.1,0.5,0.9.")] = "0.1,0.5,0.9",
    indicator: Annotated[
        list[str] | None, typer.Option(help="Only this indicator; may be given several times.")
    ] = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Forecast period by period, for every unit and every total, with quantiles that come from one set of draws."""
    with shown_progress() as progress:
        frame = advisor_of(home).planning.forecast(
            horizon,
            as_of=as_of,
            quantiles=asked_quantiles(quantiles),
            indicators=indicator,
            dataset=dataset,
            progress=progress,
        )
    for note in frame.attrs.get("notes", ()):
        typer.echo(f"Note: {note}", err=True)
    show_table(frame, out=out, form=form, title=f"The next {horizon} periods")


Targets = Annotated[
    Path, typer.Option("--targets", help="The file that `loadline targets --out` wrote, or any with its columns.")
]


def outlook(
    targets: Targets,
    as_of: AsOf = None,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Say how targets stand: the year to date, the learned pace, and the probability of attaining each."""
    with shown_progress() as progress:
        frame = advisor_of(home).planning.outlook(targets, as_of=as_of, dataset=dataset, progress=progress)
    show_table(frame, out=out, form=form, title="Outlook")


def calibrate(
    targets: Targets,
    as_of: AsOf = None,
    relief: Annotated[
        Path | None, typer.Option(help="CSV: unit, indicator of approved relief for outside causes.")
    ] = None,
    relief_only: Annotated[bool, typer.Option("--relief-only", help="Ease no target without approved relief.")] = False,
    keep_total: Annotated[
        bool, typer.Option("--keep-total", help="Let the moves under one parent add up to zero.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Propose a quarterly calibration within the policy's limits; nothing is changed, a person decides."""
    with shown_progress() as progress:
        proposal = advisor_of(home).planning.calibration(
            targets,
            relief=relief,
            relief_only=relief_only,
            keep_total=keep_total,
            as_of=as_of,
            dataset=dataset,
            progress=progress,
        )
    for text in proposal.summary()["text"].values():
        typer.echo(text, err=True)
    show_table(proposal.frame, out=out, form=form, title="Proposed calibration")


def explain_target(
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    indicator: Annotated[str, typer.Option(help="Code of the indicator.")],
    against: Annotated[
        Against | None,
        typer.Option(help="What to hold the unit's own course against; by default its peers, where there are enough."),
    ] = None,
    year: Annotated[int | None, typer.Option(help="The fiscal year; by default the one that is due.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Tell how a suggested target comes about, in steps that add up to it."""
    import json

    held = None if against is None else against.value
    found = advisor_of(home).suggesting.explain_target(unit, indicator, against=held, year=year, dataset=dataset)
    if form is Format.json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    typer.echo(found["text"]["en"])
    typer.echo(found["text"]["zh"])
    for note in found["notes"]:
        typer.echo(f"Note: {note['en']} {note['zh']}")
    typer.echo(f"Evidence: {found['evidence']}. Model {found['model_version']}, data version {found['data_version']}.")
