"""Appending to the chain: one after another, each entry with the hash of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from serving.audit.entry import START, Event, seal
from serving.database.tables.audit import audit_events, audit_head

HEAD = 1
"""Key of the only row of the head."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of the chain: its number, 0 where there is none, and its hash."""

    number: int
    hash: str


def append(connection: Connection, events: Sequence[Event]) -> Head:
    """Append events that are not in the chain yet, in their order; those that are, by their ids, are left out.

    Whoever appends holds the head until its transaction ends, so that numbers have no gap.

    Parameters
    ----------
    connection : Connection
        Of `Database.write`.
    events : sequence of Event

    Returns
    -------
    Head
        The chain's new end.
    """
    head = _locked(connection)
    ids = [event.id for event in events]
    known = set(connection.scalars(select(audit_events.c.id).where(audit_events.c.id.in_(ids))))
    rows, number, previous = [], head.number, head.hash
    for event in events:
        if event.id in known:
            continue
        known.add(event.id)
        number += 1
        digest = seal(event, number=number, previous=previous)
        fields = {name: getattr(event, name) for name in Event.__struct_fields__}
        rows.append({**fields, "number": number, "previous": previous, "hash": digest})
        previous = digest
    if rows:
        connection.execute(insert(audit_events), rows)
        moved = update(audit_head).where(audit_head.c.id == HEAD).values(number=number, hash=previous)
        connection.execute(moved)
    return Head(number, previous)


def head_of(connection: Connection) -> Head:
    """Give the end of the chain, without holding it."""
    row = connection.execute(select(audit_head.c.number, audit_head.c.hash).where(audit_head.c.id == HEAD)).first()
    return Head(0, START) if row is None else Head(row.number, row.hash)


def _locked(connection: Connection) -> Head:
    asked = select(audit_head.c.number, audit_head.c.hash).where(audit_head.c.id == HEAD).with_for_update()
    row = connection.execute(asked).first()
    if row is None:  # two may come to an empty chain at once: one makes the head, both then wait for it
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = dialect.insert(audit_head).values(id=HEAD, number=0, hash=START).on_conflict_do_nothing()
        connection.execute(made)
        row = connection.execute(asked).one()
    return Head(row.number, row.hash)
