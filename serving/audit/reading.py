"""Looking entries up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select

from serving.audit.entry import Entry, plain, written
from serving.database.tables.audit import NAME_LENGTH, SUBJECT_LENGTH, audit_events
from serving.errors import InvalidError

AT_ONCE = 1_000
"""Entries in memory while many are given."""

_table = audit_events.c
_COLUMNS = [_table[name] for name in Entry.__struct_fields__]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are looked for; what is blank or None does not matter.

    Attributes
    ----------
    principal : str
        Name or id of who acted.
    action : str
    subject : str
    dataset : str
    request : str
    since, until : datetime, optional
        From then, and before then.
    """

    principal: str = ""
    action: str = ""
    subject: str = ""
    dataset: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_every(self) -> bool:
        """Tell whether nothing narrows it."""
        return self == Wanted()

    def conditions(self) -> list[ColumnElement[bool]]:
        """Give what an entry must fulfil."""
        found: list[ColumnElement[bool]] = [
            _table[name] == plain(value, SUBJECT_LENGTH)
            for name in ("action", "subject", "dataset", "request")
            if (value := getattr(self, name))
        ]
        if self.principal:
            named = plain(self.principal, NAME_LENGTH)
            found.append(or_(_table.principal == named, _table.principal_id == named))
        if self.since is not None:
            found.append(_table.at >= written(self.since))
        if self.until is not None:
            found.append(_table.at < written(self.until))
        return found


def day_begins(text: str, *, end: bool = False) -> datetime | None:
    """Read a day as its beginning, or its end, in UTC; None where it is blank.

    Raises
    ------
    InvalidError
        Where it is no day.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
    except (ValueError, OverflowError):
        raise InvalidError(f"{text!r} is no day", hint="Write it as 2026-03-31.") from None
    return datetime.combine(day, time(), UTC)


def page(connection: Connection, wanted: Wanted, *, limit: int, before: int | None = None) -> list[Entry]:
    """Give the last entries before a number, the newest first."""
    asked = select(*_COLUMNS).where(*wanted.conditions()).order_by(_table.number.desc()).limit(limit)
    if before is not None:
        asked = asked.where(_table.number < before)
    return [Entry(**row._mapping) for row in connection.execute(asked)]


def count(connection: Connection, wanted: Wanted) -> int:
    """Count the entries."""
    asked = select(func.count()).select_from(audit_events).where(*wanted.conditions())
    return connection.execute(asked).scalar_one()


def part(connection: Connection, wanted: Wanted, *, after: int, last: int) -> list[Entry]:
    """Give the first entries, at most `AT_ONCE`, after a number and up to another, the oldest first."""
    within = (_table.number > after, _table.number <= last)
    asked = select(*_COLUMNS).where(*wanted.conditions(), *within).order_by(_table.number).limit(AT_ONCE)
    return [Entry(**row._mapping) for row in connection.execute(asked)]
