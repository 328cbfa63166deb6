"""Rows in every table of a database, whatever its revision, and all that a database holds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, LargeBinary, MetaData, Table, insert, inspect, select

from serving.database.connection import Database
from serving.database.revision import VERSION_TABLE

ROWS = 3
"""In each table."""
_distinct = itertools.count(1)

Contents = dict[str, list[tuple[Any, ...]]]


def tables_of(database: Database) -> MetaData:
    """Read what tables there are."""
    found = MetaData()
    with database.engine.connect() as connection:
        found.reflect(connection)
    return found


def fill(database: Database, *, only: set[str] | None = None) -> None:
    """Put rows into each table, or into some: text in Chinese, times to the microsecond, floats that have no end."""
    keys: dict[tuple[str, str], list[Any]] = {}
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for table in tables_of(database).sorted_tables:
            if table.name == VERSION_TABLE or (only is not None and table.name not in only):
                continue
            for number in range(ROWS):
                row = {column.name: _value(column, number, keys) for column in table.columns}
                connection.execute(insert(table).values(row))
                for name, value in row.items():
                    keys.setdefault((table.name, name), []).append(value)


def contents(database: Database) -> Contents:
    """Give all rows of all tables but the one that names the revision, by the types of their columns."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(_plain, connection.execute(select(*_by_name(table)))), key=repr)
            for table in tables_of(database).sorted_tables
            if table.name != VERSION_TABLE
        }


def raw_contents(database: Database) -> Contents:
    """Give them as the driver does, with the names of their columns: quicker, and the same where nothing changed."""
    with database.engine.connect() as connection:
        found = {}
        for name in inspect(connection).get_table_names():
            if name != VERSION_TABLE:
                rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings()
                found[name] = sorted((tuple(sorted(row.items())) for row in rows), key=repr)
        return found


def _by_name(table: Table) -> list[Column[Any]]:
    return sorted(table.columns, key=lambda column: column.name)


def _plain(row: Any) -> tuple[Any, ...]:
    """Give times in UTC: SQLite keeps no zones."""
    return tuple(
        (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        if isinstance(value, datetime)
        else value
        for value in row
    )


def _value(column: Column[Any], number: int, keys: dict[tuple[str, str], list[Any]]) -> Any:
    for reference in column.foreign_keys:
        if reference.column.table is column.table or (column.nullable and number == 0):
            return None
        return keys[reference.column.table.name, reference.column.name][number]
    kind, distinct = column.type, next(_distinct)
    if isinstance(kind, Boolean):
        return bool(number % 2)
    if isinstance(kind, DateTime):
        moment = datetime(2025, 1, 1 + number, 23, 59, 59, 123457, tzinfo=UTC)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, Float):
        return None if column.nullable and number == 0 else 0.1 + distinct / 3
    if isinstance(kind, Integer):
        return distinct
    if isinstance(kind, LargeBinary):
        return bytes(range(256))
    length = getattr(kind, "length", None)
    return f"{distinct:x}区'\";--\\"[: length or 500]
