"""The gap between a figure and what it is compared with, in the indicator's own unit and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from features.indicators import COUNT_UNITS, Indicator
from models.measures import measure_words
from models.scoring.facts import FIGURE_DECIMALS
from models.scoring.phrases import Text, both, say

Against = Literal["target", "last_year", "peers"]
AGAINST: tuple[Against, ...] = ("target", "last_year", "peers")
"""What a score may be compared with."""

Side = Literal["better", "worse", "same"]

LARGE, MIDDLING = 10_000, 1_000
"""From these sizes on decimals say nothing: none, and at most one."""
TIMES = ("d", "h", "min")
"""Of these, as of what is counted, there are more or fewer (多、少) rather than higher or lower."""
LARGEST_PERCENT = 1_000
"""A gap of more than this many percent is told as an amount alone: a tiny reference makes percentages meaningless."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A figure beside its reference.

    Attributes
    ----------
    amount : float
        Figure less reference, both as shown.
    side : {"better", "worse", "same"}
        In the indicator's own direction.
    text : Text
        Such as `0.4 points above peers`, 较同组高0.4个百分点.
    """

    amount: float
    side: Side
    text: Text


def shown_decimals(indicator: Indicator, *figures: float) -> int:
    """Count the decimals in which figures are shown: the indicator's own, fewer for large ones, more for tiny ones.

    Figures that differ are shown different.
    """
    decimals = own_decimals(indicator)
    size = max((abs(figure) for figure in figures), default=0.0)
    if size >= LARGE:
        decimals = 0
    elif size >= MIDDLING:
        decimals = min(decimals, 1)
    elif 0 < size < 0.1:
        decimals = max(decimals, 1 - math.floor(math.log10(size)))
    return telling_apart(min(decimals, FIGURE_DECIMALS), *figures)


def own_decimals(indicator: Indicator) -> int:
    """Count the decimals of the indicator's smallest step."""
    return max(0, round(-math.log10(indicator.smallest_unit)))


def telling_apart(decimals: int, *figures: float) -> int:
    """Give as many decimals, or as many more as figures that differ need to be shown different."""
    different = len(set(figures))
    while decimals < FIGURE_DECIMALS and len({round(figure, decimals) for figure in figures}) < different:
        decimals += 1
    return decimals


def number_text(value: float, decimals: int) -> str:
    """Write a number with its thousands grouped and without idle zeros.

    >>> number_text(1234.50, 2), number_text(-0.0, 1), number_text(120.0, 0)
    ('1,234.5', '0', '120')
    """
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def figure_text(indicator: Indicator, value: float, decimals: int | None = None) -> Text:
    """Write a figure with its unit of measure: `5.2%`, 1,204百万元."""
    shown = number_text(value, shown_decimals(indicator, value) if decimals is None else decimals)
    return _with_unit(shown, measure_words(indicator, "after"))


def gap_text(indicator: Indicator, value: float, decimals: int) -> Text:
    """Write a difference of figures, without its sign: `0.4 points`, 0.4个百分点."""
    shown = number_text(abs(value), decimals)
    return _with_unit(shown, measure_words(indicator, "gap"))


def _with_unit(shown: str, words: Text) -> Text:
    english = words["en"].removesuffix("s") if shown in ("1", "-1") else words["en"]
    return {"en": shown + english, "zh": shown + words["zh"]}


def is_volume(indicator: Indicator) -> bool:
    """Tell whether gaps are told in percent as well: of amounts and counts that add up."""
    return indicator.kind in ("flow", "stock")


def reference_text(indicator: Indicator, against: Against) -> Text:
    """Name what is compared with; a volume's peers are met in growth, since their size is no measure of it."""
    return say("reference.peers.volume" if against == "peers" and is_volume(indicator) else f"reference.{against}")


def gap_of(indicator: Indicator, figure: float, reference: float, against: Against) -> Gap:
    """Compare two figures of an indicator.

    >>> from features.indicators import library
    >>> gap_of(library()["R01"], 1.92, 1.52, "peers").text
    {'en': '0.4 points above peers', 'zh': '较同组高0.4个百分点'}
    """
    decimals = shown_decimals(indicator, figure, reference)
    now, then = round(figure, decimals), round(reference, decimals)
    amount = round(now - then, decimals)
    words = reference_text(indicator, against)
    if amount == 0:
        return Gap(0.0, "same", say("gap.same", reference=words))
    size = gap_text(indicator, amount, decimals)
    if is_volume(indicator) and then > 0 and abs(100 * amount / then) <= LARGEST_PERCENT:
        percent = 100 * abs(amount) / then
        size = say("gap.share", percent=number_text(percent, 1 if percent >= 0.1 else 2), amount=size)
    counted = indicator.unit in TIMES or (indicator.unit in COUNT_UNITS and indicator.kind != "ratio")
    key = ("more" if amount > 0 else "fewer") if counted else ("above" if amount > 0 else "below")
    return Gap(amount, _side(indicator, now, then), say(f"gap.{key}", amount=size, reference=words))


def _side(indicator: Indicator, now: float, then: float) -> Side:
    if indicator.direction == "band":
        low, high = indicator.band or (-math.inf, math.inf)
        better = max(low - then, then - high, 0.0) - max(low - now, now - high, 0.0)
    else:
        better = now - then if indicator.direction == "higher" else then - now
    return "same" if better == 0 else "better" if better > 0 else "worse"


def percent_text(value: float, decimals: int) -> Text:
    """Write a share in percent."""
    return both(f"{number_text(value, decimals)}%")
