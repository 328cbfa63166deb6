"""A plan: goals and what people have fixed on top of suggestions, broken down to the leaves at equal difficulty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.units import UnitTree
from models.goals.allocation import Allocation, allocate
from models.goals.constraints import RATCHET, Constraints, Side
from models.goals.goal_tree import GoalTree
from models.goals.ratchet import capped_values
from models.goals.relaxation import InfeasibleError
from models.levels import LEAVES
from models.outcome.distribution import TargetDistribution
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from models.suggestion import display_step
from training.indicator_plan import IndicatorPlan, expected_before
from training.plan_constraints import clear_of, constraints_of, left_aside, values_of, with_ceilings
from training.plan_frame import written
from training.suggest import SuggestedLevel, Suggestions


@dataclass(frozen=True, eq=False)
class Plan:
    """Suggestions with goals and constraints on top.

    Attributes
    ----------
    frame : pd.DataFrame
        The suggestions' frame, with `target` and the probabilities changed and the reason in `evidence`.
    parts : tuple of IndicatorPlan
        One for each indicator of which something is asked.
    tree : UnitTree
    notes : tuple of str
        What was asked and left aside, in words.
    """

    frame: pd.DataFrame
    parts: tuple[IndicatorPlan, ...]
    tree: UnitTree
    notes: tuple[str, ...] = ()

    def goals(self) -> pd.DataFrame:
        """List the goals: one row a goal.

        Returns
        -------
        pd.DataFrame
            `unit, indicator, goal, allocated` (what the leaves come to), `p_common` (probability asked of every unit
            that nothing holds), `p_goal` (joint probability that the goal is attained), `units, held,
            last_figure_kept, left_out` (counts of leaves), `ratchet` (average pass-through of last year's
            out-performance, by robust regression over all leaves), `ratchet_median`, `ratchet_over_cap` (leaves),
            `ratchet_cap`.
        """
        return _under_each_other([part.goals() for part in self.parts])

    def lines(self) -> pd.DataFrame:
        """List the targets set: one row a leaf and indicator.

        Returns
        -------
        pd.DataFrame
            `unit, indicator, goal_unit, last_actual, target, p_target, p_given_goal` (probability when the highest goal
            above is attained), `held_by, band_low, band_high` (elastic band), `outperformance` (last year, on the
            latent scale), `passed_on` (share of it in the target), `over_ratchet_cap`.
        """
        return _under_each_other([part.lines() for part in self.parts])

    def fairness(self) -> pd.DataFrame:
        """Compare how likely groups of leaves are to attain the targets set: by region type, size, volatility, growth.

        Returns
        -------
        pd.DataFrame
            `indicator, dimension, group, units, p_target` (mean over the group), `versus_others` (less that of the
            dimension's other groups). The row `gap` of a dimension compares its ends (the ratchet gap, for past
            growth: the slow third less the fast), `slope` follows the rank of past growth. Groups of fewer than five
            units are not shown.
        """
        return _under_each_other([part.fairness(self.tree) for part in self.parts])

    def alternatives(self) -> pd.DataFrame:
        """Give every leaf's value and probability by every method; see `models.goals.alternatives.compare_methods`."""
        return _under_each_other([part.alternatives() for part in self.parts])

    def methods(self) -> pd.DataFrame:
        """Sum every method up by indicator, `p_goal` included; see `models.goals.alternatives.summarise_methods`."""
        return _under_each_other([part.methods() for part in self.parts])


def make_plan(
    suggested: Suggestions,
    *,
    tree: UnitTree,
    origin: int,
    goals: pd.DataFrame | None = None,
    pins: pd.DataFrame | None = None,
    floors: pd.DataFrame | None = None,
    caps: pd.DataFrame | None = None,
    flagged: pd.DataFrame | None = None,
    policy: TargetPolicy = DEFAULT_POLICY,
    expected: Mapping[str, pd.Series] | None = None,
    cap_ratchet: bool = False,
) -> Plan:
    """Break goals down within what people and policy have fixed.

    A pin on a unit that has others below it is a goal for it. Floors and figures move only where a target would cross
    them.

    Parameters
    ----------
    suggested : Suggestions
    tree : UnitTree
    origin : int
        Period whose tree counts.
    goals, pins, floors, caps : pd.DataFrame, optional
        `unit, indicator, value` each.
    flagged : pd.DataFrame, optional
        `unit, indicator, growth`: units flagged for risk, a blank indicator for all, growth in percent or NaN for the
        policy's rule.
    policy : TargetPolicy
    expected : mapping of str to pd.Series, optional
        By indicator and unit: what was expected of the year that has just ended, such as last year's targets; the
        median of pooled growth as of a year before where not given.
    cap_ratchet : bool
        Hold units above the policy's ratchet cap to it.

    Raises
    ------
    InfeasibleError
        Where goals and constraints cannot all be kept, with the smallest change that would let them be.
    LoadlineError
        Where something is asked of units that have no figures, or contradicts itself.
    """
    frame = suggested.frame.copy()
    tables = {"goal": goals, "pin": pins, "floor": floors, "cap": caps}
    codes = list(dict.fromkeys(code for table in tables.values() if table is not None for code in table["indicator"]))
    if flagged is not None:
        every = [
            part.level.indicator.code
            for part in suggested.parts
            if part.level.name == LEAVES and np.isfinite(part.distribution.quantile(0.5)).any()
        ]
        named = [str(code) for code in flagged["indicator"] if code]
        codes = list(dict.fromkeys([*codes, *(every if (flagged["indicator"] == "").any() else named)]))
    plans, notes = [], []
    for code in codes:
        parts = [part for part in suggested.parts if part.level.indicator.code == code]
        given = {name: values_of(table, code) for name, table in tables.items()}
        part, distribution = _leaves(parts, code, [unit for values in given.values() for unit in values])
        goal_tree = GoalTree.of(tree, part.level.problem.units, ordinal=origin)
        constraints = constraints_of(given, goal_tree, code)
        notes += left_aside(given, goal_tree, code)
        if flagged is not None:
            constraints = with_ceilings(constraints, flagged, part, distribution, goal_tree, policy)
        plan = _planned(part, distribution, constraints, goal_tree, policy, (expected or {}).get(code), suggested)
        plan = replace(plan, above=tuple(other for other in parts if other is not part))
        if cap_ratchet and plan.ratchet.over[plan.touched].any():
            plan = _within_ratchet_cap(plan, suggested)
        frame = written(frame, plan, parts)
        plans.append(plan)
    return Plan(frame, tuple(plans), tree, tuple(notes))


def _planned(
    part: SuggestedLevel,
    distribution: TargetDistribution,
    constraints: Constraints,
    tree: GoalTree,
    policy: TargetPolicy,
    expected: pd.Series | None,
    suggested: Suggestions,
) -> IndicatorPlan:
    found = _allocated(part, distribution, constraints, tree, suggested)
    before = expected_before(part) if expected is None else expected.reindex(found.units).to_numpy(dtype=float)
    return IndicatorPlan(part, distribution, constraints, found, before, policy)


def _allocated(
    part: SuggestedLevel,
    distribution: TargetDistribution,
    constraints: Constraints,
    tree: GoalTree,
    suggested: Suggestions,
) -> Allocation:
    level = part.level
    averaged = level.indicator.kind in ("ratio", "level")
    weights = None
    if averaged and level.problem.weight is not None:
        weights = np.maximum(np.nan_to_num(level.problem.weight[-1]), 0.0)
    try:
        return allocate(
            distribution,
            constraints=constraints,
            weights=weights,
            tree=tree,
            step=display_step(level.indicator, level.problem.base[-1]),
            last=level.latest,
            probability=suggested.levels.target,
        )
    except InfeasibleError as error:
        where = f"goals for {level.indicator.code}"
        raise InfeasibleError(error.what, relaxation=error.relaxation, where=where, hint=error.hint) from error
    except LoadlineError as error:
        raise LoadlineError(error.what, where=f"goals for {level.indicator.code}", hint=error.hint) from error


def _within_ratchet_cap(plan: IndicatorPlan, suggested: Suggestions) -> IndicatorPlan:
    """Allocate again with the units above the cap held to it; the common growth stays that of the first round."""
    indicator = plan.distribution.indicator
    values = capped_values(
        indicator,
        plan.distribution.transform,
        ratchet=plan.ratchet,
        expected=plan.expected,
        cap=plan.policy.ratchet_cap,
    )
    side: Side = "cap" if indicator.direction == "higher" else "floor"
    own = {str(unit): float(value) for unit, value in zip(plan.allocation.units, values, strict=True) if value == value}
    own = {unit: value for unit, value in own.items() if plan.touched[plan.allocation.tree.position(unit)]}
    constraints = plan.constraints.tightened(side, clear_of(plan.constraints, side, own), reason=RATCHET)
    found = _allocated(plan.part, plan.distribution, constraints, plan.allocation.tree, suggested)
    return replace(plan, constraints=constraints, allocation=found)


def _leaves(parts: list[SuggestedLevel], code: str, units: list[str]) -> tuple[SuggestedLevel, TargetDistribution]:
    for part in parts:
        if part.level.name == LEAVES and isinstance(part.distribution, TargetDistribution):
            return part, part.distribution
    named = ", ".join(units[:3]) or "any unit"
    raise LoadlineError(
        f"no unit below {named} has figures",
        where=f"goals for {code}",
        hint="Bring the figures of the units below, or leave the goal out.",
    )


def _under_each_other(tables: list[pd.DataFrame]) -> pd.DataFrame:
    full = [table for table in tables if not table.empty]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame()
