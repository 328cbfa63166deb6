"""A series as a small chart: the unit's line and the middle of its peers, laid out for an inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.review.facts import Series

WIDTH, HEIGHT = 640, 200
FOOT, SIDE, TOP = 24, 70, 10
"""Room for the periods below, the figures on the left, and half a line above."""
LABELS = 6
"""Periods named along the foot: as many as fit beside each other."""
GRID = 3
"""Figures named along the side: the lowest, the middle and the highest."""


@dataclass(frozen=True)
class Course:
    """A chart, in units of a `width` x `height` box with y downwards.

    Attributes
    ----------
    own, peers : tuple of str
        Points of the lines as SVG has them, broken where figures are missing.
    dots : tuple of (x, y)
        The unit's figures that stand alone, which no line would show.
    last : (x, y) or None
        The unit's last figure.
    periods : tuple of (x, text)
    figures : tuple of (y, figure)
    """

    own: tuple[str, ...]
    peers: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    last: tuple[float, float] | None
    periods: tuple[tuple[float, str], ...]
    figures: tuple[tuple[float, float], ...]

    width: int = WIDTH
    height: int = HEIGHT
    side: int = SIDE


def draw(series: Series) -> Course | None:
    """Lay a series out; None where the unit has no figure in it."""
    own = [_finite(value) for value in series.values]
    peers = [_finite(value) for value in series.peers_middle]
    if all(value is None for value in own):
        return None
    known = [value for value in [*own, *peers] if value is not None]
    low, high = min(known), max(known)
    count = len(series.periods)

    def x(place: int) -> float:
        return round(SIDE + (WIDTH - SIDE - 8) * (place / (count - 1) if count > 1 else 0.5), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * share, 1)

    runs = _runs(own, x, y)
    every = max(1, math.ceil(count / LABELS))
    levels = [low] if high == low else [low + (high - low) * step / (GRID - 1) for step in range(GRID)]
    return Course(
        own=tuple(_points(run) for run in runs if len(run) > 1),
        peers=tuple(_points(run) for run in _runs(peers, x, y) if len(run) > 1),
        dots=tuple(run[0] for run in runs if len(run) == 1),
        last=runs[-1][-1],
        periods=tuple((x(place), series.periods[place]) for place in range(0, count, every)),
        figures=tuple((y(level), level) for level in levels),
    )


def _runs(values: Sequence[float | None], x, y) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is not None:
            runs[-1].append((x(place), y(value)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
