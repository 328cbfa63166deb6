"""One line of the record of reviews, and the alert as it was shown to reviewers."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from numbers import Real
from typing import Any, Literal

import pandas as pd

from features.indicators import Title

Decision = Literal["confirmed", "dismissed", "watching"]
DECISIONS: tuple[Decision, ...] = ("confirmed", "dismissed", "watching")
"""What a reviewer may make of an alert; only the first two say what became of it."""

Action = Literal["raised", "confirmed", "dismissed", "watching", "assigned", "note", "linked", "released", "undone"]
ACTIONS: tuple[Action, ...] = ("raised", *DECISIONS, "assigned", "note", "linked", "released", "undone")

DIGITS = 6
"""Decimals of scores and probabilities on record: finer differences are not seen, and would be written as changes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert as it was shown.

    Attributes
    ----------
    alert : str
        Its key: `unit@first`.
    unit : str
    first, last, period : str
        The periods in which it was raised, was last listed, and had its highest score.
    score : float
        From 0 to 1.
    probability : float or None
        Of deterioration; None where no model has shown that it can tell.
    severity : str
        `amber`, `red`, or blank for one that was drawn from below the line.
    detectors : tuple of str
    title : Title or None
        None where no pattern was met.
    p_value, q_value : float or None
    open : bool
        Still listed in the last period.
    sampled : bool
        Drawn from below the line.
    """

    alert: str
    unit: str
    first: str
    last: str
    period: str
    score: float
    probability: float | None = None
    severity: str = ""
    detectors: tuple[str, ...] = ()
    title: Title | None = None
    p_value: float | None = None
    q_value: float | None = None
    open: bool = True
    sampled: bool = False

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Shown:
        """Take an alert from a row of a table of alerts; columns that may be missing are `p_value` and `q_value`."""
        english, chinese = _text(row.get("title")), _text(row.get("title_zh"))
        return cls(
            alert=str(row["alert"]),
            unit=str(row["unit"]),
            first=str(row["first"]),
            last=str(row["last"]),
            period=str(row["period"]),
            score=round(float(row["score"]), DIGITS),
            probability=_figure(row.get("probability")),
            severity=_text(row.get("severity")),
            detectors=_codes(row.get("detectors")),
            title=_title(english or chinese, chinese or english) if english or chinese else None,
            p_value=_figure(row.get("p_value")),
            q_value=_figure(row.get("q_value")),
            open=bool(row.get("open", True)),
            sampled=bool(row.get("sampled", False)),
        )

    @classmethod
    def of_table(cls, alerts: pd.DataFrame) -> tuple[Shown, ...]:
        """Take every alert of a table; see `of_row`."""
        columns = [str(name) for name in alerts.columns]
        rows = alerts.itertuples(index=False, name=None)
        return tuple(cls.of_row(dict(zip(columns, row, strict=True))) for row in rows)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Shown:
        """Take an alert from a line of the record."""
        title = plain["title"]
        return cls(
            **{**plain, "detectors": tuple(plain["detectors"]), "title": None if title is None else _title(**title)}
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the alert as plain data."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        title = None if self.title is None else self.title.model_dump()
        return plain | {"detectors": list(self.detectors), "title": title}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    at : datetime
        In UTC.
    by : str
    action : str
        Of `ACTIONS`.
    alert : str
        Blank where alerts were raised: they are in `given`.
    text : str
        The reason of a decision, or a note.
    given : Mapping
        What else was said: the period and score decided about, to whom and until when, the case linked to, the number
        of the entry undone, the alerts raised with what they rest on.
    """

    number: int
    at: datetime
    by: str
    action: Action
    alert: str = ""
    text: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the entry as plain data."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "by": self.by,
            "action": self.action,
            "alert": self.alert,
            "text": self.text,
            "given": dict(self.given),
        }

    def says(self, other: Entry) -> bool:
        """Tell whether another entry says the same, by the same person."""
        return (self.by, self.action, self.alert, self.text, self.given) == (
            other.by,
            other.action,
            other.alert,
            other.text,
            other.given,
        )


def seal(line: bytes) -> str:
    """Give what the next line repeats, so that no line can be changed or taken out unseen."""
    return hashlib.sha256(line).hexdigest()


def written(entry: Entry, follows: str) -> bytes:
    """Write an entry as a line, sealed to the one before."""
    return json.dumps(entry.as_dict() | {"follows": follows}, ensure_ascii=False, allow_nan=False).encode()


def parsed(line: bytes) -> tuple[Entry, str]:
    """Read a line: the entry, and the seal of the line that it follows.

    Raises
    ------
    ValueError, KeyError, TypeError
        Where it is no such line.
    """
    plain = json.loads(line)
    if plain["action"] not in ACTIONS or not isinstance(plain["number"], int):
        raise ValueError("not an entry")
    follows = plain.pop("follows")
    at = datetime.fromisoformat(plain["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return Entry(**plain | {"at": at}), follows


@lru_cache(maxsize=1_000)
def _title(en: str, zh: str) -> Title:
    """Make a title once: there are as many as patterns, and every alert has one."""
    return Title(en=en, zh=zh)


def _figure(value: object) -> float | None:
    if value is None or not isinstance(value, Real) or not math.isfinite(value):
        return None
    return round(float(value), DIGITS)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _codes(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(code for code in value.split(";") if code)
    return tuple(str(code) for code in value) if isinstance(value, Sequence) else ()
