"""How likely the group's goal is, and each unit's target once the group's is met: both from one set of joint draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from models.goals.allocation import Allocation
from models.goals.constraints import Constraints
from models.joint.drawn import meets, off_band
from models.outcome.distribution import TargetDistribution

DRAWS = 2000
"""The sampling error of a probability of 0.6 is then one point."""
TAIL = 0.01
"""A unit's draws are kept between this quantile and its mirror image before they are added up, as for all totals."""
FIGURES = 5_000_000
"""Figures drawn for one indicator (draws x units), so that ten thousand units take a second and not ten."""
FEWEST_DRAWS = 500
"""However many units there are: a probability is then within two points, one standard error."""
FIGURES_AT_ONCE = 2_000_000
"""Figures held at a time."""
FEWEST_MET = 50
"""Draws in which the group attains, below which nothing is said of the units given that it does."""


@dataclass(frozen=True, eq=False)
class GroupOutcome:
    """Joint probabilities of a plan.

    Attributes
    ----------
    attain : np.ndarray
        (N,) probability that a unit with a goal, which others share, attains it; NaN for units without one.
    given_goal : np.ndarray
        (U,) probability that a leaf attains its value when the highest goal above it is attained; NaN where there is
        none, or it is attained too seldom to say.
    draws : int
    """

    attain: np.ndarray
    given_goal: np.ndarray
    draws: int


def group_outcome(
    distribution: TargetDistribution,
    allocation: Allocation,
    constraints: Constraints,
    *,
    seed: int,
    learned: Mapping[str, float] | None = None,
) -> GroupOutcome:
    """Draw joint outcomes of all leaves and count how often goals and values are attained.

    Where the probability of a goal is known from the unit's own past figures, it is that: the goal then counts as
    attained in so large a share of the draws, those in which the leaves' total is best (as in `JointDraws.reconciled`,
    the order of the draws stays).

    Draws are kept between the first and the ninety-ninth percentile of each unit, as for all totals
    (`models.joint.totals`). Units held at their last figure count with that figure.

    Parameters
    ----------
    distribution : TargetDistribution
        Of the leaves.
    allocation : Allocation
        Of the goals.
    constraints : Constraints
        Its pins of units above the leaves are the goals.
    seed : int
    learned : mapping of str to float, optional
        Probability of attaining its goal of each unit whose total has a distribution of its own.
    """
    from scipy.sparse import csr_array

    tree, count = allocation.tree, allocation.tree.leaves
    goals = {
        int(place): float(constraints.pins[str(unit)])
        for unit, place in zip(tree.units, range(len(tree.units)), strict=True)
        if place >= count and str(unit) in constraints.pins
    }
    attain, given = np.full(len(tree.units), np.nan), np.full(count, np.nan)
    if not goals:
        return GroupOutcome(attain, given, 0)
    places = np.array(sorted(goals, key=lambda place: (int(tree.depth[place]), place)))
    asked = np.array([goals[int(place)] for place in places])
    inside = np.stack([tree.below(int(place)) for place in places])
    values, figures = allocation.figures, np.isfinite(allocation.figures)
    weight = np.where(figures, allocation.weights[:count], 0.0)
    share = csr_array((inside * weight).T.astype(float))
    total = (inside * weight).sum(axis=1)
    scale = total if allocation.averaged else np.ones(len(places))
    scale = np.where(scale > 0, scale, 1.0)
    highest = np.argmax(inside, axis=0)  # goals come from the top down: the first that covers a leaf
    covered = inside.any(axis=0)
    draws = int(np.clip(FIGURES // max(count, 1), FEWEST_DRAWS, DRAWS))
    chunk = max(1, FIGURES_AT_ONCE // max(count, 1))
    low, high = distribution.quantile(TAIL), distribution.quantile(1 - TAIL)
    totals, hits = np.empty((draws, len(places))), np.empty((draws, count), dtype=bool)
    for number, start in enumerate(range(0, draws, chunk)):
        rows = slice(start, min(start + chunk, draws))
        drawn = distribution.sample(rows.stop - start, seed=seed + number)
        drawn = np.where(distribution.known, np.clip(drawn, low, high), values)
        hits[rows] = meets(distribution.indicator, drawn, values)
        totals[rows] = (np.where(figures, drawn, 0.0) @ share) / scale
    own = np.array([(learned or {}).get(str(tree.units[place]), np.nan) for place in places])
    goal_hit = meets(distribution.indicator, totals, asked)
    goal_hit = np.where(np.isfinite(own), _best(distribution.indicator, totals, own), goal_hit)
    met = goal_hit.sum(axis=0)
    both = np.zeros(count)
    for goal in np.unique(highest[covered]).tolist():
        mine = np.flatnonzero(covered & (highest == goal))
        both[mine] = hits[np.ix_(goal_hit[:, goal], mine)].sum(axis=0)
    attain[places] = np.where(np.isfinite(own), own, met / draws)
    enough = covered & (met[highest] >= FEWEST_MET) & distribution.known & figures
    given[enough] = both[enough] / met[highest][enough]
    return GroupOutcome(attain, given, draws)


def _best(indicator: Indicator, totals: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Tell which draws (draws, G) are the best of each total: so large a share (G,) of them."""
    if indicator.direction == "band":
        worse = off_band(indicator, totals)
    else:
        worse = totals if indicator.direction == "lower" else -totals
    place = np.argsort(np.argsort(worse, axis=0, kind="stable"), axis=0, kind="stable")
    return place < np.round(np.nan_to_num(share) * len(totals))
