"""A unit's own growth against the group's: its expected value and its scale, learned across units and years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from models.outcome.history import FEATURES, JUMP, History
from models.outcome.settings import DEFAULT, KEPT, TargetSettings, TreeSettings

SCALE_PENALTY = 20.0
"""Ridge penalty of the scale on standardised features, in observations: the same within 0.1% from 10 to 50."""

TREES_FROM = 500
"""Observations from which the trees join the ridge. Below, they changed the loss by less than 0.2% either way."""

REACH = 4.0
"""Standardised features and labels are cut off here: one merger must not bend the fit."""

OWN_YEARS = 8.0
"""Pseudo-years with which a unit's own volatility is drawn towards what units like it show."""

TREES: dict[str, Any] = {
    "objective": "huber",
    "alpha": 1.5,
    "max_bin": 63,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
"""What all trees have in common, whatever their settings."""

SCALE_FEATURES = ("level", "size", "log_volatility", "abs_lag1", "abs_departure")


@dataclass(frozen=True)
class Standard:
    """Centre and width of each feature."""

    centre: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Standard:
        """Measure them, over (rows, features), ignoring NaN."""
        seen = np.isfinite(X)
        count = np.maximum(seen.sum(axis=0), 1)
        centre = np.where(seen, X, 0.0).sum(axis=0) / count
        width = np.sqrt(np.where(seen, (X - centre) ** 2, 0.0).sum(axis=0) / count)
        return cls(centre, np.where(width > 1e-12, width, 1.0))

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Standardise, cut off at `REACH`, and put what is not known at the centre."""
        return np.clip(np.nan_to_num((X - self.centre) / self.width), -REACH, REACH)


def matrix(history: History) -> np.ndarray:
    """Stack the features of relative growth: (T+1, U, features)."""
    return np.stack([history.features[name] for name in FEATURES], axis=-1)


def scale_matrix(history: History) -> np.ndarray:
    """Stack the features of the scale: (T+1, U, features)."""
    found = history.features | {
        "log_volatility": np.log(history.features["volatility"] / history.deviation),
        "abs_lag1": np.abs(history.features["lag1"]),
        "abs_departure": np.abs(history.features["departure"]),
    }
    return np.stack([found[name] for name in SCALE_FEATURES], axis=-1)


def ridge(X: np.ndarray, y: np.ndarray, *, penalty: float) -> np.ndarray:
    """Solve a ridge regression through the origin: coefficients (features,)."""
    return np.linalg.solve(X.T @ X + penalty * np.eye(X.shape[1]), X.T @ y)


def grown_trees(X: np.ndarray, y: np.ndarray, *, settings: TreeSettings, seed: int) -> str:
    """Grow boosted trees on standardised features (rows, features) and labels (rows,), as LightGBM's text."""
    data = lgb.Dataset(X, y, params={"max_bin": TREES["max_bin"], "verbose": -1})
    return lgb.train(TREES | settings.shape | {"seed": seed}, data, settings.trees).model_to_string()


@dataclass(frozen=True)
class RelativeGrowth:
    """Expected growth of a unit against the group: the average of a ridge and a small Huber LightGBM, shrunk.

    Attributes
    ----------
    standard : Standard
    coefficients : np.ndarray
    trees : str
        LightGBM's own text format; empty where there were too few observations for trees.
    deviation : float
        Latent size of one standardised label.
    kept : float
        Share of what is predicted that is kept.
    """

    standard: Standard
    coefficients: np.ndarray
    trees: str
    deviation: float
    kept: float = KEPT

    @classmethod
    def fit(
        cls, X: np.ndarray, y: np.ndarray, *, deviation: float, seed: int, settings: TargetSettings = DEFAULT
    ) -> RelativeGrowth:
        """Learn from (rows, features) and relative growth (rows,)."""
        standard = Standard.of(X)
        if len(y) == 0:
            return cls(standard, np.zeros(X.shape[1]), "", deviation, settings.kept)
        ready = standard.apply(X)
        label = np.clip(y / deviation, -REACH, REACH)
        trees = grown_trees(ready, label, settings=settings.own, seed=seed) if len(y) >= TREES_FROM else ""
        coefficients = ridge(ready, label, penalty=settings.ridge_penalty)
        return cls(standard, coefficients, trees, deviation, settings.kept)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict relative latent growth (rows,) from (rows, features)."""
        ready = self.standard.apply(X)
        found = ready @ self.coefficients
        if self.trees:
            leaves = np.asarray(lgb.Booster(model_str=self.trees).predict(ready, num_threads=1))
            found = (found + leaves) / 2
        return self.kept * self.deviation * found


@dataclass(frozen=True)
class UnitScale:
    """How widely a unit's growth scatters: what units like it show, moved by what its own past shows.

    Attributes
    ----------
    standard : Standard
    coefficients : np.ndarray
        Of the log of the expected absolute residual.
    level : float
        Multiplies it, so that it is right on average.
    usual : float
        Average size of a past step over its expected size: the neutral value of a unit's own evidence.
    """

    standard: Standard
    coefficients: np.ndarray
    level: float
    usual: float

    @classmethod
    def fit(cls, history: History, residual: np.ndarray) -> UnitScale:
        """Learn from residuals (T+1, U) of relative growth, NaN where there is none."""
        X = scale_matrix(history)
        seen = np.isfinite(residual)
        standard = Standard.of(X[seen])
        if not seen.any():
            return cls(standard, np.zeros(X.shape[-1]), history.deviation, 1.0)
        size = np.minimum(np.abs(residual[seen]), JUMP * history.deviation)
        label = np.log(size + 0.1 * history.deviation)  # a tenth: small residuals are all alike
        ready = standard.apply(X[seen])
        coefficients = ridge(ready, label - label.mean(), penalty=SCALE_PENALTY)
        shape = np.exp(ready @ coefficients)
        level = float(size.mean() / shape.mean()) or history.deviation
        rough = cls(standard, coefficients, level, 1.0)
        ratio = rough.ratios(history)
        known = ratio[np.isfinite(ratio)]
        return cls(standard, coefficients, level, float(known.mean()) or 1.0 if len(known) else 1.0)

    def pooled(self, history: History) -> np.ndarray:
        """Give the scale (T+1, U) that units with such features show."""
        return self.level * np.exp(self.standard.apply(scale_matrix(history)) @ self.coefficients)

    def ratios(self, history: History) -> np.ndarray:
        """Give the size of each past step over what was expected of it (T, U), filed under the row it started from."""
        return np.abs(history.steps[1:]) / self.pooled(history)[:-1] / self.usual

    def leave_one_out(self, history: History) -> np.ndarray:
        """Give the scale (T+1, U) from all rows but the row itself; the last row's uses them all."""
        ratio = self.ratios(history)
        total, count = np.nansum(ratio, axis=0), np.isfinite(ratio).sum(axis=0)
        own = np.zeros(history.base.shape)
        own[:-1] = np.nan_to_num(ratio)
        one = np.zeros(history.base.shape)
        one[:-1] = np.isfinite(ratio)
        return (total - own + OWN_YEARS) / (count - one + OWN_YEARS) * self.pooled(history)
