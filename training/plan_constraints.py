"""What people have set, from the rows of their files to the constraints of one indicator."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from models.goals.constraints import RISK, Constraints, Number, Side
from models.goals.goal_tree import GoalTree
from models.outcome.distribution import TargetDistribution
from models.policy.targets import TargetPolicy
from training.suggest import SuggestedLevel

SIDES = ("floor", "cap")
SHOWN = 3
"""Units that an error names; the rest are counted."""


def values_of(table: pd.DataFrame | None, code: str) -> dict[str, Number]:
    """Take the values of one indicator, by unit."""
    if table is None:
        return {}
    rows = table[table["indicator"] == code]
    return dict(zip(rows["unit"].astype(str), rows["value"].astype(float), strict=True))


def left_aside(given: dict[str, dict[str, Number]], tree: GoalTree, code: str) -> list[str]:
    """Say which floors and caps are for units without figures, which get no target that they could hold."""
    return [
        f"{unit} has no figures of {code} to start from, so it gets no target, and its {kind} is left aside"
        for kind in SIDES
        for unit in given[kind]
        if unit not in tree.units
    ]


def constraints_of(given: dict[str, dict[str, Number]], tree: GoalTree, code: str) -> Constraints:
    """Put goals, pins, floors and caps of one indicator together; see `left_aside` for what is not among them.

    Parameters
    ----------
    given : dict of str to dict
        By kind ("goal", "pin", "floor", "cap") and unit.
    tree : GoalTree
    code : str

    Raises
    ------
    LoadlineError
        Where a unit with a goal or pin has no figures, or a goal and a pin of one unit differ.
    """
    for kind in ("goal", "pin"):
        unknown = [unit for unit in given[kind] if unit not in tree.units]
        if unknown:
            more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
            raise LoadlineError(
                f"no figures to start from, of the unit itself or below it: {', '.join(unknown[:SHOWN])}{more}",
                where=f"goals for {code}",
                hint=f"Bring figures, or leave the {kind} out and count it off the goal above.",
            )
    for unit, value in given["pin"].items():
        goal = given["goal"].get(unit)
        if goal is not None and goal != value:
            raise LoadlineError(
                f"the goal of {unit}, {_shown(goal)}, and its pin, {_shown(value)}, contradict each other",
                where=f"goals for {code}",
                hint="Leave one of the two out.",
            )
    floors, caps = ({unit: value for unit, value in given[kind].items() if unit in tree.units} for kind in SIDES)
    return Constraints(pins=given["goal"] | given["pin"], floors=floors, caps=caps)


def _shown(value: Number) -> str:
    return f"{Decimal(str(value)).normalize():,f}"


def with_ceilings(
    constraints: Constraints,
    flagged: pd.DataFrame,
    part: SuggestedLevel,
    distribution: TargetDistribution,
    tree: GoalTree,
    policy: TargetPolicy,
) -> Constraints:
    """Add the ceilings of units flagged for risk: a growth in percent, or the value that the policy allows.

    A unit that has others below it stands for all of them. Pinned units are left alone: a person has decided. On a
    `band` indicator, where growth is neither good nor bad, the policy's value is all that is asked.
    """
    indicator, latest = distribution.indicator, part.level.latest
    by_policy = distribution.value_at(policy.flagged_attain)
    lower = indicator.direction == "lower"
    limit = np.full(tree.leaves, np.nan)
    for unit, code, growth in zip(flagged["unit"], flagged["indicator"], flagged["growth"], strict=True):
        if code not in ("", indicator.code) or str(unit) not in tree.units:
            continue
        inside = tree.below(tree.position(str(unit)))
        change = np.abs(latest) * growth / 100
        asked = by_policy if np.isnan(growth) else latest - change if lower else latest + change
        tighter = np.fmax if lower else np.fmin
        limit[inside] = tighter(limit[inside], asked[inside])
    own = {
        str(unit): float(value) for unit, value in zip(tree.units[: tree.leaves], limit, strict=True) if value == value
    }
    if indicator.direction == "band":  # a band's values have no hard side: nothing is asked beyond the value itself
        middle = dict(own)
        return constraints.tightened("floor", middle, reason=RISK).tightened("cap", middle, reason=RISK)
    return constraints.tightened("floor" if lower else "cap", own, reason=RISK)


def clear_of(constraints: Constraints, side: Side, values: dict[str, float]) -> dict[str, Number]:
    """Keep ceilings of the policy clear of what a person has set on the other side: the person's word stands."""
    other = constraints.caps if side == "floor" else constraints.floors
    pick = min if side == "floor" else max
    return {unit: pick(value, float(other[unit])) if unit in other else value for unit, value in values.items()}
