"""A plan written into the frame of suggestions: targets, probabilities, and the reason for each in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.goals.allocation import LAST
from models.goals.goal_tree import GoalTree
from training.indicator_plan import IndicatorPlan
from training.suggest import SuggestedLevel


def written(frame: pd.DataFrame, plan: IndicatorPlan, parts: Sequence[SuggestedLevel]) -> pd.DataFrame:
    """Write a plan's targets into the suggestions' frame, with their probabilities and the reason in `evidence`.

    Floors and stretches move only where a target would cross them.

    Parameters
    ----------
    frame : pd.DataFrame
        Changed in place, and given back.
    plan : IndicatorPlan
    parts : sequence of SuggestedLevel
        All levels of the indicator.
    """
    values, why = _figures(plan)
    for part in parts:
        units = [str(code) for code in part.level.problem.units]
        target = np.array([values.get(unit, np.nan) for unit in units])
        rows = frame.index[(frame["indicator"] == plan.code) & frame["unit"].isin(units)]
        order = pd.Index(units).get_indexer(pd.Index(frame.loc[rows, "unit"]))
        reason = np.array([f"; {why[unit]}" if unit in why else "" for unit in units], dtype=object)
        frame.loc[rows, "evidence"] = frame.loc[rows, "evidence"].astype(str) + reason[order]
        given = np.isfinite(target)
        if not given.any():
            continue
        lower = part.level.indicator.direction == "lower"
        easier, harder = (np.fmax, np.fmin) if lower else (np.fmin, np.fmax)
        current = frame.loc[rows].set_index("unit").reindex(units)
        new = {
            "target": np.where(given, target, current["target"]),
            "floor": np.where(given, easier(current["floor"], target), current["floor"]),
            "stretch": np.where(given, harder(current["stretch"], target), current["stretch"]),
        }
        for name, figures in new.items():
            frame.loc[rows, name] = figures[order]
            frame.loc[rows, f"p_{name}"] = part.distribution.attain(figures)[order]
    return frame


def _figures(plan: IndicatorPlan) -> tuple[dict[str, float], dict[str, str]]:
    """Give the targets that the plan sets and the reason for each, by unit."""
    found, tree = plan.allocation, plan.allocation.tree
    values, why = {}, {}
    names = {int(place): _reason(plan, int(place)) for place in np.unique(found.nearest_asked)}
    for place in np.flatnonzero(plan.touched).tolist():
        unit, held = str(tree.units[place]), found.held[place]
        shared = names[int(found.nearest_asked[place])]
        values[unit] = float(found.figures[place])
        if held == "pin":
            why[unit] = "fixed by a person"
        elif held == LAST:
            why[unit] = f"{shared[0]}; none: no distribution, its last figure is kept"
        else:
            why[unit] = f"{shared[0]}; held by its {held}" if held not in ("", "bound") else "".join(shared)
    under_goal = np.zeros(len(tree.units), dtype=bool)
    for place in plan.goal_places.tolist():
        under_goal |= _under_any(tree, np.array([place]))
        values[str(tree.units[place])] = float(plan.constraints.pins[str(tree.units[place])])
        why[str(tree.units[place])] = "goal as given"
    under_goal |= _under_any(tree, np.flatnonzero(found.asked))
    for place in (np.flatnonzero(under_goal[tree.leaves :]) + tree.leaves).tolist():
        unit = str(tree.units[place])
        if unit not in values and np.isfinite(found.totals[place]):
            values[unit] = float(found.totals[place])
            why[unit] = "average of the units below" if found.averaged else "sum of the units below"
    for unit in found.left_out:
        why[unit] = "left out of the plan: too little is known of it"
    return values, why


def _reason(plan: IndicatorPlan, place: int) -> tuple[str, str]:
    """Say what asks something of the units that share a unit's goal, and with what probability."""
    tree, found = plan.allocation.tree, plan.allocation
    probability = found.probability_of(place)
    common = f" at a common probability of {probability:.0%}" if np.isfinite(probability) else ""
    name = str(tree.units[place])
    if place in plan.goal_places:
        return f"goal of {name} broken down", common
    if found.asked[place]:
        sides = [
            side
            for side, given in (("floor", plan.constraints.floors), ("cap", plan.constraints.caps))
            if name in given
        ]
        return f"kept within the {' and '.join(sides) or 'limits'} of {name}", common
    return "as suggested", ""


def _under_any(tree: GoalTree, places: np.ndarray) -> np.ndarray:
    """Tell which units (N,) are below one of some positions, or are one of them."""
    inside = np.zeros(len(tree.units), dtype=bool)
    inside[places] = True
    for nodes in tree.levels[1:]:
        inside[nodes] |= inside[tree.parent[nodes]]
    return inside
