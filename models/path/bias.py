"""The lasting part of past errors: where figures keep growing, a learner that damps trends is short year after year."""

from __future__ import annotations

import numpy as np

FEWEST_YEARS = 3
"""Years of past errors from which their mean may be more than chance."""


def lasting_bias(errors: np.ndarray, size: np.ndarray, years: np.ndarray, *, depths: np.ndarray) -> np.ndarray:
    """Give the part of the mean past error, as a share of the size, that its years bear out: (H, N).

    Parameters
    ----------
    errors, size : np.ndarray
        (O, H, N) from O past origins: what came less what was forecast, and the size that it is judged against.
    years : np.ndarray
        (O,) the year of each origin.
    depths : np.ndarray
        (N,) of each series in the tree; all of a depth are alike, for single ones say little.

    Notes
    -----
    The positive-part rule of James and Stein (1961) keeps of a mean what its years agree on: all of it where each year
    was short, nothing where they contradict each other. No more is kept than the last year had, which shows whether the
    learner has caught up since.
    """
    used = np.isfinite(errors) & np.isfinite(size)
    bias = np.zeros(errors.shape[1:])
    for depth in np.unique(depths):
        mine = depths == depth
        off = np.where(used, errors, 0.0)[:, :, mine].sum(axis=2)
        whole = np.where(used, size, 0.0)[:, :, mine].sum(axis=2)
        common = np.divide(off, whole, out=np.full(off.shape, np.nan), where=whole > 0)
        known = np.isfinite(common)
        parts = [common[years == year][known[years == year]] for year in np.unique(years)]
        means = np.array([part.mean() for part in parts if len(part)])
        if len(means) < FEWEST_YEARS or not means.mean():
            continue
        mean, last = float(means.mean()), float(means[-1])
        kept = mean * max(0.0, 1 - float(means.var(ddof=1)) / len(means) / mean**2)
        lasting = np.sign(kept) * min(abs(kept), abs(last)) if kept * last > 0 else 0.0
        steps = np.where(known, common, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        bias[:, mine] = (lasting / mean * steps)[:, None]
    return bias
