"""Keys of programs: made, shown once, listed, revoked, and found again by their digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from serving.access.principal import Grant, who
from serving.database.connection import Database
from serving.database.tables.identity import keys, people
from serving.errors import InvalidError, NotFoundError
from serving.identity.grants_kept import read_grants, write_grants
from serving.identity.records import (
    Key,
    Trail,
    checked_grants,
    checked_name,
    digest_of,
    grants_told,
    new_id,
    new_secret,
)

PREFIX = "ll_"
"""Tells a key of this service to people and to programs that look for leaked ones; anything else is not looked up."""
SHOWN = 8
"""Characters of a key that are kept to tell keys apart: 30 of its 256 random bits."""
DAYS = 90
LONGEST_DAYS = 366
"""A key that outlives a year outlives whoever remembers what it is for."""
USED_AGAIN = timedelta(minutes=1)
"""The last use is noted no more often: it is there to find keys that nobody uses."""


class Keys:
    """The use cases about keys; each change is noted in the audit with it, or does not happen.

    Parameters
    ----------
    database : Database
    clock : callable
        Gives the time, with its zone.
    trail : Trail
        The audit.
    changed : callable
        Is called after each change, so that nothing remembered here outlives it.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], trail: Trail, changed: Callable[[], object]
    ) -> None:
        self.database = database
        self.clock = clock
        self.trail = trail
        self.changed = changed

    def create(self, name: str, *, grants: Iterable[Grant], days: int = DAYS) -> tuple[Key, str]:
        """Make a key; give it with its secret, which is shown once.

        Raises
        ------
        InvalidError
            Where it has no name or no role, or would live too long.
        """
        name, given = checked_name(name), checked_grants(grants)
        if not given:
            raise InvalidError("a key without a role opens nothing", where="role", hint="Grant it what it is for.")
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidError(f"a key lives from 1 to {LONGEST_DAYS} days", where="expires")
        secret, now = PREFIX + new_secret(), self.clock()
        key = Key(new_id(), name, secret[:SHOWN], given, now, who().name, now + timedelta(days=days), None, None)
        with self.database.write() as connection:
            if connection.execute(select(people.c.id).where(people.c.login == name.casefold())).first():
                hint = "Name it after what it is for: approvals must not take a person and a key for two people."
                raise InvalidError("a key may not have a person's login as its name", where="name", hint=hint)
            connection.execute(
                insert(keys).values(
                    id=key.id,
                    digest=digest_of(secret),
                    name=name,
                    shown=key.shown,
                    created_at=now,
                    created_by=key.created_by,
                    expires_at=key.expires_at,
                )
            )
            write_grants(connection, key.id, given)
            told = {"name": name, "grants": grants_told(given), "expires_at": key.expires_at.isoformat()}
            self.trail.write(connection, "key.create", subject=key.id, detail=told)
        self.changed()
        return key, secret

    def list(self, *, after: str = "", limit: int | None = None) -> list[Key]:
        """Give all keys, those that are over included, by their ids, those after one."""
        with self.database.read() as connection:
            query = select(keys).where(keys.c.id > after).order_by(keys.c.id).limit(limit)
            return _keys(connection, connection.execute(query).all())

    def get(self, key: str) -> Key:
        """Give a key by its id.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        with self.database.read() as connection:
            return _key(connection, key)

    def revoke(self, key: str) -> Key:
        """End a key; once is enough."""
        with self.database.write() as connection:
            before = _key(connection, key)
            now = self.clock()
            live = (keys.c.id == key) & keys.c.revoked_at.is_(None)
            if connection.execute(update(keys).where(live).values(revoked_at=now)).rowcount:
                self.trail.write(connection, "key.revoke", subject=key, detail={"name": before.name})
            found = _key(connection, key)
        self.changed()
        return found

    def find(self, connection: Connection, secret: str) -> Key | None:
        """Give the key that a caller holds, be it over or not."""
        found = _keys(connection, connection.execute(select(keys).where(keys.c.digest == digest_of(secret))).all())
        return found[0] if found else None

    def note_use(self, key: Key) -> None:
        """Note that a key is used; written at most once in `USED_AGAIN`."""
        now = self.clock()
        if key.last_used_at is not None and abs(now - key.last_used_at) < USED_AGAIN:
            return
        with self.database.write() as connection:
            connection.execute(update(keys).where(keys.c.id == key.id).values(last_used_at=now))


def _keys(connection: Connection, rows: Iterable[Row[Any]]) -> list[Key]:
    rows = list(rows)
    given = read_grants(connection, [row.id for row in rows])
    return [
        Key(
            id=row.id,
            name=row.name,
            shown=row.shown,
            grants=given[row.id],
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


def _key(connection: Connection, key: str) -> Key:
    known = key if key.isalnum() else ""
    found = _keys(connection, connection.execute(select(keys).where(keys.c.id == known)).all())
    if not found:
        raise NotFoundError("there is no such key", where="key", hint="`loadline key list` shows them.")
    return found[0]
