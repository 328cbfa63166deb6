"""Connections to the database: readers that never wait, writers one after another where the database has no rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from features.errors import LoadlineError
from serving.database.tables import metadata

BUSY_SECONDS = 30
"""A writer waits for so long for another one: no transaction here takes more than a second or two."""
SAFE_SQLITE = (3, 51, 3)
"""Earlier versions can lose what several processes write to a WAL at once (sqlite.org/wal.html, "WAL-reset bug")."""
FILE_NAME = "loadline.db"
LISTED = ("sqlite", "postgresql")


class Database:
    """A database, opened when it is first used.

    Parameters
    ----------
    url : str or URL
        `sqlite:///...` or `postgresql://...`.

    Raises
    ------
    LoadlineError
        Where the URL is not one of these.
    """

    def __init__(self, url: str | URL) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            parsed = None
        if parsed is None or parsed.get_backend_name() not in LISTED:
            raise LoadlineError(
                "the database is neither SQLite nor PostgreSQL",
                where="LOADLINE_DATABASE_URL",
                hint="Give postgresql://USER:PASSWORD@HOST/NAME, or leave it unset for SQLite in the home.",
            )
        self.url = parsed.set(drivername=parsed.get_backend_name().replace("postgresql", "postgresql+psycopg"))
        self._engine: Engine | None = None
        self._owner = 0

    @classmethod
    def in_home(cls, home: Path) -> Database:
        """Give the embedded database of a home."""
        return cls(URL.create("sqlite", database=str(home / FILE_NAME)))

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> Engine:
        """Give the engine; a process that was forked makes its own."""
        if self._engine is None or self._owner != os.getpid():
            self._engine, self._owner = _engine(self.url), os.getpid()
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database throughout, and changes nothing."""
        with _told(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept, on disk, when this ends well, and none otherwise.

        SQLite lets one writer in at a time, from the beginning (BEGIN IMMEDIATE), so that what was read stays true. On
        PostgreSQL rows that are read to be changed must be locked: `select(...).with_for_update()`.
        """
        with _told(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def create(self) -> None:
        """Make the tables that are missing."""
        if self.is_sqlite and self.url.database not in (None, "", ":memory:"):
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            metadata.create_all(connection)

    def close(self) -> None:
        """Close what is open."""
        if self._engine is not None and self._owner == os.getpid():
            self._engine.dispose()
        self._engine = None


def sqlite_module() -> Any:
    """Give the newest SQLite at hand: the wheel's where it is installed, else Python's own."""
    try:
        from pysqlite3 import dbapi2

        return dbapi2
    except ImportError:
        import sqlite3

        return sqlite3


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, module=sqlite_module(), connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the module guesses
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _told() -> Iterator[None]:
    """Say in words what keeps the database from being reached; it names no password."""
    try:
        yield
    except OperationalError as error:
        raise unreachable(error) from error


def unreachable(error: DBAPIError) -> LoadlineError:
    """Give the error that a person reads."""
    return LoadlineError(
        f"the database cannot be used: {str(error.orig).splitlines()[0] if error.orig else 'no connection'}",
        where="LOADLINE_DATABASE_URL",
        hint="See that it is running, reachable and has free space; nothing was changed.",
    )
