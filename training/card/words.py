"""What a card calls things, read from `words.yaml`, and how it writes values in one language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from features.indicators import Title
from features.yaml_loader import parse_yaml
from training.card.facts import Said

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def words() -> Mapping[str, Any]:
    """Read the words."""
    return parse_yaml(files("training.card").joinpath("words.yaml").read_text(encoding="utf-8"))


def title_of(place: str, name: str) -> Title:
    """Give what is called `name` in a group of the words; the name itself where they do not know it."""
    found = words()[place].get(name)
    return Title(en=found["en"], zh=found["zh"]) if found else Title(en=name, zh=name)


def title(place: str) -> Title:
    """Give a sentence of the words; `group.name` or a single name."""
    found: Any = words()
    for step in place.split("."):
        found = found[step]
    return Title(en=found["en"], zh=found["zh"])


def filled(place: str, **values: str) -> Title:
    """Fill values into a sentence of the words."""
    found = title(place)
    return Title(en=found.en.format(**values), zh=found.zh.format(**values))


def word(name: str, language: Language) -> str:
    """Give a single word or phrase."""
    return words()[name][language]


def shown(value: Said, language: Language, *, form: str = "text") -> str:
    """Write a value.

    Parameters
    ----------
    value : Said
    language : str
    form : str
        `text`, `whole`, `share` (as a percentage), `points` (the same, signed), `ratio` (three decimals), `tenths`,
        `figure` (four digits), `yesno`.

    Examples
    --------
    >>> shown(0.8153, "en", form="share"), shown(12345, "zh", form="whole"), shown(None, "zh")
    ('81.5%', '12,345', '未说明')
    """
    if isinstance(value, Title):
        return value.zh if language == "zh" else value.en
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return word("unstated", language)
    if isinstance(value, bool):
        return word("yes_word" if value else "no_word", language)
    if isinstance(value, str):
        return value
    return _number(value, form)


def _number(value: float, form: str) -> str:
    if form == "share":
        return f"{value:.1%}"
    if form == "ratio":
        return f"{value:.3f}"
    if form == "tenths":
        return f"{value:,.1f}"
    if form == "points":
        return f"{value:+.1%}"
    if form == "text" and isinstance(value, int):
        return str(value)
    if form == "whole" or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:.4g}"
