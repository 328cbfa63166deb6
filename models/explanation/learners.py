"""The learners of a target model as functions of features, contrasted with the same functions of a reference row.

The linear part is taken apart term by term, the trees by their Shapley values, with groups of features as the players.
All are on the latent scale of growth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from models.explanation.contrast import Players
from models.explanation.trees import TreeEnsemble
from models.outcome.history import FEATURES
from models.outcome.opinions import DRIFT, GLOBAL, POOLED, RECIPE, STEADY
from models.outcome.target import TargetModel

FEATURE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "recent_growth": ("lag1", "lag2"),
    "usual_growth": ("mean",),
    "volatility": ("volatility",),
    "level": ("level", "peers_level"),
    "departure": ("departure",),
    "size": ("size",),
    "peers_growth": ("peers",),
}
"""Features by what a manager knows them as; the codes stay whatever becomes of the features."""

PLAYERS = Players.grouped(FEATURE_GROUPS, FEATURES)

ENSEMBLES_KEPT = 64
"""Trees that are kept as arrays: those of some thirty indicators, a hundred kilobytes each."""

Broken = tuple[np.ndarray, float]
"""Growth by group of features (..., groups) beyond that of the reference row, and the reference row's own."""


@lru_cache(maxsize=ENSEMBLES_KEPT)
def _trees(text: str) -> TreeEnsemble:
    return TreeEnsemble.of(text)


def _by_group(values: np.ndarray) -> np.ndarray:
    """Add up values of features (..., F) by group (..., groups)."""
    found = np.zeros((*values.shape[:-1], len(PLAYERS.names)))
    for feature, group in enumerate(PLAYERS.of_feature):
        found[..., group] += values[..., feature]
    return found


def _tree_growth(text: str, x: np.ndarray, r: np.ndarray) -> Broken:
    trees = _trees(text)
    values = trees.contrast(np.atleast_2d(x), r[None], player=PLAYERS.of_feature, count=len(PLAYERS.names))
    return values.reshape(*x.shape[:-1], -1), float(trees.margin(r[None])[0])


def _recipe(model: TargetModel, x: np.ndarray, r: np.ndarray) -> Broken:
    relative = model.recipe.relative
    x, r = relative.standard.apply(x), relative.standard.apply(r)
    values, level = _by_group((x - r) * relative.coefficients), float(r @ relative.coefficients)
    if relative.trees:
        grown, at_reference = _tree_growth(relative.trees, x, r)
        values, level = (values + grown) / 2, (level + at_reference) / 2
    kept = relative.kept * relative.deviation
    return kept * values, kept * level


def _shared_trees(model: TargetModel, x: np.ndarray, r: np.ndarray) -> Broken:
    if model.shared is None:  # the recipe stands in for it, as in the blend
        return _recipe(model, x, r)
    relative = model.recipe.relative
    values, level = _tree_growth(model.shared.trees, relative.standard.apply(x), relative.standard.apply(r))
    kept = model.shared.kept * relative.deviation
    return kept * values, kept * level


def _drift(_model: TargetModel, x: np.ndarray, r: np.ndarray) -> Broken:
    mean = np.array([name == "mean" for name in FEATURES])
    values, level = np.where(mean, np.nan_to_num(x), 0.0), np.where(mean, np.nan_to_num(r), 0.0)
    return _by_group(values - level), float(level.sum())


def _nothing(_model: TargetModel, x: np.ndarray, _r: np.ndarray) -> Broken:
    return np.zeros((*x.shape[:-1], len(PLAYERS.names))), 0.0


BREAKDOWNS: Mapping[str, Callable[[TargetModel, np.ndarray, np.ndarray], Broken]] = {
    POOLED: _nothing,
    RECIPE: _recipe,
    STEADY: _recipe,
    GLOBAL: _shared_trees,
    DRIFT: _drift,
}
"""The learners that are functions of features, by name; any other has nothing to take apart."""


def broken_down(name: str, model: TargetModel, *, row: np.ndarray, reference: np.ndarray) -> Broken:
    """Contrast what a learner makes of a row (F,), or of rows (n, F), with what it makes of a reference (F,).

    The recipe stands in for a learner that had nothing to say, as it does in the blend.
    """
    return BREAKDOWNS.get(name, _recipe)(model, row, reference)
