"""Forecasters that look at one unit's yearly figures and nothing else: AutoETS and AutoARIMA, as named baselines.

Each unit's series is taken on the latent scale, up to the figure known at the origin. Such a fit costs milliseconds
(AutoETS) to a quarter of a second (AutoARIMA), so only a sample of the units is fitted where there are many; nothing is
said of the others, and every comparison is made on the units that were fitted.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from models.outcome.baselines import Baseline, ModelFitter, own_drift
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import start
from models.outcome.problem import TargetProblem
from models.outcome.spread import RESIDUAL_POINTS, even_probabilities

FEWEST_FIGURES = 5
"""A shorter series leaves nothing to estimate an order from; own drift stands in and the evidence says so."""

BAND = 80
"""Level, in percent, of the interval from which the spread of a Normal forecast is read."""

WIDEST = 5.0
"""A forecast more than this many times the size of the largest step ever seen by the group off the last figure is a fit
that ran away (an explosive trend on a handful of points); own drift stands in."""

ARIMA_ORDERS: dict[str, Any] = {"start_p": 0, "start_q": 0, "max_p": 2, "max_q": 1}
"""A dozen yearly figures identify no higher order. Starting from the simplest took less than half the time of the usual
start and gave forecasts that were, if anything, closer."""

Forecaster = Callable[[np.ndarray, int], tuple[float, float]]
"""From a series (n,) and a horizon in years: the expected figure and its standard deviation."""


@dataclass(frozen=True)
class SeriesBaseline:
    """A forecaster for each unit of its own, with own drift where it cannot be fitted.

    Attributes
    ----------
    drift : Baseline
        What stands in; also holds transform, zeros and history.
    name : str
        Of the forecaster, for the evidence.
    forecaster : callable
    units : int
        At most this many units are fitted.
    seed : int
        Of the sample of units.
    """

    drift: Baseline
    name: str
    forecaster: Forecaster
    units: int
    seed: int

    def predict(self, problem: TargetProblem) -> TargetDistribution:
        """Give the distribution for the last year: Normal around each unit's forecast; NaN for units not sampled."""
        learned = self.drift.learned
        begin = start(problem, learned.transform, learned.zero, deviation=learned.history.deviation)
        growth, scale = (np.broadcast_to(part, begin.base.shape).copy() for part in self.drift.own(problem, begin))
        # Own drift is Student's t: as a Normal of the same 80% band.
        degrees = max(len(learned.years) - 1, 1)
        scale *= stdtrit(degrees, 0.5 + BAND / 200) / ndtri(0.5 + BAND / 200)
        chosen = self._sample(problem, begin.base)
        fitted = np.zeros(len(growth), dtype=bool)
        series = learned.transform.latent(problem.base)
        steps = np.abs(learned.history.growth[np.isfinite(learned.history.growth)])
        reach = WIDEST * problem.horizon * (float(steps.max()) if len(steps) else np.inf)
        for unit in np.flatnonzero(chosen):
            found = self._fit(_last_run(series[:, unit]), problem.horizon)
            if found is not None and abs(found[0]) <= reach:
                growth[unit], scale[unit], fitted[unit] = *found, True
        found = begin.distribution(
            problem,
            learned.transform,
            growth=np.where(chosen, growth, np.nan),
            shock=np.zeros(1),
            residual=ndtri(even_probabilities(RESIDUAL_POINTS)),
            scale=scale,
            method=self.name,
        )
        evidence = np.where(fitted | ~chosen, found.evidence, f"own drift, as {self.name} could not be fitted")
        left_out = ~chosen & np.isfinite(begin.base)
        return replace(found, evidence=np.where(left_out, f"none: not in the sample for {self.name}", evidence))

    def _sample(self, problem: TargetProblem, base: np.ndarray) -> np.ndarray:
        """Choose units with a figure (U,), by a hash of their labels: neither order nor a newcomer moves the others."""
        chosen = np.isfinite(base)
        if chosen.sum() > self.units:
            keys = np.array([zlib.crc32(f"{self.seed}\x1f{unit}".encode()) for unit in problem.units])
            chosen &= keys < np.sort(keys[chosen])[self.units]
        return chosen

    def _fit(self, series: np.ndarray, horizon: int) -> tuple[float, float] | None:
        """Forecast growth from the last figure of a series; None where the forecaster fails or makes no sense."""
        if len(series) < FEWEST_FIGURES or np.ptp(series) == 0:
            return None
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                mean, deviation = self.forecaster(series, horizon)
            except Exception:  # a library that raises plain Exception for series too short or too odd for it
                return None
        if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
            return None
        return mean - float(series[-1]), deviation


def _last_run(series: np.ndarray) -> np.ndarray:
    """Give the unbroken run of figures at the end of a series; empty where the last is missing."""
    gaps = np.flatnonzero(~np.isfinite(series))
    return series[gaps[-1] + 1 :] if len(gaps) else series


def _read(forecast: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Read the mean and the Normal deviation of the last year of a forecast."""
    width = float(forecast[f"hi-{BAND}"][-1] - forecast[f"lo-{BAND}"][-1])
    return float(forecast["mean"][-1]), width / (2 * float(ndtri(0.5 + BAND / 200)))


def _ets(series: np.ndarray, horizon: int) -> tuple[float, float]:
    from statsforecast.models import AutoETS

    # Additive errors only: on a scale of differences a share of the level means nothing, and it would make the
    # forecast depend on the unit of measurement.
    return _read(AutoETS(season_length=1, model="AZN").forecast(series, h=horizon, level=[BAND]))


def _arima(series: np.ndarray, horizon: int) -> tuple[float, float]:
    from statsforecast.models import AutoARIMA

    return _read(AutoARIMA(season_length=1, **ARIMA_ORDERS).forecast(series, h=horizon, level=[BAND]))


@dataclass(frozen=True)
class SeriesBudget:
    """How many units each forecaster is fitted on, for one indicator at one origin.

    Attributes
    ----------
    ets, arima : int
    """

    ets: int = 400
    arima: int = 30


def series_baselines(budget: SeriesBudget | None = None) -> dict[str, ModelFitter]:
    """Give AutoETS and AutoARIMA by name, within a budget of fits.

    Hyndman and Khandakar (2008) for both, as in statsforecast.
    """
    budget = budget or SeriesBudget()

    def fitter(name: str, forecaster: Forecaster, units: int) -> ModelFitter:
        def fit(problem: TargetProblem, *, seed: int = 0) -> SeriesBaseline:
            return SeriesBaseline(own_drift(problem, seed=seed), name, forecaster, units, seed)

        return fit

    return {
        "auto_ets": fitter("AutoETS", _ets, budget.ets),
        "auto_arima": fitter("AutoARIMA", _arima, budget.arima),
    }
