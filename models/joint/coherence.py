"""Bringing the draws of units into line with what was learned of their totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from models.outcome.distribution import TargetDistribution

GRID = np.concatenate([[0.001, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.999]])
"""Probabilities at which a learned distribution is read; between them it is interpolated."""


@dataclass(frozen=True, eq=False)
class Adjustment:
    """How the draws of the units of a group are moved, draw by draw.

    Attributes
    ----------
    group : np.ndarray
        (U,) number of the group that a unit belongs to; -1 for none.
    factor : np.ndarray
        (draws, G) by which non-negative figures are multiplied; all 1 where figures are moved instead.
    shift : np.ndarray
        (draws, G) by which figures of either sign are moved, in widths of the unit.
    width : np.ndarray
        (U,) width of the unit's own 80% band: the less certain a unit, the more of a shift it takes.
    limits : tuple
        Bounds of the indicator.
    """

    group: np.ndarray
    factor: np.ndarray
    shift: np.ndarray
    width: np.ndarray
    limits: tuple[float, float]

    def apply(self, drawn: np.ndarray, start: int) -> np.ndarray:
        """Move the draws (n, U), the first of which has number `start`."""
        inside = self.group >= 0
        rows = slice(start, start + len(drawn))
        group = self.group[inside]
        moved = drawn[:, inside] * self.factor[rows][:, group] + self.shift[rows][:, group] * self.width[inside]
        found = drawn.copy()
        found[:, inside] = np.clip(moved, *self.limits)
        return found


def adjustment(
    totals: np.ndarray,
    learned: TargetDistribution,
    below: TargetDistribution,
    members: csr_array,
    shares: csr_array,
) -> Adjustment:
    """Find what brings totals of draws to the quantiles that were learned of them.

    Where outcomes cannot be negative all units of a group are multiplied by one factor a draw, so that shares stay and
    no figure changes its sign; elsewhere they are moved in proportion to their own uncertainty.

    Parameters
    ----------
    totals : np.ndarray
        (draws, G)
    learned : TargetDistribution
        Of the G totals; those of which it knows nothing are left as they are.
    below : TargetDistribution
        Of the U units.
    members, shares : csr_array
        (G, U) disjoint groups, and what each unit contributes to its group's total.
    """
    place = np.argsort(np.argsort(totals, axis=0, kind="stable"), axis=0, kind="stable")
    chance = (np.arange(len(totals)) + 0.5) / len(totals)
    asked = np.stack([np.interp(chance, GRID, row) for row in learned.quantile(GRID)], axis=1)
    asked = np.take_along_axis(asked, place, axis=0)
    known = np.isfinite(asked) & np.isfinite(totals)
    factor, shift = np.ones(totals.shape), np.zeros(totals.shape)
    low, high = below.quantile([0.1, 0.9]).T
    width = np.nan_to_num(high - low)
    if below.transform.low >= 0:
        np.divide(asked, totals, out=factor, where=known & (totals > 0))
    else:
        reach = np.asarray(shares @ width).ravel()
        reached = np.broadcast_to(reach, totals.shape)
        np.divide(asked - totals, reached, out=shift, where=known & (reached > 0))
    group = np.full(len(below.units), -1)
    rows, columns = members.nonzero()
    group[columns] = rows
    return Adjustment(group, factor, shift, width, below.indicator.limits)
