"""What is usual of a statistic, learned from the bulk of the past: so that small p-values mean what they say."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

NULL_YEARS = 3
"""Past that tells what is usual: a cycle of targets, long enough for a tail, short enough to follow changed habits."""
LEAST_POOL = 100
"""Fewest unit-periods from which the ninetieth percentile is read: below, it rests on fewer than ten of them."""
WARM_UP_MONTHS = 3
"""A quarter is seen before anything is unusual: the first figures of all units are out of the ordinary."""
MOST_POOL = 40_000
"""More than this tells no more: the ninetieth percentile is then known to a hundredth of a standard deviation."""
BULK = 0.9
"""Units that something is wrong with lie beyond this share at any time, and must not widen what counts as usual."""


def against_usual(x: np.ndarray, candidates: np.ndarray, *, per_year: int) -> np.ndarray:
    """Give a statistic as normal scores: by the median and the ninetieth percentile of all units up to each period.

    A statistic made of several dependent, heavy-tailed or serially correlated figures has no tail known in advance.
    Its bulk shows centre and scale; what lies beyond is then held against the normal tail of that bulk.

    Parameters
    ----------
    x : np.ndarray
        (P, U), larger is more concerning.
    candidates : np.ndarray
        (P, U) booleans: the units that exist and are judged.
    per_year : int
        Periods of a year.

    Returns
    -------
    np.ndarray
        (P, U); NaN where `x` is, for other units, and before a quarter of a year and `LEAST_POOL` unit-periods have
        been seen. Row P rests on rows up to P alone.

    Notes
    -----
    Source: B. Efron, Large-scale simultaneous hypothesis testing: the choice of a null hypothesis (2004).
    """
    window = NULL_YEARS * per_year
    figures = np.where(candidates, x, np.nan)
    begun = np.logical_or.accumulate(candidates)
    seen = np.cumsum(np.isfinite(figures).any(axis=1))
    out = np.full(x.shape, np.nan)
    for row in np.flatnonzero(seen >= max(1, WARM_UP_MONTHS * per_year // 12)):
        units = np.flatnonzero(begun[row])  # those that come later must not change who is sampled
        sampled = figures[: row + 1, units[:: max(1, -(-len(units) * window // MOST_POOL))]]
        pool = sampled[-window:][np.isfinite(sampled[-window:])]
        if len(pool) < LEAST_POOL:
            pool = sampled[np.isfinite(sampled)]
        if len(pool) < LEAST_POOL:
            continue
        middle, high = np.quantile(pool, (0.5, BULK))
        if high > middle:
            out[row] = (figures[row] - middle) * (ndtri(BULK) / (high - middle))
    return out
