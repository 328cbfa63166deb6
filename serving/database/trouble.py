"""What keeps the database from being used, in words; it names no password."""

from __future__ import annotations

from features.errors import LoadlineError

FULL = ("database or disk is full", "No space left on device", "could not extend file", "disk I/O error")
"""What SQLite and PostgreSQL say where nothing more can be written."""
DAMAGED = ("malformed", "is not a database", "invalid page", "checksum")
"""What they say where a disk, or somebody, has changed what was written."""
CROSSED = frozenset({"40001", "40P01"})
"""PostgreSQL's codes of a transaction that was undone since another one crossed it."""
UNFIT = "22"
"""How PostgreSQL's codes of what it cannot keep begin."""


class AwayError(LoadlineError):
    """The database cannot be reached, or is not ready for this program."""


class FullError(LoadlineError):
    """The database has no space left."""


class UnfitError(LoadlineError):
    """The database cannot keep what it was given: a character or a number that it has no place for."""


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
    if isinstance(error, OverflowError) or _kind(error).startswith(UNFIT) or type(error).__name__ == "DataError":
        hint = "Leave out what cannot be seen, such as the character NUL, and numbers beyond 64 bits."
        return UnfitError("a text or a number cannot be kept as it is", where="database", hint=hint)
    if _kind(error) in CROSSED:
        hint = "Look at what it is now, and try again."
        return CrossedError("somebody else changed this at the same moment", where="database", hint=hint)
    if _kind(error) == "53100" or any(words in said for words in FULL):
        hint = "Make room where the database is; nothing was changed."
        return FullError("the database has no space left", where="database", hint=hint)
    if any(words in said for words in DAMAGED):
        hint = "Stop the service, keep the file, and restore a backup: docs/operations.md."
        return AwayError("the database is damaged", where=said, hint=hint)
    hint = "See that it is running and that LOADLINE_DATABASE_URL is right; nothing was changed."
    return AwayError("the database cannot be used", where=said, hint=hint)  # `where` is never told over HTTP


def _kind(error: Exception) -> str:
    return getattr(error, "sqlstate", None) or ""
