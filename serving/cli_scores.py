"""Commands about scores: the scores of a period, closing it, and what was closed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import (
    As,
    DatasetName,
    Format,
    Home,
    KnownOn,
    Out,
    PeriodAsked,
    PolicyFile,
    SuggestedTargets,
    TargetsSet,
    advisor_of,
    one_kind_of_targets,
    show_table,
    shown_progress,
)

if TYPE_CHECKING:
    import pandas as pd

    from serving.scoring import PeriodScores

SHOWN = ["unit", "name", "scorecard", "score", "grade", "raw", "gates", "reason"]
"""Columns for a person at a terminal; files have all."""


class Level(StrEnum):
    """Of the policy that a period was closed under."""

    internal = "internal"
    owner = "owner"


def add_score_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (score, closed):
        app.command()(command)


def score(
    period: PeriodAsked,
    policy: PolicyFile = None,
    targets: TargetsSet = None,
    suggested_targets: SuggestedTargets = False,
    known_on: KnownOn = None,
    lines: Annotated[
        Path | None, typer.Option(help="Write every line of every score here; they add up to the scores.")
    ] = None,
    close: Annotated[
        bool, typer.Option("--close", help="Close the period: its scores are kept for good and never change.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who closes the period.")] = "",
    reason: Annotated[str, typer.Option(help="Why; needed where a closed period's figures were restated.")] = "",
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """Score every unit in a period: points of each indicator, adjustments, gates, and the score that they add up to."""
    import sys

    from features.errors import LoadlineError
    from serving.scoring import ScoreRequest, told
    from serving.tables import write_table

    one_kind_of_targets(targets, suggested_targets)
    if (by or reason) and not close:
        raise LoadlineError("--by and --reason belong to --close", where="--close", hint="Add --close.")
    asked = ScoreRequest(period, policy, targets, suggested_targets, day_of(known_on))
    scoring = advisor_of(home).scoring
    with shown_progress() as progress:
        scores = scoring.score(asked, dataset=dataset, progress=progress)
    table = scores.summary()
    for sentence in told(scores, table):
        typer.echo(sentence, err=True)
    if lines is not None:
        written = scores.lines()
        write_table(written, lines)
        typer.echo(f"{len(written):,} lines written to {lines}", err=True)
    if close:
        closing, new = scoring.close(scores, by=by, reason=reason, dataset=dataset)
        done = "is closed" if new else "was closed with the same figures before; nothing has changed"
        typer.echo(f"{closing.period} {done}: version {closing.version}, by {closing.by}.", err=True)
        if new and closing.version > 1:
            typer.echo(f"`loadline closed --period {closing.period} --difference` shows what is different.", err=True)
    if out is not None and out.suffix.lower() == ".xlsx":
        _write_book(scores, table, out)
        return
    for_person = form is Format.text and out is None and sys.stdout.isatty()
    show_table(table[SHOWN] if for_person else table, out=out, form=form, title=f"Scores of {scores.period}")


def closed(
    period: Annotated[str | None, typer.Option(help="One closed period; without it all are listed.")] = None,
    version: Annotated[int | None, typer.Option(help="A version of it; the last by default.")] = None,
    level: Annotated[
        Level | None, typer.Option(help="Which, where a period was closed under policies of both levels.")
    ] = None,
    difference: Annotated[
        bool, typer.Option("--difference", help="Show what is different from the version before, line by line.")
    ] = False,
    lines: Annotated[bool, typer.Option("--lines", help="Show every line of every score.")] = False,
    reproduce: Annotated[
        bool, typer.Option("--reproduce", help="Score it again from what is stored, and compare every figure.")
    ] = False,
    home: Home = None,
    dataset: DatasetName = None,
    out: Out = None,
    form: As = Format.text,
) -> None:
    """List closed periods, show one as it was closed, or prove that its scores come out the same again."""
    from features.errors import LoadlineError

    scoring = advisor_of(home).scoring
    if period is None:
        show_table(scoring.closings(dataset=dataset), out=out, form=form, title="Closed periods")
        return
    if reproduce:
        _reproduce(period, version=version, level=level, home=home, dataset=dataset, out=out, form=form)
        return
    found = scoring.closed(period, version=version, level=level, dataset=dataset)
    closing = found.closing
    typer.echo(
        f"{closing.period} version {closing.version}, closed by {closing.by} on {closing.at:%Y-%m-%d} under "
        f"{closing.policy}, data version {closing.data_version}, known on {closing.known_on}."
        + (f" Reason: {closing.reason}." if closing.reason else ""),
        err=True,
    )
    if difference and found.difference is None:
        hint = "Only a restated version has a difference to the one before."
        raise LoadlineError(f"{closing.period} version {closing.version} is the first", where="--difference", hint=hint)
    shown = found.difference if difference and found.difference is not None else found.lines if lines else found.summary
    show_table(shown, out=out, form=form, title=f"Scores of {closing.period} as closed")


def _reproduce(
    period: str,
    *,
    version: int | None,
    level: str | None,
    home: Path | None,
    dataset: str | None,
    out: Path | None,
    form: Format,
) -> None:
    made = advisor_of(home).scoring.reproduce(period, version=version, level=level, dataset=dataset)
    named = f"{made.closing.period} version {made.closing.version}"
    if made.same:
        typer.echo(f"{named} comes out the same in every figure.")
        return
    typer.echo(
        f"{named} does not come out the same: it was scored by version {made.closing.code_version} of this program.",
        err=True,
    )
    show_table(made.difference, out=out, form=form, title="Before: as closed; after: scored again")
    raise typer.Exit(1)


def _write_book(scores: PeriodScores, table: pd.DataFrame, out: Path) -> None:
    from serving.tables import write_sheets

    lines = scores.lines()
    write_sheets({"scores": table, "lines": lines}, out)
    typer.echo(f"{len(table):,} scores and {len(lines):,} lines written to {out}", err=True)


def day_of(text: str | None) -> date | None:
    from features.errors import LoadlineError

    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise LoadlineError(f"{text!r} is not a day", where="--known-on", hint="Write it like 2025-01-31.") from None
