"""Where growth starts from: the last figure, an older one, or nothing at all (new units, zero balances)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform
from models.outcome.history import MAXIMUM_GAP, NORMAL_MAD, History, read_history, robust_deviation
from models.outcome.problem import TargetProblem
from models.outcome.spread import Spread

PRIOR_CASES = 2.0
"""Pseudo-cases with which the probability of a zero starts, half of them at the rate of all units."""

LOW_EVIDENCE_YEARS = 1
"""Units with this many own years of growth or fewer are marked low."""


@dataclass(frozen=True)
class ZeroEvent:
    """Outcomes of exactly zero, and growth out of zero (a hurdle model, Cragg 1971).

    Attributes
    ----------
    from_positive, from_zero : float
        Probability of a zero after a positive figure and after a zero.
    entry_level, entry_spread : float
        Latent middle and robust standard deviation of what units that left zero had a year later.
    """

    from_positive: float
    from_zero: float
    entry_level: float
    entry_spread: float

    @classmethod
    def fit(cls, problem: TargetProblem, transform: Transform) -> ZeroEvent | None:
        """Count the zeros; None where zero is no event of its own."""
        if not transform.hurdle:
            return None
        known, zero = problem.known, problem.outcome == 0
        was_zero, was_positive = known & (problem.base == 0), known & (problem.base > 0)
        overall = float(zero[known].mean()) if known.any() else 0.5

        def rate(cases: np.ndarray) -> float:
            return float((zero[cases].sum() + PRIOR_CASES / 2 * overall) / (cases.sum() + PRIOR_CASES / 2))

        latent = transform.latent(problem.outcome)
        level = latent[was_zero & np.isfinite(latent)]
        if not len(level):  # nobody has left zero so far: at best like the others
            level = latent[np.isfinite(latent)]
        if not len(level):
            level = transform.latent(problem.base)
            level = level[np.isfinite(level)] if np.isfinite(level).any() else np.zeros(1)
        middle = float(np.median(level))
        spread = NORMAL_MAD * float(np.median(np.abs(level - middle))) or 1.0
        return cls(rate(was_positive), rate(was_zero), middle, spread)

    def as_dict(self) -> dict[str, Any]:
        """Give the event as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Start:
    """Where each unit starts in the year asked about.

    Attributes
    ----------
    history : History
    base : np.ndarray
        (U,) latent; NaN where nothing is known.
    gap : np.ndarray
        (U,) years by which the figure is too old.
    own_years : np.ndarray
        (U,) years of own growth seen.
    zero : np.ndarray
        (U,) probability of an outcome of zero.
    at_zero : np.ndarray
        (U,) bool: the last figure is zero, growth out of it is a fresh start.
    observed : np.ndarray
        (U,) bool: seen at least once.
    entry_spread : float
        Latent deviation of what units that left zero had a year later.
    """

    history: History
    base: np.ndarray
    gap: np.ndarray
    own_years: np.ndarray
    zero: np.ndarray
    at_zero: np.ndarray
    observed: np.ndarray
    entry_spread: float

    @property
    def low(self) -> np.ndarray:
        """Tell which units have too little evidence of their own."""
        return (self.own_years <= LOW_EVIDENCE_YEARS) | (self.gap > 0) | self.at_zero

    def distribution(
        self,
        problem: TargetProblem,
        transform: Transform,
        *,
        growth: np.ndarray | float,
        shock: np.ndarray,
        residual: np.ndarray,
        scale: np.ndarray | float,
        method: str,
    ) -> TargetDistribution:
        """Put a distribution together.

        Parameters
        ----------
        problem : TargetProblem
        transform : Transform
        growth : np.ndarray or float
            Expected own growth (U,), before the shock.
        shock, residual : np.ndarray
            Points of equal probability.
        scale : np.ndarray or float
            Of the residual (U,), before it is widened for figures that are too old.
        method : str
            Named in the evidence.
        """
        location = self.base + np.where(self.at_zero, 0.0, growth + self.gap * float(np.median(shock)))
        scale = np.where(self.at_zero, self.entry_spread / robust_deviation(residual), scale * np.sqrt(1.0 + self.gap))
        scale = np.where(np.isfinite(location), scale, np.nan)
        if not np.isfinite(residual).all():  # no growth seen in any year: nothing to judge a spread by
            residual, scale = np.zeros_like(residual), np.full_like(scale, np.nan)
            evidence = np.where(np.isfinite(location), "none: no growth observed yet", self.evidence(method))
        else:
            evidence = self.evidence(method)
        return TargetDistribution(
            problem.indicator,
            problem.units,
            transform,
            location,
            Spread(shock, residual, scale),
            self.zero,
            evidence,
            self.low | ~np.isfinite(scale),
        )

    def evidence(self, method: str) -> np.ndarray:
        """Say what each unit's distribution rests on (U,)."""
        own = self.own_years
        years = [f"{count} own year{'' if count == 1 else 's'}" for count in range(int(own.max(initial=0)) + 1)]
        usual = np.array([f"{method}, {count} own" for count in range(len(years))], dtype=object)
        thin = np.array([f"low: {count}, peers' spread; {method}" for count in years], dtype=object)
        old = np.array(
            [
                [f"low: last figure {gap} year{'s' if gap > 1 else ''} too old, {count}; {method}" for count in years]
                for gap in range(MAXIMUM_GAP + 1)
            ],
            dtype=object,
        )
        found = np.where(own <= LOW_EVIDENCE_YEARS, thin[own], usual[own])
        found = np.where(self.gap > 0, old[self.gap, own], found)
        found = np.where(self.at_zero, "low: last figure is zero, spread of others that left zero", found)
        gone = np.where(
            self.observed, f"none: not observed in the last {MAXIMUM_GAP + 1} years", "none: never observed"
        )
        return np.where(np.isfinite(self.base), found, gone)


def start(
    problem: TargetProblem, transform: Transform, zero: ZeroEvent | None, *, deviation: float | None = None
) -> Start:
    """Find where each unit starts."""
    history = read_history(problem, transform, deviation=deviation)
    base, gap = history.base[-1], history.gap[-1]
    own = np.isfinite(history.steps).sum(axis=0)
    spread = zero.entry_spread if zero is not None else 1.0
    chance, at_zero = np.zeros(len(base)), np.zeros(len(base), dtype=bool)
    if zero is not None:
        at_zero = problem.base[-1] == 0
        base, gap = np.where(at_zero, zero.entry_level, base), np.where(at_zero, 0, gap)
        chance = np.where(at_zero, zero.from_zero, zero.from_positive)
    return Start(history, base, gap, own, chance, at_zero, np.asarray(np.isfinite(problem.base).any(axis=0)), spread)
