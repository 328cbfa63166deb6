"""How much of the list is likely to be false: q-values over the last year, and the cut to what can be reviewed."""

from __future__ import annotations

import numpy as np

FALSE_DISCOVERY_LEVEL = 0.20
"""Of what is on the list, one in five may be chance: a review costs hours, a missed case costs loans."""
REVIEW_BUDGET = 0.05
"""Part of the units that can be reviewed in a period: domain brief, section 4."""
ROUNDING = 1e-9
"""Forgiven where a part of the units is cut to whole ones: 0.29 of 100 are 29, though the product falls just short."""


def q_values(p: np.ndarray, *, per_year: int) -> np.ndarray:
    """Estimate the false-discovery rate of a list that goes down to each unit: Benjamini and Hochberg over a year.

    The p-values of a whole year up to each period are taken together: one period of a few units holds too few of them
    for a steady estimate, and whole years have the same seasons in them.

    Parameters
    ----------
    p : np.ndarray
        (P, U) calibrated p-values, NaN where unknown.
    per_year : int
        Periods of a year.

    Returns
    -------
    np.ndarray
        (P, U), 0 to 1; NaN where `p` is. Row P rests on rows up to P alone.

    Notes
    -----
    Source: Y. Benjamini and Y. Hochberg (1995), Controlling the false discovery rate; valid under the positive
    dependence of overlapping windows by Benjamini and Yekutieli (2001).
    """
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    for row in range(len(p)):
        first = max(0, row + 1 - per_year)
        pool = np.sort(p[first : row + 1][known[first : row + 1]])
        here = np.flatnonzero(known[row])
        if not len(here):
            continue
        rates = pool * (len(pool) / np.arange(1, len(pool) + 1))
        rates = np.minimum.accumulate(rates[::-1])[::-1]
        q[row, here] = np.minimum(rates[np.searchsorted(pool, p[row, here])], 1.0)
    return q


def expected_false(probability: np.ndarray) -> np.ndarray:
    """Estimate the false share of a list that goes down to each unit from calibrated probabilities: (P, U).

    Of those with at least the unit's probability in the same period, the mean chance that nothing happens.
    """
    out = np.full(probability.shape, np.nan)
    for row, chances in enumerate(probability):
        here = np.flatnonzero(np.isfinite(chances))
        order = here[np.argsort(-chances[here], kind="stable")]
        false = np.cumsum(1.0 - chances[order]) / np.arange(1, len(order) + 1)
        last = np.searchsorted(-chances[order], -chances[order], side="right") - 1  # ties share the list's end
        out[row, order] = false[last]
    return out


def cut_to_budget(chosen: np.ndarray, score: np.ndarray, candidates: np.ndarray, *, budget: float) -> np.ndarray:
    """Keep the highest scores of each period, at most the budgeted part of the candidates, at least one.

    Parameters
    ----------
    chosen : np.ndarray
        (P, U) booleans: who would be on the list.
    score : np.ndarray
        (P, U), known where chosen.
    candidates : np.ndarray
        (P, U) booleans.
    budget : float
        Part of the candidates, 0 to 1.
    """
    out = np.zeros(chosen.shape, dtype=bool)
    for row in np.flatnonzero(chosen.any(axis=1)):
        units = np.flatnonzero(chosen[row])
        places = max(1, int(budget * candidates[row].sum() + ROUNDING)) if budget > 0 else 0
        out[row, units[np.argsort(-score[row, units], kind="stable")[:places]]] = True
    return out
