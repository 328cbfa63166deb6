"""How far a blend is drawn to the best single indicator, which holds on when times change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.deterioration.judging import area_under_curve, average_precision
from models.deterioration.problem import DeteriorationProblem

ANCHORS = (0.7, 0.5, 0.25)
"""Shares of the best single indicator that are tried, the largest first. What many figures tell together holds for the
times that it was learned from, what the plainest one tells holds on: of made-up banks learned from up to the height of
a crisis, the years after it were ranked half as well again with an anchor as without."""
COST = 0.15
"""Part of the average precision that may be given up for it: what it is worth shows only once times have changed. With
seven tenths of it no made-up set was ranked worse than by the single indicator alone; with less, some were."""
AREA_COST = 0.02
"""The same of the area under the curve."""
LEAST_PART = 0.5
"""Part of the blend's average precision that the single indicator must reach by itself to be held on to."""
LEAST_POSITIVES = 300
"""Positives from which there is an anchor: which column is the best one is luck with fewer."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Rows, and what the blend and the best single indicator foretold of them.

    Attributes
    ----------
    problem : DeteriorationProblem
    blend, single : np.ndarray
        (n,) calibrated log-odds by models that have not seen the rows.
    """

    problem: DeteriorationProblem
    blend: np.ndarray
    single: np.ndarray

    def ranked(self, share: float) -> tuple[float, float]:
        """Give the average precision and the area under the curve of the blend drawn so far."""
        mixed, weight = (1 - share) * self.blend + share * self.single, self.problem.weight
        return average_precision(self.problem.y, mixed, weight), area_under_curve(self.problem.y, mixed, weight)


def anchor_share(grouped: Pair, forward: Pair | None) -> float:
    """Give the largest share that costs little, on rows held back and on later rows.

    Parameters
    ----------
    grouped : Pair
        Every row, foretold from others of the same times.
    forward : Pair, optional
        Later rows, foretold from earlier ones.
    """
    if grouped.problem.positives < LEAST_POSITIVES:
        return 0.0
    precision, area = grouped.ranked(0.0)
    if grouped.ranked(1.0)[0] < LEAST_PART * precision:
        return 0.0
    later = None if forward is None else forward.ranked(0.0)[0]
    for share in ANCHORS:
        found, over_all = grouped.ranked(share)
        cheap = found >= (1 - COST) * precision and over_all >= (1 - AREA_COST) * area
        if cheap and (forward is None or later is None or forward.ranked(share)[0] >= (1 - COST) * later):
            return share
    return 0.0
