"""The pictures of a card, by name; each is drawn from a table of the facts, and is left away where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from training.card.drawing import BAD, BLUE, GRID, INK, SOFT, Drawing
from training.card.facts import CardFacts, CardTable, Said
from training.card.words import Language, shown, words
from training.gating.gate import COVERAGE_LIMITS

WIDTH = 640
SQUARE = 400
"""Width and height, in pixels, of a picture of probabilities against shares: equal steps on both axes."""
ROW = 22
MOST_ROWS = 40
"""Rows drawn in a picture that has one for each indicator; what is beyond is in the table only."""
LONGEST_LABEL = 26
"""Characters of a label beside a row."""
RATIO_REACH = (0.5, 1.6)
"""Loss ratios beyond are drawn at the edge: one runaway would squeeze all others together."""
PROMISED_COVERAGE = 0.8
TENTHS = tuple((step / 10, f"{step * 10}%") for step in range(0, 11, 2))


def _promises(facts: CardFacts, language: Language) -> str | None:
    table = facts.tables.get("promises")
    rows = _numbers(table, "promised", "attained", "lowest", "highest")
    if not rows:
        return None
    drawing = _unit_square(language, "promised", "attained")
    band = [(p, low) for p, _, low, _ in rows] + [(p, high) for p, _, _, high in reversed(rows)]
    drawing.area(band)
    drawing.line([(0, 0), (1, 1)], colour=SOFT, width=1, dash="3 4")
    drawing.line([(promised, attained) for promised, attained, _, _ in rows])
    for promised, attained, _, _ in rows:
        drawing.dot(promised, attained)
    return drawing.svg(label=_caption("promises", language))


def _reliability(facts: CardFacts, language: Language) -> str | None:
    rows = _numbers(facts.tables.get("reliability"), "stated", "happened")
    if not rows:
        return None
    top = max(0.05, max(max(row) for row in rows) * 1.1)
    step = _step(top)
    ticks = [(n * step, f"{n * step:.0%}") for n in range(int(top / step) + 1)]
    drawing = Drawing(SQUARE, SQUARE, (0.0, top), (0.0, top))
    drawing.ticks_across(ticks, title=words()["axes"]["stated"][language])
    drawing.ticks_up(ticks, title=words()["axes"]["happened"][language])
    drawing.line([(0, 0), (top, top)], colour=SOFT, width=1, dash="3 4")
    drawing.line(rows)
    for stated, happened in rows:
        drawing.dot(stated, happened)
    return drawing.svg(label=_caption("reliability", language))


def _loss_by_origin(facts: CardFacts, language: Language) -> str | None:
    means = _numbers(facts.tables.get("by_origin"), "year", "loss_ratio")
    if not means:
        return None
    dots = _numbers(facts.tables.get("origins"), "year", "loss_ratio")
    years = sorted({year for year, _ in (*means, *dots)})
    drawing = Drawing(WIDTH, 300, (years[0] - 0.5, years[-1] + 0.5), RATIO_REACH)
    drawing.area([(years[0] - 0.5, RATIO_REACH[0]), (years[-1] + 0.5, RATIO_REACH[0]), (years[-1] + 0.5, 1),
                  (years[0] - 0.5, 1)])  # fmt: skip
    drawing.ticks_across([(year, f"{year:.0f}") for year in years], title=words()["axes"]["year"][language])
    drawing.ticks_up([(tick / 10, f"{tick / 10:.1f}") for tick in range(6, 17, 2)])
    drawing.line([(years[0] - 0.5, 1), (years[-1] + 0.5, 1)], colour=INK, width=1)
    for year, ratio in dots:
        drawing.dot(year, min(max(ratio, RATIO_REACH[0]), RATIO_REACH[1]), size=3, faint=True)
    drawing.line([(year, min(max(ratio, RATIO_REACH[0]), RATIO_REACH[1])) for year, ratio in means], width=2.5)
    for year, ratio in means:
        drawing.dot(year, min(max(ratio, RATIO_REACH[0]), RATIO_REACH[1]))
    return drawing.svg(label=_caption("loss_by_origin", language))


def _coverage(facts: CardFacts, language: Language) -> str | None:
    rows = [(label, value) for label, value in _labelled(facts, language) if value is not None][:MOST_ROWS]
    if not rows:
        return None
    drawing = _rows(len(rows), (0.0, 1.0))
    drawing.area([(low, height) for low, height in ((COVERAGE_LIMITS[0], 0), (COVERAGE_LIMITS[1], 0),
                  (COVERAGE_LIMITS[1], len(rows)), (COVERAGE_LIMITS[0], len(rows)))])  # fmt: skip
    drawing.ticks_across(TENTHS)
    drawing.line([(PROMISED_COVERAGE, 0), (PROMISED_COVERAGE, len(rows))], colour=INK, width=1)
    for place, (label, value) in enumerate(rows):
        height = len(rows) - place - 0.5
        inside = COVERAGE_LIMITS[0] <= value <= COVERAGE_LIMITS[1]
        drawing.dot(value, height, colour=BLUE if inside else BAD)
        drawing.write(drawing.left - 8, drawing.up(height) + 4, _short(label), anchor="end", colour=INK)
    return drawing.svg(label=_caption("coverage", language))


def _rankings(facts: CardFacts, language: Language) -> str | None:
    table = facts.tables.get("rankings")
    if table is None or not {"name", "auc_within"} <= set(table.columns):
        return None
    every = zip(table.column("name"), table.column("auc_within"), strict=True)
    rows = [(shown(name, language), float(value)) for name, value in every if isinstance(value, int | float)]
    if not rows:
        return None
    drawing = _rows(len(rows), (0.0, 1.0))
    drawing.ticks_across([(step / 4, f"{step / 4:.2f}") for step in range(5)])
    drawing.line([(0.5, 0), (0.5, len(rows))], colour=INK, width=1)
    for place, (label, value) in enumerate(rows):
        height = len(rows) - place - 0.5
        drawing.line([(0.5, height), (value, height)], colour=BLUE if place == 0 else GRID, width=8)
        drawing.dot(value, height, colour=BLUE if place == 0 else SOFT, size=5)
        drawing.write(drawing.left - 8, drawing.up(height) + 4, _short(label), anchor="end", colour=INK)
        drawing.write(drawing.across(value) + 10, drawing.up(height) + 4, f"{value:.3f}", anchor="start", colour=INK)
    return drawing.svg(label=_caption("rankings", language))


CHARTS: Mapping[str, Callable[[CardFacts, Language], str | None]] = {
    "promises": _promises,
    "reliability": _reliability,
    "loss_by_origin": _loss_by_origin,
    "coverage": _coverage,
    "rankings": _rankings,
}


def _unit_square(language: Language, across: str, up: str) -> Drawing:
    axes = words()["axes"]
    drawing = Drawing(SQUARE, SQUARE, (0.0, 1.0), (0.0, 1.0))
    drawing.ticks_across(TENTHS, title=axes[across][language])
    drawing.ticks_up(TENTHS, title=axes[up][language])
    return drawing


def _rows(count: int, reach: tuple[float, float]) -> Drawing:
    return Drawing(WIDTH, 40 + ROW * count, reach, (0.0, float(count)), left=190, right=56, top=8, bottom=26)


def _labelled(facts: CardFacts, language: Language) -> list[tuple[str, Any]]:
    table = facts.tables.get("by_indicator")
    if table is None or not {"indicator", "coverage"} <= set(table.columns):
        return []
    levels = table.column("level") if "level" in table.columns else [None] * len(table.rows)
    names = [
        shown(name, language) if level is None else f"{shown(name, language)} · {shown(level, language)}"
        for name, level in zip(table.column("indicator"), levels, strict=True)
    ]
    return list(zip(names, table.column("coverage"), strict=True))


def _numbers(table: CardTable | None, *names: str) -> list[Any]:
    """Give the rows of some columns that are all figures."""
    if table is None or not set(names) <= set(table.columns):
        return []
    places = [table.columns.index(name) for name in names]
    rows = [tuple(row[place] for place in places) for row in table.rows]
    return [row for row in rows if all(_is_figure(value) for value in row)]


def _is_figure(value: Said) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _step(top: float) -> float:
    """Choose a step that leaves four to eight ticks."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2)
    return next((step for step in steps if top / step <= 8), steps[-1])


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _caption(name: str, language: Language) -> str:
    return words()["charts"][name][language]
