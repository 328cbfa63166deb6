"""The elastic band (弹性区间) around a target: results inside it count as on target, and it narrows with evidence."""

from __future__ import annotations

import numpy as np

from models.outcome.distribution import TargetDistribution

HALF_WIDTH = 0.15
"""Points of probability on either side of a target for a unit without a year of its own: between the policy's floor and
target (0.85 and 0.60) lie 25 points, so that the band of the least known unit still ends before its floor."""

PRIOR_YEARS = 2.0
"""Years of its own with which a unit's figures count as much as those of its peers, as in `models.outcome.history`."""


def band_half_width(own_years: np.ndarray) -> np.ndarray:
    """Give the half-width, in points of probability, by years of the unit's own.

    The standard error of a mean that starts from `PRIOR_YEARS` of peers falls as 1 / sqrt(years + prior) (credibility
    theory: Bühlmann, ASTIN Bulletin 1967).

    >>> import numpy as np
    >>> band_half_width(np.array([0, 6])).round(3)
    array([0.15 , 0.075])
    """
    years = np.maximum(np.nan_to_num(np.asarray(own_years, dtype=float)), 0.0)
    return HALF_WIDTH * np.sqrt(PRIOR_YEARS / (PRIOR_YEARS + years))


def elastic_band(
    distribution: TargetDistribution, targets: np.ndarray, *, own_years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the lower and upper end of the band around each target, in the indicator's unit.

    The band holds what lies within `band_half_width` of the target in probability, so it is wide for volatile units and
    narrow for steady ones, and narrows for both as years of their own come in. It always holds the target.

    Parameters
    ----------
    distribution : TargetDistribution
    targets : np.ndarray
        (U,) values, wherever they came from.
    own_years : np.ndarray
        (U,) years of growth of the unit's own that were known.

    Returns
    -------
    low, high : np.ndarray
        (U,); NaN where there is no distribution or no target.
    """
    targets = np.asarray(targets, dtype=float)
    known = distribution.known & np.isfinite(targets)
    level = np.where(known, distribution.cdf(targets), 0.5)
    half = band_half_width(own_years)
    low = distribution.quantile_each(np.clip(level - half, 0.0, 1.0))
    high = distribution.quantile_each(np.clip(level + half, 0.0, 1.0))
    return (
        np.where(known, np.fmin(low, targets), np.nan),
        np.where(known, np.fmax(high, targets), np.nan),
    )
