"""Distributions of totals: the joint draws of the units below, added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from features.units import UnitTree
from models.distribution import TargetDistribution
from models.levels import Level

DRAWS = 2000
"""Draws of a total: the sampling error of a probability of 0.85 is then under one point."""
TAIL = 0.01
"""A unit's draws are kept between this quantile and its mirror image before they are added up. Growth is modelled by
its logarithm, so the far tail of one doubtful branch, multiplied out, would otherwise outweigh ten thousand others."""
ROUNDING = 1e-9
"""Share by which a sum of draws may miss a value and count as equal to it: the rounding of many floating-point sums."""
DRAWS_AT_ONCE = 10_000_000
"""Figures drawn at a time (draws x units), so that memory stays bounded with 80,000 branches."""


@dataclass(frozen=True, eq=False)
class DrawnDistribution:
    """Outcomes of G units as sorted draws, (n, G); NaN throughout where nothing is known."""

    indicator: Indicator
    draws: np.ndarray
    evidence: np.ndarray

    def quantile(self, q: float) -> np.ndarray:
        """Give a quantile of each unit's outcome: (G,)."""
        place = q * (len(self.draws) - 1)
        low = int(np.floor(place))
        high = min(low + 1, len(self.draws) - 1)
        return self.draws[low] + (place - low) * (self.draws[high] - self.draws[low])

    def value_at(self, probability: float) -> np.ndarray:
        """Give the value (G,) that each unit attains with a probability, in the indicator's own direction."""
        if self.indicator.band is None:
            return self.quantile(probability if self.indicator.direction == "lower" else 1 - probability)
        low, high = self.indicator.band
        median = self.quantile(0.5)
        distance = np.quantile(self._off_band(self.draws), probability, axis=0)
        edge = np.where(median > (low + high) / 2, high + distance, low - distance)
        return np.where(distance > 0, edge, np.clip(median, low, high))

    def attain(self, values: np.ndarray) -> np.ndarray:
        """Give the probability (G,) of attaining a value; of ending no farther from the band, where there is one."""
        if self.indicator.band is not None:
            met = self._off_band(self.draws) <= self._off_band(values)
        else:
            slack = ROUNDING * np.abs(values)
            met = self.draws <= values + slack if self.indicator.direction == "lower" else self.draws >= values - slack
        return np.where(np.isfinite(self.draws[0]) & np.isfinite(values), met.mean(axis=0), np.nan)

    def _off_band(self, values: np.ndarray) -> np.ndarray:
        low, high = self.indicator.band or (-np.inf, np.inf)
        return np.maximum(np.maximum(low - values, values - high), 0.0)


def total_distribution(
    level: Level, parts: Level, below: TargetDistribution, tree: UnitTree, *, ordinal: int, seed: int
) -> DrawnDistribution:
    """Add up the joint draws of the units below each unit of a level; averages by weight for ratios and levels.

    Parameters
    ----------
    level, parts : Level
        Of one indicator; `parts` are the units that are added up.
    below : TargetDistribution
        Of the parts.
    tree : UnitTree
    ordinal : int
        Period whose tree counts.
    seed : int
    """
    averaged = level.indicator.kind in ("ratio", "level")
    weight = np.ones(len(parts.numbers))
    if averaged and parts.problem.weight is not None:
        weight = np.nan_to_num(parts.problem.weight[-1])
    used = below.known & np.isfinite(parts.problem.base[-1]) & (weight > 0)
    members = np.stack([tree.subtree(str(code), ordinal)[parts.numbers] & used for code in level.problem.units])
    share = (members * weight).astype(float)
    if averaged:
        share /= np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    low, high = below.quantile(TAIL), below.quantile(1 - TAIL)
    step = max(1, min(DRAWS, DRAWS_AT_ONCE // max(1, len(parts.numbers))))
    sums = []
    for number, start in enumerate(range(0, DRAWS, step)):
        drawn = below.sample(min(step, DRAWS - start), seed=seed + number)
        sums.append(np.where(used, np.clip(drawn, low, high), 0.0) @ share.T)
    draws = np.sort(np.concatenate(sums), axis=0)
    counts = members.sum(axis=1)
    draws[:, counts == 0] = np.nan
    evidence = np.array([f"joint draws of {count:,} units below" for count in counts], dtype=object)
    return DrawnDistribution(level.indicator, draws, evidence)


def covers(parts: Level, leaves: Level, tree: UnitTree, *, ordinal: int) -> bool:
    """Tell whether every leaf with figures is one of the parts or below one of them."""
    parents = tree.parents(ordinal)
    inside = np.zeros(len(tree), dtype=bool)
    inside[parts.numbers] = True
    above = leaves.numbers[np.isfinite(leaves.problem.base[-1])]
    found = inside[above]
    while (climbing := (above >= 0) & ~found).any():
        above = np.where(climbing, parents[above], above)
        found |= (above >= 0) & inside[above]
    return bool(found.all())
