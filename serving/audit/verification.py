"""Going through the chain from its first entry, and telling where it does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import DBAPIError

from serving.audit.anchors import Anchor
from serving.audit.chain import Head, head_of
from serving.audit.entry import START, Entry, seal
from serving.database.tables.audit import audit_events

AT_ONCE = 5_000
"""Entries in memory: some five megabytes."""
MOST_FINDINGS = 100
"""Told one by one; all are counted."""

BEGINNING = Head(0, START)
_COLUMNS = [audit_events.c[name] for name in Entry.__struct_fields__]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the chain does not hold.

    Attributes
    ----------
    number : int
        Of the entry concerned, or the first of them.
    kind : str
        "changed", "missing", "out-of-order", "unreadable", "cut-off", "head", "anchor" or "waiting".
    what : str
        In words.
    """

    number: int
    kind: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What came of going through the chain.

    Attributes
    ----------
    entries : int
        How many there are.
    last : Head
        The last of them.
    anchors : int
        How many it was compared with.
    findings : list of Finding
        The first of them, in order; the chain holds where there is none.
    found : int
        How many there are in all.
    """

    entries: int = 0
    last: Head = BEGINNING
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found."""
        return not self.found

    def tell(self, number: int, kind: str, what: str) -> None:
        """Add a finding."""
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(number, kind, what))


def verify(connection: Connection, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Go through the whole chain, a part in memory at a time.

    Parameters
    ----------
    connection : Connection
        Of `Database.read`: one state of the database. Anchors must be read before it is opened.
    anchors : sequence of Anchor
        What the end of the chain was at times.
    """
    verdict = Verdict(anchors=len(anchors))
    anchored: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        anchored.setdefault(anchor.number, []).append(anchor)
    for number, row in _rows(connection):
        _follow(verdict, number, row)
        for anchor in anchored.pop(number, ()):
            if row is not None and row.hash != anchor.hash:
                what = f"the entry is not the one that the anchor of {anchor.at} names: the chain was written anew"
                verdict.tell(number, "anchor", what)
    _check_end(verdict, head_of(connection), anchored)
    verdict.findings.sort(key=lambda finding: finding.number)
    return verdict


def _follow(verdict: Verdict, number: int, row: Row[Any] | None) -> None:
    """Check an entry against the one before, and take it as the last."""
    last = verdict.last
    verdict.entries += 1
    gap = number != last.number + 1
    if gap and number > last.number + 1:
        missing = _span(last.number + 1, number - 1)
        verdict.tell(last.number + 1, "missing", f"{missing} deleted")
    elif gap:
        verdict.tell(number, "out-of-order", "the entry has a number that no entry has")
    if row is None:
        verdict.tell(number, "unreadable", "the entry cannot be read")
        verdict.last = Head(number, "")
        return
    if not gap and last.hash and row.previous != last.hash:
        verdict.tell(number, "out-of-order", "the entry does not follow the one before: one of them was put there")
    entry = Entry(**row._mapping)
    if seal(entry, number=number, previous=row.previous) != row.hash:
        verdict.tell(number, "changed", "the entry was changed: it does not have its hash")
    verdict.last = Head(number, row.hash)


def _check_end(verdict: Verdict, head: Head, left: dict[int, list[Anchor]]) -> None:
    last = verdict.last
    if head.number > last.number:
        verdict.tell(last.number + 1, "cut-off", f"{_span(last.number + 1, head.number)} cut off at the end")
    elif head.number < last.number:
        verdict.tell(head.number + 1, "head", f"{_span(head.number + 1, last.number)} added behind the chain's end")
    elif last.hash and head.hash != last.hash:
        verdict.tell(last.number, "head", "the chain's end does not have the hash of the last entry")
    for number, anchors in sorted(left.items()):
        if number > 0:
            what = f"the anchor of {anchors[0].at} names this entry, which is not there"
            verdict.tell(number, "anchor", what)


def _span(first: int, last: int) -> str:
    return f"entry {first} was" if first == last else f"entries {first} to {last} were"


def _rows(connection: Connection) -> Iterator[tuple[int, Row[Any] | None]]:
    """Give the entries in the order of their numbers; None for one that cannot be read."""
    after: int | None = None
    while True:
        asked = select(*_COLUMNS).order_by(audit_events.c.number).limit(AT_ONCE)
        try:
            rows = connection.execute(asked if after is None else asked.where(audit_events.c.number > after)).all()
        except (DBAPIError, UnicodeError, ValueError):
            yield from (found := list(_one_by_one(connection, after)))
            if not found:
                return
            after = found[-1][0]
            continue
        for row in rows:
            yield row.number, row
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].number


def _one_by_one(connection: Connection, after: int | None) -> Iterator[tuple[int, Row[Any] | None]]:
    """Give the entries of a part in which something cannot be read."""
    number = audit_events.c.number
    asked = select(number).order_by(number).limit(AT_ONCE)
    for found in connection.scalars(asked if after is None else asked.where(number > after)).all():
        try:
            yield found, connection.execute(select(*_COLUMNS).where(number == found)).one()
        except (DBAPIError, UnicodeError, ValueError):
            yield found, None
