"""A difference between two models, paired over origins and units, and how much of it may be noise.

Units share the shock of their year: a thousand of them in one year are closer to one observation than to a thousand. So
the error of a difference is measured between origins, each of which has one vote, and not between units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

FEWEST_CLUSTERS = 3
"""With fewer origins their spread says nothing; the error is then measured between units, which is too small."""

Basis = Literal["origins", "units", "same", "none"]


@dataclass(frozen=True, slots=True)
class Paired:
    """A mean difference and its error; above zero the challenger is worse.

    Attributes
    ----------
    mean : float or None
        Over origins, in parts of the baseline's loss; None where nothing could be paired.
    error : float or None
        Standard error of the mean.
    origins, units : int
        Origins and distinct units that it rests on.
    basis : str
        What the error was measured between: `origins`; `units` where there were too few origins, and the error is too
        small; `same` where both are the same by construction; `none`.
    """

    mean: float | None
    error: float | None
    origins: int
    units: int
    basis: Basis

    @property
    def weak(self) -> bool:
        """Tell whether it says little: the error leaves out what units have in common."""
        return self.basis == "units"

    def reach(self, confidence: float) -> float:
        """Give what noise alone reaches, one-sided."""
        if not self.error:
            return 0.0
        freedom = (self.origins if self.basis == "origins" else self.units) - 1
        return float(stdtrit(freedom, confidence)) * self.error

    def worse(self, *, confidence: float, margin: float = 0.0) -> bool:
        """Tell whether the challenger is worse: by more than a margin, and beyond noise (one-sided)."""
        if self.mean is None or self.basis in ("same", "none"):
            return False
        return self.mean > margin and self.mean > self.reach(confidence)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Paired:
        """Read what `as_dict` gave."""
        return cls(**plain)


NOTHING = Paired(None, None, 0, 0, "none")
"""Nothing could be paired."""


def same(*, origins: int = 0, units: int = 0) -> Paired:
    """Give the difference of a model from itself."""
    return Paired(0.0, 0.0, origins, units, "same")


def paired(difference: np.ndarray, *, origin: np.ndarray, unit: np.ndarray, part: np.ndarray) -> Paired:
    """Average differences and measure their error between origins.

    Parameters
    ----------
    difference : np.ndarray
        (n,) challenger less champion, in parts of the baseline's loss of its part; NaN where either is unknown.
    origin, unit, part : np.ndarray
        (n,) numbers of the year, the unit, and the indicator and level that each belongs to.

    Returns
    -------
    Paired
        Parts have one vote each within an origin, however many units they have, and origins one each.

    Notes
    -----
    The mean over k origins against Student's t with k - 1 degrees of freedom: the cluster-robust error with origins as
    clusters of one vote (Cameron and Miller 2015; Diebold and Mariano 1995 for paired losses). With less than
    `FEWEST_CLUSTERS` origins the error is that between units' own means.
    """
    seen = np.isfinite(difference)
    if not seen.any():
        return NOTHING
    difference, origin, unit, part = difference[seen], origin[seen], unit[seen], part[seen]
    each = means(difference, origin, part)
    origins, units = len(each), len(np.unique(unit))
    mean = float(each.mean())
    if origins >= FEWEST_CLUSTERS:
        return Paired(mean, float(each.std(ddof=1) / math.sqrt(origins)), origins, units, "origins")
    if units < 2:
        return NOTHING
    own = means(difference, unit, part)
    return Paired(mean, float(own.std(ddof=1) / math.sqrt(units)), origins, units, "units")


def means(values: np.ndarray, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Average values (n,) by outer and inner number, then over the inner: one figure an outer number, ascending."""
    _, at = np.unique(outer, return_inverse=True)
    _, within = np.unique(inner, return_inverse=True)
    shape = int(at.max()) + 1, int(within.max()) + 1
    cell = at * shape[1] + within
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(cell, weights=values, minlength=shape[0] * shape[1]).reshape(shape)
    average = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    return average.sum(axis=1) / np.maximum((count > 0).sum(axis=1), 1)
