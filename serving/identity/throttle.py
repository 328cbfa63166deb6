"""Waits between failed sign-ins: for a person seen from an address, for an address, and for a person from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from serving.database.connection import Database
from serving.database.tables.identity import attempts
from serving.identity.records import digest_of

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
FREE = {"pair": 5, "address": 20, "login": 50}
"""Failures without a wait. Many people share an address; and if few failures from anywhere made everybody wait who
uses a login, its owner could be kept out by strangers."""
FORGOTTEN = timedelta(days=1)
"""After a day without a failure it is as if there had been none."""
KNOWN = timedelta(days=90)
"""For so long an address from which somebody has signed in is not held up by failures from elsewhere."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: what is counted for it."""

    subjects: tuple[tuple[str, str], ...]
    known: str


class Throttle:
    """Counts failures in the database, so that all processes and starts count together.

    Each try counts as a failure from its beginning, until it has succeeded: tries side by side do not pass unseen.

    Parameters
    ----------
    database : Database
    clock : callable
        Gives the time, with its zone.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock

    def begin(self, login: str, address: str) -> tuple[Attempt, timedelta]:
        """Count a try, or tell how long to wait before the next; a try that has to wait does not count."""
        now = self.clock()
        pair = f"{len(login)}:{login}|{address}"
        known = digest_of(f"known|{pair}")
        subjects = [("pair", digest_of(f"pair|{pair}")), ("address", digest_of(f"address|{address}"))]
        if login:
            subjects.append(("login", digest_of(f"login|{login}")))
        with self.database.write() as connection:
            self._forget_old(connection, now)  # before any row is held: two who sweep could wait for each other
            seen = connection.scalar(select(attempts.c.last_at).where(attempts.c.subject == known))
            if seen is not None and now - seen < KNOWN:
                subjects = [entry for entry in subjects if entry[0] != "login"]
            attempt = Attempt(tuple(sorted(subjects, key=lambda entry: entry[1])), known)
            counts = {digest: self._locked(connection, digest, now) for _, digest in attempt.subjects}
            wait = max(_wait(*counts[digest], free=FREE[kind], now=now) for kind, digest in attempt.subjects)
            if wait <= timedelta(0):
                for _, digest in attempt.subjects:
                    failures, last = counts[digest]
                    connection.execute(
                        update(attempts)
                        .where(attempts.c.subject == digest)
                        .values(failures=1 if now - last > FORGOTTEN else failures + 1, last_at=now)
                    )
            else:  # whoever has to wait must not be able to fill the table with names
                mine = attempts.c.subject.in_(counts)
                connection.execute(delete(attempts).where(mine, attempts.c.failures == 0))
        return attempt, max(wait, timedelta(0))

    def succeeded(self, connection: Connection, attempt: Attempt) -> None:
        """Take back what was counted for a try that has succeeded, and know its address from now on."""
        now = self.clock()
        for kind, digest in attempt.subjects:
            row = attempts.c.subject == digest
            if kind == "pair":
                connection.execute(delete(attempts).where(row))
            else:  # others fail beside a person who signs in, and one success must not clear the way for them
                connection.execute(
                    update(attempts).where(row, attempts.c.failures > 0).values(failures=attempts.c.failures - 1)
                )
        _insert_once(connection, attempt.known, now)
        connection.execute(update(attempts).where(attempts.c.subject == attempt.known).values(last_at=now))

    @staticmethod
    def _forget_old(connection: Connection, now: datetime) -> None:
        failed_or_unknown = (attempts.c.failures > 0) | (attempts.c.last_at < now - KNOWN)
        connection.execute(delete(attempts).where(attempts.c.last_at < now - FORGOTTEN, failed_or_unknown))

    @staticmethod
    def _locked(connection: Connection, digest: str, now: datetime) -> tuple[int, datetime]:
        _insert_once(connection, digest, now)
        query = select(attempts.c.failures, attempts.c.last_at).where(attempts.c.subject == digest).with_for_update()
        failures, last = connection.execute(query).one()
        return failures, last


def _insert_once(connection: Connection, digest: str, now: datetime) -> None:
    values = {"subject": digest, "failures": 0, "last_at": now}
    if connection.dialect.name == "sqlite":
        connection.execute(insert(attempts).prefix_with("OR IGNORE").values(values))
    else:
        connection.execute(postgresql_insert(attempts).values(values).on_conflict_do_nothing())


def _wait(failures: int, last: datetime, *, free: int, now: datetime) -> timedelta:
    """Give what is left of the wait; a time after now was written before the clock went back, and holds nobody up."""
    if failures < free or last > now:
        return timedelta(0)
    doublings = min(failures - free, 20)
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT) - (now - last)
