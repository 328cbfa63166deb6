"""What happened, and the seal that ties it to everything before."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Any

import msgspec

from serving.access.principal import Principal
from serving.database.tables.audit import ACTION_LENGTH, NAME_LENGTH, REQUEST_LENGTH, SUBJECT_LENGTH
from serving.database.tables.base import canonical

START = "0" * 64
"""Stands for the hash of the entry before the first."""
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a text of the audit does not have: PostgreSQL keeps no NUL, nothing keeps half a character."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, before it has its place in the chain.

    Attributes
    ----------
    id : str
        Made where it happened, so that what is delivered twice is kept once: milliseconds, then 80 random bits, so
        that an index of a million of them grows at its end.
    at : str
        When, in UTC, to the microsecond.
    principal : str
        Name of who did it; blank for a stranger.
    principal_id : str
        Kind and id, which stay when names change; blank for a stranger.
    action : str
        The operation, or the name of the change.
    dataset : str
    subject : str
        What it is about: a unit, a plan, a login.
    status : int
        HTTP status of the answer; 0 for a change that was noted within its own transaction.
    request : str
        Id of the request, as the log has it; blank at the command line.
    detail : str
        More about a change, as canonical JSON.
    """

    action: str
    at: str
    dataset: str
    detail: str
    id: str
    principal: str
    principal_id: str
    request: str
    status: int
    subject: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its place in the chain: `Event` with a number, the hash before, and its own.

    Attributes
    ----------
    number : int
        1, 2, ... without a gap.
    previous : str
        Hash of the entry before; `START` for the first.
    hash : str
        See `seal`.
    """

    action: str
    at: str
    dataset: str
    detail: str
    id: str
    number: int
    previous: str
    principal: str
    principal_id: str
    request: str
    status: int
    subject: str
    hash: str


class _Sealed(msgspec.Struct, frozen=True):
    """What a seal covers, in the order of its names, which is how canonical JSON has it."""

    action: str
    at: str
    dataset: str
    detail: str
    id: str
    number: int
    previous: str
    principal: str
    principal_id: str
    request: str
    status: int
    subject: str


SEALED = _Sealed.__struct_fields__
_encode = msgspec.json.Encoder().encode


def seal(event: Event | Entry, *, number: int, previous: str) -> str:
    """Give the hash of an entry: SHA-256 of its canonical JSON (sorted names, no spaces, UTF-8), `hash` left out."""
    e = event
    covered = _Sealed(
        e.action,
        e.at,
        e.dataset,
        e.detail,
        e.id,
        number,
        previous,
        e.principal,
        e.principal_id,
        e.request,
        e.status,
        e.subject,
    )
    return hashlib.sha256(_encode(covered)).hexdigest()


def event_of(
    principal: Principal | None,
    action: str,
    *,
    at: datetime,
    subject: str = "",
    dataset: str = "",
    status: int = 0,
    request: str = "",
    detail: Any = None,
) -> Event:
    """Make an event of what happened now; texts are made fit to be kept and cut to the length of their column."""
    return Event(
        id=f"{max(0, round(at.timestamp() * 1_000)):012x}{secrets.token_hex(10)}",
        at=written(at),
        principal="" if principal is None else plain(principal.name, NAME_LENGTH),
        principal_id="" if principal is None else plain(_principal_id(principal), NAME_LENGTH),
        action=plain(action, ACTION_LENGTH),
        dataset=plain(dataset, NAME_LENGTH),
        subject=plain(subject, SUBJECT_LENGTH),
        status=status,
        request=plain(request, REQUEST_LENGTH),
        detail="{}" if detail is None else canonical(detail).encode("utf-8", "replace").decode(),
    )


def _principal_id(principal: Principal) -> str:
    return principal.id if principal.id == principal.kind else f"{principal.kind}:{principal.id}"


def plain(text: str, longest: int) -> str:
    r"""Give a text that both databases keep as it is: no control character, no half of one, and not too long.

    >>> plain("CN-BJ\x00\n区", 9)
    'CN-BJ??区'
    """
    if not text.isprintable():
        text = _UNFIT.sub("?", text)
    return text[:longest]


def written(moment: datetime) -> str:
    """Write a time, in UTC and to the microsecond, always 27 characters long.

    >>> written(datetime(2026, 3, 1, 8, tzinfo=UTC))
    '2026-03-01T08:00:00.000000Z'

    Raises
    ------
    ValueError
        Where the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
