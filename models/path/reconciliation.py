"""Making forecasts of a tree add up: optimal combination of every level, for means and for joint draws alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

MOST_DENSE = 1_500
"""Up to this many series the covariance of their errors is used whole; its inverse grows with the cube of their number
(a few seconds here). Above, their variances alone are used, in one pass up and one down the tree."""
RIDGE = 1e-8
"""Added to a correlation matrix, so that series that move as one do not make it singular."""


@dataclass(frozen=True, eq=False)
class Summing:
    """How series add up: a forest, each parent before its children.

    Attributes
    ----------
    parents : np.ndarray
        (N,) position of the series above each, -1 for none.
    """

    parents: np.ndarray

    def __len__(self) -> int:
        return len(self.parents)

    @cached_property
    def depths(self) -> np.ndarray:
        """Count the series above each: (N,)."""
        depth = np.zeros(len(self.parents), dtype=int)
        current = self.parents
        while (climbing := current >= 0).any():
            depth += climbing
            current = np.where(climbing, self.parents[current], -1)
        return depth

    @cached_property
    def bottom(self) -> np.ndarray:
        """Tell which series have none below them: (N,) booleans."""
        found = np.ones(len(self.parents), dtype=bool)
        found[self.parents[self.parents >= 0]] = False
        return found

    @cached_property
    def levels(self) -> list[np.ndarray]:
        """Give the positions at each depth, the deepest first, the roots left out."""
        return [np.flatnonzero(self.depths == d) for d in range(int(self.depths.max(initial=0)), 0, -1)]

    def add_up(self, values: np.ndarray) -> np.ndarray:
        """Replace each parent's figures (..., N) by the sum of what is below it."""
        total = np.where(self.bottom, values, 0.0)
        for members in self.levels:
            np.add.at(np.moveaxis(total, -1, 0), self.parents[members], np.moveaxis(total[..., members], -1, 0))
        return total

    @cached_property
    def matrix(self) -> np.ndarray:
        """Give the summing matrix (N, B), a column for each bottom series."""
        return self.add_up(np.eye(len(self))[self.bottom]).T


def shrunk_covariance(errors: np.ndarray, *, independent: float) -> np.ndarray:
    """Estimate a covariance (N, N) from errors (n, N), its correlations shrunk towards none.

    Parameters
    ----------
    errors : np.ndarray
        No NaN; centred by the caller.
    independent : float
        How many of the rows count as independent: errors of overlapping spans repeat each other.

    Notes
    -----
    Schaefer and Strimmer (2005), as in MinT of Wickramasuriya, Athanasopoulos and Hyndman (2019).
    """
    rows = len(errors)
    deviation = np.sqrt(np.mean(errors**2, axis=0))
    floor = np.max(deviation, initial=0.0) * RIDGE or 1.0
    deviation = np.maximum(deviation, floor)
    scaled = errors / deviation
    correlation = scaled.T @ scaled / rows
    variance = ((scaled**2).T @ (scaled**2) / rows - correlation**2) / max(independent - 1, 1)
    off = ~np.eye(len(correlation), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    share = min(1.0, max(0.0, float(variance[off].sum()) / total)) if total > 0 else 1.0
    correlation[off] *= 1 - share
    correlation[~off] = 1.0 + RIDGE
    return correlation * np.outer(deviation, deviation)


def projection(summing: Summing, covariance: np.ndarray) -> np.ndarray:
    """Give the matrix (B, N) that turns forecasts of all series into coherent ones of the bottom: MinT."""
    inside = np.flatnonzero(summing.bottom)
    above = np.flatnonzero(~summing.bottom)
    if not len(above):
        return np.eye(len(summing))
    # With the constraint written as C y = 0, only a matrix of the size of the parents is inverted.
    constraint = np.zeros((len(above), len(summing)))
    constraint[np.arange(len(above)), above] = 1.0
    constraint[:, inside] = -summing.matrix[above]
    spread = covariance @ constraint.T
    gain = np.linalg.solve(constraint @ spread, spread[inside].T).T
    pick = np.zeros((len(inside), len(summing)))
    pick[np.arange(len(inside)), inside] = 1.0
    return pick - gain @ constraint


def reconcile_by_variance(summing: Summing, values: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Make figures (..., N) add up with the least change, each change counted by its variance (N,).

    The generalised least squares for a diagonal covariance, exact for a tree in one pass up and one down, so it serves
    a hundred thousand series: upwards each parent's own figure is averaged with the sum of what is below it, by
    precision; downwards what a parent gained is shared out among its children by their variance.
    """
    best, spread = values.astype(float, copy=True), variance.astype(float, copy=True)
    sums, sum_spread = np.zeros(best.shape), np.zeros(len(spread))
    moved, moved_sums = np.moveaxis(best, -1, 0), np.moveaxis(sums, -1, 0)
    for members in summing.levels:
        above = summing.parents[members]
        np.add.at(moved_sums, above, moved[members])
        np.add.at(sum_spread, above, spread[members])
        parents = np.unique(above)
        own, below = spread[parents], sum_spread[parents]
        share = np.divide(below, own + below, out=np.zeros_like(own), where=own + below > 0)
        best[..., parents] = share * best[..., parents] + (1 - share) * sums[..., parents]
        spread[parents] = share * own
    for members in summing.levels[::-1]:
        above = summing.parents[members]
        part = np.divide(spread[members], sum_spread[above], out=np.zeros(len(members)), where=sum_spread[above] > 0)
        best[..., members] += part * (best[..., above] - sums[..., above])
    return summing.add_up(best)


def keep_nonnegative(summing: Summing, values: np.ndarray) -> np.ndarray:
    """Raise negative figures (..., N) of the bottom to zero, at the cost of their siblings, and add up again.

    Cutting alone would raise every total above: so from the roots downwards, the figures of siblings that are left are
    scaled down to that of their parent.

    Parameters
    ----------
    summing : Summing
    values : np.ndarray
        (..., N), adding up.
    """
    goal = np.maximum(values, 0.0)
    for members in summing.levels[::-1]:
        above = summing.parents[members]
        sums = np.zeros(goal.shape)
        np.add.at(np.moveaxis(sums, -1, 0), above, np.moveaxis(goal[..., members], -1, 0))
        below = sums[..., above]
        share = np.divide(goal[..., above], below, out=np.zeros_like(below), where=below > 0)
        goal[..., members] *= share
    return summing.add_up(goal)
