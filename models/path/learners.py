"""Forecasters of single series from statsforecast, run beside the base learner where there is time for them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np

FEWEST_YEARS = 3
"""A season needs this many whole years before an automatic model of one series is worth its variance."""
FEWEST_POINTS = 8
"""Likewise for figures without a season: fewer leave nothing to choose a model by."""
WIDEST = 3.0
"""A forecast outside the range of the series by more than this many times its width has run away and is dropped."""

Forecaster = Callable[[np.ndarray, int, int], np.ndarray]
"""From a series, the periods of a year and a horizon: the forecasts (H,)."""


def _ets(series: np.ndarray, per_year: int, horizon: int) -> np.ndarray:
    from statsforecast.models import AutoETS

    return AutoETS(season_length=per_year).forecast(series, h=horizon)["mean"]


def _theta(series: np.ndarray, per_year: int, horizon: int) -> np.ndarray:
    from statsforecast.models import DynamicOptimizedTheta

    return DynamicOptimizedTheta(season_length=per_year).forecast(series, h=horizon)["mean"]


LEARNERS: Mapping[str, Forecaster] = {"theta": _theta, "ets": _ets}
"""Dynamic optimised theta (Fiorucci and others 2016) and AutoETS (Hyndman and Khandakar 2008), of the combination of
Petropoulos and Svetunkov (2020). Of its other members, complex smoothing made the mixture worse on trial panels, and
AutoARIMA takes many times as long."""


def forecast_each(
    values: np.ndarray, horizon: int, *, per_year: int, columns: np.ndarray, learners: Mapping[str, Forecaster]
) -> dict[str, np.ndarray]:
    """Forecast some series by each learner.

    Parameters
    ----------
    values : np.ndarray
        (T, N), oldest first, on the working scale.
    horizon : int
    per_year : int
    columns : np.ndarray
        The series to forecast.
    learners : Mapping[str, Forecaster]

    Returns
    -------
    dict[str, np.ndarray]
        By learner (H, N); NaN for series not asked for, with a gap, too short, or for which the model failed.
    """
    found = {}
    for name, learner in learners.items():
        out = np.full((horizon, values.shape[1]), np.nan)
        for column in columns:
            out[:, column] = _one(learner, last_run(values[:, column]), per_year, horizon)
        found[name] = out
    return found


def last_run(series: np.ndarray) -> np.ndarray:
    """Give the unbroken run of figures at the end of a series; empty where the last is missing."""
    gaps = np.flatnonzero(~np.isfinite(series))
    return series[gaps[-1] + 1 :] if len(gaps) else series


def _one(learner: Forecaster, series: np.ndarray, per_year: int, horizon: int) -> np.ndarray:
    nothing = np.full(horizon, np.nan)
    fewest = FEWEST_YEARS * per_year if per_year > 1 else FEWEST_POINTS
    if len(series) < fewest or np.ptp(series) == 0:
        return nothing
    # A series of any size is put on the same one: the optimisers stop at absolute tolerances.
    size = float(np.mean(np.abs(series)))
    scaled = series / size
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            ahead = np.asarray(learner(scaled, per_year, horizon), dtype=float)
        except Exception:  # a library that raises plain Exception for series too short or too odd for it
            return nothing
    low, high = scaled.min(), scaled.max()
    reach = WIDEST * (high - low)
    sensible = np.isfinite(ahead).all() and ahead.min() >= low - reach and ahead.max() <= high + reach
    return ahead * size if sensible else nothing
