"""Cursors: where the next page begins, as an opaque word."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Query

from serving.errors import InvalidError

MAX_LIMIT = 500
"""Entries of a page: more would hold a worker up for others."""
DEFAULT_LIMIT = 100

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description=f"Entries of a page, at most {MAX_LIMIT}.", examples=[DEFAULT_LIMIT])
]
Cursor = Annotated[
    str | None, Query(max_length=2_000, description="`next_cursor` of the page before.", examples=["Q04tQko"])
]


def write_cursor(after: str | None) -> str | None:
    """Write the key after which the next page begins; None where there is no next page.

    >>> write_cursor("CN-BJ"), read_cursor("Q04tQko")
    ('Q04tQko', 'CN-BJ')
    """
    return None if after is None else base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> str | None:
    """Read what `write_cursor` wrote.

    Raises
    ------
    InvalidError
        Where it was not written here.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise InvalidError("the cursor is not one of this service", hint="Begin again without `cursor`.") from None
