"""Telling in words what the database's driver raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DataError, OperationalError, TimeoutError

from serving.database.trouble import trouble


@contextmanager
def told() -> Iterator[None]:
    """Say in words what keeps the database from being used, or from keeping what it was given.

    Raises
    ------
    AwayError, FullError, CrossedError, UnfitError
        See `serving.database.trouble`.
    """
    try:
        yield
    except (TimeoutError, OverflowError) as error:
        raise trouble(error) from error
    except DatabaseError as error:
        plain = type(error) is DatabaseError  # as SQLite says that a file is damaged
        if not plain and not isinstance(error, OperationalError | DataError):
            raise
        raise trouble(error.orig or error) from error
