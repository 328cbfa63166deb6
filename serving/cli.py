"""The command line: `loadline`. Commands import what they need when they run, so that help is instant."""

from __future__ import annotations

import os
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

app = typer.Typer(
    name="loadline",
    help="Achievable targets, early warnings and explained scores for regions and branches.\n\n"
    "为区域和网点测算可实现的目标、预警风险、解释得分。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def _advisor(home: Path | None) -> Advisor:
    from serving.advisor import Advisor
    from serving.settings import Settings

    return Advisor(Settings() if home is None else Settings(home=home))


@contextmanager
def _progress() -> Iterator[Progress]:
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


def _show(frame: pd.DataFrame, *, out: Path | None = None, form: Format = Format.text, title: str = "") -> None:
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

    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 1
        else (f"{value:,.2f}" if isinstance(value, float) else escape(str(value)))
    )


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop before serving.")] = False,
    dataset: Annotated[Path | None, typer.Option(help="A dataset folder instead of the sample bank.")] = None,
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port to serve on.")] = 8321,
) -> None:
    """Do the whole job on the synthetic sample bank, or on a dataset, then serve it."""
    from serving.demo import run_demo

    advisor = _advisor(home)
    with _progress() as progress:
        run_demo(advisor, dataset, progress=progress, say=typer.echo)
    if not once:
        _serve(advisor, port=port)


@app.command()
def ingest(
    folder: Annotated[str, typer.Argument(help="A dataset folder, an Excel book, or a SQL database's URL.")],
    home: Home = None,
    form: As = Format.text,
    source: Annotated[
        Path | None,
        typer.Option(help="For Excel books, databases and Parquet lakes: a YAML file saying what is where."),
    ] = None,
) -> None:
    """Check a dataset and store it as a new data version; nothing is stored if anything is wrong."""
    import pandas as pd

    version, notes = _advisor(home).ingest(folder, layout=source)
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    if form is Format.json or not sys.stdout.isatty():
        _show(pd.DataFrame([version.__dict__]).drop(columns="batch"), form=form)
        return
    typer.echo(
        f"Data version {version.version} of {version.dataset}: {version.added:,} new figures, "
        f"{version.restated:,} restated, {version.unchanged:,} known already. Fingerprint {version.fingerprint[:12]}."
    )


@app.command()
def snapshots(home: Home = None, out: Out = None, form: As = Format.text) -> None:
    """List the data versions."""
    _show(_advisor(home).snapshots(), out=out, form=form, title="Data versions")


@app.command()
def train(
    as_of: AsOf = None,
    home: Home = None,
    dataset: DatasetName = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.", envvar="LOADLINE_CLUSTER")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 20240101,
    form: As = Format.text,
) -> None:
    """Learn from the stored data: backtest, fit, register, gate, promote."""
    with _progress() as progress:
        result = _advisor(home).train(as_of=as_of, dataset=dataset, cluster=cluster, seed=seed, progress=progress)
    _show(result.table(), form=form, title=f"Model {result.model_version} as of {result.as_of}")
    typer.echo(f"Model {result.model_version}: {result.outcome}.", err=True)


@app.command()
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
    asked = _quantiles(quantiles)
    with _progress() as progress:
        frame = _advisor(home).targets(
            year, as_of=as_of, goals=goals, pins=pins, quantiles=asked, dataset=dataset, progress=progress
        )
    _show(frame, out=out, form=form, title=f"Suggested targets for {year}")


def _quantiles(text: str) -> list[float]:
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


@app.command()
def backtest(
    out: Annotated[Path, typer.Option(help="Folder for the metrics and the report.")],
    origins: Annotated[int, typer.Option(help="Number of past years to stand in for the future.")] = 4,
    as_of: AsOf = None,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Replay the past: each model and baseline by indicator and origin, with an HTML report."""
    with _progress() as progress:
        summary = _advisor(home).backtest(out, origins=origins, as_of=as_of, dataset=dataset, progress=progress)
    _show(summary, form=form, title="Backtest: pinball loss relative to pooled growth, and coverage")
    typer.echo(f"Report: {out / 'report.html'}", err=True)


@app.command()
def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8321,
) -> None:
    """Serve the API and the console."""
    _serve(_advisor(home), host=host, port=port)


def _serve(advisor: Advisor, *, host: str = "127.0.0.1", port: int = 8321) -> None:
    from serving.server import serve as run

    run(advisor, host=host, port=port, say=typer.echo)


def _report(error: DatasetError) -> None:
    """List the breaches of a dataset."""
    for breach in error.breaches[:LISTED]:
        typer.echo(f"  {breach}", err=True)
    if error.total > LISTED:
        typer.echo(f"  ... and {error.total - LISTED:,} more", err=True)


def main() -> None:
    """Run the command line; whatever goes wrong is said in words, never as a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing half-done was kept.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if os.environ.get("LOADLINE_DEBUG"):
            raise
        from features.errors import DatasetError, LoadlineError

        if isinstance(error, LoadlineError):
            typer.echo(f"Error: {error}", err=True)
            if isinstance(error, DatasetError):
                _report(error)
            sys.exit(1)
        typer.echo(f"Error: {type(error).__name__}: {error}\nHint: set LOADLINE_DEBUG=1 to see where.", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
