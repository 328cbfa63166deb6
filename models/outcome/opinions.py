"""What each base learner says of the next year: a catalogue whose entries are blended by `models.outcome.stacking`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.outcome.entry import Start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.history import JUMP, row_median
from models.outcome.newcomers import lateness
from models.outcome.problem import TargetProblem
from models.outcome.recipe import Recipe
from models.outcome.relative import matrix

ETS_YEARS = 15
"""Figures of a unit from which AutoETS is asked. With 5 to 10 of them its growth in the blend never paid (a tenth of it
cost 0.1%, a half 2%), and the library takes seconds to import."""

ETS_UNITS = 60
"""With more units than this AutoETS is not asked: a fit takes milliseconds for each unit and origin, and what is common
to so many units is learned better together."""


@dataclass(frozen=True)
class Opinion:
    """Location-scale form of a distribution, on the latent scale.

    Attributes
    ----------
    growth : np.ndarray
        (U,) expected growth against the group.
    scale : np.ndarray
        (U,) of the residual.
    shock, residual : np.ndarray
        (K,) and (M,) points of equal probability.
    """

    growth: np.ndarray
    scale: np.ndarray
    shock: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True)
class Asked:
    """A problem made ready for the learners.

    Attributes
    ----------
    problem : TargetProblem
    begin : Start
    recipe : Recipe
    shared : GlobalGrowth or None
        The model over all indicators, where there is one.
    """

    problem: TargetProblem
    begin: Start
    recipe: Recipe
    shared: GlobalGrowth | None

    @property
    def newcomers(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the shift of the growth and the factor on the scale (U,) that set newcomers apart."""
        return self.recipe.newcomers.of(lateness(self.begin.history.steps)[-1])


def _pooled(asked: Asked) -> Opinion:
    recipe, units = asked.recipe, len(asked.begin.base)
    return Opinion(np.zeros(units), np.full(units, recipe.pooled_scale), recipe.shocks[0], recipe.residuals[0])


def _with_growth(asked: Asked, growth: np.ndarray) -> Opinion:
    """Give an opinion with the recipe's spread and shock around a growth (U,) of its own."""
    recipe = asked.recipe
    scale = recipe.scale.leave_one_out(asked.begin.history)[-1]
    return Opinion(growth, scale, recipe.shocks[1], recipe.residuals[1])


def _recipe(asked: Asked) -> Opinion:
    return _with_growth(asked, asked.recipe.relative.predict(matrix(asked.begin.history)[-1]))


def _steady(asked: Asked) -> Opinion:
    own = _recipe(asked)
    return Opinion(own.growth, own.scale, asked.recipe.shocks[0], own.residual)


def _global_trees(asked: Asked) -> Opinion | None:
    if asked.shared is None:
        return None
    relative = asked.recipe.relative
    X = matrix(asked.begin.history)[-1]
    return _with_growth(asked, asked.shared.predict(X, standard=relative.standard, deviation=relative.deviation))


def _own_drift(asked: Asked) -> Opinion:
    return _with_growth(asked, np.nan_to_num(asked.begin.history.features["mean"][-1]))


def _auto_ets(asked: Asked) -> Opinion | None:
    base = asked.begin.history.base
    if len(base) < ETS_YEARS or base.shape[1] > ETS_UNITS:
        return None
    from statsforecast.models import AutoETS

    def expected(series: np.ndarray) -> float:
        """Give the growth that AutoETS expects of a series; NaN where it cannot be fitted."""
        known = series[np.isfinite(series)]
        if len(known) < ETS_YEARS or not np.isfinite(series[-len(known) :]).all() or np.ptp(known) == 0:
            return float("nan")
        try:  # additive forms only: the latent scale may be negative
            found = AutoETS(season_length=1, model="ZZN").forecast(known, h=asked.problem.horizon)
        except Exception:  # the library raises plain Exception for series too odd for it
            return float("nan")
        return float(found["mean"][-1] - known[-1])

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        growth = np.array([expected(series) for series in base.T])
    reach = JUMP * asked.recipe.relative.deviation
    relative = growth - row_median(growth[None])[0]
    return _with_growth(asked, np.clip(np.nan_to_num(relative), -reach, reach))


POOLED = "pooled growth"
RECIPE = "recipe"
STEADY = "recipe with pooled shock"
GLOBAL = "global trees"
DRIFT = "own drift"
ETS = "AutoETS"

LEARNERS: Mapping[str, Callable[[Asked], Opinion | None]] = {
    POOLED: _pooled,
    RECIPE: _recipe,
    STEADY: _steady,
    GLOBAL: _global_trees,
    DRIFT: _own_drift,
    ETS: _auto_ets,
}
"""Every base learner by name; one that has nothing to say gives None."""
