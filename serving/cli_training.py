"""Training on the command line: `loadline train`, `loadline worker` and `loadline runs`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from serving.terminal import As, AsOf, DatasetName, Format, Home, advisor_of, show_table, shown_progress
from training.retraining.request import KINDS

runs = typer.Typer(
    help="Look at training runs: what was asked, how far they are, what came of them.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the run, or the beginning of it.")]
INTERRUPTED = 130


def add_training_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(worker)
    app.add_typer(runs, name="runs")


def train(
    as_of: AsOf = None,
    home: Home = None,
    dataset: DatasetName = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.", envvar="LOADLINE_CLUSTER")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 20240101,
    trials: Annotated[
        int | None,
        typer.Option(help="Most settings that tuning may try for each model; 0 keeps the usual ones.", min=0),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help=f"Train only this model: {' or '.join(KINDS)}.", show_default=False)
    ] = None,
    change: Annotated[
        Path | None, typer.Option(help="A change from outside, as for `loadline simulate --change`.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Train once more although nothing has changed.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Only ask; `loadline worker` or the service does the work.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who asks, for the record.", envvar="LOADLINE_USER")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    form: As = Format.text,
) -> None:
    """Learn from the stored data: decide what is needed, tune, backtest, fit, register, gate, promote.

    A run that was interrupted goes on from the step it was in. Asking for the same again shows what came of it.
    """
    from serving.training_report import TrainingReport

    advisor = advisor_of(home)
    run, new = advisor.training.request(
        by=by or os.environ.get("USER") or "loadline train",
        reason=reason,
        dataset=dataset,
        as_of=as_of,
        kinds=KINDS if only is None else (only,),
        seed=seed,
        trials=trials,
        again=again,
        change=change,
        cluster=cluster or "",
    )
    if background:
        typer.echo(run.name)
        typer.echo(f"{'Asked for' if new else 'Asked for before'}: {run.state}.", err=True)
        return
    if not new and run.state == "done":
        typer.echo(f"Run {run.name} has done this already; --again trains once more.", err=True)
    elif not new:
        typer.echo(f"Run {run.name} goes on.", err=True)
    with shown_progress() as progress:
        _work_on(advisor, run, progress)
    report = TrainingReport.of(run)
    if form is Format.json:
        import json

        typer.echo(json.dumps({"run": run.name} | dict(report.result), ensure_ascii=False, indent=2))
    elif report.model_version:
        show_table(report.table(), form=form, title=f"Model {report.model_version} as of {report.target['as_of']}")
    for line in report.lines:
        typer.echo(line["en"], err=True)


def _work_on(advisor, run, progress) -> None:
    """Work on a run; Ctrl-C leaves it to be gone on with."""
    try:
        advisor.training.work(run, progress=progress)
    except KeyboardInterrupt:
        typer.echo(
            f"\nStopped; nothing half-done was kept. The same command goes on with run {run.name}; "
            f"`loadline runs cancel {run.name}` ends it.",
            err=True,
        )
        sys.stderr.flush()
        os._exit(INTERRUPTED)  # the step at work holds threads that would keep the process; it is redone next time


def worker(
    home: Home = None,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is waiting.")] = False,
) -> None:
    """Do the training runs that are waiting, the interrupted ones first; one worker a home."""
    advisor = advisor_of(home)
    with shown_progress() as progress:
        try:
            advisor.training.attend(once=once, progress=progress, say=lambda line: typer.echo(line, err=True))
        except KeyboardInterrupt:
            typer.echo("Stopped; the next worker goes on.", err=True)
            sys.stderr.flush()
            os._exit(INTERRUPTED)


@runs.command("list")
def list_runs(home: Home = None, dataset: DatasetName = None, form: As = Format.text) -> None:
    """List the runs, the newest first."""
    table = advisor_of(home).training.table(dataset)
    if table.empty and form is Format.text:
        typer.echo("No training has been asked for yet. `loadline train` does.", err=True)
        return
    show_table(table, form=form, title="Training runs")


@runs.command("show")
def show_run(name: Name, home: Home = None, form: As = Format.text) -> None:
    """Tell what happened in a run, step by step."""
    run = advisor_of(home).training.run(name)
    if form is Format.json:
        import json

        plain = {
            "run": run.name,
            "state": run.state,
            "request": run.request.as_dict(),
            "events": [event.as_dict() for event in run.events],
            "result": run.result,
        }
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    request = run.request
    typer.echo(f"{run.name}: {run.state}")
    typer.echo(f"Asked by {request.by} at {request.at}{': ' + request.reason if request.reason else ''}")
    for event in run.events:
        typer.echo(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<9} {event.step:<17} {event.text.en}")


@runs.command("cancel")
def cancel_run(name: Name, home: Home = None) -> None:
    """Stop a run before its next step; a champion that it has promoted stays."""
    run = advisor_of(home).training.cancel(name)
    typer.echo(f"Run {run.name} stops before its next step.", err=True)
