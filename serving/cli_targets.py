"""Commands about targets: suggesting them, breaking goals down, the path through the year and how it stands."""

from __future__ import annotations

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


def add_target_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (targets, forecast):
        app.command()(command)
    explain = typer.Typer(help="Tell how a result comes about.", no_args_is_help=True)
    explain.command("target")(explain_target)
    app.add_typer(explain, name="explain")


def targets(
    year: Annotated[int, typer.Option(help="The fiscal year to suggest targets for.")],
    as_of: AsOf = None,
    goals: Annotated[
        Path | None, typer.Option(help="CSV: unit, indicator, year, value of goals to break down.")
    ] = None,
    pins: Annotated[Path | None, typer.Option(help="CSV: unit, indicator, value of targets fixed by a person.")] = None,
    quantiles: Annotated[str, typer.Option(help="Quantiles to add as columns, such as 0.05,0.5,0.95.")] = "",
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Suggest floor, target and stretch for every unit, each with its probability of being attained."""
    asked = asked_quantiles(quantiles)
    with shown_progress() as progress:
        frame = advisor_of(home).planning.targets(
            year, as_of=as_of, goals=goals, pins=pins, quantiles=asked, dataset=dataset, progress=progress
        )
    show_table(frame, out=out, form=form, title=f"Suggested targets for {year}")


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
    show_table(frame, out=out, form=form, title=f"The next {horizon} periods")


def explain_target(
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    indicator: Annotated[str, typer.Option(help="Code of the indicator.")],
    year: Annotated[int | None, typer.Option(help="The fiscal year; by default the one that is due.")] = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Tell how a suggested target comes about, in steps that add up to it."""
    import json

    found = advisor_of(home).planning.explain_target(unit, indicator, year=year, dataset=dataset)
    if form is Format.json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    typer.echo(found["text"]["en"])
    typer.echo(found["text"]["zh"])
    typer.echo(f"Evidence: {found['evidence']}. Model {found['model_version']}, data version {found['data_version']}.")
