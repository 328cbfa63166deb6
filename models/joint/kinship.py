"""Neighbours move together: how far the residuals of units of one group (a region, a state) go with each other.

It matters for totals only. Branches of a province share its weather; left out, the sum of thirteen branches looks
steadier than it is. Each unit's own distribution stays as it is: the residuals are tied by a Gaussian copula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

CUT = 3.0
"""Residuals beyond this many scales count as this: a merger is no neighbourhood."""

PRIOR_YEARS = 2.0
"""Pseudo-years without any kinship: one year in which neighbours happened to move together proves little."""

FEWEST_YEARS = 3
"""Years of a unit from which its own mean is taken out first: lasting differences are no shocks. With fewer the mean
would take the shocks with it."""

MOST = 0.9
"""Largest correlation: units are never copies of each other."""


@dataclass(frozen=True, eq=False)
class Kinship:
    """Groups of units and the correlation of residuals within them.

    Attributes
    ----------
    groups : np.ndarray
        (U,) label of each unit's group, as text.
    correlation : float
        Of the normal scores of two units of one group, from 0 to below 1.
    """

    groups: np.ndarray
    correlation: float

    @classmethod
    def fit(cls, residual: np.ndarray, groups: np.ndarray) -> Kinship:
        """Learn the correlation from past residuals; each year has one vote.

        Parameters
        ----------
        residual : np.ndarray
            (T, U) past growth against the common growth, over the unit's scale; NaN where not known.
        groups : np.ndarray
            (U,) labels.

        Notes
        -----
        The pairwise form of the intraclass correlation (Donner 1986), the mean product of two units of a group over the
        mean square, averaged over years and drawn towards zero.
        """
        groups = np.asarray(groups).astype(str)
        z = np.clip(residual, -CUT, CUT)
        seen = np.isfinite(z)
        count = seen.sum(axis=0)
        mean = np.where(seen, z, 0.0).sum(axis=0) / np.maximum(count, 1)
        z = np.where(seen, z - np.where(count >= FEWEST_YEARS, mean, 0.0), 0.0)
        code, _ = pd.factorize(groups, sort=True)
        products, squares, years = 0.0, 0.0, 0
        for row, there in zip(z, seen, strict=True):
            members = np.bincount(code[there], minlength=code.max(initial=0) + 1)
            pairs = float(np.sum(members * (members - 1.0)))
            if not pairs or not np.any(row):
                continue
            total = np.bincount(code[there], weights=row[there], minlength=len(members))
            own = float(np.sum(row[there] ** 2))
            products += (float(np.sum(total**2)) - own) / pairs
            squares += own / there.sum()
            years += 1
        if not years or squares <= 0:
            return cls(groups, 0.0)
        return cls(groups, float(np.clip(products / squares * years / (years + PRIOR_YEARS), 0.0, MOST)))

    def take(self, columns: np.ndarray) -> Kinship:
        """Keep some units, by position, in the order given."""
        return Kinship(self.groups[columns], self.correlation)

    def related(self, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Tie independent standard normal draws (n, U) within the groups; each stays standard normal."""
        if self.correlation == 0 or not own.size:
            return own
        code, labels = pd.factorize(self.groups, sort=True)
        shared = np.sqrt(self.correlation) * rng.standard_normal((len(own), len(labels)))
        found = np.sqrt(1 - self.correlation) * own
        found += shared[:, code]
        return found
