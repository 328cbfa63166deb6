"""Units of measure in words, Chinese and English: one catalogue for tables, sentences and pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from features.indicators import COUNT_UNITS, Indicator
from features.yaml_loader import parse_yaml

Use = Literal["alone", "after", "gap"]
"""By itself, as in the head of a column; after a figure; after a difference of two figures."""

COUNTERS = {
    "客户": "户",
    "客群": "户",
    "笔数": "笔",
    "件数": "件",
    "次数": "次",
    "业务量": "笔",
    "投诉量": "件",
    "人力": "人",
}
"""What Chinese counts things in, by a word of the indicator's name; else 个."""


@cache
def measures() -> Mapping[str, Mapping[Use, Mapping[str, str]]]:
    """Read the catalogue."""
    return parse_yaml(files("models").joinpath("measures.yaml").read_text(encoding="utf-8"))


def measure_words(indicator: Indicator, use: Use) -> dict[str, str]:
    """Give an indicator's unit of measure in both languages, with the blank that its language wants before it.

    >>> from features.indicators import library
    >>> measure_words(library()["R01"], "gap"), measure_words(library()["U01"], "after")
    ({'en': ' points', 'zh': '个百分点'}, {'en': '', 'zh': '户'})
    """
    entry = measures().get(indicator.unit)
    if entry is None:
        blank = "" if use == "alone" else " "
        return {"en": f"{blank}{indicator.unit}", "zh": f"{blank}{indicator.unit}"}
    words = dict(entry[use])
    if indicator.unit in COUNT_UNITS and use != "alone":
        if indicator.kind == "ratio":  # a number for each of something else: what is counted has no word of its own
            return {"en": "", "zh": ""}
        if indicator.unit == "n":
            words["zh"] = next((word for part, word in COUNTERS.items() if part in indicator.name.zh), words["zh"])
    return words
