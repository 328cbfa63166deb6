"""Numbers, dates and words as a reader of English or Chinese expects them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Literal, cast

from features.yaml_loader import parse_yaml
from models.measures import measures

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
NOTHING = "–"
MOST_DECIMALS = 9
"""Suggestions are rounded to at most these."""
USUAL_DECIMALS = 2
SURE = 0.995
"""From here on a probability would round to 100%, and from its complement down to 0%: neither is ever meant."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PREFERRED = re.compile(r"\s*([A-Za-z]{1,8})[A-Za-z0-9-]*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")

Wording = Mapping[str, Mapping[str, str]]


def read_wording() -> Wording:
    """Read the catalogue of all wording; `measure.` and a unit of measure give its words."""
    words = parse_yaml(files("serving.console").joinpath("wording.yaml").read_text(encoding="utf-8"))
    return words | {f"measure.{unit}": uses["alone"] for unit, uses in measures().items()}


def preferred(header: str) -> Language:
    """Choose a language by an Accept-Language header; English where it names none that there is.

    >>> preferred("fr, zh-CN;q=0.8, en;q=0.5"), preferred("")
    ('zh', 'en')
    """
    best, weight = LANGUAGES[0], 0.0
    for part in header[:1_000].split(","):
        match = _PREFERRED.fullmatch(part)
        if match and match[1].lower() in LANGUAGES and float(match[2] or 1) > weight:
            best, weight = cast(Language, match[1].lower()), float(match[2] or 1)
    return best


class Reader:
    """Writes for a reader of one language.

    Parameters
    ----------
    language : {"en", "zh"}
    wording : Mapping
        The catalogue.
    """

    def __init__(self, language: Language, wording: Wording) -> None:
        self.language: Language = language
        self.wording = wording

    @property
    def tag(self) -> str:
        """Give the language as HTML has it."""
        return TAGS[self.language]

    def say(self, key: str, **filled: object) -> str:
        """Give a text of the catalogue.

        Raises
        ------
        KeyError
            Where the catalogue lacks it.
        """
        text = self.wording[key][self.language]
        return text.format(**filled) if filled else text

    def known(self, kind: str, word: str | None) -> str:
        """Translate a word of the data where the catalogue knows it; else give it as it is."""
        entry = self.wording.get(f"{kind}.{word}")
        return entry[self.language] if entry is not None else (word or NOTHING)

    def name(self, en: str, zh: str | None) -> str:
        """Choose between two names."""
        return zh if self.language == "zh" and zh else en

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Write a number with its thousands grouped; a dash for what is not known."""
        return NOTHING if value is None else f"{value:,.{decimals}f}"

    def signed(self, value: float | None, decimals: int = 0) -> str:
        """Write a difference with its sign; none for zero."""
        if value is None:
            return NOTHING
        return self.number(value, decimals) if round(value, decimals) == 0 else f"{value:+,.{decimals}f}"

    def percent(self, probability: float | None) -> str:
        """Write a probability in whole per cent, never as certain or impossible."""
        if probability is None:
            return NOTHING
        if probability >= SURE:
            return ">99%"
        return "<1%" if probability < 1 - SURE else f"{probability:.0%}"

    def date(self, day: date) -> str:
        """Write a day."""
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def decimals_of(values: Sequence[float | None]) -> int:
    """Count the decimals that rounded figures need to be told in full.

    >>> decimals_of([1.5, 12.25, None]), decimals_of([3.0]), decimals_of([None])
    (2, 0, 2)
    """
    known = [value for value in values if value is not None]
    if not known:
        return USUAL_DECIMALS
    return max(len(f"{value:.{MOST_DECIMALS}f}".rstrip("0").partition(".")[2]) for value in known)
