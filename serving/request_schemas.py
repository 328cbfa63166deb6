"""What all requests share that go on record: strict reading, a reason, and in whose name."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from serving.access.signature import signed

LONGEST = 4_000
"""Characters of a reason that the record keeps."""
LONGEST_NAME = 200
"""Characters of a person's name."""
FIRST_YEAR, LAST_YEAR = 1800, 2200
"""Years that can be asked for; whether there is a suggestion is for the advisor to say."""
MOST_GROWTH = 10_000.0
"""Percent that a flagged unit may be asked to grow by at most: a hundredfold is no ceiling any more."""
LARGEST_POINT_VALUE = 1e9
"""Beyond it a network's bonus pool is too large to be kept to the cent."""


class Asked(BaseModel):
    """Base of what is asked: strict, and nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


NAME_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$"
"""No control characters, nor any that turn the order: a name is shown in one line of lists and terminals.

Written so that the patterns of any program take it.
"""
Person = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=NAME_PATTERN)
]
NO_NUL = r"^[^\x00]*$"
"""A database keeps no text with NUL in it."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST, pattern=NO_NUL)]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+")


def _written_as(form: re.Pattern[str], words: str) -> BeforeValidator:
    """Take what is written out alone: a bare number would be read as seconds since 1970."""

    def check(given: Any) -> Any:
        if isinstance(given, date | datetime) or (isinstance(given, str) and form.fullmatch(given)):
            return given
        raise ValueError(f"should be written as {words}")

    return BeforeValidator(check)


Day = Annotated[date, Strict(False), _written_as(_DAY, "2025-01-31")]
Moment = Annotated[AwareDatetime, Strict(False), _written_as(_MOMENT, "2025-01-31T08:30:00Z")]


class Signed(Asked):
    """What goes on record in somebody's name."""

    by: Person | None = Field(
        default=None,
        description="In whose name, for the record. Left out, it is whoever sends it; only the machine's own key must "
        "say it, and only that may name another.",
        examples=["Li Ming"],
    )

    @property
    def signer(self) -> str:
        """Give the name for the record; see `serving.access.signature.signed`."""
        return signed(self.by)
