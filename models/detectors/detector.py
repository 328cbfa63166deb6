"""What a detector is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.indicators import Title
from models.detectors.measures import Measure
from models.detectors.situation import Situation

Family = Literal[
    "growth",
    "recognition",
    "evergreening",
    "earnings",
    "scale",
    "conduct",
    "people",
    "concentration",
    "pricing",
    "inclusive",
    "targets",
    "generic",
]
"""Detectors of one family rest on the same evidence: two families are two independent reasons."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What a detector makes of every unit in every period.

    Attributes
    ----------
    performance : np.ndarray or None
        (P, U) float32: one-sided p-value of the performance leg (small where results are abnormally good, or were in
        the detector's window); None for a pattern without one.
    risk : np.ndarray
        (P, U) float32: one-sided p-value of the risk leg (small where risk rises abnormally). NaN where the detector
        has nothing to say: too few peers, too short a past, too few events.
    met : np.ndarray
        (P, U) booleans: the named thresholds of the pattern are passed. High performance is not part of it.
    evidence : tuple of Measure
        The series that it rests on, the performance leg's first.
    """

    performance: np.ndarray | None
    risk: np.ndarray
    met: np.ndarray
    evidence: tuple[Measure, ...]

    @property
    def joint(self) -> np.ndarray:
        """Give the joint directional p-value: the larger of the legs', so that both have to be abnormal."""
        return self.risk if self.performance is None else np.maximum(self.performance, self.risk)


@dataclass(frozen=True)
class Detector:
    """A pattern of good performance bought with rising risk.

    Attributes
    ----------
    code : str
        `W01` to `W20`, or `G00` and so on for the generic ones.
    family : str
    title, reason : Title
        What it is called; why it matters, in a sentence.
    innocent : Title
        What would have to be true for it to be a false alarm, in a sentence.
    lag : (int, int)
        Months from the signal to visible harm.
    needs : tuple of tuple of str
        Roles that must be at hand: of each inner tuple at least one.
    least_per_year : int
        Fewest periods a year for which it says anything.
    detect : callable
        From a situation to its finding; None where it has nothing to say of this dataset at all.
    """

    code: str
    family: Family
    title: Title
    reason: Title
    innocent: Title
    lag: tuple[int, int]
    needs: tuple[tuple[str, ...], ...]
    detect: Callable[[Situation], Finding | None]
    least_per_year: int = 1

    def applies(self, situation: Situation) -> bool:
        """Tell whether the data has what the detector needs."""
        enough = situation.per_year >= self.least_per_year
        return enough and all(situation.find(*roles) is not None for roles in self.needs)

    def find(self, situation: Situation) -> Finding | None:
        """Run the detector where the data has what it needs."""
        return self.detect(situation) if self.applies(situation) else None
