"""The command line: `loadline`. Commands import what they need when they run, so that help is instant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli_alerts import add_alert_commands
from serving.cli_alerts_explain import add_alert_explanation
from serving.cli_appeal import add_appeal_commands
from serving.cli_audit import add_audit_commands
from serving.cli_backup import add_backup_commands
from serving.cli_database import add_database_commands
from serving.cli_models import add_model_commands
from serving.cli_monitor import add_monitor_commands
from serving.cli_people import add_people_commands
from serving.cli_plan import add_plan_commands
from serving.cli_policy import add_policy_commands
from serving.cli_review import add_review_commands
from serving.cli_scores import add_score_commands
from serving.cli_scores_explain import add_score_explanation
from serving.cli_simulate import add_simulate_commands
from serving.cli_targets import add_target_commands
from serving.cli_training import add_training_commands
from serving.terminal import (
    As,
    AsOf,
    DatasetName,
    Format,
    Home,
    Out,
    advisor_of,
    list_breaches,
    show_table,
    shown_progress,
)

if TYPE_CHECKING:
    from serving.advisor import Advisor

WORKERS = 2
"""Processes of a backtest: each holds a panel of its own."""

app = typer.Typer(
    name="loadline",
    help="Achievable targets, early warnings and explained scores for regions and branches.\n\n"
    "为区域和网点测算可实现的目标、预警风险、解释得分。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
explain = typer.Typer(help="Tell how a result comes about.", no_args_is_help=True)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop before serving.")] = False,
    dataset: Annotated[Path | None, typer.Option(help="A dataset folder instead of the sample bank.")] = None,
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port to serve on.")] = 8321,
) -> None:
    """Do the whole job on the synthetic sample bank, or on a dataset, then serve it."""
    from serving.demo import run_demo

    advisor = advisor_of(home)
    with shown_progress() as progress:
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

    version, notes = advisor_of(home).ingest(folder, layout=source)
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    if form is Format.json or not sys.stdout.isatty():
        show_table(pd.DataFrame([version.__dict__]).drop(columns="batch"), form=form)
        return
    typer.echo(
        f"Data version {version.version} of {version.dataset}: {version.added:,} new figures, "
        f"{version.restated:,} restated, {version.unchanged:,} known already. Fingerprint {version.fingerprint[:12]}."
    )


@app.command()
def snapshots(home: Home = None, out: Out = None, form: As = Format.text) -> None:
    """List the data versions."""
    show_table(advisor_of(home).snapshots(), out=out, form=form, title="Data versions")


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
    with shown_progress() as progress:
        summary = advisor_of(home).backtest(
            out,
            origins=origins,
            as_of=as_of,
            dataset=dataset,
            workers=min(WORKERS, os.cpu_count() or 1),
            progress=progress,
        )
    show_table(summary, form=form, title="Backtest: pinball loss relative to pooled growth, and coverage")
    typer.echo(f"Report: {out / 'report.html'}", err=True)


@app.command()
def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8321,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Small processes in front of the application; 0: it serves by itself.")
    ] = 0,
) -> None:
    """Serve the API and the console."""
    if workers:
        from serving.settings import Settings
        from serving.workers import serve_with_workers

        settings = Settings() if home is None else Settings(home=home)
        serve_with_workers(settings, host=host, port=port, workers=workers, say=typer.echo)
        return
    _serve(advisor_of(home), host=host, port=port)


def _serve(advisor: Advisor, *, host: str = "127.0.0.1", port: int = 8321) -> None:
    from serving.server import serve as run

    run(advisor, host=host, port=port, say=typer.echo)


add_training_commands(app)
add_target_commands(app, explain)
add_policy_commands(app)
add_model_commands(app)
add_monitor_commands(app)
add_score_commands(app)
add_score_explanation(explain)
add_simulate_commands(app)
add_appeal_commands(app)
add_alert_commands(app)
add_review_commands(app)
add_alert_explanation(explain)
add_people_commands(app)
add_database_commands(app)
add_backup_commands(app)
add_audit_commands(app)
add_plan_commands(app)
app.add_typer(explain, name="explain")


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
                list_breaches(error)
            sys.exit(1)
        typer.echo(f"Error: {type(error).__name__}: {error}\nHint: set LOADLINE_DEBUG=1 to see where.", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
