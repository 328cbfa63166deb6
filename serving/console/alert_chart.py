"""Small charts of an alert: a unit's figures beside the middle of its peers, with the listed periods shaded."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440, 150
SIDE, FOOT, TOP, EDGE = 8, 22, 16, 8
"""Room on the left, below for periods, above for figures, and on the right."""
LABELS = 4
"""Periods named along the foot: as many as fit beside each other on a small screen."""

Point = tuple[float, float]


@dataclass(frozen=True)
class CourseChart:
    """A chart, in units of a `width` x `height` box with y downwards.

    Attributes
    ----------
    own, peers : tuple of str
        Points of the lines as SVG has them, broken where figures are missing.
    dots : tuple of (x, y)
        The unit's figures that stand alone, which no line would show.
    last : (x, y) or None
        The unit's figure of the last period.
    listed : tuple of (x, width)
        Stretches in which the unit was on the list.
    labels : tuple of (x, anchor, text)
        Periods along the foot.
    heights : tuple of (y, text_y, figure)
        The lowest and the highest figure.
    """

    own: tuple[str, ...]
    peers: tuple[str, ...]
    dots: tuple[Point, ...]
    last: Point | None
    listed: tuple[Point, ...]
    labels: tuple[tuple[float, str, str], ...]
    heights: tuple[tuple[float, float, float], ...]

    width: int = WIDTH
    height: int = HEIGHT
    foot: int = HEIGHT - FOOT


def draw_course(
    periods: Sequence[str],
    values: Sequence[float | None],
    peers: Sequence[float | None],
    *,
    listed: Collection[str] = (),
) -> CourseChart | None:
    """Lay out a course; None where the unit has no figure in it.

    Parameters
    ----------
    periods : sequence of str
        Ascending.
    values, peers : sequence of (float or None)
        The unit's figures and the peers' middle, one a period.
    listed : collection of str
        Periods in which the unit was on the list.
    """
    if all(value is None for value in values):
        return None
    known = [value for value in (*values, *peers) if value is not None]
    low, high, count = min(known), max(known), len(periods)
    step = (WIDTH - SIDE - EDGE) / max(count - 1, 1)

    def x(place: float) -> float:
        return round(SIDE + step * place if count > 1 else WIDTH / 2, 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * share, 1)

    def points(figures: Sequence[float | None]) -> list[list[Point]]:
        runs: list[list[Point]] = [[]]
        for place, value in enumerate(figures):
            if value is not None:
                runs[-1].append((x(place), y(value)))
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    own = points(values)
    levels = (low,) if high == low else (low, high)
    return CourseChart(
        own=tuple(_written(run) for run in own if len(run) > 1),
        peers=tuple(_written(run) for run in points(peers) if len(run) > 1),
        dots=tuple(run[0] for run in own if len(run) == 1),
        last=None if values[-1] is None else own[-1][-1],
        listed=tuple(_stretch(x, first, last) for first, last in _stretches(periods, listed)),
        labels=_labels(periods, x),
        heights=tuple((y(level), round(y(level) - 3, 1), level) for level in levels),
    )


def _stretches(periods: Sequence[str], listed: Collection[str]) -> list[tuple[int, int]]:
    """Give the first and last place of each run of listed periods."""
    found: list[tuple[int, int]] = []
    for place, period in enumerate(periods):
        if period not in listed:
            continue
        if found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


def _stretch(x, first: int, last: int) -> Point:  # half a step to either side, within the box
    begin, end = max(x(first - 0.5), 0.0), min(x(last + 0.5), float(WIDTH))
    return (begin, round(end - begin, 1)) if end > begin else (round(x(first) - 4, 1), 8.0)


def _labels(periods: Sequence[str], x) -> tuple[tuple[float, str, str], ...]:
    count = len(periods)
    every = max(1, math.ceil((count - 1) / (LABELS - 1)))
    places = sorted({*range(count - 1, -1, -every)})
    if places[0] * 2 >= every:
        places = [0, *places]
    found = []
    for place in places:
        anchor = "start" if place == 0 and count > 1 else "end" if place == count - 1 and count > 1 else "middle"
        found.append((x(place), anchor, periods[place]))
    return tuple(found)


def _written(points: Sequence[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
