"""Brings the tables up to this program, or back: all steps or none, one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from features.errors import LoadlineError
from serving.database.guard import sqlite_module
from serving.database.revision import VERSION_TABLE
from serving.database.tables import metadata
from serving.database.telling import told
from serving.database.trouble import AwayError
from training.lock import file_lock

if TYPE_CHECKING:
    from serving.database.connection import Database

FOLDER = Path(__file__).parent / "migrations"
LOCK_NUMBER = 7_205_116_403
"""Of PostgreSQL's advisory lock for upgrades: any number that nobody else uses."""

_ONE_THREAD = threading.Lock()  # Alembic's operations belong to the whole process


@dataclass(frozen=True, slots=True)
class Standing:
    """How the tables of a database stand to those of this program.

    Attributes
    ----------
    revision : str or None
        Of the database; None where it has no tables.
    head : str
        Of this program.
    known : bool
        Whether this program has the database's revision.
    """

    revision: str | None
    head: str
    known: bool

    @property
    def current(self) -> bool:
        """Tell whether they are the same."""
        return self.revision == self.head

    @property
    def text(self) -> str:
        """Say it in a few words."""
        if self.current:
            return "current"
        if self.revision is None:
            return "no tables"
        return "to be upgraded" if self.known else "newer than this program"


def revisions() -> tuple[str, ...]:
    """List the revisions of this program, the oldest first."""
    return tuple(script.revision for script in reversed(list(_scripts().walk_revisions())))


def standing(database: Database) -> Standing:
    """Look at a database and change nothing.

    Raises
    ------
    AwayError
        Where it cannot be reached, or holds tables of something else.
    """
    file = database.file
    if file is not None and not file.exists():
        return Standing(None, revisions()[-1], known=True)
    with told(), database.engine.connect() as connection:
        return _standing(connection)


def make_ready(database: Database) -> None:
    """Upgrade a database that may be upgraded on the way; refuse any other that is not current.

    Raises
    ------
    AwayError
        Where it is not current and stays so.
    """
    found = standing(database)
    if found.current:
        return
    if found.known and database.upgrades:
        upgrade(database)
        return
    _check_known(found)
    raise AwayError(
        f"the database's tables are not those of this program: {found.revision or 'none'}, not {found.head}",
        where="LOADLINE_DATABASE_URL",
        hint="Run `loadline database upgrade` once, or start with LOADLINE_DATABASE_UPGRADE=1.",
    )


def upgrade(database: Database, to: str = "head") -> Standing:
    """Bring the tables up to a revision: all of it or nothing, whatever happens meanwhile.

    Of a SQLite database with tables a copy is kept beside it, named after its revision.

    Raises
    ------
    LoadlineError
        Where there is no such revision, or the database is newer than this program or cannot be reached.
    """
    return _migrate(database, to, lambda script, revision: script._upgrade_revs(to, revision))  # type: ignore[arg-type]


def downgrade(database: Database, to: str) -> Standing:
    """Take the tables back to a revision, or to `base`; what only later ones hold is lost.

    Raises
    ------
    LoadlineError
        As `upgrade`.
    """
    return _migrate(database, to, lambda script, revision: script._downgrade_revs(to, revision))  # type: ignore[arg-type]


def differences(database: Database) -> list[str]:
    """Tell in what the tables of a database differ from those that the program expects; empty where in nothing."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        return [str(found) for found in compare_metadata(context, metadata)]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(FOLDER))


def _standing(connection: Connection) -> Standing:
    scripts = _scripts()
    head = str(scripts.get_current_head())
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise AwayError(
                f"the database holds tables of something else, such as {tables[0]!r}",
                where="LOADLINE_DATABASE_URL",
                hint="Give Loadline a database, or a schema, of its own.",
            )
        return Standing(None, head, known=True)
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our name
    known = revision is None or revision in {script.revision for script in scripts.walk_revisions()}
    return Standing(revision, head, known)


def _check_known(found: Standing) -> None:
    if not found.known:
        raise AwayError(
            f"the database was made by a later release: its tables are of revision {found.revision}",
            where="LOADLINE_DATABASE_URL",
            hint="Install the release that made it, or restore a backup of before into an empty database.",
        )


def _migrate(database: Database, to: str, steps: Callable[[ScriptDirectory, str], Any]) -> Standing:
    file = database.file
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # it holds secrets: SQLite would let everybody read it
    with _ONE_THREAD, nullcontext() if file is None else file_lock(file.with_name(f"{file.name}.lock")):
        try:
            with told(), _connection(database) as connection:
                found = _standing(connection)
                _check_known(found)
                if file is not None and found.revision not in (None, found.head if to == "head" else to):
                    _keep_copy(file, file.with_name(f"{file.name}.{found.revision}"))
                scripts = _scripts()
                context = MigrationContext.configure(
                    connection,
                    opts={
                        "script": scripts,
                        "fn": lambda heads, _: steps(scripts, heads),
                        "render_as_batch": True,
                        "transactional_ddl": True,
                    },
                )
                with Operations.context(context):
                    context.run_migrations()
                _check_references(connection, database)
                return _standing(connection)
        except CommandError as error:
            known = ", ".join(revisions())
            raise LoadlineError(f"there is no way to revision {to!r}", where="--to", hint=f"Known: {known}.") from error


@contextmanager
def _connection(database: Database) -> Iterator[Connection]:
    """Give a connection in a transaction that nobody else upgrades beside.

    SQLite changes a table by making another and dropping the first, which would take with it what refers to its rows:
    references are not followed meanwhile, and checked in the end.
    """
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        if database.is_sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.execution_options(writes=True).begin():
                if not database.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
                yield connection
        finally:
            if database.is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection, database: Database) -> None:
    if database.is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
        raise LoadlineError(
            f"rows of {broken[0]!r} would refer to nothing",
            where=str(database.file),
            hint="Nothing was changed. Restore a backup, or report this with the output of `loadline database check`.",
        )


def _keep_copy(file: Path, copy: Path) -> None:
    """Copy a database that is in use, whole or not at all."""
    partial = copy.with_name(f"{copy.name}.partial")
    partial.unlink(missing_ok=True)
    module = sqlite_module()
    with closing(module.connect(str(file))) as source, closing(module.connect(str(partial))) as target:
        source.backup(target)
    partial.chmod(0o600)
    partial.replace(copy)
