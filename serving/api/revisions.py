"""ETags of what is edited: its revision. A change says in If-Match which revision it is a change of."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from serving.errors import InvalidError, NoRevisionError

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description="The ETag of what is changed, as it was last seen. Refused with 412 where it was changed since.",
        examples=['"r3"'],
    ),
]
_TAG = re.compile(r'"r(\d{1,9})"')


def revision_tag(revision: int) -> str:
    """Give the ETag of a revision.

    >>> revision_tag(3), asked_revision('"r3"')
    ('"r3"', 3)
    """
    return f'"r{revision}"'


def asked_revision(tag: str | None) -> int:
    """Read the revision that a change is meant for.

    Raises
    ------
    NoRevisionError
        Where none is named: a change that overwrites what others did unseen is never wanted.
    InvalidError
        Where it is none of this service.
    """
    if tag is None:
        hint = "Send the ETag that GET answered with as If-Match."
        raise NoRevisionError("the change does not say what it is a change of", hint=hint)
    found = _TAG.fullmatch(tag.strip())
    if found is None:
        raise InvalidError("If-Match is no ETag of this service", hint='Send it as it was given, such as "r3".')
    return int(found[1])
