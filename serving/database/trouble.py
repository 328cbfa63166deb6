"""What keeps the database from being used, in words; it names no password."""

from __future__ import annotations

from features.errors import LoadlineError

FULL = ("database or disk is full", "No space left on device", "could not extend file", "disk I/O error")
"""What SQLite and PostgreSQL say where nothing more can be written."""
CROSSED = frozenset({"40001", "40P01"})
"""PostgreSQL's codes of a transaction that was undone since another one crossed it."""


class AwayError(LoadlineError):
    """The database cannot be reached, or is not ready for this program."""


class FullError(LoadlineError):
    """The database has no space left."""


class CrossedError(LoadlineError):
    """Another change got in between, and this one was undone."""


def trouble(error: Exception) -> LoadlineError:
    """Give the error that a person reads.

    Parameters
    ----------
    error : Exception
        What the driver raised.
    """
    said = (str(error).strip().splitlines() or ["no connection"])[0]
    if getattr(error, "sqlstate", None) in CROSSED:
        hint = "Look at what it is now, and try again."
        return CrossedError("somebody else changed this at the same moment", where="database", hint=hint)
    if getattr(error, "sqlstate", None) == "53100" or any(words in said for words in FULL):
        hint = "Make room where the database is; nothing was changed."
        return FullError("the database has no space left", where="database", hint=hint)
    hint = "See that it is running and that LOADLINE_DATABASE_URL is right; nothing was changed."
    return AwayError("the database cannot be used", where=said, hint=hint)  # `where` is never told over HTTP
