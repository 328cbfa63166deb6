"""A unit's own course against another row: what the target model makes of each group of features.

The middle of what is expected of a unit is split, on the latent scale of growth, into what the group does and what the
unit does by itself. The second part is a blend of learners; those that are functions of features are contrasted with
the same functions of a reference row, exactly. What is no function of features keeps a line of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.errors import LoadlineError
from models.explanation.contrast import Reference
from models.explanation.learners import BREAKDOWNS, FEATURE_GROUPS, PLAYERS, broken_down
from models.levels import Level
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import start
from models.outcome.history import MINIMUM_PEERS
from models.outcome.opinions import POOLED, Asked
from models.outcome.relative import matrix
from models.outcome.stacking import opinions
from models.outcome.target import TargetModel
from models.reasons import starting_point

Against = Literal["peers", "last_year", "group"]
AGAINST: tuple[Against, ...] = ("peers", "last_year", "group")

REFERENCE, NEWCOMER, SERIES, CARRIED, SPREAD = "reference", "newcomer", "own_series", "carried", "spread"
COURSE_PARTS = (REFERENCE, *FEATURE_GROUPS, NEWCOMER, SERIES, CARRIED, SPREAD)
"""What the same model expects of the reference; what sets the unit apart from it, group by group; what is no function
of features: having joined lately, the continued series of its own, what the last periods carry over, and how the middle
of all outcomes lies to the middle of growth (zeros, limits and an uneven spread)."""

SMALL_GAP = 1e-6
"""Latent gap, in robust deviations of growth, below which the rate of conversion is measured around the starting point
instead: rounding would be most of the gap."""


@dataclass(frozen=True)
class CourseParts:
    """A unit's own course, part by part.

    Attributes
    ----------
    amounts : Mapping
        By code of `COURSE_PARTS`, in the indicator's unit; they add up to `expected - like_group` of
        `models.reasons`. Those of features are there only where the blend uses any, others only where they apply.
    latent : Mapping
        The same on the scale of growth, without what lies outside it (`spread`).
    reference : Reference
        The row of features that the unit's own is held against.
    units : int
        Units whose median it is; 1 for the unit itself.
    """

    amounts: Mapping[str, float]
    latent: Mapping[str, float]
    reference: Reference
    units: int

    @property
    def told_apart(self) -> bool:
        """Tell whether any part depends on the reference: not where all units are expected to grow alike."""
        return REFERENCE in self.amounts


@dataclass(frozen=True, eq=False)
class Course:
    """A level and its model, made ready to break down the course of any of its units.

    Attributes
    ----------
    level : Level
    model : TargetModel
    distribution : TargetDistribution
        What the model says of the level's problem.
    asked : Asked
    rows : np.ndarray
        (T+1, U, F) features.
    series : dict
        Latent growth (U,) by the learners that are no functions of features.
    origin : np.ndarray
        (U,) latent figure that the group would grow from; see `models.reasons.starting_point`.
    expected : np.ndarray
        (U,) middle of what may come, for the year.
    """

    level: Level
    model: TargetModel
    distribution: TargetDistribution
    asked: Asked
    rows: np.ndarray
    series: dict[str, np.ndarray]
    origin: np.ndarray
    expected: np.ndarray

    @classmethod
    def of(cls, level: Level, model: TargetModel) -> Course:
        """Make a learned level ready."""
        problem, recipe = level.problem, model.recipe
        begin = start(problem, model.transform, model.zero, deviation=recipe.relative.deviation)
        asked = Asked(problem, begin, recipe, model.shared)
        others = set(model.blend.shares) - set(BREAKDOWNS)
        found = opinions(asked, of=(model.blend,)) if others else {}
        series = {name: found[name].growth for name in others if name in found}
        distribution = model.predict(problem)
        origin = starting_point(level, distribution.transform)
        expected = level.of_year(distribution).quantile(0.5)
        return cls(level, model, distribution, asked, matrix(begin.history), series, origin, expected)

    def parts(self, unit: str, against: Against) -> CourseParts | None:
        """Break down the course of a unit; None where it has none: no figure to grow from.

        Raises
        ------
        LoadlineError
            Where there are too few peers, or no figure of the unit a year ago.
        """
        u = int(self.level.problem.units.get_loc(unit))  # type: ignore[arg-type]
        begin, transform = self.asked.begin, self.distribution.transform
        origin = self.origin[u]
        if begin.gap[u] > 0 or begin.at_zero[u] or not self.distribution.known[u] or not np.isfinite(origin):
            return None
        reference, units = self.reference(unit, against)
        latent = self._latent(u, reference.values)
        latent[CARRIED] = float(begin.base[u] - origin)
        common = self.distribution.common_growth
        own = sum(latent.values())
        if abs(own) > SMALL_GAP * self.model.recipe.relative.deviation:
            ends = origin + common, origin + common + own
        else:
            reach = self.model.recipe.relative.deviation / 2
            ends = origin + common - reach, origin + common + reach
        low, high = (self._year(u, float(transform.value(np.array(end)))) for end in ends)
        rate = (high - low) / (ends[1] - ends[0])
        amounts = {code: value * rate for code, value in latent.items()}
        like = self._year(u, float(transform.value(np.array(origin + common))))
        amounts[SPREAD] = float(self.expected[u]) - like - sum(amounts.values())
        told = {code: amounts[code] for code in COURSE_PARTS if code in amounts}
        return CourseParts(told, latent, reference, units)

    def reference(self, unit: str, against: Against) -> tuple[Reference, int]:
        """Give the row of features that a unit is held against, and how many units stand behind it.

        `peers`: the median of each feature over the unit's peer group, itself included; all units of the level are
        peers where there are no groups. `group`: over all units of the level. `last_year`: its own, a year before.

        Raises
        ------
        LoadlineError
            Where fewer than five units have figures, whose median could give one away; or the unit had none then.
        """
        problem, base = self.level.problem, self.asked.begin.history.base
        u = int(problem.units.get_loc(unit))  # type: ignore[arg-type]
        if against == "last_year":
            if len(base) < 2 or not np.isfinite(base[-2, u]):
                raise LoadlineError(
                    f"{unit} had no figure a year before", where=against, hint="Hold it against peers or group."
                )
            return Reference.of(against, self.rows[-2, u]), 1
        alike = np.isfinite(base[-1])
        if against == "peers" and problem.peers is not None:
            alike &= problem.peers == problem.peers[u]
        if (count := int(alike.sum())) < MINIMUM_PEERS:
            raise LoadlineError(
                f"a median of fewer than {MINIMUM_PEERS} units could give one of them away, and there are {count}",
                where=against,
                hint=f"Hold {unit} against {'last_year' if against == 'group' else 'group or last_year'}.",
            )
        rows = self.rows[-1, alike]
        middle = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else np.nan for column in rows.T]
        return Reference.of(against, np.array(middle)), count

    def usual_reference(self, unit: str) -> Against | None:
        """Choose what to hold a unit against where nobody says: its peers, else all units, else its own last year."""
        for against in ("peers", "group", "last_year"):
            try:
                self.reference(unit, against)
            except LoadlineError:
                continue
            return against
        return None

    def _latent(self, u: int, reference: np.ndarray) -> dict[str, float]:
        """Give what the blend makes of a unit's row against a reference, on the scale of growth."""
        row, shares = self.rows[-1, u], self.model.blend.shares
        values, at_reference = np.zeros(len(PLAYERS.names)), 0.0
        found: dict[str, float] = {}
        for name, share in shares.items():
            if name in self.series:
                found[SERIES] = found.get(SERIES, 0.0) + share * float(self.series[name][u])
                continue
            grown, level = broken_down(name, self.model, row=row, reference=reference)
            values, at_reference = values + share * grown, at_reference + share * level
        if any(share for name, share in shares.items() if name != POOLED):
            found |= {REFERENCE: at_reference, **dict(zip(PLAYERS.names, map(float, values), strict=True))}
        if shift := float(self.asked.newcomers[0][u]):
            found[NEWCOMER] = shift
        return found

    def _year(self, u: int, value: float) -> float:
        """Turn a figure of the level's problem into one of the year."""
        so_far = self.level.so_far
        return value if so_far is None else float(so_far.known[u] + so_far.share[u] * value)
