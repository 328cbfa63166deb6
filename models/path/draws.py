"""The path through the year: joint, coherent draws of every unit and every total, period by period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.outcome.growth import Transform
from models.path.bias import lasting_bias
from models.path.reconciliation import (
    MOST_DENSE,
    Summing,
    keep_nonnegative,
    projection,
    reconcile_by_variance,
    shrunk_covariance,
)
from models.path.series import Forecasts

OWN_RECORD = 24
"""Where past origins span this many periods, a series' own errors make its spread; else those of all together."""
FEWEST_ORIGINS = 12
"""Nor with fewer origins, as where they are thinned out for many series: mixed in pairs they still give a hundred."""
SIZE_POWER = 0.7
"""Errors grow with this power of the forecast through the year: between counts (one half) and shares (one)."""
LEAST_SIZE = 0.05
"""A forecast counts for at least this share of the series' usual size when its errors are scaled."""
SMOOTHING = 0.3
"""Weight of a second past error mixed into each draw: a hundred origins alone would give a hundred steps."""
OWN_SCALE_ORIGINS = 4.0
"""Past origins at which a series' own spread counts as much as that of all (modelling.md, recipe 3)."""
SPREAD_WITHOUT_RECORD = 0.2
"""Standard deviation of one step, in shares or latent units, where not a single error is known: wide on purpose."""


@dataclass(frozen=True)
class WorkingScale:
    """The scale on which series are smoothed.

    Attributes
    ----------
    transform : Transform or None
        None where amounts are taken as they are and the season multiplies them.
    nonnegative : bool
        Amounts that cannot fall below zero.
    sizes : np.ndarray or None
        (N,) what each series is divided by first, so that signed amounts of large and small units compare.
    """

    transform: Transform | None
    nonnegative: bool
    sizes: np.ndarray | None = None

    @property
    def multiplicative(self) -> bool:
        """Tell whether the season multiplies the level."""
        return self.transform is None and self.nonnegative

    def to_working(self, values: np.ndarray) -> np.ndarray:
        """Map values to the working scale."""
        if self.sizes is not None:
            return values / self.sizes
        return values if self.transform is None else self.transform.latent(values)

    def to_value(self, working: np.ndarray) -> np.ndarray:
        """Map back."""
        if self.sizes is not None:
            return working * self.sizes
        return working if self.transform is None else self.transform.value(working)


@dataclass(frozen=True, eq=False)
class PathModel:
    """What is needed to draw paths.

    Attributes
    ----------
    summing : Summing
        The tree; N series.
    scale : WorkingScale
    ahead : np.ndarray
        (H, N) forecasts on the working scale; NaN for series about which nothing is known.
    record : Forecasts
        Past forecasts of the base learner and what came.
    weight : np.ndarray or None
        (H, N) for ratios and levels: what each bottom series counts by in its parents; None where figures are sums.
    narrowing : np.ndarray
        (N,) factor on past errors: how much less the forecasts err than the base learner alone.
    base_share : np.ndarray
        (N,) share of the base learner in the forecasts: its lasting bias counts by it.
    per_year : int
        Periods of a year.
    seed : int
    draws : int
    """

    summing: Summing
    scale: WorkingScale
    ahead: np.ndarray
    record: Forecasts
    weight: np.ndarray | None
    narrowing: np.ndarray
    base_share: np.ndarray
    per_year: int
    seed: int
    draws: int

    @property
    def own_record(self) -> bool:
        """Tell whether there are past origins enough for each series to be judged by its own errors."""
        origins = self.record.origins
        return len(origins) >= FEWEST_ORIGINS and int(origins[-1] - origins[0]) + 1 >= OWN_RECORD

    def steps(self) -> Iterator[np.ndarray]:
        """Draw each period ahead in turn: (D, N), adding up; a draw is one path through all of them."""
        reconciler = self._reconciler()
        for step in range(len(self.ahead)):
            drawn = self._base_draws(step)
            yield self._coherent(drawn, step, reconciler)

    @cached_property
    def _shares(self) -> np.ndarray:
        """Give past errors (O, H, N) over the size of what was forecast, centred; NaN where unknown."""
        errors = self.record.errors * self.narrowing
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = errors / self._size(self.record.past)
        shares = np.where(np.isfinite(shares), shares, np.nan)
        if self.own_record:
            known = np.isfinite(shares)
            shares -= np.where(known, shares, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            years = (self.record.origins - self.record.origins[0]) // self.per_year
            size = np.broadcast_to(self._size(self.record.past), errors.shape)
            shares += self.base_share * lasting_bias(errors, size, years, depths=self.summing.depths)
        return shares

    @cached_property
    def _seen_steps(self) -> np.ndarray:
        """List the distances ahead for which any past error is known."""
        if not len(self._shares):
            return np.zeros(0, dtype=int)
        return np.flatnonzero(np.isfinite(self._shares).any(axis=(0, 2)))

    def _shares_at(self, step: int) -> np.ndarray:
        """Give past errors (O, N) at a distance; where none is known, those of the farthest known one, widened."""
        near = int(self._seen_steps[self._seen_steps <= step].max(initial=self._seen_steps[0]))
        return self._shares[:, near] * np.sqrt(max(step + 1, near + 1) / (near + 1))

    @cached_property
    def _usual(self) -> np.ndarray:
        """Give the usual size of each series (N,), from its latest forecasts."""
        return np.nan_to_num(np.abs(self.ahead)).mean(axis=0)

    def _size(self, forecast: np.ndarray) -> np.ndarray:
        if not self.scale.multiplicative:
            return np.ones(forecast.shape)
        if forecast.ndim == 3 and len(forecast):
            usual = np.nan_to_num(np.abs(forecast)).mean(axis=(0, 1))
        else:
            usual = self._usual
        floor = np.maximum(LEAST_SIZE * usual, np.finfo(float).tiny)
        return np.maximum(forecast, floor) ** SIZE_POWER * usual ** (1 - SIZE_POWER)

    @cached_property
    def _sources(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Choose for each draw two past origins (D,), (D,), and for each series whose error it takes (D, N)."""
        rng = np.random.default_rng(self.seed)
        origins = max(1, len(self.record.origins))
        first, second = (rng.permutation(np.arange(self.draws) % origins) for _ in range(2))
        count = len(self.summing)
        recorded = np.isfinite(self._shares).sum(axis=(0, 1)) > 0 if len(self._shares) else np.zeros(count, dtype=bool)
        pool = np.flatnonzero(recorded & self.summing.bottom)
        source = np.broadcast_to(np.arange(count, dtype=np.int32), (self.draws, count)).copy()
        borrowing = np.flatnonzero(~recorded if self.own_record else self.summing.bottom)
        if len(pool):
            picked = rng.integers(0, len(pool), (self.draws, len(borrowing)))
            source[:, borrowing] = pool[picked]
        return first, second, source

    @cached_property
    def _own_scale(self) -> np.ndarray:
        """Give how widely each series errs against all (N,), shrunk towards alike."""
        known = np.isfinite(self._shares)
        number = known.any(axis=1).sum(axis=0) if known.ndim == 3 else np.zeros(len(self.summing))
        mean = np.where(known, np.abs(np.nan_to_num(self._shares)), 0.0).sum(axis=(0, 1))
        mean = mean / np.maximum(known.sum(axis=(0, 1)), 1)
        usable = (mean > 0) & self.summing.bottom
        pooled = float(np.median(mean[usable])) if usable.any() else 1.0
        weight = number / (number + OWN_SCALE_ORIGINS)
        with np.errstate(divide="ignore"):
            return np.where(mean > 0, np.exp(weight * np.log(np.where(mean > 0, mean, pooled) / pooled)), 1.0)

    def _base_draws(self, step: int) -> np.ndarray:
        """Draw every series before anything is made to add up: (D, N)."""
        first, second, source = self._sources
        ahead = self.ahead[step]
        if not len(self._seen_steps):
            rng = np.random.default_rng([self.seed, step])
            noise = rng.standard_normal((self.draws, len(ahead)))
            common = rng.standard_normal((self.draws, 1))
            error = SPREAD_WITHOUT_RECORD * np.sqrt((step + 1) / 2) * (noise + common)
            return self.scale.to_value(ahead + error * self._size(self.ahead)[step])
        shares = self._shares_at(step)
        if self.own_record:
            shares = _filled(shares)
            mixed = shares[first[:, None], source] + SMOOTHING * shares[second[:, None], source]
            error = mixed / np.sqrt(1 + SMOOTHING**2)
        else:
            error = self._pooled(shares, first, second, source)
        return self.scale.to_value(ahead + error * self._size(self.ahead)[step])

    def _pooled(self, shares: np.ndarray, first: np.ndarray, second: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Draw a date's common error, and each series' own from that of any series on any date."""
        bottom = shares[:, self.summing.bottom]
        known = np.isfinite(bottom)
        common = np.array([np.median(row[k]) if k.any() else 0.0 for row, k in zip(bottom, known, strict=True)])
        common -= common.mean() / 2  # half the mean error of so few origins is taken for chance
        own = _filled(shares - common[:, None]) / self._own_scale
        rng = np.random.default_rng([self.seed, 1])
        mixed = own[first[:, None], source] + SMOOTHING * own[second[:, None], source]
        mixed = mixed / np.sqrt(1 + SMOOTHING**2) * self._own_scale
        # As of Student's t: a mean of few dates is itself uncertain.
        width = np.sqrt(1 + 1 / max(len(common), 1))
        jitter = rng.standard_normal(self.draws) * float(np.sqrt(np.mean(common**2))) * SMOOTHING
        return mixed + (common[first] * width + jitter)[:, None]

    def _reconciler(self) -> np.ndarray | None:
        """Give the projection (B, N), or the variances (N,) of many series; None where totals are only added up."""
        if self.weight is not None or not self.own_record or self.summing.bottom.all():
            return None
        errors = np.concatenate([self._errors_now(step) for step in range(len(self.ahead))])
        if len(self.summing) > MOST_DENSE:
            return np.maximum(np.mean(errors**2, axis=0), np.finfo(float).tiny)
        covariance = shrunk_covariance(errors, independent=len(self.record.origins))
        return projection(self.summing, covariance)

    def _errors_now(self, step: int) -> np.ndarray:
        """Put the past errors on the size of the present forecast, in the unit of the values: (O, N)."""
        error = np.nan_to_num(self._shares_at(step)) * self._size(self.ahead)[step]
        ahead = np.nan_to_num(self.ahead[step])
        return self.scale.to_value(ahead + error) - self.scale.to_value(ahead)

    def _coherent(self, drawn: np.ndarray, step: int, reconciler: np.ndarray | None) -> np.ndarray:
        known = np.isfinite(self.ahead[step])
        drawn = np.where(known, drawn, 0.0)
        if self.weight is not None:
            return self._averaged(drawn, self.weight[step] * known)
        if reconciler is None:
            total = self.summing.add_up(np.maximum(drawn, 0.0) if self.scale.nonnegative else drawn)
        elif reconciler.ndim == 1:
            total = reconcile_by_variance(self.summing, drawn, reconciler)
        else:
            total = (drawn @ reconciler.T) @ self.summing.matrix.T
        if self.scale.nonnegative:
            total = keep_nonnegative(self.summing, total)
        return np.where(self._somewhere(known), total, np.nan)

    def _averaged(self, drawn: np.ndarray, weight: np.ndarray) -> np.ndarray:
        top = self.summing.add_up(drawn * weight)
        bottom = self.summing.add_up(weight)
        return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=np.broadcast_to(bottom > 0, top.shape))

    def _somewhere(self, known: np.ndarray) -> np.ndarray:
        """Tell which series are known or have a known one below them."""
        return self.summing.add_up((known & self.summing.bottom).astype(float)) > 0


def _filled(shares: np.ndarray) -> np.ndarray:
    """Fill unknown errors (O, N) of a series with its own others, in turn; zero where there are none."""
    holes = ~np.isfinite(shares)
    if not holes.any():
        return shares
    filled = shares.copy()
    for column in np.flatnonzero(holes.any(axis=0)):
        own = shares[~holes[:, column], column]
        filled[holes[:, column], column] = np.resize(own, int(holes[:, column].sum())) if len(own) else 0.0
    return filled


def quantiles(drawn: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Give quantiles (Q, N) of draws (D, N); they cannot cross, being order statistics of the same draws."""
    known = np.isfinite(drawn[0])
    out = np.full((len(levels), drawn.shape[1]), np.nan)
    if known.any():
        out[:, known] = np.quantile(drawn[:, known], levels, axis=0)
    return out


def year_draws(model: PathModel, *, steps: Sequence[int], averaged: bool) -> np.ndarray:
    """Add the periods of a path up: the draws (D, N) of their sum, or of their mean where averaged."""
    wanted = set(steps)
    total = np.zeros((model.draws, len(model.summing)))
    for number, drawn in enumerate(model.steps()):
        if number in wanted:
            total += drawn
    return total / len(wanted) if averaged else total
