"""How the command line shows things: options all commands share, progress, tables, what is wrong with a dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from features.errors import DatasetError
    from serving.advisor import Advisor
    from training.progress import Progress

LISTED = 50
"""Breaches shown on a terminal; `--format json` gives all that were kept."""
SHOWN_ROWS = 40
"""Rows of a table shown on a terminal; `--out` writes all."""


class Format(StrEnum):
    """How results are written to the terminal."""

    text = "text"
    json = "json"


Home = Annotated[
    Path | None, typer.Option(help="Where Loadline keeps its data.", envvar="LOADLINE_HOME", show_default=".loadline")
]
As = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
Out = Annotated[Path | None, typer.Option(help="Write the table here: .csv, .parquet, .xlsx or .json.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="Use only what was known at the end of this period, such as 2024, 2024-Q3 or 2024-07."),
]
DatasetName = Annotated[
    str | None, typer.Option("--dataset", help="Name of the dataset; the last one stored by default.")
]

PeriodAsked = Annotated[
    str, typer.Option("--period", help="2024, 2024-Q3 or 2024-07; a bare year stands for its last.")
]
PolicyFile = Annotated[
    Path | None, typer.Option(help="A policy file; by default the policy in force on the period's last day.")
]
TargetsSet = Annotated[
    Path | None, typer.Option(help="The targets that were set: the file that `loadline targets --out` wrote.")
]
SuggestedTargets = Annotated[
    bool,
    typer.Option(
        "--suggested-targets", help="Compare with what would have been suggested at the end of the year before."
    ),
]
KnownOn = Annotated[str | None, typer.Option(help="Leave out what became known after this day, such as 2025-01-31.")]


def advisor_of(home: Path | None) -> Advisor:
    """Open a home; the one that the settings name where none is given."""
    from serving.advisor import Advisor
    from serving.settings import Settings

    return Advisor(Settings() if home is None else Settings(home=home))


def asked_quantiles(text: str) -> list[float]:
    """Read a list of quantiles.

    Raises
    ------
    LoadlineError
        Where it is none.
    """
    from features.errors import LoadlineError

    try:
        asked = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        asked = [-1.0]
    if any(not 0 < q < 1 for q in asked):
        raise LoadlineError(
            f"{text!r} is not a list of quantiles",
            where="--quantiles",
            hint="Write numbers between 0 and 1: 0.05,0.5,0.95",
        )
    return asked


def one_kind_of_targets(targets: Path | None, suggested: bool) -> None:
    """Refuse targets from a file and suggested ones together.

    Raises
    ------
    LoadlineError
        Where both are asked for.
    """
    from features.errors import LoadlineError

    if targets is not None and suggested:
        hint = "Leave one of them out."
        raise LoadlineError("--targets and --suggested-targets exclude each other", where="--targets", hint=hint)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show progress on stderr when a person is looking."""
    from training.progress import silent

    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, object] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield show


def show_table(frame: pd.DataFrame, *, out: Path | None = None, form: Format = Format.text, title: str = "") -> None:
    """Write a table to a file, as JSON, or as text for a person."""
    from serving.tables import to_json, write_table

    if out is not None:
        write_table(frame, out)
        typer.echo(f"{len(frame):,} rows written to {out}", err=True)
        return
    if form is Format.json:
        typer.echo(to_json(frame))
        return
    if not sys.stdout.isatty():
        typer.echo(frame.to_csv(index=False), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None)
    for name in frame.columns:
        numeric = frame[name].dtype.kind in "if"
        table.add_column(str(name), justify="right" if numeric else "left")
    for row in frame.head(SHOWN_ROWS).itertuples(index=False):
        table.add_row(*("" if value != value or value is None else _cell(value) for value in row))
    Console().print(table)
    if len(frame) > SHOWN_ROWS:
        typer.echo(f"... and {len(frame) - SHOWN_ROWS:,} more rows; write them all with --out FILE", err=True)


def _cell(value: object) -> str:
    from rich.markup import escape

    if not isinstance(value, float):
        return escape(str(value))
    return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"


def list_breaches(error: DatasetError) -> None:
    """List the breaches of a dataset on stderr."""
    for breach in error.breaches[:LISTED]:
        typer.echo(f"  {breach}", err=True)
    if error.total > LISTED:
        typer.echo(f"  ... and {error.total - LISTED:,} more", err=True)
