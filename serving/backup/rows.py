"""A database as lines of JSON, a file for each table: the same from SQLite and from PostgreSQL."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from sqlalchemy import Column, Connection, DateTime, LargeBinary, MetaData, Table, func, insert, select, update

from features.errors import LoadlineError
from serving.database.revision import VERSION_TABLE

FLEETING = frozenset({"sessions", "oidc_states", "sign_in_attempts"})
"""Tables that are not kept: who was signed in then must not be signed in after a restore."""
AT_ONCE = 500
"""Rows read or written together."""
LONGEST_LINE = 64 << 20
"""Bytes: larger than any answer that is kept, small enough to be read."""


def tables_of(connection: Connection) -> list[Table]:
    """Read which tables there are; what is referred to comes before what refers to it."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSION_TABLE]


def is_empty(connection: Connection) -> bool:
    """Tell whether no table has a row."""
    return not any(connection.execute(select(table).limit(1)).first() for table in tables_of(connection))


def write_rows(connection: Connection, table: Table, file: IO[bytes]) -> int:
    """Write the rows of a table in the order of its key, and give their number."""
    count = 0
    asked = select(table).order_by(*table.primary_key.columns)
    rows = connection.execution_options(yield_per=AT_ONCE).execute(asked)
    for row in rows:
        plain = {name: _written(value) for name, value in row._mapping.items()}
        file.write(json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        count += 1
    return count


def read_rows(connection: Connection, table: Table, file: IO[bytes]) -> int:
    """Put the rows that `write_rows` wrote into a table, and give their number.

    References within the table are filled in at the end, since a row may come before the one that it refers to.

    Raises
    ------
    LoadlineError
        Where they do not fit the table.
    """
    own = [column for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]
    later: list[tuple[dict[str, Any], dict[str, Any]]] = []
    count = 0
    lines = _lines(file, table)
    while part := list(islice(lines, AT_ONCE)):
        for row in part:
            values = {column.name: row[column.name] for column in own if row[column.name] is not None}
            if values:
                later.append(({key.name: row[key.name] for key in table.primary_key}, values))
                row.update(dict.fromkeys(values))
        connection.execute(insert(table), part)
        count += len(part)
    for key, values in later:
        connection.execute(update(table).where(*(table.c[name] == value for name, value in key.items())).values(values))
    return count


def count_rows(connection: Connection, table: Table) -> int:
    """Count the rows of a table."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _lines(file: IO[bytes], table: Table) -> Iterator[dict[str, Any]]:
    columns = {column.name: column for column in table.columns}
    for number, line in enumerate(_bounded(file), start=1):
        try:
            plain = json.loads(line)
            if not isinstance(plain, dict) or plain.keys() != columns.keys():
                raise ValueError
            row = {name: _read(value, columns[name]) for name, value in plain.items()}
        except (ValueError, TypeError, RecursionError) as error:
            hint = "Take another backup: this one was changed, or written by another release."
            raise LoadlineError(f"line {number} does not fit the table", where=table.name, hint=hint) from error
        yield row


def _bounded(file: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: file.readline(LONGEST_LINE), b"")


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _read(value: Any, column: Column[Any]) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if column.type.timezone else moment.astimezone(UTC).replace(tzinfo=None)
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    return value
