"""What all requests share that go on record: strict reading, a reason, and in whose name."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.access.signature import signed

LONGEST = 4_000
"""Characters of a reason that the record keeps."""
LONGEST_NAME = 200
"""Characters of a person's name."""


class Asked(BaseModel):
    """Base of what is asked: strict, and nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


NAME_PATTERN = r"^[^\p{Cc}]*$"
"""No control characters: a name is shown in lists and in terminals."""
Person = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=NAME_PATTERN)
]
NO_NUL = r"^[^\x00]*$"
"""A database keeps no text with NUL in it."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST, pattern=NO_NUL)]


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
