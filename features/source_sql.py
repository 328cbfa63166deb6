"""Tables from a database by a query: read-only, streamed, and without a password ever being shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import numpy as np
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from features.errors import LoadlineError
from features.origins import Piece
from features.source_spec import TableSpec
from features.spelling import column_of
from features.staging import Staging

ROWS_AT_ONCE = 50_000
"""Rows fetched and written at a time, so that memory does not grow with the result."""
READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
"""What makes a connection read-only, by database; PostgreSQL has an option of its own for it."""
PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL",
}
"""The package to install where a driver's module is missing; the others are called as their module."""
SECRET = re.compile(r"pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)
"""Options of a URL that may hold a password."""

_SKIPPED = re.compile(
    r"(?P<comment>--[^\n]*|/\*(?!!).*?\*/)"  # a comment that begins /*! is run by MySQL
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
_FIRST = frozenset({"select", "with", "values", "table"})
_CHANGING = frozenset(
    {"alter", "analyze", "attach", "call", "copy", "create", "delete", "detach", "do", "drop", "exec", "execute"}
    | {"grant", "insert", "into", "load", "lock", "merge", "pragma", "rename", "reset", "revoke", "set", "truncate"}
    | {"update", "upsert", "vacuum"}
)
"""Words that no plain query has; `set` and `into` begin what a query can hide: SET ROLE, SELECT INTO."""


def check_query(sql: str, *, where: str) -> str:
    """Refuse what is not one query: this is the outer guard, the read-only connection the inner one.

    Raises
    ------
    LoadlineError
        Where it is empty, several statements, or one that changes something.
    """
    bare = _SKIPPED.sub(lambda match: " " if match["comment"] else " '' ", sql).strip().rstrip(";").strip()
    words = [word.lower() for word in re.findall(r"[A-Za-z_]\w*", bare)]
    hint = "Only a single SELECT (or WITH ... SELECT) is run; quote a column that has such a name."
    if not words or words[0] not in _FIRST or ";" in bare or "/*" in bare:
        raise LoadlineError("this is not a single query", where=where, hint=hint)
    changing = [word for word in words if word in _CHANGING]
    if changing:
        raise LoadlineError(f"the query holds {changing[0].upper()!r}", where=where, hint=hint)
    return sql.strip().rstrip(";").strip()


class SqlSource:
    """A database.

    Parameters
    ----------
    url : str
        Anything SQLAlchemy takes, such as `postgresql://user:password@host/warehouse` or `sqlite:///file.db`.

    Raises
    ------
    LoadlineError
        Where the URL is none, or its database or driver is not known here. No message holds a password.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            hint = "Write it like postgresql://user:password@host/database; escape @ : / in a password as %40 %3A %2F."
            raise LoadlineError("the address of the database cannot be read", hint=hint) from None
        self.name = parsed.set(query={}).render_as_string(hide_password=True)
        self._secrets = _secrets(parsed)
        self._url = _sqlite_read_only(parsed) if parsed.get_backend_name() == "sqlite" else parsed
        try:
            self._engine = create_engine(self._url)
        except NoSuchModuleError:
            hint = "It is the part before ://, such as postgresql, mysql, oracle, mssql or sqlite."
            raise LoadlineError("this kind of database is not known", where=self.name, hint=hint) from None
        except ModuleNotFoundError as error:
            package = PACKAGES.get(str(error.name), str(error.name))
            what, hint = f"the database driver {error.name} is not installed", f"Install the package {package}."
            raise LoadlineError(what, where=self.name, hint=hint) from None
        except (SQLAlchemyError, TypeError, ValueError) as error:
            raise self._failed("the database cannot be used", error) from None

    def pieces(self, kind: str, spec: TableSpec, staging: Staging) -> Iterator[Piece]:
        """Run a table's query and give its rows, some at a time."""
        if spec.sql is None:
            raise LoadlineError("a table of a database needs `sql`", where=kind, hint="Give the query.")
        sql = check_query(spec.sql, where=f"sql of {kind}")
        place = f"query of {kind}"
        try:
            with self._connected() as connection, connection.exec_driver_sql(sql) as result:
                names = list(result.keys())
                twice = [name for name, times in Counter(names).items() if times > 1]
                if twice:
                    hint = "Give one of them another name with AS."
                    staging.structure.add(place, 0, twice[0], "", expected="each column once", hint=hint)
                    return
                yield Piece(place, np.empty(0, np.int64), {name: column_of([]) for name in names})
                start = 1
                for rows in result.partitions(ROWS_AT_ONCE):
                    columns = [column_of(values) for values in zip(*rows, strict=True)]
                    numbered = np.arange(start, start + len(rows))
                    start += len(rows)
                    yield Piece(place, numbered, dict(zip(names, columns, strict=True)))
        except SQLAlchemyError as error:
            raise self._failed(f"the query of {kind} failed", error) from None

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Connect for reading only, and change nothing even so."""
        backend = self._engine.dialect.name
        options = {"stream_results": True, "yield_per": ROWS_AT_ONCE, "no_parameters": True}
        if backend == "postgresql":
            options["postgresql_readonly"] = True
        with self._engine.connect() as connection:
            connection.execution_options(**options)
            if backend in READ_ONLY:
                connection.exec_driver_sql(READ_ONLY[backend])
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    def _failed(self, what: str, error: Exception) -> LoadlineError:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        text = reason[0] if reason else type(error).__name__
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return LoadlineError(f"{what}: {text}", where=self.name, hint="Check the address, the query and the rights.")


def _secrets(url: URL) -> list[str]:
    """List what must not be shown of a URL, as it stands and as it is escaped, the longest first."""
    held = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if SECRET.search(name):
            held += [value] if isinstance(value, str) else list(value)
    spelled = {form for text in held for form in (text, quote(text, safe=""), quote_plus(text))}
    return sorted(filter(None, spelled), key=len, reverse=True)


def _sqlite_read_only(url: URL) -> URL:
    """Open a SQLite file so that it can be neither made nor changed.

    Raises
    ------
    LoadlineError
        Where there is no such file.
    """
    path = Path(url.database or "")
    if not path.is_file():
        hint = "Write sqlite:///folder/file.db, with a fourth slash for a path from the root."
        raise LoadlineError("there is no such SQLite file", where=url.database or "sqlite://", hint=hint)
    return url.set(database=f"file:{quote(str(path.resolve()))}", query={"mode": "ro", "uri": "true"})
