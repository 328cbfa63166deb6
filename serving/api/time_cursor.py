"""Cursors of lists by time, the newest first: the moment and the id of the last entry shown."""

from __future__ import annotations

from datetime import datetime

from serving.api.paging import read_cursor, write_cursor
from serving.errors import InvalidError


def write_time_cursor(at: datetime, name: str) -> str | None:
    """Write where the next page begins."""
    return write_cursor(f"{at.isoformat()} {name}")


def read_time_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """Read what `write_time_cursor` wrote.

    Raises
    ------
    InvalidError
        Where it was not written here.
    """
    after = read_cursor(cursor)
    if after is None:
        return None
    at, _, name = after.partition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not name or "\x00" in name:
        raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
    return moment, name
