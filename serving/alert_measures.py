"""Which measures are told of a unit: those its patterns rest on; where none is met, what drives it and what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.matrix import parse_column
from models.alert_story.drivers import Drivers
from models.alert_story.figures import told_measures
from models.alert_story.patterns import Pattern
from models.detectors.legs import formation
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.novelty import Novelty
from training.warning.looking import Looked

NOVEL = 0.05
"""Share of scores at least as unusual below which the most unusual figures are told."""
NOVEL_TOLD, DRIVING_TOLD = 4, 3
"""Figures told of what is unusual, and of what adds to the probability."""
YEAR = 12
RISKY = ("risk", "compliance")
"""Perspectives whose worsening is told; of all others, the growth."""


def measures_told(
    looked: Looked, patterns: Sequence[Pattern], drivers: Drivers | None, *, row: int, unit: int
) -> Mapping[Measure, tuple[str, ...]]:
    """Choose the measures that are told of a unit in a row, each with the codes of the patterns that rest on it.

    Parameters
    ----------
    looked : Looked
    patterns : sequence of Pattern
        Those that are told of the unit.
    drivers : Drivers or None
        Of its probability.
    row, unit : int
        Place in the arrays.
    """
    found: dict[Measure, list[str]] = {}
    for pattern in patterns:
        code = pattern.detector.code
        for measure in told_measures(looked.situation, looked.findings[code], row, unit):
            found.setdefault(measure, []).append(code)
    if not any(pattern.met for pattern in patterns):
        for measure in (*_driving(looked.situation, drivers), *_novel(looked.novelty, row, unit)):
            found.setdefault(measure, [])
    return {measure: tuple(codes) for measure, codes in found.items()}


def _novel(novelty: Novelty | None, row: int, unit: int) -> list[Measure]:
    if novelty is None or not novelty.p[row, unit] <= NOVEL:
        return []
    return [part.measure for part in novelty.parts(row, unit)[:NOVEL_TOLD]]


def _driving(situation: Situation, drivers: Drivers | None) -> list[Measure]:
    """Give a year's movement of the indicators that add most to the probability."""
    adding = [parse_column(part.code)[1] for part in (drivers.parts if drivers else ()) if part.amount > 0]
    codes = [code for code in dict.fromkeys(adding) if code is not None and code in situation.panel]
    return [
        formation(situation, code, YEAR)
        if situation.panel.indicator(code).perspective in RISKY
        else Measure("growth", code, YEAR)
        for code in codes[:DRIVING_TOLD]
    ]
