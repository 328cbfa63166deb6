"""LightGBM models of every kind, and rows that are as awkward as rows can be, for the tests of explanations."""

from __future__ import annotations

from functools import cache
from itertools import product
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np

from models.explanation.trees import TreeEnsemble

FEATURES = 6
CATEGORY = 5
"""The column that is a category where a model has one."""
QUIET = {"verbose": -1, "num_threads": 1, "seed": 3, "num_leaves": 15, "min_child_samples": 5, "min_data_per_group": 5}
NASTY = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1.1e-35, 9e-36, -9e-36, 1e-300, 1e300, 1.0, -1.0)
ODD_CATEGORIES = (np.nan, -1.0, -0.4, -7.0, 0.0, 3.7, 31.0, 32.0, 39.0, 40.0, 900.0, 2.0**31, 2.0**40, np.inf, -np.inf)

KINDS: dict[str, dict[str, Any]] = {
    "regression": {},
    "holes": {"holes": True},
    "zero_as_missing": {"holes": True, "zero_as_missing": True},
    "missing_not_used": {"holes": True, "use_missing": False},
    "categories": {"category": True},
    "categories_with_holes": {"category": True, "holes": True},
    "one_hot_categories": {"category": True, "max_cat_to_onehot": 64},
    "binary": {"objective": "binary", "sigmoid": 1.7},
    "forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "holes": True},
    "dart": {"boosting": "dart"},
    "nothing_to_split": {"min_child_samples": 5000},
    "huber": {"objective": "huber", "num_leaves": 2},
}


def training_rows(*, holes: bool, category: bool, rows: int = 900) -> np.ndarray:
    """Make rows with plenty of zeros, with NaN where there are holes, and with a category of 40 values."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(rows, FEATURES))
    X[rng.random(X.shape) < 0.15] = 0.0
    if category:
        X[:, CATEGORY] = rng.integers(0, 40, rows)
    if holes:
        X[rng.random(X.shape) < 0.2] = np.nan
    return X


@cache
def model_of(kind: str) -> lgb.Booster:
    """Train a model of a kind."""
    options = dict(KINDS[kind])
    holes, category = bool(options.pop("holes", False)), bool(options.pop("category", False))
    X = training_rows(holes=holes, category=category)
    Z = np.nan_to_num(X, nan=0.7)
    y = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2]) + (Z[:, 3] == 0) + 0.4 * (Z[:, CATEGORY] % 3) + np.isnan(X[:, 4])
    if options.get("objective") == "binary":
        y = (y > np.median(y)).astype(float)
    data = lgb.Dataset(X, y, categorical_feature=[CATEGORY] if category else [])
    return lgb.train(QUIET | options, data, 25)


def nasty_rows(model: lgb.Booster, *, category: bool, rows: int = 200, seed: int = 0) -> np.ndarray:
    """Make rows of figures at the thresholds and right beside them, and of everything that is no usual figure."""
    rng = np.random.default_rng(seed)
    cuts = TreeEnsemble.of(model.model_to_string()).thresholds
    beside = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), rng.normal(size=50)])
    X = np.where(
        rng.random((rows, FEATURES)) < 0.4,
        rng.choice(np.array(NASTY), (rows, FEATURES)),
        rng.choice(beside, (rows, FEATURES)),
    )
    if category:
        X[:, CATEGORY] = rng.choice([*ODD_CATEGORIES, *range(40)], rows)
    return X


def raw_output(model: lgb.Booster, X: np.ndarray) -> np.ndarray:
    """Ask LightGBM for the output before its link; its raw score of a forest is a sum, its output the mean."""
    raw = np.asarray(model.predict(X, raw_score=True))
    return raw / model.num_trees() if "\naverage_output\n" in model.model_to_string() else raw


def slow_values(model: lgb.Booster, x: np.ndarray, r: np.ndarray, player: list[int]) -> np.ndarray:
    """Give the Shapley values of players by asking the model about every coalition."""
    count = max(player) + 1
    coalitions = np.array(list(product([False, True], repeat=count)))
    worth = raw_output(model, np.where(coalitions[:, player], x, r))
    at = {tuple(row): value for row, value in zip(coalitions.tolist(), worth, strict=True)}
    found = np.zeros(count)
    for row, value in at.items():
        size = sum(row)
        for one in (number for number in range(count) if not row[number]):
            share = factorial(size) * factorial(count - size - 1) / factorial(count)
            found[one] += share * (at[(*row[:one], True, *row[one + 1 :])] - value)
    return found
