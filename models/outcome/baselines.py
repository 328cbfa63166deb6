"""What every model has to beat: a catalogue of the rules that planners use, each giving a full distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import stdtrit

from models.outcome.distribution import TargetDistribution
from models.outcome.entry import Start, ZeroEvent, start
from models.outcome.growth import Transform, choose_transform
from models.outcome.history import History, read_history
from models.outcome.problem import TargetProblem
from models.outcome.shock import common_growth, pooled_shock, residual_points
from models.outcome.spread import RESIDUAL_POINTS, even_probabilities


class FittedModel(Protocol):
    """Anything that gives a distribution for the last year of a problem."""

    def predict(self, problem: TargetProblem) -> TargetDistribution:
        """Give the distribution."""
        ...


class ModelFitter(Protocol):
    """Anything that learns from the rows of a problem whose outcome is known."""

    def __call__(self, problem: TargetProblem, *, seed: int) -> FittedModel:
        """Learn."""
        ...


@dataclass(frozen=True)
class Learned:
    """What all baselines learn from: transform, zeros, history, common growth of the years that show one."""

    transform: Transform
    zero: ZeroEvent | None
    history: History
    years: np.ndarray
    relative: np.ndarray

    @classmethod
    def of(cls, problem: TargetProblem) -> Learned:
        """Read a problem."""
        transform = choose_transform(problem.indicator, np.stack([problem.base, problem.outcome]))
        history = read_history(problem, transform)
        growth, usable = common_growth(history)
        years = growth[usable] if usable.any() else np.zeros(1)
        relative = np.where(usable[:, None], history.growth - growth[:, None], np.nan)
        return cls(transform, ZeroEvent.fit(problem, transform), history, years, relative)

    @property
    def known_years(self) -> int:
        """Count the years that show common and relative growth."""
        return int(np.isfinite(self.relative).any(axis=1).sum())


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    Attributes
    ----------
    learned : Learned
    method : str
        Named in the evidence.
    shock, residual : np.ndarray
        Points of equal probability on the latent scale.
    own : callable
        Gives each unit's expected growth (U,) and the scale of its residual (U,) for a problem.
    """

    learned: Learned
    method: str
    shock: np.ndarray
    residual: np.ndarray
    own: Callable[[TargetProblem, Start], tuple[np.ndarray | float, np.ndarray | float]]

    def predict(self, problem: TargetProblem) -> TargetDistribution:
        """Give the distribution for the last year of the problem."""
        learned = self.learned
        begin = start(problem, learned.transform, learned.zero, deviation=learned.history.deviation)
        growth, scale = self.own(problem, begin)
        return begin.distribution(
            problem,
            learned.transform,
            growth=growth,
            shock=self.shock,
            residual=self.residual,
            scale=scale,
            method=f"{self.method}; {len(learned.years)} years",
        )


def _plain(_problem: TargetProblem, _begin: Start) -> tuple[float, float]:
    return 0.0, 1.0


def pooled_growth(problem: TargetProblem, *, seed: int = 0) -> Baseline:
    """Last year times the growth that any unit had in any year: the rule to beat."""
    del seed
    learned = Learned.of(problem)
    return Baseline(learned, "pooled growth", pooled_shock(learned.years), residual_points(learned.relative), _plain)


def last_year_plus(problem: TargetProblem, *, seed: int = 0) -> Baseline:
    """Last year plus x%, x being the group's mean growth; the spread is that of units within a year."""
    del seed
    learned = Learned.of(problem)
    shock = np.array([learned.years.mean()])
    return Baseline(learned, "last year + x%", shock, residual_points(learned.relative), _plain)


def uniform_uplift(problem: TargetProblem, *, seed: int = 0) -> Baseline:
    """Last year plus the group's growth of last year, for all alike."""
    del seed
    learned = Learned.of(problem)
    return Baseline(learned, "uniform uplift", learned.years[-1:], residual_points(learned.relative), _plain)


def market_share(problem: TargetProblem, *, seed: int = 0) -> Baseline:
    """The unit's usual share of the group's total, the total growing as it used to; for amounts only.

    For ratios and levels, which have no total, nothing is predicted.
    """
    del seed
    learned = Learned.of(problem)
    amount = problem.indicator.kind in ("flow", "stock")

    def own(asked: TargetProblem, begin: Start) -> tuple[np.ndarray, float]:
        usual = learned.transform.latent(_usual_amount(asked.base)[-1]) if amount else np.nan
        return usual - begin.base, 1.0

    expected = learned.transform.latent(_usual_amount(problem.base)) if amount else np.full(problem.base.shape, np.nan)
    residual = learned.history.growth + learned.transform.latent(problem.base) - expected
    growth, _ = common_growth(learned.history)
    points = residual_points(np.where(np.isfinite(learned.relative), residual - growth[:, None], np.nan))
    return Baseline(learned, "market share", np.array([learned.years.mean()]), points, own)


def _usual_amount(base: np.ndarray) -> np.ndarray:
    """Give each unit's mean share of the total so far times the total (T+1, U)."""
    total = np.nansum(base, axis=1, keepdims=True)
    share = base / np.where(total != 0, total, np.nan)
    seen = np.isfinite(share)
    mean = np.cumsum(np.where(seen, share, 0.0), axis=0) / np.maximum(np.cumsum(seen, axis=0), 1)
    return np.where(seen, mean * total, np.nan)


def own_drift(problem: TargetProblem, *, seed: int = 0) -> Baseline:
    """The unit's own mean growth, Student's t on its own deviation; the pool's where it has fewer than two years."""
    del seed
    learned = Learned.of(problem)
    growth = learned.history.growth
    seen = np.isfinite(growth)
    pool = growth[seen] if seen.any() else np.zeros(1)
    pool_mean, pool_deviation = float(pool.mean()), float(pool.std()) or learned.history.deviation
    degrees = max(len(learned.years) - 1, 1)
    known_units = problem.units

    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.where(seen, growth, 0.0).sum(axis=0) / np.maximum(count, 1), pool_mean)
    squares = np.where(seen, (growth - mean) ** 2, 0.0).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    # Two equal years are no proof of certainty.
    deviation = np.where((count > 1) & (deviation > 0), deviation, pool_deviation) * np.sqrt(
        1 + 1 / np.maximum(count, 1)
    )

    def own(asked: TargetProblem, _begin: Start) -> tuple[np.ndarray, np.ndarray]:
        place = known_units.get_indexer(asked.units)
        newcomer = place < 0
        return np.where(newcomer, pool_mean, mean[place]), np.where(newcomer, pool_deviation, deviation[place])

    points = stdtrit(degrees, even_probabilities(RESIDUAL_POINTS))
    return Baseline(learned, "own drift + Student t", np.zeros(1), points, own)


BASELINES: Mapping[str, ModelFitter] = {
    "pooled_growth": pooled_growth,
    "last_year_plus": last_year_plus,
    "uniform_uplift": uniform_uplift,
    "market_share": market_share,
    "own_drift": own_drift,
}
"""The rules of thumb by name; `models.outcome.series_baselines` adds AutoETS and AutoARIMA for each unit."""
