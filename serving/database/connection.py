"""Connections to the database: readers that never wait, writers one after another where the database has no rows."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from features.errors import LoadlineError
from serving.database.guard import check_place, sqlite_module
from serving.database.revision import is_current
from serving.database.telling import told
from serving.database.trouble import CrossedError

if TYPE_CHECKING:
    from serving.settings import Settings

BUSY_SECONDS = 30
"""A writer waits for so long for another one: no transaction here takes more than a second or two."""
CONNECT_SECONDS = 5
"""A server that does not answer for so long is taken for gone."""
FILE_NAME = "loadline.db"
LISTED = ("sqlite", "postgresql")
MOST_TRIES = 5
"""Of a change that others keep crossing: then it is said."""
FIRST_PAUSE_SECONDS = 0.02
"""Before a second try; each later one waits twice as long, and a random part of it."""

Given = TypeVar("Given")


class Database:
    """A database, opened when it is first used.

    Parameters
    ----------
    url : str or URL
        `sqlite:///...` or `postgresql://...`.
    upgrades : bool
        Make or upgrade the tables of a PostgreSQL database at first use; those of SQLite always are.

    Raises
    ------
    LoadlineError
        Where the URL is not one of these.
    """

    def __init__(self, url: str | URL, *, upgrades: bool = False) -> None:
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
        self.upgrades = upgrades or self.is_sqlite
        self._engine: Engine | None = None
        self._owner = 0
        self._ready = False
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Database:
        """Give the database that the settings name, else the embedded one of the home."""
        if settings.database_url is None:
            return cls(URL.create("sqlite", database=str(settings.home / FILE_NAME)))
        return cls(settings.database_url.get_secret_value(), upgrades=settings.database_upgrade)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """Give the file of a SQLite database."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name not in (None, "", ":memory:") else None

    @property
    def engine(self) -> Engine:
        """Give the engine; a process that was forked makes its own."""
        if self._engine is None or self._owner != os.getpid():
            self._engine, self._owner = _engine(self.url), os.getpid()
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database throughout, and changes nothing.

        Raises
        ------
        AwayError
            Where the database cannot be reached, or its tables are of another release.
        """
        self.ready()
        with told(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept, on disk, when this ends well, and none otherwise.

        SQLite lets one writer in at a time, from the beginning (BEGIN IMMEDIATE), so that what was read stays true. On
        PostgreSQL rows that are read to be changed must be locked: `select(...).with_for_update()`.

        Raises
        ------
        AwayError
            Where the database cannot be reached, or its tables are of another release.
        FullError
            Where it has no space left.
        CrossedError
            Where another transaction crossed this one; see `change`.
        """
        self.ready()
        with told(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def change(self, work: Callable[[Connection], Given]) -> Given:
        """Do work in a transaction, again from the beginning where others crossed it.

        Parameters
        ----------
        work : callable
            Gets a connection as `write` gives it; it must bear being called again.

        Raises
        ------
        CrossedError
            Where it was crossed every time.
        """
        for tried in range(MOST_TRIES):
            try:
                with self.write() as connection:
                    return work(connection)
            except CrossedError:
                if tried == MOST_TRIES - 1:
                    raise
                pause = FIRST_PAUSE_SECONDS * 2**tried
                time.sleep(pause * (1 + random.random()))  # noqa: S311 - no secret
        raise AssertionError

    def ready(self) -> None:
        """See to it that the tables are those of this program; looks once in a process.

        Raises
        ------
        AwayError
            Where they are of a later release, or of an earlier one and not to be upgraded on the way.
        """
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                if not is_current(self):
                    from serving.database.upgrading import make_ready  # Alembic: only for whoever needs it

                    make_ready(self)
                self._ready = True

    def create(self) -> None:
        """Make the tables, or bring them up to this program."""
        from serving.database.upgrading import upgrade

        upgrade(self)

    def close(self) -> None:
        """Close what is open; the next use looks at the tables again."""
        if self._engine is not None and self._owner == os.getpid():
            self._engine.dispose()
        self._engine, self._ready = None, False


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        waits = {"connect_timeout": CONNECT_SECONDS, "options": f"-c lock_timeout={BUSY_SECONDS}s"}
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args=waits)
    if url.database not in (None, "", ":memory:"):
        check_place(Path(str(url.database)))
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
