"""What a unit can achieve: the decomposed recipe, held against pooled growth and blended with it as far as it earns.

Growth on the latent scale is split into a common part, shared by all units in a year, and each unit's relative part.
The recipe and its evidence are in the modelling brief ("Targets: what a unit can achieve").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import LoadlineError
from models.baselines import Learned
from models.distribution import TargetDistribution
from models.entry import Start, ZeroEvent, start
from models.growth import Transform
from models.metrics import SCORED_QUANTILES, covered, latent_loss, mean_known
from models.newcomers import CLASSES, Newcomers, lateness
from models.problem import TargetProblem
from models.relative import RelativeGrowth, Standard, UnitScale, matrix
from models.shock import cautious_pooled_shock, recipe_shock, residual_points

FORMAT = 1
"""Version of the parts."""

MAXIMUM_FOLDS = 8
"""Years are left out one at a time up to this many, then in that many blocks of neighbours."""

FEWEST_YEARS = 2
"""Years of growth without which the recipe cannot be fitted: its shock needs a deviation."""

TEST_ORIGINS = 6
"""Past origins over which the recipe is held against pooled growth; older ones say less and cost as much."""

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the recipe in the blend with pooled growth."""

PRIOR_ORIGINS = 3.0
PRIOR_RATIO = 0.938
"""Before it is tested on an indicator, the recipe is expected to have this share of pooled growth's loss (its record on
eight public panels), and that record counts as much as three origins: one or two test years prove little."""


@dataclass(frozen=True)
class Recipe:
    """Everything learned; arrays are on the latent scale.

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


@dataclass(frozen=True)
class TargetModel:
    """A fitted target model.

    Attributes
    ----------
    transform : Transform
    zero : ZeroEvent or None
    recipe : Recipe
    weight : float
        Share of the recipe; the rest is pooled growth.
    years : int
        Years of growth learned from.
    deviation : float
        Robust deviation of relative growth.
    test : dict
        The record: relative pinball loss by weight, coverage of the 80% band, and the origins and outcomes tested.
    """

    transform: Transform
    zero: ZeroEvent | None
    recipe: Recipe
    weight: float
    years: int
    deviation: float
    test: dict[str, Any]

    @classmethod
    def fit(cls, problem: TargetProblem, *, seed: int) -> TargetModel:
        """Learn from every row whose outcome is known, and choose the weight by a rolling backtest within them."""
        learned = Learned.of(problem)
        recipe = _fit_recipe(problem, learned, seed=seed)
        test = _test(problem, seed=seed)
        years = int(np.isfinite(learned.relative).any(axis=1).sum())
        return cls(learned.transform, learned.zero, recipe, test["weight"], years, learned.history.deviation, test)

    def predict(self, problem: TargetProblem) -> TargetDistribution:
        """Give the distribution for the last year of a problem, whose units need not be those learned from."""
        forecast = _Forecast.of(problem, self.recipe, self.transform, self.zero, deviation=self.deviation)
        return forecast.blend(self.weight, method=self.method)

    @property
    def method(self) -> str:
        """Say in a few words what is used and why."""
        years = f"{self.years} year{'s' if self.years != 1 else ''}"
        if self.weight == 1:
            return f"recipe; {years}"
        if self.weight > 0:
            return f"recipe {self.weight:.0%}, pooled growth {1 - self.weight:.0%}; {years}"
        why = "recipe did not beat it" if self.test["origins"] else "too few years to test the recipe"
        return f"pooled growth ({why}); {years}"

    def to_parts(self) -> dict[str, Any]:
        """Take the model apart into what can be saved without pickle.

        Returns
        -------
        dict
            `texts` (name to str), `arrays` (name to np.ndarray) and `meta` (JSON-able).
        """
        recipe = self.recipe
        return {
            "texts": {"relative.lgb.txt": recipe.relative.trees} if recipe.relative.trees else {},
            "arrays": {
                "relative_standard": np.stack([recipe.relative.standard.centre, recipe.relative.standard.width]),
                "relative_coefficients": recipe.relative.coefficients,
                "scale_standard": np.stack([recipe.scale.standard.centre, recipe.scale.standard.width]),
                "scale_coefficients": recipe.scale.coefficients,
                "shocks": recipe.shocks,
                "residuals": recipe.residuals,
                "newcomers": np.stack([recipe.newcomers.shift, recipe.newcomers.factor]),
            },
            "meta": {
                "format": FORMAT,
                "transform": self.transform.as_dict(),
                "zero": None if self.zero is None else self.zero.as_dict(),
                "weight": self.weight,
                "years": self.years,
                "deviation": self.deviation,
                "scale_level": recipe.scale.level,
                "scale_usual": recipe.scale.usual,
                "pooled_scale": recipe.pooled_scale,
                "test": self.test,
            },
        }

    @classmethod
    def from_parts(cls, parts: dict[str, Any]) -> TargetModel:
        """Put a model together again.

        Raises
        ------
        LoadlineError
            Where the parts are of another format.
        """
        meta, arrays = parts["meta"], parts["arrays"]
        if meta.get("format") != FORMAT:
            raise LoadlineError(
                f"a target model of format {meta.get('format')}, expected {FORMAT}", hint="Train the model again."
            )
        deviation = meta["deviation"]
        relative = RelativeGrowth(
            Standard(*arrays["relative_standard"]),
            arrays["relative_coefficients"],
            parts["texts"].get("relative.lgb.txt", ""),
            deviation,
        )
        scale = UnitScale(
            Standard(*arrays["scale_standard"]), arrays["scale_coefficients"], meta["scale_level"], meta["scale_usual"]
        )
        recipe = Recipe(
            relative,
            scale,
            arrays["shocks"],
            arrays["residuals"],
            meta["pooled_scale"],
            Newcomers(*arrays["newcomers"]),
        )
        zero = None if meta["zero"] is None else ZeroEvent(**meta["zero"])
        transform = Transform.from_dict(meta["transform"])
        return cls(transform, zero, recipe, meta["weight"], meta["years"], deviation, meta["test"])


def _fit_recipe(problem: TargetProblem, learned: Learned, *, seed: int) -> Recipe:
    history, relative = learned.history, learned.relative
    X = matrix(history)
    rows = np.flatnonzero(np.isfinite(relative).any(axis=1))

    def fit(chosen: np.ndarray) -> RelativeGrowth:
        mask = np.zeros(relative.shape, dtype=bool)
        mask[chosen] = np.isfinite(relative[chosen])
        return RelativeGrowth.fit(X[mask], relative[mask], deviation=history.deviation, seed=seed)

    residual = np.full(relative.shape, np.nan)
    for held in np.array_split(rows, min(len(rows), MAXIMUM_FOLDS)) if len(rows) else []:
        guess = fit(np.setdiff1d(rows, held)) if len(rows) > len(held) else None
        seen = np.zeros(relative.shape, dtype=bool)
        seen[held] = np.isfinite(relative[held])
        residual[seen] = relative[seen] - (guess.predict(X[seen]) if guess is not None else 0.0)
    scale = UnitScale.fit(history, residual)
    widths, late = scale.leave_one_out(history), lateness(history.steps)
    settled = np.where(late == CLASSES, residual / widths, np.nan)
    own_points = residual_points(settled if np.isfinite(settled).any() else residual / widths)
    pooled_points = residual_points(relative)
    own_size, pooled_size = _size(own_points), _size(pooled_points)
    scale = UnitScale(scale.standard, scale.coefficients, scale.level * own_size, scale.usual / own_size)
    pooled = cautious_pooled_shock(learned.years)
    shock = recipe_shock(learned.years) if len(rows) >= FEWEST_YEARS else pooled
    return Recipe(
        fit(rows),
        scale,
        np.stack([pooled, shock]),
        np.stack([pooled_points / pooled_size, own_points / own_size]),
        pooled_size,
        Newcomers.fit(residual, widths, lateness=late),
    )


def _size(points: np.ndarray) -> float:
    """Give the mean absolute value; 1 where it is zero or unknown, so that dividing by it changes nothing."""
    size = float(np.mean(np.abs(points)))
    return size if np.isfinite(size) and size > 0 else 1.0


@dataclass(frozen=True)
class _Forecast:
    """What recipe and pooled growth say of a problem, ready to be blended in any proportion."""

    problem: TargetProblem
    transform: Transform
    recipe: Recipe
    begin: Start
    growth: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(
        cls, problem: TargetProblem, recipe: Recipe, transform: Transform, zero: ZeroEvent | None, *, deviation: float
    ) -> _Forecast:
        begin = start(problem, transform, zero, deviation=deviation)
        growth = recipe.relative.predict(matrix(begin.history)[-1])
        scale = recipe.scale.leave_one_out(begin.history)[-1]
        shift, factor = recipe.newcomers.of(lateness(begin.history.steps)[-1])
        return cls(problem, transform, recipe, begin, growth, scale, shift, factor)

    def blend(self, weight: float, *, method: str) -> TargetDistribution:
        """Blend quantiles: locations, scales, shocks and residuals are each averaged, so nothing can cross."""
        shares = np.array([1 - weight, weight])
        return self.begin.distribution(
            self.problem,
            self.transform,
            growth=weight * self.growth + self.shift,
            shock=shares @ self.recipe.shocks,
            residual=shares @ self.recipe.residuals,
            scale=(weight * self.scale + (1 - weight) * self.recipe.pooled_scale) * self.factor,
            method=method,
        )


def _test(problem: TargetProblem, *, seed: int) -> dict[str, Any]:
    """Hold the blends against pooled growth at past origins.

    Gives the weight that did best, the relative loss by weight, and how often the best one's 80% band held the outcome.
    """
    rows = np.flatnonzero(problem.known.any(axis=1))
    quantiles = np.array(SCORED_QUANTILES)
    logs, held, outcomes = [], [], 0
    for row in rows[FEWEST_YEARS:][-TEST_ORIGINS:]:
        past = problem.at(int(row))
        learned = Learned.of(past)
        if np.isfinite(learned.relative).any(axis=1).sum() < FEWEST_YEARS:
            continue
        recipe = _fit_recipe(past, learned, seed=seed)
        forecast = _Forecast.of(past, recipe, learned.transform, learned.zero, deviation=learned.history.deviation)
        found = [forecast.blend(weight, method="") for weight in WEIGHTS]
        losses = [mean_known(latent_loss(blend, problem.outcome[row], learned.transform, quantiles)) for blend in found]
        if np.all(np.isfinite(losses)) and min(losses) > 0:
            logs.append(np.log(np.array(losses) / losses[0]))
            inside = [covered(blend, problem.outcome[row]) for blend in found]
            held.append([mean_known(hits) for hits in inside])
            outcomes += int(np.isfinite(inside[0]).sum())
    if not logs:
        return {"weight": 0.0, "origins": 0, "outcomes": 0, "ratios": {}, "coverage": None}
    prior = np.log(PRIOR_RATIO) * np.array(WEIGHTS) * PRIOR_ORIGINS
    score = (np.sum(logs, axis=0) + prior) / (len(logs) + PRIOR_ORIGINS)
    score = np.where(np.mean(logs, axis=0) <= 0, score, np.inf)  # nothing that lost to pooled growth is used
    ratios = {f"{weight:g}": float(np.exp(mean)) for weight, mean in zip(WEIGHTS, np.mean(logs, axis=0), strict=True)}
    best = int(np.argmin(score))
    return {
        "weight": float(WEIGHTS[best]),
        "origins": len(logs),
        "outcomes": outcomes,
        "ratios": ratios,
        "coverage": float(np.mean(held, axis=0)[best]),
    }
