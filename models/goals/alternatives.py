"""Other ways to break a goal down, beside equal difficulty, as planners know them: each comes to the goal exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from features.indicators import Indicator
from models.goals.allocation import Allocation
from models.goals.constraints import Constraints
from models.goals.goal_tree import GoalTree
from models.goals.ratchet import growth_gap
from models.goals.rounding import round_amounts, round_averages
from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform
from models.outcome.history import carried_forward

EQUAL_DIFFICULTY = "equal_difficulty"

TREND_YEARS = 3
"""Years over which planners commonly take a unit's own trend."""

UNLIKELY = 0.2
"""The probability at which a policy sets the stretch level: a target less likely than that is none."""

FITTINGS = 50
"""Times that what the indicator's bounds cut off is spread over the other units."""


@dataclass(frozen=True, eq=False)
class Record:
    """What the other methods look at.

    Attributes
    ----------
    base : np.ndarray
        (T+1, U) figures known at the start of each year, gaps filled with the figure before.
    weights : np.ndarray
        (U,) denominators, or ones.
    transform : Transform
    horizon : int
        Years from the last figure to the year asked about.
    """

    base: np.ndarray
    weights: np.ndarray
    transform: Transform
    horizon: int

    @classmethod
    def of(cls, base: np.ndarray, *, weights: np.ndarray, transform: Transform, horizon: int = 1) -> Record:
        """Read figures with gaps."""
        return cls(carried_forward(base)[0], weights, transform, horizon)

    @property
    def last(self) -> np.ndarray:
        """Give the last figure of each unit: (U,)."""
        return self.base[-1]

    @property
    def growth(self) -> np.ndarray:
        """Give each unit's mean growth a year (U,), on the latent scale; NaN where none is known."""
        steps = np.diff(self.transform.latent(self.base[-TREND_YEARS - 1 :]), axis=0)
        seen = np.isfinite(steps)
        mean = np.where(seen, steps, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        return np.where(seen.any(axis=0), mean, np.nan)


def uniform_uplift(record: Record) -> np.ndarray:
    """Last year's figure: scaled to the goal, everyone gets the same percentage."""
    return record.last


def own_trend(record: Record) -> np.ndarray:
    """Last year's figure grown as the unit itself has grown; units without a past grow as the middle one."""
    growth = record.growth
    usual = float(np.median(growth[np.isfinite(growth)])) if np.isfinite(growth).any() else 0.0
    grown = record.transform.latent(record.last) + record.horizon * np.where(np.isfinite(growth), growth, usual)
    value = record.transform.value(grown)
    return np.where(np.isfinite(value), value, record.last)


def market_share(record: Record) -> np.ndarray:
    """The unit's usual share of the total; for ratios, its usual standing against the group's average."""
    weight = np.where(np.isfinite(record.base), record.weights, 0.0)
    total = (np.nan_to_num(record.base) * weight).sum(axis=1, keepdims=True)
    share = record.base / np.where(total != 0, total, np.nan)
    seen = np.isfinite(share)
    mean = np.where(seen, share, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen.any(axis=0), mean * total[-1], np.nan)


METHODS: Mapping[str, Callable[[Record], np.ndarray]] = {
    "uniform_uplift": uniform_uplift,
    "own_trend": own_trend,
    "market_share": market_share,
}
"""Each gives the units' figures (U,) before they are scaled to the goal."""


def compare_methods(
    distribution: TargetDistribution,
    allocation: Allocation,
    constraints: Constraints,
    record: Record,
) -> pd.DataFrame:
    """Break the highest goals down by every method, side by side.

    Pins of leaves are kept by all methods; floors, caps and goals further down only by equal difficulty, since the
    others have no way to keep them.

    Returns
    -------
    pd.DataFrame
        `unit, indicator, goal_unit, last_actual, growth`, then `value_<method>` and `p_<method>` for every method,
        equal difficulty first; one row a leaf that is below a goal. `growth` is the unit's past growth a year on the
        latent scale.
    """
    tree, indicator = allocation.tree, distribution.indicator
    leaf = slice(0, tree.leaves)
    figures = {EQUAL_DIFFICULTY: allocation.figures}
    figures |= {name: np.full(tree.leaves, np.nan) for name in METHODS}
    goal_unit, covered = np.full(tree.leaves, "", dtype=object), np.zeros(tree.leaves, dtype=bool)
    pinned = np.array([str(unit) in constraints.pins for unit in tree.units[leaf]])
    for place in _highest_goals(tree, constraints):
        inside = tree.below(place) & np.isfinite(allocation.figures)
        goal_unit[inside] = str(tree.units[place])
        covered |= inside
        goal = float(constraints.pins[str(tree.units[place])])
        for name, method in METHODS.items():
            raw = method(record)
            raw = np.where(pinned | ~np.isfinite(raw), allocation.figures, raw)
            figures[name][inside] = _to_goal(raw, inside, goal, pinned, allocation, indicator)
    members = np.flatnonzero(covered)
    table: dict[str, object] = {
        "unit": tree.units[leaf][members],
        "indicator": indicator.code,
        "goal_unit": goal_unit[members],
        "last_actual": record.last[members],
        "growth": record.growth[members],
    }
    table |= {f"value_{name}": value[members] for name, value in figures.items()}
    table |= {f"p_{name}": distribution.attain(value)[members] for name, value in figures.items()}
    return pd.DataFrame(table)


def summarise_methods(
    table: pd.DataFrame, *, direction: str, slopes: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Sum the comparison up, one row a method.

    Parameters
    ----------
    table : pd.DataFrame
        From `compare_methods`, of one indicator.
    direction : str
        The indicator's.
    slopes : mapping of str to float, optional
        Pass-through of last year's out-performance by method (`models.goals.ratchet`).

    Returns
    -------
    pd.DataFrame
        `method, units, p_min, p_median, p_max, spread, unlikely, attaining, growth_gap, ratchet`: spread from the 10th
        to the 90th percentile of the probabilities, share of units below `UNLIKELY`, mean probability, and how much
        less likely the third that grew most is to attain than the third that grew least.
    """
    rows = []
    better = -1.0 if direction == "lower" else 1.0
    for name in (EQUAL_DIFFICULTY, *METHODS):
        chance = table[f"p_{name}"].to_numpy(dtype=float)
        known = chance[np.isfinite(chance)]
        low, least, middle, high, most = (
            np.quantile(known, [0.1, 0.0, 0.5, 0.9, 1.0]) if len(known) else np.full(5, np.nan)
        )
        rows.append(
            {
                "method": name,
                "units": len(known),
                "p_min": least,
                "p_median": middle,
                "p_max": most,
                "spread": high - low,
                "unlikely": float((known < UNLIKELY).mean()) if len(known) else np.nan,
                "attaining": float(known.mean()) if len(known) else np.nan,
                "growth_gap": growth_gap(chance, better * table["growth"].to_numpy(dtype=float)),
                "ratchet": (slopes or {}).get(name, np.nan),
            }
        )
    return pd.DataFrame(rows)


def _highest_goals(tree: GoalTree, constraints: Constraints) -> list[int]:
    """List the units with a goal that are below no other goal."""
    goals = [place for place in range(tree.leaves, len(tree.units)) if str(tree.units[place]) in constraints.pins]
    highest = []
    for place in goals:
        above = int(tree.parent[place])
        while above >= 0 and above not in goals:
            above = int(tree.parent[above])
        if above < 0:
            highest.append(place)
    return highest


def _to_goal(
    raw: np.ndarray,
    inside: np.ndarray,
    goal: float,
    pinned: np.ndarray,
    allocation: Allocation,
    indicator: Indicator,
) -> np.ndarray:
    """Scale figures to a goal, within the indicator's bounds, and round them so that they come to it."""
    step = float(allocation.step)
    members = np.flatnonzero(inside)
    values, fixed = raw[members] / step, pinned[members]
    weight = allocation.weights[members]
    bottom, top = (side / step for side in indicator.limits)
    wanted = goal / step * (weight.sum() if allocation.averaged else 1.0)
    free = ~fixed
    for _ in range(FITTINGS):
        gap = wanted - (values * weight).sum()
        if abs(gap) < 1e-7 * max(1.0, abs(wanted)) or not free.any():
            break
        now = (values * weight)[free].sum()
        aim = now + gap
        # A common percentage only makes sense where both sides have the same sign.
        scaled = values[free] * (aim / now) if now * aim > 0 else values[free] + gap / weight[free].sum()
        values[free] = np.clip(scaled, bottom, top)
        free &= (values > bottom) & (values < top)
    low = np.where(fixed, np.round(values), np.ceil(bottom) if np.isfinite(bottom) else bottom)
    high = np.where(fixed, np.round(values), np.floor(top) if np.isfinite(top) else top)
    flat = GoalTree.flat(allocation.tree.units[members])
    amounts = np.append(values * weight, wanted)
    if allocation.averaged:
        asked = np.append(np.zeros(len(members), dtype=bool), True)
        whole = round_averages(flat, values, amounts, weights=weight, asked=asked, low=low, high=high)
    else:
        ends = np.append(low, np.round(wanted)), np.append(high, np.round(wanted))
        whole = round_amounts(flat, amounts, *ends)[: len(members)]
    digits = max(0, -Decimal(allocation.step).adjusted())
    return np.round(whole * step, digits)
