"""What noise alone does: between years, among units that share a region and a year, and over many columns at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

FEWEST_BEFORE = 3
"""Years before a past year from which it is foretold, to learn how far years stray from those before them."""


@dataclass(frozen=True, slots=True)
class Departure:
    """How far a year's figure lies from those of the years learned from.

    Attributes
    ----------
    newest, usual, spread : float
        The figure, the mean of past years, and how far a new year usually lies from it.
    p : float
        Chance of a year so far away or farther.
    """

    newest: float
    usual: float
    spread: float
    p: float


def departure(newest: float, past: np.ndarray, *, sides: int = 2, least: float = 0.0) -> Departure:
    """Hold a year's figure against those of past years (k,), oldest first; NaN with fewer than two.

    Years follow one another: growth that persists strays farther from the mean of earlier years than independent years
    would. The spread is therefore the larger of what independent years give and of how far past years lay from the mean
    of those before them. Student's t with k-1 degrees of freedom.

    Parameters
    ----------
    newest : float
    past : np.ndarray
    sides : int
        1 where only a larger figure counts.
    least : float
        Deviation that a year's figure has by the chance of which units it is measured on; a few years that happen to be
        alike do not make it smaller.
    """
    past = past[np.isfinite(past)]
    k = len(past)
    if k < 2 or not np.isfinite(newest):
        return Departure(newest, float("nan"), float("nan"), float("nan"))
    usual = float(past.mean())
    variance = max(float(past.var(ddof=1)), least**2) * (1 + 1 / k)
    errors = [past[j] - past[:j].mean() for j in range(FEWEST_BEFORE, k)]
    if len(errors) >= 2:
        variance = max(variance, float(np.mean(np.square(errors))))
    spread = float(np.sqrt(variance))
    if spread <= np.finfo(float).eps * max(1.0, abs(usual)):
        same = bool(np.isclose(newest, usual, rtol=1e-9, atol=1e-12))
        return Departure(newest, usual, 0.0, 1.0 if same else 0.0)
    score = (newest - usual) / spread
    p = sides * float(stdtr(k - 1, -abs(score) if sides == 2 else -score))
    return Departure(newest, usual, spread, min(p, 1.0))


def adjusted(p: np.ndarray) -> np.ndarray:
    """Give p-values (n,) corrected for their number: those below a level hold that rate of false discoveries.

    Source: Y. Benjamini and Y. Hochberg, Controlling the false discovery rate (1995); holds for figures that go
    together (Benjamini and Yekutieli, 2001, theorem 1.2). NaN stays and does not count.
    """
    out = np.full(len(p), np.nan)
    seen = np.flatnonzero(np.isfinite(p))
    if not len(seen):
        return out
    order = seen[np.argsort(p[seen], kind="stable")]
    raised = p[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return out


@dataclass(frozen=True, slots=True)
class Average:
    """A mean of figures of which some belong together.

    Attributes
    ----------
    mean, error : float
        The mean and its standard error.
    degrees : int
        Of freedom: groups less one.
    count : int
    """

    mean: float
    error: float
    degrees: int
    count: int

    def interval(self, level: float) -> tuple[float, float]:
        """Give the interval that misses the truth with a chance of `level`."""
        from scipy.special import stdtrit

        reach = float(stdtrit(max(self.degrees, 1), 1 - level / 2)) * self.error
        return self.mean - reach, self.mean + reach

    def beyond(self, low: float, high: float) -> float:
        """Give the p-value of the truth lying between two limits: small where the mean is outside beyond noise."""
        if not self.count or not np.isfinite(self.error):
            return float("nan")
        gap = max(low - self.mean, self.mean - high)
        if self.error <= 0:
            return 1.0 if gap <= 0 else 0.0
        return float(stdtr(max(self.degrees, 1), -gap / self.error))


def average(values: np.ndarray, groups: np.ndarray, *, least_variance: float) -> Average:
    """Average figures (n,) whose errors go together within groups (n,).

    Parameters
    ----------
    values : np.ndarray
        NaN does not count.
    groups : np.ndarray
        Whole numbers.
    least_variance : float
        Variance of one figure when nothing is wrong: the error is not taken to be smaller than independent figures of
        that variance would have, however alike the few at hand are.

    Notes
    -----
    Source: K.-Y. Liang and S. Zeger, Longitudinal data analysis using generalized linear models (1986): sums of
    deviations by group; G/(G-1) for few groups.
    """
    seen = np.isfinite(values)
    values, groups = values[seen], groups[seen]
    n = len(values)
    if not n:
        return Average(float("nan"), float("nan"), 0, 0)
    mean = float(values.mean())
    _, place = np.unique(groups, return_inverse=True)
    sums = np.bincount(place, weights=values - mean)
    count = len(sums)
    floor = np.sqrt(max(least_variance, 0.0) / n)
    if count < 2:
        return Average(mean, float("inf"), 1, n)
    error = float(np.sqrt(count / (count - 1) * np.sum(sums**2)) / n)
    return Average(mean, max(error, float(floor)), count - 1, n)
