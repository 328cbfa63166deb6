"""One indicator of a plan: its goals, the targets of its leaves, other ways to have reached the goal, the ratchet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.units import UnitTree
from models.goals.allocation import LAST, Allocation
from models.goals.alternatives import EQUAL_DIFFICULTY, METHODS, Record, compare_methods, summarise_methods
from models.goals.constraints import Constraints
from models.goals.elastic_band import elastic_band
from models.goals.group_outcome import GroupOutcome, group_outcome
from models.goals.ratchet import Ratchet, measure_ratchet
from models.judging.fairness import attainment_counts, fairness_table, unit_groups
from models.outcome.baselines import pooled_growth
from models.outcome.distribution import TargetDistribution
from models.policy.targets import TargetPolicy
from models.suggestion import rounded
from training.suggest import SEED, SuggestedLevel


@dataclass(frozen=True, eq=False)
class IndicatorPlan:
    """One indicator's goals broken down.

    Attributes
    ----------
    part : SuggestedLevel
        The leaves.
    distribution : TargetDistribution
        Of the leaves.
    constraints : Constraints
        Goals (as pins of units above the leaves), pins, floors, caps and ceilings.
    allocation : Allocation
    expected : np.ndarray
        (U,) what was expected, a year before, of the year that has just ended; NaN where nothing was.
    policy : TargetPolicy
    above : tuple of SuggestedLevel
        The levels above the leaves, whose units have distributions of their own.
    """

    part: SuggestedLevel
    distribution: TargetDistribution
    constraints: Constraints
    allocation: Allocation
    expected: np.ndarray
    policy: TargetPolicy
    above: tuple[SuggestedLevel, ...] = ()

    @property
    def code(self) -> str:
        """Name the indicator."""
        return self.distribution.indicator.code

    @cached_property
    def goal_places(self) -> np.ndarray:
        """List the positions of units that have a goal, the highest first."""
        tree = self.allocation.tree
        inner = [place for place in range(tree.leaves, len(tree.units)) if tree.units[place] in self.constraints.pins]
        return np.array(sorted(inner, key=lambda place: (tree.depth[place], tree.rank[place])), dtype=np.int64)

    @cached_property
    def touched(self) -> np.ndarray:
        """Tell which leaves (U,) have their target from the plan and not from the suggestion alone."""
        found, tree = self.allocation, self.allocation.tree
        nearest = found.nearest_asked
        shared = (nearest >= tree.leaves) & found.asked[nearest]
        held = np.array([name not in ("", "bound", LAST, "left out") for name in found.held])
        return (shared | held) & np.isfinite(found.steps)

    @cached_property
    def ratchet(self) -> Ratchet:
        """Measure what the plan passes on of last year's out-performance."""
        return self.pass_through(self.allocation.figures)

    @cached_property
    def outcome(self) -> GroupOutcome:
        """Draw how likely goals are, and targets once the goal is met."""
        learned: dict[str, float] = {}
        for part in self.above:
            units = [str(unit) for unit in part.level.problem.units]
            goals = np.array([float(self.constraints.pins.get(unit, np.nan)) for unit in units])
            learned |= dict(zip(units, part.distribution.attain(goals).tolist(), strict=True))
        return group_outcome(self.distribution, self.allocation, self.constraints, seed=SEED, learned=learned)

    @cached_property
    def record(self) -> Record:
        """Give what other methods of breaking a goal down look at."""
        level = self.part.level
        base = level.problem.base.copy()
        base[-1] = np.where(np.isfinite(level.latest), level.latest, base[-1])
        return Record.of(
            base,
            weights=self.allocation.weights[: self.allocation.tree.leaves],
            transform=self.distribution.transform,
            horizon=level.problem.horizon,
        )

    def pass_through(self, targets: np.ndarray) -> Ratchet:
        """Measure how much of last year's out-performance targets (U,) pass on."""
        return measure_ratchet(
            self.distribution.indicator,
            self.distribution.transform,
            expected=self.expected,
            last=last_outcome(self.part),
            target=targets,
            cap=self.policy.ratchet_cap,
        )

    def goals(self) -> pd.DataFrame:
        """List the goals, one row each; `Plan.goals` has the columns."""
        found, tree, outcome = self.allocation, self.allocation.tree, self.outcome
        rows = []
        for place in self.goal_places:
            inside = tree.below(place)
            held = [name for name, mine in zip(found.held, inside, strict=True) if mine]
            passed = self.ratchet.passed_on[inside]
            rows.append(
                {
                    "unit": tree.units[place],
                    "indicator": self.code,
                    "goal": float(self.constraints.pins[str(tree.units[place])]),
                    "allocated": found.totals[place],
                    "p_common": found.probability_of(int(place)),
                    "p_goal": outcome.attain[place],
                    "units": int(inside.sum()),
                    "held": sum(name not in ("", "left out", LAST) for name in held),
                    "last_figure_kept": held.count(LAST),
                    "left_out": held.count("left out"),
                    "ratchet": self.ratchet.average,
                    "ratchet_median": float(np.median(passed[np.isfinite(passed)]))
                    if np.isfinite(passed).any()
                    else np.nan,
                    "ratchet_over_cap": int(self.ratchet.over[inside].sum()),
                    "ratchet_cap": self.policy.ratchet_cap,
                }
            )
        return pd.DataFrame(rows)

    def lines(self) -> pd.DataFrame:
        """List the targets of the leaves that the plan sets; `Plan.lines` has the columns."""
        found = self.allocation
        members = np.flatnonzero(self.touched | np.array([name == "left out" for name in found.held]))
        base = self.part.level.problem.base
        own_years = np.isfinite(np.diff(base, axis=0)).sum(axis=0)
        low, high = elastic_band(self.distribution, found.figures, own_years=own_years)
        limits = self.distribution.indicator.limits
        places, which = np.unique(found.nearest_asked, return_inverse=True)
        goal = np.array([self._goal_of(int(place)) for place in places], dtype=object)[which]
        table = pd.DataFrame(
            {
                "unit": found.units,
                "indicator": self.code,
                "goal_unit": goal,
                "last_actual": self.record.last,
                "target": found.figures,
                "p_target": found.attain,
                "p_given_goal": self.outcome.given_goal,
                "held_by": np.array(found.held, dtype=object),
                "band_low": rounded(low, float(found.step), limits),
                "band_high": rounded(high, float(found.step), limits),
                "outperformance": self.ratchet.outperformance,
                "passed_on": self.ratchet.passed_on,
                "over_ratchet_cap": self.ratchet.over,
            }
        )
        return table.iloc[members].reset_index(drop=True)

    def fairness(self, tree: UnitTree) -> pd.DataFrame:
        """Compare the probabilities of groups of leaves; `Plan.fairness` has the columns."""
        chance = np.where(self.touched, self.allocation.attain, np.nan)
        counts = attainment_counts(unit_groups(self.part.level, tree), {"target": chance})
        table = fairness_table(counts.assign(year=self.part.level.problem.asked), by=())
        table = table.rename(columns={"n": "units", "promised": "p_target"}).assign(indicator=self.code)
        return table[["indicator", "dimension", "group", "units", "p_target", "versus_others"]]

    def _goal_of(self, place: int) -> str:
        """Name the nearest unit with a goal, from a position upwards."""
        tree = self.allocation.tree
        while place >= 0 and place not in self.goal_places:
            place = int(tree.parent[place])
        return str(tree.units[place]) if place >= 0 else ""

    def alternatives(self) -> pd.DataFrame:
        """Break the highest goals down by every method, side by side."""
        return compare_methods(self.distribution, self.allocation, self.constraints, self.record)

    def methods(self) -> pd.DataFrame:
        """Sum the comparison up, one row a method."""
        table = self.alternatives()
        if table.empty:
            return pd.DataFrame()
        place = self.allocation.units.get_indexer(pd.Index(table["unit"]))
        slopes = {}
        for name in (EQUAL_DIFFICULTY, *METHODS):
            value = np.full(self.allocation.tree.leaves, np.nan)
            value[place] = table[f"value_{name}"].to_numpy(dtype=float)
            slopes[name] = self.pass_through(value).average
        summary = summarise_methods(table, direction=self.distribution.indicator.direction, slopes=slopes)
        # The goal is the same under every method, and so is the probability that the group attains it.
        highest = self.goal_places[:1]
        return summary.assign(p_goal=self.outcome.attain[highest[0]] if len(highest) else np.nan).pipe(
            lambda frame: frame.assign(indicator=self.code)[["indicator", *frame.columns]]
        )


def expected_before(part: SuggestedLevel) -> np.ndarray:
    """Give what pooled growth expected of the year that has just ended (U,); NaN where nothing could be.

    Within a year that has begun nothing is said: the part that is in and the part that is not would be mixed.
    """
    problem = part.level.problem
    nothing = np.full(len(problem.units), np.nan)
    if part.level.so_far is not None or len(problem.years) < 2:
        return nothing
    before = problem.at(len(problem.years) - 2)
    if not np.isfinite(before.base).any():
        return nothing
    return pooled_growth(before).predict(before).quantile(0.5)


def last_outcome(part: SuggestedLevel) -> np.ndarray:
    """Give the outcome of the year that has just ended (U,)."""
    problem = part.level.problem
    outcome = problem.outcome[-2] if len(problem.years) > 1 else np.full(len(problem.units), np.nan)
    return np.where(np.isfinite(outcome), outcome, problem.base[-1])
