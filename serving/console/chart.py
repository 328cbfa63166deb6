"""A small chart: the figures of past years, and the three levels as a fan to the year asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240, 72
MARGIN = 6
"""Room around the drawing for half a mark."""
LEVELS = ("floor", "target", "stretch")


@dataclass(frozen=True)
class Mark:
    """A level of the suggestion at its place."""

    level: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """What to draw, in units of a `WIDTH` x `HEIGHT` box with y downwards.

    Attributes
    ----------
    first, last, year : int
        First and last year of the history, and the year asked about.
    line : str
        Points of the history, as SVG has them; the last is the foot of the fan.
    dots : tuple of (x, y)
        Its points.
    fan : str
        Points of the area between floor and stretch; blank where either is not known.
    marks : tuple of Mark
    """

    first: int
    last: int
    year: int
    line: str
    dots: tuple[tuple[float, float], ...]
    fan: str
    marks: tuple[Mark, ...]

    width: int = WIDTH
    height: int = HEIGHT


def draw(history: Sequence[tuple[int, float]], levels: Mapping[str, float | None], *, year: int) -> Chart | None:
    """Lay a chart out; None where there is no past to show.

    Parameters
    ----------
    history : sequence of (year, figure)
        Ascending; years from `year` on are left out.
    levels : Mapping
        Floor, target and stretch, None where not known.
    year : int
    """
    past = [(when, value) for when, value in history if when < year]
    if not past:
        return None
    ahead = [(level, value) for level in LEVELS if (value := levels[level]) is not None]
    figures = [value for _, value in past] + [value for _, value in ahead]
    low, high = min(figures), max(figures)
    first = past[0][0]

    def x(when: int) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (when - first) / (year - first), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share, 1)

    dots = tuple((x(when), y(value)) for when, value in past)
    marks = tuple(Mark(level, x(year), y(value)) for level, value in ahead)
    ends = [(mark.x, mark.y) for mark in marks if mark.level in ("floor", "stretch")]
    fan = _points([dots[-1], *ends]) if len(ends) == 2 else ""
    return Chart(first, past[-1][0], year, _points(dots), dots, fan, marks)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


PATH_WIDTH, PATH_HEIGHT = 900, 300


@dataclass(frozen=True)
class PathChart:
    """A course and where it may go, in units of a `width` x `height` box with y downwards.

    Attributes
    ----------
    lines : tuple of str
        The past, broken where figures are missing.
    middle : str
        The middle of what lies ahead, joined to the last figure.
    fan : str
        The area in which eight of ten outcomes should lie.
    labels : tuple of (x, text)
        Periods along the foot.
    heights : tuple of (y, text_y, figure)
        Figures along the side: where the line is, where its figure stands.
    """

    lines: tuple[str, ...]
    middle: str
    fan: str
    labels: tuple[tuple[float, str], ...]
    heights: tuple[tuple[float, float, float], ...]

    width: int = PATH_WIDTH
    height: int = PATH_HEIGHT


def draw_path(
    past: Sequence[tuple[str, float | None]], ahead: Sequence[tuple[str, float, float, float]]
) -> PathChart | None:
    """Lay out a course (period, figure) and what lies ahead (period, low, middle, high); None where nothing does."""
    if not ahead:
        return None
    labels = [label for label, _ in past] + [label for label, *_ in ahead]
    figures = [value for _, value in past if value is not None] + [value for _, *three in ahead for value in three]
    low, high = min(figures), max(figures)
    foot, side = 24, 8

    def x(place: int) -> float:
        return round(side + (PATH_WIDTH - 2 * side) * place / max(len(labels) - 1, 1), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(PATH_HEIGHT - foot - (PATH_HEIGHT - foot - MARGIN) * share, 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for place, (_, value) in enumerate(past):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x(place), y(value)))
    begin = len(past)
    join = runs[-1][-1:]
    middle = [*join, *((x(begin + step), y(row[2])) for step, row in enumerate(ahead))]
    lower = [(x(begin + step), y(row[1])) for step, row in enumerate(ahead)]
    upper = [(x(begin + step), y(row[3])) for step, row in enumerate(ahead)]
    every = max(1, len(labels) // 8)
    return PathChart(
        tuple(_points(run) for run in runs if run),
        _points(middle),
        _points([*join, *upper, *reversed(lower)]),
        tuple((x(place), labels[place]) for place in range(0, len(labels), every)),
        tuple((y(value), max(y(value) - 3, 12.0), value) for value in (low, (low + high) / 2, high)),
    )
