"""Where growth starts from: the last figure, an older one, or nothing at all (new units, zero balances)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.distribution import TargetDistribution
from models.growth import Transform
from models.history import MAXIMUM_GAP, NORMAL_MAD, History, read_history, robust_deviation
from models.problem import TargetProblem
from models.spread import Spread

PRIOR_CASES = 2.0
"""Pseudo-cases with which the probability of a zero starts, half of them at the rate of all units."""

LOW_EVIDENCE_YEARS = 1
"""Units with this many own years of growth or fewer are marked low."""

LOW_EVIDENCE_WIDENING = 1.25
"""Their spread is widened: on public panels the peers' pooled scale covered a quarter too little of newcomers."""


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

    @property
    def widening(self) -> np.ndarray:
        """Give the factor (U,) on the spread for thin evidence and for figures that are too old."""
        thin = np.where(self.own_years <= LOW_EVIDENCE_YEARS, LOW_EVIDENCE_WIDENING, 1.0)
        return thin * np.sqrt(1.0 + self.gap)

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
            Of the residual (U,), before it is widened for thin evidence.
        method : str
            Named in the evidence.
        """
        location = self.base + np.where(self.at_zero, 0.0, growth + self.gap * float(np.median(shock)))
        scale = np.where(self.at_zero, self.entry_spread / robust_deviation(residual), scale * self.widening)
        scale = np.where(np.isfinite(location), scale, np.nan)
        return TargetDistribution(
            problem.indicator,
            problem.units,
            transform,
            location,
            Spread(shock, residual, scale),
            self.zero,
            self.evidence(method),
            self.low,
        )

    def evidence(self, method: str) -> np.ndarray:
        """Say what each unit's distribution rests on (U,)."""
        text = np.array([f"{method}, {own} own" for own in range(int(self.own_years.max(initial=0)) + 1)], dtype=object)
        found = text[self.own_years]
        for place in np.flatnonzero(self.low | ~np.isfinite(self.base)):
            found[place] = self._exception(place, method)
        return found

    def _exception(self, place: int, method: str) -> str:
        own, gap = self.own_years[place], self.gap[place]
        if not np.isfinite(self.base[place]):
            return (
                f"none: not observed in the last {MAXIMUM_GAP} years"
                if self.observed[place]
                else "none: never observed"
            )
        if self.at_zero[place]:
            return "low: last figure is zero, spread of others that left zero"
        if gap:
            return f"low: last figure {gap} year{'s' if gap > 1 else ''} too old, {own} own; {method}"
        return f"low: {own} own year{'s' if own != 1 else ''}, peers' spread; {method}"


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
    return Start(history, base, gap, own, chance, at_zero, np.isfinite(problem.base).any(axis=0), spread)
