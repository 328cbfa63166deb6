"""The ratchet (鞭打快牛): how much of last year's out-performance is passed on into this year's target.

Weitzman ("The 'Ratchet Principle' and Performance Incentives", Bell Journal of Economics 1980) writes this year's
target as last year's plus an increment that all get, plus a share of the amount by which last year's was exceeded. That
share is the pass-through; the empirical literature measures it by the same regression (Indjejikian, Matejka and
Schloetzer, "Target Ratcheting and Incentives: Theory, Evidence, and New Opportunities", The Accounting Review 2014).

Everything is measured on the latent scale of growth, so that large units do not outweigh small ones:

    out-performance = latent(last actual) - latent(expected a year before)
    rise            = latent(target) - latent(expected a year before) = common + pass-through x out-performance

0: a good year leaves the target where it would have been. 1: the level gained becomes the new base, and the same growth
is asked of all. Above 1: those that grew fast are asked to grow faster than others; this is the whip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from models.outcome.growth import Transform
from models.outcome.history import robust_deviation

HUBER = 1.345
"""Residuals beyond this many deviations count less: the usual constant, 95% efficient where errors are normal."""

REWEIGHTINGS = 50
SMALL = 0.25
"""An out-performance smaller than this share of its usual size is no basis for a share of it."""

FEWEST = 5
"""Units with fewer than this many have no average worth stating."""


@dataclass(frozen=True, eq=False)
class Ratchet:
    """What a plan passes on.

    Attributes
    ----------
    outperformance : np.ndarray
        (U,) on the latent scale, positive where the unit did better than expected, in the indicator's own direction.
    passed_on : np.ndarray
        (U,) share of it that raises the unit's target; NaN where it was too small to say.
    average : float
        Slope of the robust regression over all units; NaN where there are too few.
    common : float
        Rise of the target, on the latent scale, of a unit that did exactly as expected.
    over : np.ndarray
        (U,) bool: out-performers of whose out-performance more than the cap is passed on.
    """

    outperformance: np.ndarray
    passed_on: np.ndarray
    average: float
    common: float
    over: np.ndarray


def measure_ratchet(
    indicator: Indicator,
    transform: Transform,
    *,
    expected: np.ndarray,
    last: np.ndarray,
    target: np.ndarray,
    cap: float,
) -> Ratchet:
    """Measure the pass-through per unit and on average.

    For a `band` indicator, where more is not better, nothing is measured.

    Parameters
    ----------
    indicator : Indicator
    transform : Transform
        To the latent scale.
    expected : np.ndarray
        (U,) what was expected, a year before, of the year that has just ended: last year's target, or the median of the
        distribution as of then.
    last, target : np.ndarray
        (U,) last year's actual figure and this year's target.
    cap : float
        Largest share that the policy lets pass.
    """
    sign = {"higher": 1.0, "lower": -1.0}.get(indicator.direction, np.nan)
    base = transform.latent(np.asarray(expected, dtype=float))
    gained = sign * (transform.latent(np.asarray(last, dtype=float)) - base)
    rise = sign * (transform.latent(np.asarray(target, dtype=float)) - base)
    known = np.isfinite(gained) & np.isfinite(rise)
    common, slope = _robust_line(gained[known], rise[known])
    usual = robust_deviation(gained[known]) if known.any() else 1.0
    telling = known & (np.abs(gained) >= SMALL * usual) & np.isfinite(slope)
    passed = np.where(telling, (rise - common) / np.where(telling, gained, 1.0), np.nan)
    over = telling & (gained > 0) & (np.nan_to_num(passed, nan=-np.inf) > cap)
    return Ratchet(np.where(known, gained, np.nan), passed, slope, sign * common, over)


def capped_values(
    indicator: Indicator, transform: Transform, *, ratchet: Ratchet, expected: np.ndarray, cap: float
) -> np.ndarray:
    """Give the hardest values (U,) that the cap allows to units above it; NaN for all others."""
    sign = 1.0 if indicator.direction == "higher" else -1.0
    rise = ratchet.common + sign * cap * ratchet.outperformance
    value = transform.value(transform.latent(np.asarray(expected, dtype=float)) + rise)
    return np.where(ratchet.over, value, np.nan)


def growth_gap(attained: np.ndarray, past_growth: np.ndarray) -> float:
    """Give how much less often the third that grew most attains than the third that grew least.

    Parameters
    ----------
    attained : np.ndarray
        Probabilities of attaining, or 1 and 0 for outcomes, of any shape.
    past_growth : np.ndarray
        Past growth of the same units, in the direction that is better.

    Returns
    -------
    float
        Mean of the slow third less mean of the fast third: positive where those that grew fast are worse off.
    """
    known = np.isfinite(attained) & np.isfinite(past_growth)
    attained, past_growth = attained[known], past_growth[known]
    if len(attained) < FEWEST:
        return float("nan")
    slow, fast = np.quantile(past_growth, [1 / 3, 2 / 3])
    return float(attained[past_growth <= slow].mean() - attained[past_growth >= fast].mean())


def _robust_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Fit intercept and slope by Huber's weights; (0, NaN) where x does not vary or there is too little of it."""
    if len(x) < FEWEST or np.ptp(x) == 0:
        return (float(np.median(y)) if len(y) else 0.0), float("nan")
    weight = np.ones(len(x))
    intercept, slope = 0.0, 0.0
    for _ in range(REWEIGHTINGS):
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = np.average((x - mean_x) ** 2, weights=weight)
        new = np.average((x - mean_x) * (y - mean_y), weights=weight) / spread if spread > 0 else slope
        moved = abs(new - slope)
        slope, intercept = float(new), float(mean_y - new * mean_x)
        off = np.abs(y - intercept - slope * x)
        size = robust_deviation(off)
        weight = np.minimum(1.0, HUBER * size / np.maximum(off, 1e-300))
        if moved < 1e-10:
            break
    return intercept, slope
