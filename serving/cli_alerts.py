"""The command that warns: which units to review, and how every unit stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import (
    As,
    AsOf,
    DatasetName,
    Format,
    Home,
    Out,
    advisor_of,
    show_table,
    shown_progress,
)

if TYPE_CHECKING:
    import pandas as pd

SHARE_DECIMALS = 3
"""Of the shares in the track record: they rest on tens or hundreds of cases."""


def add_alert_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(alerts)


def alerts(
    as_of: AsOf = None,
    first: Annotated[str | None, typer.Option("--from", help="First period to look at.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last period to look at.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="A row for every unit and period, alert or not; without dates, all periods.")
    ] = False,
    records: Annotated[
        bool, typer.Option("--record", help="How each pattern has done on this data, instead of the alerts.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List units whose good results come with rising risk, for review; nothing here changes a score or a target."""
    from training.warning.watch import PROMISED

    with shown_progress() as progress:
        watched = advisor_of(home).watching.watch(
            as_of=as_of, first=first, last=last, whole=everyone, dataset=dataset, progress=progress
        )
    for note in watched.notes:
        typer.echo(f"Note: {note.en}", err=True)
    if records:
        show_table(_named(watched.track_record), out=out, form=form, title="Track record of the patterns")
        return
    table = watched.table if everyone else watched.listed()
    typer.echo(watched.summary.en, err=True)
    show_table(table[list(PROMISED)], out=out, form=form, title=f"For review as of {watched.about['as_of']}")


def _named(record: pd.DataFrame) -> pd.DataFrame:
    """Put the patterns' titles beside their codes, and shares in as many decimals as they carry."""
    from models.detectors.catalogue import DETECTORS

    titles = {detector.code: detector.title for detector in DETECTORS}
    named = record.round(SHARE_DECIMALS)
    named.insert(1, "title", [titles[code].en for code in record["detector"]])
    named.insert(2, "title_zh", [titles[code].zh for code in record["detector"]])
    return named
