"""Small charts about models: the loss of two of them year by year, and what was measured beside its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 170
SIDE, EDGE, FOOT, TOP = 54, 20, 22, 16
"""Room on the left for figures, on the right, below for years, and above."""
LABELS = 10
"""Years named along the foot."""
GAUGE_WIDTH, GAUGE_HEIGHT = 240, 22
ROOM = 0.12
"""Part of the scale left free beyond the outermost mark."""

Point = tuple[float, float]


@dataclass(frozen=True)
class YearChart:
    """Two lines over the years and the level that both are held against, in a `width` x `height` box, y downwards.

    Attributes
    ----------
    own, other : tuple of str
        Points of the lines as SVG has them, broken where a year is missing.
    dots : tuple of (x, y, which)
        Every figure; which is "own" or "other".
    level : float
        Height of the level.
    labels : tuple of (x, text)
    heights : tuple of (y, figure)
        The lowest and the highest figure.
    """

    own: tuple[str, ...]
    other: tuple[str, ...]
    dots: tuple[tuple[float, float, str], ...]
    level: float
    labels: tuple[tuple[float, str], ...]
    heights: tuple[tuple[float, float], ...]

    width: int = WIDTH
    height: int = HEIGHT


def draw_years(
    years: Sequence[int], own: Sequence[float | None], other: Sequence[float | None], *, level: float
) -> YearChart | None:
    """Lay out two lines over the years; None where there is no figure.

    Parameters
    ----------
    years : sequence of int
        Ascending.
    own, other : sequence of (float or None)
        One a year.
    level : float
        What both are held against.
    """
    known = [value for value in (*own, *other) if value is not None]
    if not known:
        return None
    low, high = min(*known, level), max(*known, level)

    def x(place: int) -> float:
        return round(SIDE + (WIDTH - SIDE - EDGE) * place / (len(years) - 1), 1) if len(years) > 1 else WIDTH / 2

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * share, 1)

    def lines(values: Sequence[float | None]) -> tuple[str, ...]:
        runs: list[list[Point]] = [[]]
        for place, value in enumerate(values):
            if value is not None:
                runs[-1].append((x(place), y(value)))
            elif runs[-1]:
                runs.append([])
        return tuple(" ".join(f"{a:g},{b:g}" for a, b in run) for run in runs if len(run) > 1)

    dots = [
        (x(place), y(value), which)
        for which, values in (("other", other), ("own", own))
        for place, value in enumerate(values)
        if value is not None
    ]
    every = max(1, -(-len(years) // LABELS))
    labels = tuple((x(place), str(years[place])) for place in range(len(years) - 1, -1, -every))
    ends = sorted({min(known), max(known)})
    return YearChart(lines(own), lines(other), tuple(dots), y(level), labels, tuple((y(end), end) for end in ends))


@dataclass(frozen=True)
class Gauge:
    """What was measured on a scale with its limits, in a `width` x `height` box.

    Attributes
    ----------
    limits : tuple of float
        Places of the limits.
    mark : float
        Place of what was measured.
    span : (x, width) or None
        Its interval.
    """

    limits: tuple[float, ...]
    mark: float
    span: tuple[float, float] | None

    width: int = GAUGE_WIDTH
    height: int = GAUGE_HEIGHT


def draw_gauge(
    measured: float | None, limits: Sequence[float], interval: tuple[float, float] | None = None
) -> Gauge | None:
    """Lay out what was measured beside its limits; None where nothing was measured.

    The scale begins at zero, or below where something is.
    """
    if measured is None or not limits:
        return None
    ends = [measured, *limits, *(interval or ())]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = (high - low) * ROOM or 1.0
    low, high = (low - room if low < 0 else low), high + room

    def x(value: float) -> float:
        return round(GAUGE_WIDTH * (value - low) / (high - low), 1)

    span = None if interval is None else (x(interval[0]), round(x(interval[1]) - x(interval[0]), 1))
    return Gauge(tuple(x(limit) for limit in limits), x(measured), span)
