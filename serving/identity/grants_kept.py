"""The grants of people and keys in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, insert, select

from serving.access.principal import Grant, Role
from serving.database.tables.identity import grants

_KNOWN = frozenset(Role)


def read_grants(connection: Connection, holders: Collection[str]) -> dict[str, tuple[Grant, ...]]:
    """Give the grants of each holder; a role that this release does not know grants nothing."""
    found: dict[str, list[Grant]] = {holder: [] for holder in holders}
    query = select(grants).where(grants.c.holder.in_(holders)).order_by(grants.c.role, grants.c.unit)
    for row in connection.execute(query):
        if row.role in _KNOWN:
            found[row.holder].append(Grant(Role(row.role), row.unit))
    return {holder: tuple(given) for holder, given in found.items()}


def write_grants(connection: Connection, holder: str, given: Iterable[Grant]) -> None:
    """Put these grants in the place of those that the holder had."""
    connection.execute(delete(grants).where(grants.c.holder == holder))
    rows = [{"holder": holder, "role": grant.role.value, "unit": grant.unit} for grant in given]
    if rows:
        connection.execute(insert(grants), rows)
