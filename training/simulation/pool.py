"""What a change of scores does to a bonus pool that is paid by score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.rounding import shares
from training.simulation.compared import Compared

CENTS = 2
"""Decimals of money."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Bonus by row (N,), in the currency of the point value; 0 for rows without a score on both sides.

    Attributes
    ----------
    point_value : float
        Paid for a point.
    before, after : np.ndarray
        Score x point value; a score below zero earns nothing and costs nothing.
    fixed : np.ndarray
        After the change where the pool of each period stays as large as before and is shared out by score; it adds up
        to the pool before, to the cent.
    """

    point_value: float
    before: np.ndarray
    after: np.ndarray
    fixed: np.ndarray

    @property
    def extra(self) -> float:
        """Give what the change costs where a point keeps its value."""
        return round(float(self.after.sum() - self.before.sum()), CENTS)

    @property
    def moved(self) -> float:
        """Give what changes hands where the pool stays as large as it is."""
        return round(float(np.maximum(self.fixed - self.before, 0).sum()), CENTS)


def pool_of(compared: Compared, point_value: float) -> Pool:
    """Work the bonus pool out."""
    before, after = (
        np.round(np.where(compared.both, np.maximum(side.tenths, 0), 0) / 10 * point_value, CENTS)
        for side in (compared.old, compared.new)
    )
    fixed = np.zeros(len(before))
    for rows in compared.about.groupby("period").indices.values():
        claims, whole = after[rows], before[rows].sum()
        if claims.sum() > 0:
            fixed[rows] = shares(claims / claims.sum() * whole, whole, decimals=CENTS)
    return Pool(point_value, before, after, fixed)
