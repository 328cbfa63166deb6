"""Small charts of scores: a bar for each part of a sum, all on one scale, and the course of past scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

BAR_WIDTH, BAR_HEIGHT = 240, 18
THINNEST = 1.5
"""A part that is not zero is drawn at least this wide, so that it is seen."""
TREND_WIDTH, TREND_HEIGHT = 480, 110
MARGIN = 8


@dataclass(frozen=True)
class Bar:
    """A part of a sum at its place, in units of a `BAR_WIDTH` wide box.

    Attributes
    ----------
    kind : {"plus", "minus", "whole"}
        What it does to the sum; `whole` for what the sum begins or ends with.
    x, size : float
    before, after : float
        Where the running sum stands before and after it.
    """

    kind: Literal["plus", "minus", "whole"]
    x: float
    size: float
    before: float
    after: float

    width: int = BAR_WIDTH
    height: int = BAR_HEIGHT


def draw_waterfall(begin: float, amounts: Sequence[float], *, from_zero: bool) -> tuple[Bar, ...]:
    """Lay out a sum: what it begins with, each amount, what it comes to.

    Parameters
    ----------
    begin : float
    amounts : sequence of float
    from_zero : bool
        True to draw the ends from zero, as a total is; False to begin the scale near the lowest sum, so that small
        differences between large numbers are seen.

    Returns
    -------
    tuple of Bar
        `len(amounts) + 2`.
    """
    running = [begin]
    for amount in amounts:
        running.append(running[-1] + amount)
    low, high = min(running), max(running)
    room = (high - low) / 8 or 1.0
    from_zero = from_zero or low < room  # near zero a scale that begins elsewhere would draw a bar for nothing
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    else:
        low -= room
    scale = BAR_WIDTH / (high - low) if high > low else 0.0

    def x(value: float) -> float:
        return round((value - low) * scale, 1)

    def bar(kind: Literal["plus", "minus", "whole"], start: float, end: float) -> Bar:
        left, right = sorted((x(start), x(end)))
        size = max(right - left, THINNEST) if start != end else 0.0
        return Bar(kind, min(left, BAR_WIDTH - size), round(size, 1), x(start), x(end))

    foot = 0.0 if from_zero else low
    between = [bar("minus" if after < before else "plus", before, after) for before, after in pairwise(running)]
    return (bar("whole", foot, running[0]), *between, bar("whole", foot, running[-1]))


@dataclass(frozen=True)
class Trend:
    """The course of a score, in units of a `width` x `height` box with y downwards; lines break where there is none."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float, float, str], ...]
    labels: tuple[tuple[float, str], ...]

    width: int = TREND_WIDTH
    height: int = TREND_HEIGHT


def draw_trend(course: Sequence[tuple[str, float | None]]) -> Trend | None:
    """Lay out past scores (period, score); None where there are fewer than two.

    A dot is its place, the height of its text, and its text.
    """
    scores = [score for _, score in course if score is not None]
    if len(scores) < 2:
        return None
    low, high = min(scores), max(scores)
    side, top, foot = 30, 26, 24

    def x(place: int) -> float:
        return round(side + (TREND_WIDTH - 2 * side) * place / (len(course) - 1), 1)

    def y(score: float) -> float:
        share = (score - low) / (high - low) if high > low else 0.5
        return round(TREND_HEIGHT - foot - MARGIN - (TREND_HEIGHT - foot - top - MARGIN) * share, 1)

    runs: list[list[tuple[float, float]]] = [[]]
    dots = []
    for place, (_, score) in enumerate(course):
        if score is None:
            runs.append([])
            continue
        runs[-1].append((x(place), y(score)))
        dots.append((x(place), y(score), round(y(score) - MARGIN, 1), f"{score:.1f}"))
    lines = tuple(" ".join(f"{a:g},{b:g}" for a, b in run) for run in runs if len(run) > 1)
    return Trend(lines, tuple(dots), tuple((x(place), label) for place, (label, _) in enumerate(course)))
