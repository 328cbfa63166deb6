"""Boosted trees: small, random in where they split, worse figures never lowering the risk where that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from models.deterioration.problem import DeteriorationProblem
from models.deterioration.rows import Rows
from models.deterioration.settings import DEFAULT, WarningSettings
from models.explanation.contrast import Players
from models.explanation.trees import TreeEnsemble

ROUNDS = (50, 100, 200, 350)
"""Numbers of trees that are tried: how long to learn is what tells most, and costs nothing to find out."""
LEAVES = ((0, 4), (600, 8), (6_000, 16))
"""Leaves of a tree from so many positives on."""
BAGS = 3
"""Models from different seeds that are averaged where there are few rows."""
FEW_ROWS = 10_000

_SHAPE: dict[str, Any] = {
    "objective": "binary",
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "extra_trees": True,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}
"""Thresholds drawn at random and a part of columns and rows for each tree: strongly averaged, so that a hundred
positives do not suffice to learn one crisis by heart."""


@dataclass(frozen=True, eq=False)
class Boosted:
    """The mean log-odds of some LightGBM models.

    Attributes
    ----------
    texts : tuple of str
        LightGBM's own text format.
    """

    texts: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        problem: DeteriorationProblem,
        *,
        seed: int,
        rounds: int = ROUNDS[-1],
        bags: int = 0,
        threads: int = 1,
        settings: WarningSettings = DEFAULT,
    ) -> Boosted:
        """Learn from rows, the size of the trees following from the positives; `bags` as the rows suggest where 0."""
        leaves = next(number for least, number in reversed(LEAVES) if problem.positives >= least)
        shape = _SHAPE | {
            "num_leaves": max(2, round(settings.leaves * leaves)),
            "learning_rate": settings.rate,
            "min_child_samples": settings.least_rows,
            "lambda_l2": settings.l2,
            "feature_fraction": settings.columns,
            "num_threads": threads,
        }
        if problem.direction.any():
            shape |= {"monotone_constraints": [int(sign) for sign in problem.direction]}
        data = lgb.Dataset(
            problem.X, problem.y.astype(np.float32), params={"max_bin": _SHAPE["max_bin"], "verbose": -1}
        )
        bags = bags or (BAGS if len(problem) < FEW_ROWS else 1)
        boosters = [lgb.train(shape | {"seed": 1 + (seed * 31 + bag) % 2**30}, data, rounds) for bag in range(bags)]
        return cls(tuple(booster.model_to_string() for booster in boosters))

    @cached_property
    def _boosters(self) -> list[lgb.Booster]:
        return [lgb.Booster(model_str=text) for text in self.texts]

    @cached_property
    def _trees(self) -> list[TreeEnsemble]:
        return [TreeEnsemble.of(text) for text in self.texts]

    def margin(self, rows: Rows, *, threads: int = 1) -> np.ndarray:
        """Give log-odds (n,)."""
        return self.margins(rows, (0,), threads=threads)[0]

    def margins(self, rows: Rows, rounds: Sequence[int], *, threads: int = 1) -> np.ndarray:
        """Give log-odds (len(rounds), n) after so many trees each; 0 for all of them."""
        found = np.zeros((len(rounds), len(rows.X)))
        for place, count in enumerate(rounds):
            for booster in self._boosters:
                found[place] += booster.predict(rows.X, raw_score=True, num_iteration=count or -1, num_threads=threads)
        return found / len(self.texts)

    def contrast(self, rows: Rows, reference: Rows, players: Players) -> np.ndarray:
        """Share out (n, players) how far rows lie from their reference: exact Shapley values of the trees."""
        total = np.zeros((len(rows.X), len(players.names)))
        for trees in self._trees:
            total += trees.contrast(rows.X, reference.X, player=players.of_feature, count=len(players.names))
        return total / len(self.texts)
