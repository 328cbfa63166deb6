"""The decomposed recipe: common growth, each unit's relative growth, and how widely either scatters.

Its form and its evidence are in the modelling brief ("Targets: what a unit can achieve").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.outcome.baselines import Learned
from models.outcome.newcomers import CLASSES, Newcomers, lateness
from models.outcome.relative import RelativeGrowth, Standard, UnitScale, matrix
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.shock import cautious_pooled_shock, recipe_shock, residual_points

MAXIMUM_FOLDS = 8
"""Years are left out one at a time up to this many, then in that many blocks of neighbours."""

FEWEST_YEARS = 2
"""Years of growth without which the recipe cannot be fitted: its shock needs a deviation."""


@dataclass(frozen=True)
class Recipe:
    """Everything learned from one problem; arrays are on the latent scale.

    Attributes
    ----------
    relative : RelativeGrowth
    scale : UnitScale
    shocks : np.ndarray
        (2, K) points of the common growth by pooled growth and by the recipe.
    residuals : np.ndarray
        (2, M) points of the residual by either, their mean absolute value 1.
    pooled_scale : float
        Mean absolute residual of pooled growth.
    newcomers : Newcomers
        What sets units that joined lately apart.
    """

    relative: RelativeGrowth
    scale: UnitScale
    shocks: np.ndarray
    residuals: np.ndarray
    pooled_scale: float
    newcomers: Newcomers

    @classmethod
    def fit(cls, learned: Learned, *, seed: int, settings: TargetSettings = DEFAULT) -> Recipe:
        """Learn from every row whose outcome is known; residuals are those of fits that left their year out."""
        history, relative = learned.history, learned.relative
        X = matrix(history)
        rows = np.flatnonzero(np.isfinite(relative).any(axis=1))

        def growth(chosen: np.ndarray) -> RelativeGrowth:
            mask = np.zeros(relative.shape, dtype=bool)
            mask[chosen] = np.isfinite(relative[chosen])
            return RelativeGrowth.fit(
                X[mask], relative[mask], deviation=history.deviation, seed=seed, settings=settings
            )

        residual = np.full(relative.shape, np.nan)
        for held in np.array_split(rows, min(len(rows), MAXIMUM_FOLDS)) if len(rows) else []:
            guess = growth(np.setdiff1d(rows, held)) if len(rows) > len(held) else None
            seen = np.zeros(relative.shape, dtype=bool)
            seen[held] = np.isfinite(relative[held])
            residual[seen] = relative[seen] - (guess.predict(X[seen]) if guess is not None else 0.0)
        scale = UnitScale.fit(history, residual)
        widths, late = scale.leave_one_out(history), lateness(history.steps)
        standing = residual / widths
        settled = np.where(late == CLASSES, standing, np.nan)
        own_points = residual_points(settled if np.isfinite(settled).any() else standing)
        pooled_points = residual_points(relative)
        own_size, pooled_size = _size(own_points), _size(pooled_points)
        scale = UnitScale(scale.standard, scale.coefficients, scale.level * own_size, scale.usual / own_size)
        pooled = cautious_pooled_shock(learned.years)
        shock = recipe_shock(learned.years) if len(rows) >= FEWEST_YEARS else pooled
        return cls(
            growth(rows),
            scale,
            np.stack([pooled, shock]),
            np.stack([pooled_points / pooled_size, own_points / own_size]),
            pooled_size,
            Newcomers.fit(residual, widths, lateness=late),
        )

    def to_parts(self) -> dict[str, Any]:
        """Take the recipe apart: `texts`, `arrays` and `meta`."""
        standard, scale = self.relative.standard, self.scale
        return {
            "texts": {"relative.lgb.txt": self.relative.trees} if self.relative.trees else {},
            "arrays": {
                "relative_standard": np.stack([standard.centre, standard.width]),
                "relative_coefficients": self.relative.coefficients,
                "scale_standard": np.stack([scale.standard.centre, scale.standard.width]),
                "scale_coefficients": scale.coefficients,
                "shocks": self.shocks,
                "residuals": self.residuals,
                "newcomers": np.stack([self.newcomers.shift, self.newcomers.factor]),
            },
            "meta": {
                "deviation": self.relative.deviation,
                "kept": self.relative.kept,
                "scale_level": scale.level,
                "scale_usual": scale.usual,
                "pooled_scale": self.pooled_scale,
            },
        }

    @classmethod
    def from_parts(cls, parts: dict[str, Any]) -> Recipe:
        """Put a recipe together again."""
        meta, arrays, texts = parts["meta"], parts["arrays"], parts["texts"]
        relative = RelativeGrowth(
            Standard(*arrays["relative_standard"]),
            arrays["relative_coefficients"],
            texts.get("relative.lgb.txt", ""),
            meta["deviation"],
            meta.get("kept", DEFAULT.kept),
        )
        scale = UnitScale(
            Standard(*arrays["scale_standard"]), arrays["scale_coefficients"], meta["scale_level"], meta["scale_usual"]
        )
        newcomers = Newcomers(*arrays["newcomers"])
        shocks, residuals = arrays["shocks"], arrays["residuals"]
        return cls(relative, scale, shocks, residuals, meta["pooled_scale"], newcomers)


def _size(points: np.ndarray) -> float:
    """Give the mean absolute value; 1 where it is zero or unknown, so that dividing by it changes nothing."""
    size = float(np.mean(np.abs(points)))
    return size if np.isfinite(size) and size > 0 else 1.0
