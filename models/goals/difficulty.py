"""Equal difficulty over a tree: one quantile level for all units that share a goal, found by bisection at every depth.

Within one indicator a common probability of attaining is a common quantile level of the units' distributions (its
mirror image where higher is better), and sums of quantiles rise with the level. Floors, caps and goals of units in
between hold the sums below them, so that what is above shares out the rest: the nested form of water-filling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.goals.constraints import Bounds
from models.goals.goal_tree import GoalTree
from models.outcome.distribution import TargetDistribution

LOWEST, HIGHEST = 0.001, 0.999
"""Beyond these quantile levels the distribution claims too little to set a target by."""

HALVINGS = 32
"""Of the interval of levels: to some 1e-10. What is then left of the goal is shared out between the two ends."""

CLOSE = 1e-9
"""Share of an amount within which two sums count as equal: the rounding of many floating-point additions."""


@dataclass(frozen=True, eq=False)
class Reach:
    """What each unit's value is at a quantile level, in smallest units, within what is allowed.

    Attributes
    ----------
    distribution : TargetDistribution
    step : float
        The smallest unit.
    low, high : np.ndarray
        (U,) values allowed.
    still : np.ndarray
        (U,) the value, whatever the level, of units that have no distribution; NaN for all others.
    guarded : bool
        For `band` indicators: no unit is moved away from the band or past it.
    """

    distribution: TargetDistribution
    step: float
    low: np.ndarray
    high: np.ndarray
    still: np.ndarray
    guarded: bool = True

    def at(self, level: np.ndarray) -> np.ndarray:
        """Give the values (U,) at one level each (U,)."""
        wanted = self.distribution.quantile_each(level)
        band = self.distribution.indicator.band
        if band is not None and self.guarded:
            middle = self.distribution.quantile(0.5)
            down = np.maximum(wanted, np.minimum(middle, band[0]))
            up = np.minimum(wanted, np.maximum(middle, band[1]))
            wanted = np.where(level < 0.5, down, up)
        wanted = np.where(np.isnan(self.still), wanted / self.step, self.still)
        return np.where(self.low == self.high, self.low, np.clip(wanted, self.low, self.high))

    def take(self, columns: np.ndarray) -> Reach:
        """Keep some units, by position, in the order given."""
        return Reach(
            self.distribution.take(columns),
            self.step,
            self.low[columns],
            self.high[columns],
            self.still[columns],
            self.guarded,
        )

    def everywhere(self, level: float) -> np.ndarray:
        """Give the values (U,) at one level."""
        return self.at(np.full(len(self.low), level))

    def probability(self, level: np.ndarray) -> np.ndarray:
        """Turn levels into probabilities of attaining; for a `band`, of moving at least as far as the goal asks."""
        direction = self.distribution.indicator.direction
        if direction == "higher":
            return 1 - level
        return np.asarray(level) if direction == "lower" else np.minimum(level, 1 - level)


@dataclass(frozen=True, eq=False)
class Shares:
    """A goal shared out, before rounding.

    Attributes
    ----------
    values : np.ndarray
        (U,) in smallest units, not whole.
    levels : np.ndarray
        (U,) quantile level of each leaf.
    amounts : np.ndarray
        (N,) value times weight of every unit of the tree.
    asked : np.ndarray
        (N,) bool: units with a level of their own, because of a goal, or a floor or cap that holds them.
    """

    values: np.ndarray
    levels: np.ndarray
    amounts: np.ndarray
    asked: np.ndarray


def in_amounts(ends: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Multiply bounds (N,) by weights (N,); infinite ones stay so."""
    return np.where(np.isfinite(ends), np.where(np.isfinite(ends), ends, 0.0) * weight, ends)


def share_out(tree: GoalTree, bounds: Bounds, reach: Reach, *, weights: np.ndarray, start: float) -> Shares:
    """Share out every goal of a tree at equal difficulty.

    Parameters
    ----------
    tree : GoalTree
    bounds : Bounds
        Feasible: see `models.goals.feasibility`.
    reach : Reach
    weights : np.ndarray
        (N,) weight of every unit; ones for amounts.
    start : float
        Quantile level of units that are below no goal.
    """
    low, high = in_amounts(bounds.low, weights), in_amounts(bounds.high, weights)
    low[: tree.leaves], high[: tree.leaves] = -np.inf, np.inf  # leaves are held by their values
    leaf_weight = weights[: tree.leaves]

    def sums(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tree.add_up(reach.at(level) * leaf_weight, low, high)

    under, over = np.full(tree.leaves, start), np.full(tree.leaves, start)
    between = np.zeros(len(tree.units))
    amounts, every_asked = np.full(len(tree.units), np.nan), np.zeros(len(tree.units), dtype=bool)
    raw_under, kept_under = sums(under)
    raw_over, kept_over = raw_under, kept_under
    for depth, nodes in enumerate(tree.levels):
        inner = nodes[nodes >= tree.leaves]
        if not len(inner):
            continue
        roots = tree.parent[inner] < 0
        amounts[inner[roots]] = kept_under[inner[roots]]
        held = _differs(raw_under[inner], kept_under[inner]) | _differs(raw_over[inner], kept_over[inner])
        asked = inner[held | bounds.pinned[inner]]
        every_asked[asked] = True
        if len(asked):
            place = np.full(len(tree.units) + 1, -1)
            place[asked] = np.arange(len(asked))
            mine = place[tree.paths[depth]]
            ours = mine >= 0
            columns = np.flatnonzero(ours)
            inside, trial = reach.take(columns), reach.at(under) * leaf_weight
            least, most = np.full(len(asked), LOWEST), np.full(len(asked), HIGHEST)
            for _ in range(HALVINGS):
                middle = (least + most) / 2
                trial[columns] = inside.at(middle[mine[columns]]) * leaf_weight[columns]
                reached = tree.add_up(trial, low, high)[0][asked] >= amounts[asked]
                least, most = np.where(reached, least, middle), np.where(reached, middle, most)
            under, over = np.where(ours, least[mine], under), np.where(ours, most[mine], over)
            raw_under, kept_under = sums(under)
            raw_over, kept_over = sums(over)
            gap = raw_over[asked] - raw_under[asked]
            missing = amounts[asked] - raw_under[asked]
            between[asked] = np.clip(np.where(gap > 0, missing / np.where(gap > 0, gap, 1.0), 0.0), 0.0, 1.0)
        inherited = inner[~every_asked[inner] & ~roots]
        between[inherited] = between[tree.parent[inherited]]
        children = np.flatnonzero(np.isin(tree.parent, inner))
        share = between[tree.parent[children]]
        amounts[children] = kept_under[children] + share * (kept_over[children] - kept_under[children])
    begin, end = reach.at(under), reach.at(over)
    parent = tree.parent[: tree.leaves]
    share = np.where(parent >= 0, between[parent], 0.0)
    values = begin + share * (end - begin)
    amounts[: tree.leaves] = values * leaf_weight
    return Shares(values, (under + over) / 2, amounts, every_asked)


def _differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one - other) > CLOSE * np.maximum(1.0, np.abs(one))
