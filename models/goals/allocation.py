"""Breaking a group's goal down at equal difficulty: one probability of attaining for all units that share a goal.

Allocating by each unit's own trend makes those that grew most the least likely to attain (the ratchet); asking each for
the value it attains with the same probability does not. Amounts add up exactly at every level of the tree; ratios come
to their goal through their denominators.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from models.goals.constraints import Bounds, Constraints, Number
from models.goals.difficulty import HIGHEST, LOWEST, Reach, share_out
from models.goals.feasibility import Feasibility
from models.goals.goal_tree import TOTAL, GoalTree
from models.goals.relaxation import InfeasibleError
from models.goals.rounding import TINY, round_amounts, round_averages
from models.outcome.distribution import TargetDistribution, TargetLevels

LAST = "last figure"
"""Holds a unit that has a figure but no distribution: it is given what it had."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Goals broken down.

    Attributes
    ----------
    tree : GoalTree
        U leaves and the units above them.
    step : Decimal
        Smallest unit in which values are stated.
    steps : np.ndarray
        (U,) values in whole smallest units; NaN for units left out.
    attain : np.ndarray
        (U,) probability of attaining each value, in the indicator's own direction.
    common : np.ndarray
        (U,) probability asked of all units that share the nearest goal above.
    held : tuple of str
        "pin", "floor", "cap", the reason given with it, "bound", `LAST`, or "" for each leaf that nothing holds.
    asked : np.ndarray
        (N,) bool: units with a goal, or held by a floor or cap, whose leaves share a probability of their own.
    weights : np.ndarray
        (N,) weight of every unit: denominators, or ones for amounts.
    averaged : bool
        True for ratios and levels, which are averaged by weight; False for amounts, which are added up.
    """

    tree: GoalTree
    step: Decimal
    steps: np.ndarray
    attain: np.ndarray
    common: np.ndarray
    held: tuple[str, ...]
    asked: np.ndarray
    weights: np.ndarray
    averaged: bool

    @property
    def units(self) -> pd.Index:
        """Give the leaves' labels."""
        return self.tree.units[: self.tree.leaves]

    @cached_property
    def values(self) -> tuple[Decimal | None, ...]:
        """Give the leaves' values exactly; None for units left out."""
        return tuple(None if np.isnan(step) else Decimal(int(step)) * self.step for step in self.steps)

    @cached_property
    def figures(self) -> np.ndarray:
        """Give the leaves' values (U,) as the nearest doubles of what is displayed; NaN for units left out."""
        return _displayed(self.steps, self.step)

    @cached_property
    def totals(self) -> np.ndarray:
        """Give every unit's value (N,): sums for amounts, weighted means for ratios; NaN where nothing is below."""
        known = np.isfinite(self.steps) & (self.weights[: self.tree.leaves] > 0)
        raw, _ = self.tree.add_up(np.where(known, self.steps * self.weights[: self.tree.leaves], 0.0))
        any_known, _ = self.tree.add_up(known.astype(float))
        mean = raw / np.where(self.weights > 0, self.weights, 1.0) * float(self.step)
        values = np.where(any_known > 0, mean if self.averaged else _displayed(raw, self.step), np.nan)
        values[: self.tree.leaves] = self.figures
        return values

    @property
    def probability(self) -> float:
        """Give the probability common to the units of the highest goal that nothing holds; NaN where all are held."""
        return self.probability_of(int(self.tree.levels[0][0]))

    def probability_of(self, place: int) -> float:
        """Give the probability common to the units that share a unit's goal; NaN where something holds all of them."""
        free = self._free & (self.nearest_asked == place)
        return float(self.common[np.argmax(free)]) if free.any() else float("nan")

    @cached_property
    def _free(self) -> np.ndarray:
        return np.array([name == "" for name in self.held])

    @cached_property
    def nearest_asked(self) -> np.ndarray:
        """Give for each leaf (U,) the position of the nearest unit above it that is asked; its root where none is."""
        nearest = self.tree.paths[0].copy()
        for path in self.tree.paths:
            nearest = np.where((path >= self.tree.leaves) & self.asked[path], path, nearest)
        return nearest

    @property
    def left_out(self) -> tuple[str, ...]:
        """Name the leaves of which too little is known to give them anything."""
        return tuple(str(unit) for unit in self.units[np.isnan(self.steps)])


def allocate(
    distribution: TargetDistribution,
    goal: Number | None = None,
    *,
    constraints: Constraints | None = None,
    weights: np.ndarray | None = None,
    tree: GoalTree | None = None,
    step: float | None = None,
    last: np.ndarray | None = None,
    probability: float | None = None,
) -> Allocation:
    """Find the probability at which the units' values come to the goal; one for each goal where there are several.

    Parameters
    ----------
    distribution : TargetDistribution
        Of the U leaves.
    goal : float or Decimal, optional
        Of all units together: their sum for amounts, their weighted mean for ratios and levels.
    constraints : Constraints, optional
        Also the goals of single units above the leaves, as pins.
    weights : np.ndarray, optional
        (U,) denominators, for ratios and levels; all equal where not given. Not for amounts.
    tree : GoalTree, optional
        With the same leaves; without one all units are under one root.
    step : float, optional
        Smallest unit in which values are stated, a power of ten; the indicator's own where not given.
    last : np.ndarray, optional
        (U,) last figures, given to units without a distribution; without one they are left out.
    probability : float, optional
        Of units that are below no goal; the policy's for a target where not given.

    Returns
    -------
    Allocation
        For amounts all values add up exactly; a ratio's weighted mean is within half a smallest unit of its goal.

    Raises
    ------
    InfeasibleError
        Where goals and constraints cannot all be kept, with the smallest change that would let them be.
    LoadlineError
        Where constraints are wrong in themselves, or no unit has a distribution.
    """
    given, indicator = constraints or Constraints(), distribution.indicator
    tree = tree if tree is not None else GoalTree.flat(distribution.units)
    whole = Decimal(1).scaleb(round(np.log10(indicator.smallest_unit if step is None else step)))
    if goal is not None:
        given = replace(given, pins={**given.pins, str(tree.units[tree.levels[0][0]]): goal})
    bounds = Bounds.of(given, tree, indicator, step=whole)
    averaged = indicator.kind in ("ratio", "level")
    still, weight = _unknown(distribution, bounds, last, whole), _weights(distribution, weights)
    gone = np.isnan(still) & ~distribution.known & ~bounds.pinned[: tree.leaves]
    full = tree.add_up(np.where(gone, 0.0, weight))[0] if averaged else np.ones(len(tree.units))
    _require_some(distribution, bounds, full, tree, still)
    still = np.where(gone, 0.0, still)
    bounds = _held_still(bounds, still, tree.leaves)
    leaf = slice(0, tree.leaves)
    free = Reach(distribution, float(whole), *_limits(distribution, whole, still), still)
    feasible = Feasibility(tree, bounds, *_span(free, bounds), full, whole, indicator)
    if indicator.direction == "band" and not feasible.possible:
        free = replace(free, guarded=False)
        low, high = _span(free, bounds)
        feasible = replace(feasible, free_low=low, free_high=high)
    feasible.check()
    reach = Reach(distribution, float(whole), bounds.low[leaf], bounds.high[leaf], still, free.guarded)
    asked = TargetLevels().target if probability is None else probability
    start = 1 - asked if indicator.direction == "higher" else asked
    shares = share_out(tree, bounds, reach, weights=full, start=start)
    if averaged:
        steps = round_averages(
            tree,
            shares.values,
            shares.amounts,
            weights=full[leaf],
            asked=shares.asked,
            low=bounds.low[leaf],
            high=bounds.high[leaf],
        )
    else:
        ends = (tree.add_up(end[leaf], bounds.low, bounds.high)[1] for end in (bounds.low, bounds.high))
        steps = round_amounts(tree, shares.amounts, *ends)[leaf]
    steps = np.where(gone, np.nan, steps)
    held = _held(steps, bounds, still, gone, tree.leaves)
    attain = distribution.attain(_displayed(steps, whole))
    return Allocation(tree, whole, steps, attain, reach.probability(shares.levels), held, shares.asked, full, averaged)


def _weights(distribution: TargetDistribution, weights: np.ndarray | None) -> np.ndarray:
    where, count = distribution.indicator.code, len(distribution.units)
    if distribution.indicator.kind in ("flow", "stock") and weights is not None:
        raise LoadlineError("an amount adds up without weights", where=where, hint="Leave the weights out.")
    weight = np.ones(count) if weights is None else np.asarray(weights, dtype=float)
    if weight.shape != (count,) or not np.all(np.isfinite(weight)) or np.any(weight < 0) or not weight.sum() > 0:
        raise LoadlineError(
            "weights must be one figure of zero or more for each unit, not all zero",
            where=where,
            hint="Give the denominators' figures, or leave the weights out.",
        )
    return weight


def _unknown(distribution: TargetDistribution, bounds: Bounds, last: np.ndarray | None, step: Decimal) -> np.ndarray:
    """Give last figures, in whole steps, of units that have no distribution and no pin; NaN for all others."""
    leaves = len(distribution.units)
    needed = ~distribution.known & ~bounds.pinned[:leaves]
    if last is None:
        return np.full(leaves, np.nan)
    return np.where(needed, np.round(np.asarray(last, dtype=float) / float(step)), np.nan)


def _require_some(
    distribution: TargetDistribution, bounds: Bounds, weight: np.ndarray, tree: GoalTree, still: np.ndarray
) -> None:
    """Refuse where nothing at all is known, or a goal has nothing below it to share it."""
    leaf_known = distribution.known | bounds.pinned[: tree.leaves]
    where = distribution.indicator.code
    if not leaf_known.any():
        named = ", ".join(map(str, distribution.units[:5]))
        raise LoadlineError(
            f"no unit has a distribution: {named}", where=where, hint="Bring more history, or pin the units."
        )
    usable, _ = tree.add_up((leaf_known | np.isfinite(still)).astype(float))
    inner = np.arange(len(tree.units)) >= tree.leaves
    empty = np.flatnonzero(inner & bounds.pinned & ((usable == 0) | (weight <= 0)))
    if len(empty):
        named = ", ".join(tree.shown(int(place)) for place in empty[:5])
        raise LoadlineError(
            f"no unit below {named} has figures",
            where=where,
            hint="Bring the figures of the units below, or leave the goal out.",
        )


def _held_still(bounds: Bounds, still: np.ndarray, leaves: int) -> Bounds:
    """Hold units at the values given; NaN leaves a unit free."""
    low, high = bounds.low.copy(), bounds.high.copy()
    held = np.isfinite(still)
    low[:leaves][held] = still[held]
    high[:leaves][held] = still[held]
    low_why, high_why = bounds.low_why.copy(), bounds.high_why.copy()
    low_why[:leaves][held] = high_why[:leaves][held] = ""
    return replace(bounds, low=low, high=high, low_why=low_why, high_why=high_why)


def _limits(distribution: TargetDistribution, step: Decimal, still: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what the indicator itself allows each unit, in steps: whatever it had where it is held still."""
    bottom, top = (side / float(step) for side in distribution.indicator.limits)
    held = np.isfinite(still)
    low = np.where(held, -np.inf, np.ceil(round(bottom, 6)) if np.isfinite(bottom) else bottom)
    high = np.where(held, np.inf, np.floor(round(top, 6)) if np.isfinite(top) else top)
    return low, high


def _span(free: Reach, bounds: Bounds) -> tuple[np.ndarray, np.ndarray]:
    """Give the least and most (U,) that units can reach, in whole steps; its pin where nothing else is known."""
    low, high = np.floor(free.everywhere(LOWEST) + TINY), np.ceil(free.everywhere(HIGHEST) - TINY)
    pin = bounds.low[: len(low)]
    return np.where(np.isnan(low), pin, low), np.where(np.isnan(high), pin, high)


def _held(steps: np.ndarray, bounds: Bounds, still: np.ndarray, gone: np.ndarray, leaves: int) -> tuple[str, ...]:
    names = np.full(leaves, "", dtype=object)
    for at_end, why in (
        (steps <= bounds.low[:leaves], bounds.low_why[:leaves]),
        (steps >= bounds.high[:leaves], bounds.high_why[:leaves]),
    ):
        names = np.where(at_end & (names == ""), np.where(why == "", "bound", why), names)
    names[np.isfinite(still)] = LAST
    names[bounds.pinned[:leaves]] = "pin"
    names[gone] = "left out"
    return tuple(str(name) for name in names)


def _displayed(steps: np.ndarray, step: Decimal) -> np.ndarray:
    """Turn whole steps into the doubles nearest to the decimal figures: division by a power of ten rounds correctly."""
    exponent = step.adjusted()
    return steps / 10.0**-exponent if exponent < 0 else steps * 10.0**exponent


__all__ = ["LAST", "TOTAL", "Allocation", "Constraints", "InfeasibleError", "allocate"]
