"""What requests with an Idempotency-Key were answered, kept in the database so that any process can answer again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from sqlalchemy import Delete, Update, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from features.errors import LoadlineError
from serving.database.connection import Database
from serving.database.tables.idempotency import requests
from serving.errors import InvalidError

LEASE = timedelta(seconds=15)
"""A request counts as being answered for so long after its last sign of life; then somebody else may answer it."""
RENEW_SECONDS = 5.0
"""Between signs of life: two may fail before the lease ends."""
PURGE_SECONDS = 60.0
"""Between looks for what has expired: an index is read, so that the table does not grow."""
_table = requests.c
S = TypeVar("S", Update, Delete)


class InHandError(LoadlineError):
    """The same request is being answered at this moment."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a request.

    Attributes
    ----------
    principal, key : str
    attempt : int
        1, or more where one before came to nothing.
    """

    principal: str
    key: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given.

    Attributes
    ----------
    status : int
    headers : tuple of (name, value)
    body : bytes or None
        None where it was shown once and not kept.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class KeptAnswers:
    """The record of requests with a key.

    Parameters
    ----------
    database : Database
    now : callable
        Gives the time, with its zone.
    keep : timedelta
        How long an answer is kept.
    clock : callable
        Seconds, never going back.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        keep: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._now, self._keep, self._clock = database, now, keep, clock
        self._purged = float("-inf")
        self._lock = Lock()

    def claim(self, principal: str, key: str, fingerprint: str) -> Claim | Kept:
        """Take a request on, or give what it was answered before.

        Raises
        ------
        InvalidError
            Where the key came with another request.
        InHandError
            Where the same request is being answered.
        """
        self._purge()
        now = self._now()
        fresh = {"fingerprint": fingerprint, "started_at": now, "held_until": now + LEASE, "finished_at": None}
        here = (_table.principal == principal) & (_table.key == key)
        with self._database.write() as connection:
            dialect = sqlite if self._database.is_sqlite else postgresql
            made = dialect.insert(requests).values(principal=principal, key=key, attempt=1, **fresh)
            if connection.scalar(made.on_conflict_do_nothing().returning(_table.attempt)) is not None:
                return Claim(principal, key, 1)
            row = connection.execute(select(requests).where(here).with_for_update()).one_or_none()
            if row is None:  # it was given up between the two statements
                raise InHandError("the same request has just ended", hint="Send it again.")
            expired = row.started_at + self._keep <= now
            if not expired:
                if row.fingerprint != fingerprint:
                    hint = "Use a new key for a new request."
                    raise InvalidError("this Idempotency-Key came with another request before", hint=hint)
                if row.finished_at is not None:
                    return Kept(row.status, tuple((name, value) for name, value in row.headers), row.body)
                # A lease that ends later than any could was given before the clock went back.
                if now < row.held_until <= now + 2 * LEASE:
                    hint = "Send it again in a moment: then it gives what the first was answered."
                    raise InHandError("a request with this Idempotency-Key is being answered", hint=hint)
            connection.execute(update(requests).where(here).values(attempt=row.attempt + 1, **fresh))
            return Claim(principal, key, row.attempt + 1)

    def renew(self, claim: Claim) -> None:
        """Give a sign of life."""
        with self._database.write() as connection:
            connection.execute(_mine(update(requests), claim).values(held_until=self._now() + LEASE))

    def keep(self, claim: Claim, answer: Kept) -> None:
        """Keep the answer, unless somebody else has taken the request on meanwhile."""
        values = {"status": answer.status, "headers": [list(pair) for pair in answer.headers], "body": answer.body}
        with self._database.write() as connection:
            connection.execute(_mine(update(requests), claim).values(finished_at=self._now(), **values))

    def give_up(self, claim: Claim) -> None:
        """Let the request be asked anew: nothing was done."""
        with self._database.write() as connection:
            connection.execute(_mine(delete(requests), claim))

    def _purge(self) -> None:
        with self._lock:
            if self._clock() < self._purged + PURGE_SECONDS:
                return
            self._purged = self._clock()
        with self._database.write() as connection:
            connection.execute(delete(requests).where(_table.started_at <= self._now() - self._keep))


def _mine(statement: S, claim: Claim) -> S:
    return statement.where(
        _table.principal == claim.principal,
        _table.key == claim.key,
        _table.attempt == claim.attempt,
        _table.finished_at.is_(None),
    )
