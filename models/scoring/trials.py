"""One row scored with other figures: the smallest step of a figure that reaches a score.

Figures move in whole smallest steps of their indicator, within its bounds. Between two bends (see
`models.scoring.bends`) a score is straight or convex in the figure, so what neither end reaches nothing between does:
trying the steps beside every bend, and then narrowing the stretch before the first that reaches, finds the smallest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.scoring.bends import bends
from models.scoring.engine import CardScores, score_card
from models.scoring.facts import Facts

AT_A_TIME = 64
"""Figures tried at a time when a stretch is narrowed: a billion steps take five rounds."""
LARGEST = 2**52
"""Smallest steps beyond which a figure is not followed: doubles do not tell them apart."""
SAME_STEP = 1e-6
"""Part of a smallest step within which a figure stands on it."""

Figures = Mapping[str, float]
"""Figures that differ from the row's own, by indicator."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials on one row.

    Attributes
    ----------
    scores : CardScores
        Name the policy, the scorecard and its indicators.
    facts : Facts
        Of the one row.
    needed : int
        The stated score to reach, in tenths.
    """

    scores: CardScores
    facts: Facts
    needed: int

    def figure(self, code: str) -> float:
        """Give the row's own figure."""
        return float(self.facts.of("actual", code)[0])

    def scale(self, code: str) -> int:
        """Count the smallest steps in one of the indicator's unit."""
        return round(1 / self.scores.indicators[code].smallest_unit)

    def scored(self, trials: Sequence[Figures]) -> CardScores:
        """Score the row with other figures, once for each trial."""
        changed: dict[str, np.ndarray] = {}
        for number, trial in enumerate(trials):
            for code, figure in trial.items():
                changed.setdefault(code, np.full(len(trials), self.figure(code)))[number] = figure
        facts = self.facts.take(np.zeros(len(trials), dtype=np.int64)).with_actual(changed)
        return score_card(self.scores.policy, self.scores.card, facts, self.scores.indicators)

    def reaches(self, trials: Sequence[Figures]) -> np.ndarray:
        """Tell which trials (T,) reach the score."""
        scored = self.scored(trials)
        return scored.scored & (scored.tenths >= self.needed)

    def steps(self, code: str, start: float, *, up: bool) -> np.ndarray:
        """List the smallest steps beside every bend on one side of a figure, the nearest first, within the bounds."""
        scale = self.scale(code)
        low, high = self.scores.indicators[code].limits
        near = np.array([*bends(self.scores, self.facts, code), low, high]) * scale
        near = near[np.abs(near) < LARGEST]
        beside = np.unique((np.floor(near)[:, None] + np.arange(-1, 3)).ravel())
        inside = (beside >= low * scale - SAME_STEP) & (beside <= high * scale + SAME_STEP)
        own = start * scale
        if up:
            return beside[inside & (beside > own + SAME_STEP)]
        return beside[inside & (beside < own - SAME_STEP)][::-1]

    def smallest(self, code: str, others: Figures, sides: Sequence[np.ndarray]) -> dict[str, float] | None:
        """Find the smallest change of one figure that reaches the score, with others as given.

        Parameters
        ----------
        code : str
        others : Mapping[str, float]
            What differs as well; may hold where the figure itself starts from.
        sides : sequence of np.ndarray
            Steps to try, the nearest first, by `steps`.
        """
        scale, found = self.scale(code), []
        start = others.get(code, self.figure(code)) * scale
        for side in sides:
            good = self.reaches([{**others, code: step / scale} for step in side]) if len(side) else np.zeros(1, bool)
            if good.any():
                at = int(np.argmax(good))
                begin = np.floor(start + SAME_STEP) if side[0] > start else np.ceil(start - SAME_STEP)
                found.append(self._narrowed(code, others, side[at - 1] if at else begin, side[at]))
        if not found:
            return None
        return {**others, code: float(min(found, key=lambda step: abs(step - start)) / scale)}

    def _narrowed(self, code: str, others: Figures, before: float, after: float) -> float:
        """Give the first step past `before` that reaches the score, as `after` does."""
        scale, sign = self.scale(code), 1 if after > before else -1
        while abs(after - before) > 1:
            between = np.unique(np.rint(np.linspace(before, after, AT_A_TIME + 2)))[::sign]
            good = self.reaches([{**others, code: step / scale} for step in between[1:]])
            at = int(np.argmax(good)) + 1
            before, after = between[at - 1], between[at]
        return after
