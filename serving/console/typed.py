"""What people type into forms: read strictly, and told in their language where it cannot be taken."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from features.errors import LoadlineError
from models.goals.relaxation import InfeasibleError
from serving.console.formats import Reader
from serving.database.trouble import AwayError, CrossedError, FullError, UnfitError
from serving.errors import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_READY,
    STALE,
    DeniedError,
    InvalidError,
    Kind,
    NoSpaceError,
    NotFoundError,
    NotReadyError,
    StaleError,
)
from serving.plan_schemas import MaybeReason
from serving.request_schemas import LONGEST

NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,30})?(?:\.\d{1,30})?", re.ASCII)
"""As people write amounts, thousands grouped or not. No powers: whoever means 12 does not type 1.2e1."""
MOVES_TOLD = 5
"""Of what would have to move where goals cannot be met."""
NOT_OF_THE_FORM = (NotFoundError, NoSpaceError, AwayError, CrossedError, FullError, UnfitError)
"""Errors that no other entry would mend: they have a page of their own."""
Result = TypeVar("Result")
_REASON: TypeAdapter[str] = TypeAdapter(MaybeReason)


@dataclass(frozen=True)
class Trouble:
    """Why what was typed is not taken.

    Attributes
    ----------
    words : str
        In the reader's language.
    field : str
        Name of the field beside which it is told; blank for the form as a whole.
    items : tuple of str
        Each thing that is wrong, in the reader's language.
    detail, hint : str
        As the use case says it, in English.
    status : int
        Of the answer.
    """

    words: str
    field: str = ""
    items: tuple[str, ...] = ()
    detail: str = ""
    hint: str = ""
    status: int = INVALID.status

    @property
    def stale(self) -> bool:
        """Tell whether somebody else was faster."""
        return self.status == STALE.status


class TypedError(Exception):
    """Something typed cannot be taken."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble


def attempted(reader: Reader, act: Callable[[], Result]) -> Result | Trouble:
    """Do what a form asks; give what came of it, or why it was refused. Errors that are not the form's pass through."""
    try:
        return act()
    except TypedError as error:
        return error.trouble
    except LoadlineError as error:
        if isinstance(error, NOT_OF_THE_FORM):
            raise
        return told(reader, error)


def told(reader: Reader, error: LoadlineError) -> Trouble:
    """Tell a refusal of the use case."""
    if isinstance(error, InfeasibleError):
        moves = tuple(
            reader.say(
                "form.move",
                unit=move.unit or "–",
                kind=reader.known("form.kind", move.kind),
                before=f"{move.value:,}",
                after=f"{move.to:,}",
            )
            for move in error.relaxation.moves[:MOVES_TOLD]
        )
        return Trouble(reader.say("form.trouble.infeasible"), items=moves, detail=error.what, status=CONFLICT.status)
    key, kind = next(((key, kind) for known, key, kind in _KINDS if isinstance(error, known)), ("conflict", CONFLICT))
    return Trouble(reader.say(f"form.trouble.{key}"), detail=error.what, hint=error.hint, status=kind.status)


_KINDS: tuple[tuple[type[LoadlineError], str, Kind], ...] = (
    (StaleError, "stale", STALE),
    (DeniedError, "denied", FORBIDDEN),
    (InvalidError, "invalid", INVALID),
    (NotReadyError, "not_ready", NOT_READY),
)


def number_typed(reader: Reader, text: str, *, field: str) -> float | None:
    """Read a number; None where nothing was typed.

    Raises
    ------
    TypedError
        Where it is none.
    """
    found = plain_number(text)
    if found is None and text.strip():
        raise TypedError(Trouble(reader.say("form.trouble.number"), field=field))
    return found


def plain_number(text: str) -> float | None:
    """Read a number as people write one, in any width of digits; None for anything else.

    >>> plain_number(" 1,234.5 "), plain_number("１２，３４５"), plain_number("12,34"), plain_number("nan")
    (1234.5, 12345.0, None, None)
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not NUMBER.fullmatch(plain) or not any(sign.isdigit() for sign in plain):
        return None
    value = float(plain.replace(",", ""))
    return value if math.isfinite(value) else None


def reason_typed(reader: Reader, text: str, *, needed: bool) -> str:
    """Read a reason.

    Raises
    ------
    TypedError
        Where one is needed and there is none, or it cannot be kept.
    """
    try:
        found = _REASON.validate_python(as_written(text))
    except ValidationError:
        raise TypedError(Trouble(reader.say("form.trouble.long", most=f"{LONGEST:,}"), field="reason")) from None
    if needed and not found:
        raise TypedError(Trouble(reader.say("form.trouble.reason"), field="reason"))
    return found


def as_written(text: str) -> str:
    r"""Give a text with the line ends that people mean: forms send two signs for each.

    >>> as_written("one\r\ntwo")
    'one\ntwo'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")
