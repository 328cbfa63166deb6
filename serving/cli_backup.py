"""Commands about backups: taking one while the service runs, checking one, restoring one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import Home

if TYPE_CHECKING:
    from serving.settings import Settings

File = Annotated[Path, typer.Argument(help="The file that `loadline backup` wrote.")]


def add_backup_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    backup = typer.Typer(invoke_without_command=True, no_args_is_help=True)
    backup.callback()(take)
    backup.command()(verify)
    app.add_typer(backup, name="backup", help="Back up the home and the database, while the service runs.\n\n备份。")
    app.command()(restore)


def take(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="A new file: NAME.tar.gz, outside of the home.")] = None,
    home: Home = None,
    without_mlflow: Annotated[
        bool, typer.Option("--without-mlflow", help="Leave out the embedded registry of training runs.")
    ] = False,
) -> None:
    """Back up the home and the database, while the service runs; the file holds secrets: only its owner may read it."""
    if context.invoked_subcommand is not None:
        return
    from features.errors import LoadlineError
    from serving.advisor import utc_now
    from serving.backup.writing import back_up
    from serving.database.connection import Database

    if out is None:
        raise LoadlineError("no file is named", where="--out", hint="loadline backup --out /backups/monday.tar.gz")
    settings = _settings(home)
    manifest, digest = back_up(
        settings.home,
        Database.of(settings),
        out,
        clock=utc_now,
        mlflow=not without_mlflow,
        store=settings.store_url is None,
    )
    typer.echo(f"{len(manifest.files):,} files and {sum(manifest.rows.values()):,} rows are in {out}.")
    typer.echo(f"SHA-256 {digest}")
    if not manifest.store:
        typer.echo("The data versions are not in it: LOADLINE_STORE_URL keeps them elsewhere.", err=True)


def verify(file: File) -> None:
    """Check every byte of a backup; nothing is changed."""
    from serving.backup.restoring import verify_backup

    manifest = verify_backup(file)
    typer.echo(
        f"The backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC is whole: {len(manifest.files):,} files, "
        f"{sum(manifest.rows.values()):,} rows, tables of revision {manifest.revision}, release {manifest.release}."
    )


def restore(
    file: File,
    home: Home = None,
    database_url: Annotated[
        str | None,
        typer.Option(help="An empty database instead of SQLite in the home.", envvar="LOADLINE_DATABASE_URL"),
    ] = None,
) -> None:
    """Restore a backup into an empty home and an empty database, and check the audit's chain."""
    from features.errors import LoadlineError
    from serving.advisor import Advisor
    from serving.backup.restoring import restore as run
    from serving.settings import Settings

    place = _settings(home).home
    advisor = Advisor(Settings(home=place, database_url=database_url))  # type: ignore[arg-type]
    manifest = run(file, place, advisor.database)
    typer.echo(f"{len(manifest.files):,} files and {sum(manifest.rows.values()):,} rows are back in {place}.")
    verdict = advisor.audit.verify()
    if not verdict.holds:
        raise LoadlineError(
            f"the audit's chain does not hold: {verdict.findings[0].what}",
            where=str(file),
            hint="It did not when the backup was taken either: `loadline audit verify` tells more.",
        )
    typer.echo(f"The audit's chain holds: {verdict.entries:,} entries. Check the models: loadline models verify")


def _settings(home: Path | None) -> Settings:
    from serving.settings import Settings

    return Settings() if home is None else Settings(home=home)
