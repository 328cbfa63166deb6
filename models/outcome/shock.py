"""The growth that all units share: how it has moved from year to year, and how far it may move next."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from models.outcome.history import History, row_median
from models.outcome.spread import RESIDUAL_POINTS, SHOCK_POINTS, even_probabilities

MINIMUM_UNITS = 5
"""A year in which fewer units (or all, in a small group) are seen has no common growth worth learning from."""

MEMORY = 10
"""Years of common growth whose mean counts: older regimes said nothing about the next year."""

USUAL_PERSISTENCE = 0.6
PERSISTENCE_YEARS = 12.0
"""The weight of the last year until its autocorrelation says otherwise, and the pseudo-years that hold it there. From
0.5 to 0.8 the mean loss falls by half a percent, and the worst panels, whose common growth alternates, lose 4%."""

SPREAD_YEARS = 6.0
"""Pseudo-years that draw the spread of the rule's own past errors towards the plain deviation of the years."""

FEWEST_DEGREES = 6
"""With a handful of years Student's t reaches too far: at least this many degrees of freedom. With 3 the 80% band held
82% to 84% of outcomes on small panels, with 10 80% to 82%."""


def common_growth(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Give each row's median growth (T+1,) and whether enough units show it (T+1,)."""
    seen = np.isfinite(history.growth).sum(axis=1)
    return row_median(history.growth)[:, 0], seen >= max(1, min(MINIMUM_UNITS, int(seen.max(initial=0))))


def persistence(years: np.ndarray) -> float:
    """Give the weight of the last year against the mean: the usual one, moved by the autocorrelation that was seen."""
    centred = years - years.mean()
    power = float(np.sum(centred**2))
    if len(years) < 3 or power == 0:
        return USUAL_PERSISTENCE
    # The autocorrelation of n independent years is -1/n on average.
    seen = float(np.sum(centred[1:] * centred[:-1])) / power + 1 / len(years)
    pull = PERSISTENCE_YEARS * USUAL_PERSISTENCE
    return float(np.clip((len(years) * seen + pull) / (len(years) + PERSISTENCE_YEARS), 0.0, 1.0))


def expected_shock(years: np.ndarray, weight: float) -> float:
    """Give the next year's common growth: part last year, part mean."""
    return float(weight * years[-1] + (1 - weight) * np.mean(years[-MEMORY:]))


def recipe_shock(years: np.ndarray) -> np.ndarray:
    """Give points of equal probability of the next year's common growth from the past ones (k,), k at least 2.

    Student's t with k-1 degrees of freedom around `expected_shock`; its scale is that of the rule's own one-year
    errors, drawn towards the deviation of the years.
    """
    weight = persistence(years)
    errors = np.array([years[k] - expected_shock(years[:k], weight) for k in range(1, len(years))])
    variance = float(np.var(years, ddof=1))
    scale = np.sqrt((np.sum(errors**2) + SPREAD_YEARS * variance) / (len(errors) + SPREAD_YEARS))
    degrees = max(len(years) - 1, FEWEST_DEGREES)
    return expected_shock(years, weight) + scale * stdtrit(degrees, even_probabilities(SHOCK_POINTS))


def pooled_shock(years: np.ndarray) -> np.ndarray:
    """Give points of equal probability of the common growth as it was: any past year is as likely as another."""
    return np.quantile(years, even_probabilities(SHOCK_POINTS), method="averaged_inverted_cdf")


def cautious_pooled_shock(years: np.ndarray) -> np.ndarray:
    """Give points around the mean of the past years, as wide as Student's t makes so few of them.

    What pooled growth leaves out: a handful of years is taken for all there can be, so its 80% band covered 55% to 77%.
    """
    if len(years) < 2:
        return pooled_shock(years)
    degrees = max(len(years) - 1, FEWEST_DEGREES)
    scale = float(np.std(years, ddof=1)) * np.sqrt(1 + 1 / len(years))
    return float(np.mean(years)) + scale * stdtrit(degrees, even_probabilities(SHOCK_POINTS))


def residual_points(residual: np.ndarray) -> np.ndarray:
    """Give points of equal probability of the residuals that are known; NaN where none is."""
    known = residual[np.isfinite(residual)]
    return np.quantile(known, even_probabilities(RESIDUAL_POINTS)) if len(known) else np.full(RESIDUAL_POINTS, np.nan)
