"""One joint sample for all levels: any subtree's total, and what a unit attains given what its group attains.

The draws are not kept. They follow from the seed and are made again, some two million figures at a time, whenever they
are asked for: 80,000 branches take no more memory than 80.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from features.indicators import Indicator
from features.units import UnitTree
from models.joint.coherence import Adjustment, adjustment
from models.joint.drawn import DrawnDistribution, meets
from models.joint.kinship import Kinship
from models.levels import Level
from models.outcome.distribution import TargetDistribution
from models.outcome.history import row_median

DRAWS = 2000
"""Draws of a total: the sampling error of a probability of 0.85 is then under one point."""
TAIL = 0.01
"""A unit's draws are kept between this quantile and its mirror image before they are added up. Growth is modelled by
its logarithm, so the far tail of one doubtful branch, multiplied out, would otherwise outweigh ten thousand others."""
DRAWS_AT_ONCE = 2_000_000
"""Figures drawn at a time (draws x units), so that memory stays bounded with 80,000 branches."""
NEAR_SHARE = 0.1
"""Share of the draws that count as near a stated outcome of the group: 200 of 2000, a sampling error of 3 points."""


def membership(above: np.ndarray, parts: np.ndarray, tree: UnitTree, *, ordinal: int) -> csr_array:
    """Tell which parts lie below (or are) which units: a sparse 0/1 matrix (G, U).

    Parameters
    ----------
    above, parts : np.ndarray
        (G,) and (U,) positions in the tree; any units, of any depth.
    tree : UnitTree
    ordinal : int
        Period whose tree counts.
    """
    parents = tree.parents(ordinal)
    row = np.full(len(tree), -1)
    row[above] = np.arange(len(above))
    rows, columns = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    at, climbing = parts, np.arange(len(parts))
    while len(climbing):
        found = row[at] >= 0
        rows.append(row[at][found])
        columns.append(climbing[found])
        at = parents[at]
        climbing, at = climbing[at >= 0], at[at >= 0]
    place = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.ones(len(place[0])), place), shape=(len(above), len(parts)))


def neighbours(parts: Level, below: TargetDistribution, tree: UnitTree, *, ordinal: int) -> Kinship:
    """Learn how far units under one parent move together, from the past growth of a level's problem."""
    problem, transform = parts.problem, below.transform
    growth = transform.latent(problem.outcome) - transform.latent(problem.base)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = (growth - row_median(growth)) / below.spread.scale
    residual = np.where(np.isfinite(residual), residual, np.nan)
    parent = tree.parents(ordinal)[parts.numbers]
    labels = np.where(parent >= 0, tree.codes.astype(str).to_numpy()[np.maximum(parent, 0)], "")
    return Kinship.fit(residual, labels)


@dataclass(frozen=True, eq=False)
class JointDraws:
    """A joint sample of the outcomes of a level's units.

    Attributes
    ----------
    below : TargetDistribution
        Of the U units.
    numbers : np.ndarray
        (U,) their positions in the tree.
    weight : np.ndarray
        (U,) what each counts by in a total: 1 for amounts, the denominator for ratios; 0 for units left out.
    averaged : bool
        Totals are averages by weight instead of sums.
    seed, draws : int
    adjustments : tuple of Adjustment
        What reconciles the draws with distributions learned higher up, in the order in which it is applied.
    """

    below: TargetDistribution
    numbers: np.ndarray
    weight: np.ndarray
    averaged: bool
    seed: int
    draws: int = DRAWS
    adjustments: tuple[Adjustment, ...] = ()

    @classmethod
    def of(
        cls,
        parts: Level,
        below: TargetDistribution,
        tree: UnitTree,
        *,
        ordinal: int,
        seed: int,
        draws: int = DRAWS,
    ) -> JointDraws:
        """Set up the joint sample of a level; units under one parent are tied as their past says.

        Parameters
        ----------
        parts : Level
        below : TargetDistribution
            Of the level's units. A kinship that it has already (of peers, say) is kept where it is the stronger one.
        tree : UnitTree
        ordinal : int
            Period whose tree counts.
        seed, draws : int
        """
        averaged = parts.indicator.kind in ("ratio", "level")
        weight = np.ones(len(parts.numbers))
        if averaged and parts.problem.weight is not None:
            weight = np.maximum(np.nan_to_num(parts.problem.weight[-1]), 0.0)
        weight = np.where(below.known & np.isfinite(parts.problem.base[-1]), weight, 0.0)
        near_by = neighbours(parts, below, tree, ordinal=ordinal)
        if below.kinship is None or below.kinship.correlation < near_by.correlation:
            below = below.tied(near_by)
        return cls(below, parts.numbers, weight, averaged, seed, draws)

    @property
    def indicator(self) -> Indicator:
        """Give the indicator drawn."""
        return self.below.indicator

    def shares(self, members: csr_array) -> csr_array:
        """Give what each unit contributes to each total (G, U): its weight, over the total's for averages."""
        found = csr_array(members.multiply(self.weight[None, :]))
        if not self.averaged:
            return found
        total = np.maximum(np.asarray(found.sum(axis=1)).ravel(), np.finfo(float).tiny)
        return csr_array(found.multiply(1 / total[:, None]))

    def totals(self, members: csr_array) -> np.ndarray:
        """Give the totals (draws, G) of subtrees, as `membership` describes them; NaN where nothing is below.

        All columns come from the same draws: row k of every total, and of every unit, is one possible year.
        """
        shares = self.shares(members)
        sums = np.concatenate([np.asarray(shares @ drawn.T).T for _, drawn in self._chunks(summed=True)])
        sums[:, self._counts(members) == 0] = np.nan
        return sums

    def distribution(self, members: csr_array) -> DrawnDistribution:
        """Give the distributions of the totals of subtrees."""
        evidence = np.array([f"joint draws of {count:,} units below" for count in self._counts(members)], dtype=object)
        return DrawnDistribution(self.indicator, np.sort(self.totals(members), axis=0), evidence)

    def attained(self, values: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
        """Give the probability that each unit attains its value, in the draws chosen.

        Parameters
        ----------
        values : np.ndarray
            (U,)
        where : np.ndarray, optional
            (draws,) bool or weights, such as `near` and `reaching` give for a group; (draws, K) for K at once. All
            draws where not given.

        Returns
        -------
        np.ndarray
            (U,) or (U, K); NaN where nothing is known of a unit or no draw is chosen.
        """
        chosen = np.ones(self.draws) if where is None else np.asarray(where, dtype=float)
        table = chosen.reshape(self.draws, -1)
        count = np.zeros((len(self.numbers), table.shape[1]))
        for start, drawn in self._chunks(summed=False):
            count += meets(self.indicator, drawn, values).T.astype(float) @ table[start : start + len(drawn)]
        total = table.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, count / total, np.nan)
        share[~(self.below.known & np.isfinite(values))] = np.nan
        return share.reshape((len(self.numbers), *chosen.shape[1:]))

    def reaching(self, totals: np.ndarray, goal: float) -> np.ndarray:
        """Tell in which draws (draws,) a group's total (draws,) attains its goal."""
        return meets(self.indicator, totals[:, None], np.array([goal]))[:, 0]

    def reconciled(self, members: csr_array, learned: TargetDistribution) -> JointDraws:
        """Move the draws so that totals are distributed as a model of the totals themselves has it.

        The order of the draws stays: the year in which a total is highest remains that year (the idea of the Schaake
        shuffle, Clark et al. 2004, with the draws as the template).

        Parameters
        ----------
        members : csr_array
            (G, U) disjoint subtrees.
        learned : TargetDistribution
            Of the G totals.
        """
        change = adjustment(self.totals(members), learned, self.below, members, self.shares(members))
        return replace(self, adjustments=(*self.adjustments, change))

    def _counts(self, members: csr_array) -> np.ndarray:
        """Count the units that enter each total (G,)."""
        return np.asarray(members @ (self.weight > 0).astype(float)).astype(int)

    def _chunks(self, *, summed: bool) -> Iterator[tuple[int, np.ndarray]]:
        """Draw some years at a time: the number of the first and the figures (n, U), 0 where a unit is left out.

        For sums, tails are cut off (`TAIL`).
        """
        used = self.weight > 0
        low, high = self.below.quantile(TAIL), self.below.quantile(1 - TAIL)
        step = max(1, min(self.draws, DRAWS_AT_ONCE // max(1, len(self.numbers))))
        for number, start in enumerate(range(0, self.draws, step)):
            drawn = self.below.sample(min(step, self.draws - start), seed=self.seed + number)
            if summed:
                drawn = np.where(used, np.clip(drawn, low, high), 0.0)
            for change in self.adjustments:
                drawn = change.apply(drawn, start)
            yield start, np.where(used, drawn, 0.0) if summed else drawn


def near(totals: np.ndarray, value: float, *, share: float = NEAR_SHARE) -> np.ndarray:
    """Tell which draws (draws,) of a group's total come nearest to a value: a share of them all."""
    distance = np.abs(totals - value)
    return distance <= np.quantile(distance, share)


def coherent(
    joint: JointDraws, learned: Sequence[tuple[Level, TargetDistribution]], tree: UnitTree, *, ordinal: int
) -> JointDraws:
    """Reconcile a joint sample with all levels learned above it, from the lowest up, the highest having the last word.

    Parameters
    ----------
    joint : JointDraws
        Of the leaves, or of the lowest complete level.
    learned : sequence of (Level, TargetDistribution)
        Levels above, lowest first.
    tree : UnitTree
    ordinal : int
    """
    for level, distribution in learned:
        joint = joint.reconciled(membership(level.numbers, joint.numbers, tree, ordinal=ordinal), distribution)
    return joint
