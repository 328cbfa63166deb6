"""The words in which alerts are told, and how shares and chances are written, in Chinese and English."""

from __future__ import annotations

import math
from collections.abc import Mapping

from features.indicators import Title
from models.phrasebook import LANGUAGES, Phrasebook, Text

RAREST = 1_000
"""Rarer than one in so many is not told more exactly: no tail is known that far out."""
USUAL = 0.5
"""Half of all units look at least as unusual: nothing to tell."""


BOOK = Phrasebook("models.alert_story")


def words() -> Mapping[str, Mapping[str, str]]:
    """Give the catalogue."""
    return BOOK.words


def say(key: str, **filled: Text | str) -> Text:
    """Give a phrase of the catalogue, filled in; what is filled in may differ by language.

    >>> say("driver.others", count="3")
    {'en': '3 others together', 'zh': '其余3项合计'}

    Raises
    ------
    KeyError
        Where the catalogue lacks it.
    """
    return BOOK.say(key, **filled)


def text_of(title: Title) -> Text:
    """Give a title as a text."""
    return {"en": title.en, "zh": title.zh}


def followed(*texts: Text) -> Text:
    """Put texts one after the other with nothing between them."""
    return {language: "".join(text[language] for text in texts) for language in LANGUAGES}


def as_clause(text: Text) -> Text:
    """Make a sentence part of a longer one: no full stop, no capital unless it is an abbreviation.

    >>> as_clause({"en": "The loans are sound.", "zh": "贷款质量良好。"})
    {'en': 'the loans are sound', 'zh': '贷款质量良好'}
    >>> as_clause({"en": "NPL rise.", "zh": "不良上升。"})["en"]
    'NPL rise'
    """
    english, chinese = text["en"].rstrip(". "), text["zh"].rstrip("。 ")
    if english[1:2].islower() or english[1:2] == " ":
        english = english[:1].lower() + english[1:]
    return {"en": english, "zh": chinese}


def percent(share: float) -> str:
    """Write a share, small ones with a decimal more.

    >>> percent(0.344), percent(0.0423), percent(0.0004), percent(0.0)
    ('34%', '4.2%', '0.04%', '0%')
    """
    if share == 0:
        return "0%"
    size = abs(share)
    decimals = 0 if size >= 0.0995 else 1 if size >= 0.00995 else 2
    return f"{share:.{decimals}%}"


def one_in(p: float | None) -> Text:
    """Say how rare something is among units with nothing wrong.

    >>> one_in(0.004)["en"]
    'about 1 in 250 units with nothing wrong would stand out as much'
    """
    if p is None or not math.isfinite(p):
        return say("one_in.unknown")
    if p >= USUAL:
        return say("one_in.usual")
    if p < 1 / RAREST:
        return say("one_in.most", count=f"{RAREST:,}")
    count = 1 / p
    step = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return say("one_in", count=f"{round(count / step) * step:,}")
