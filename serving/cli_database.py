"""Commands about the database: how it stands, bringing its tables up to this program, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.terminal import As, Format, Home

if TYPE_CHECKING:
    from serving.database.connection import Database
    from serving.database.upgrading import Standing

To = Annotated[str, typer.Option("--to", help="A revision, such as 0004; `base` for no tables at all.")]


def add_database_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    database = typer.Typer(
        help="Look at the database and upgrade its tables.\n\n数据库状态与表结构升级。", no_args_is_help=True
    )
    for command in (status, check, upgrade, downgrade):
        database.command()(command)
    app.add_typer(database, name="database")


def status(home: Home = None, form: As = Format.text) -> None:
    """Tell which database is in use and how its tables stand to this program."""
    from serving.database.guard import SAFE_SQLITE, file_system, sqlite_module
    from serving.database.upgrading import standing

    database = database_of(home)
    found = standing(database)
    told: dict[str, object] = {
        "kind": "SQLite" if database.is_sqlite else "PostgreSQL",
        "address": database.url.render_as_string(hide_password=True),
        "tables": found.text,
        "revision": found.revision or "none",
        "revision of the program": found.head,
    }
    if database.file is not None:
        version = sqlite_module().sqlite_version_info
        told["SQLite version"] = ".".join(map(str, version))
        told["several processes"] = "possible" if tuple(version) >= SAFE_SQLITE else "not with this version"
        told["file system"] = file_system(database.file) or "unknown"
    if form is Format.json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        typer.echo(f"{name[0].upper()}{name[1:]}: {value}")


def check(home: Home = None) -> None:
    """Check that the tables are as this program expects and the database is sound; ends with 1 where not."""
    from serving.database.checking import problems

    found = problems(database_of(home))
    for problem in found:
        typer.echo(f"Error: {problem}", err=True)
    if found:
        raise typer.Exit(1)
    typer.echo("The database is sound, and its tables are those of this program.")


def upgrade(home: Home = None) -> None:
    """Make the tables, or bring them up to this program; all of it or nothing."""
    from serving.database.upgrading import standing
    from serving.database.upgrading import upgrade as run

    database = database_of(home)
    before = standing(database)
    _tell(before, run(database))


def downgrade(
    to: To,
    home: Home = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, what only later revisions hold may be lost.")] = False,
) -> None:
    """Take the tables back to an earlier revision, for an earlier release; what only later ones hold is lost."""
    from features.errors import LoadlineError
    from serving.database.upgrading import downgrade as run
    from serving.database.upgrading import standing

    if not yes:
        raise LoadlineError(
            "going back removes tables and what they hold",
            where="--yes",
            hint="Take a backup with `loadline backup --out FILE.tar.gz`, then repeat with --yes.",
        )
    database = database_of(home)
    before = standing(database)
    _tell(before, run(database, to))


def database_of(home: Path | None) -> Database:
    """Give the database of a home, or the one that the settings name."""
    from serving.database.connection import Database
    from serving.settings import Settings

    return Database.of(Settings() if home is None else Settings(home=home))


def _tell(before: Standing, after: Standing) -> None:
    if before.revision == after.revision:
        typer.echo(f"The tables are of revision {after.revision or 'none'} already.")
    else:
        typer.echo(f"The tables went from revision {before.revision or 'none'} to {after.revision or 'none'}.")
