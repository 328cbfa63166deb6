"""One model of relative growth for many indicators: what one indicator has shown too seldom, the others may have shown.

Growth, level and size are standardised indicator by indicator before they are put together, so a rate and a balance
speak the same language. All features are relative to the group in the same year: none is constant across units, which
would only memorise the years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models.outcome.baselines import Learned
from models.outcome.problem import TargetProblem
from models.outcome.relative import REACH, TREES_FROM, Standard, grown_trees, matrix
from models.outcome.settings import DEFAULT, KEPT, TargetSettings

FEWEST_PROBLEMS = 2
"""With one indicator there is nothing to share: its own trees already see every unit."""


@dataclass(frozen=True)
class GlobalGrowth:
    """Expected relative growth, learned over units and indicators together.

    Attributes
    ----------
    trees : str
        LightGBM's own text format.
    kept : float
        Share of what is predicted that is kept.
    """

    trees: str
    kept: float = KEPT

    @classmethod
    def fit(
        cls, problems: Sequence[TargetProblem], *, seed: int, settings: TargetSettings = DEFAULT
    ) -> GlobalGrowth | None:
        """Learn from the known rows of several problems; None where there are too few of either.

        Parameters
        ----------
        problems : sequence of TargetProblem
            Of different indicators, all cut at the same origin; their order does not matter.
        seed : int
        settings : TargetSettings
        """
        blocks = [_block(problem) for problem in sorted(problems, key=lambda one: one.indicator.code)]
        blocks = [(X, y) for X, y in blocks if len(y)]
        if len(blocks) < FEWEST_PROBLEMS or sum(len(y) for _, y in blocks) < TREES_FROM:
            return None
        X, y = np.concatenate([X for X, _ in blocks]), np.concatenate([y for _, y in blocks])
        return cls(grown_trees(X, y, settings=settings.shared, seed=seed), settings.kept)

    def predict(self, X: np.ndarray, *, standard: Standard, deviation: float) -> np.ndarray:
        """Predict relative latent growth (rows,) of one indicator.

        Parameters
        ----------
        X : np.ndarray
            (rows, features), not standardised.
        standard : Standard
            Of the indicator's own features.
        deviation : float
            Of the indicator's own relative growth.
        """
        booster = lgb.Booster(model_str=self.trees)
        return self.kept * deviation * np.asarray(booster.predict(standard.apply(X), num_threads=1))


def _block(problem: TargetProblem) -> tuple[np.ndarray, np.ndarray]:
    """Give the standardised features (rows, features) and labels (rows,) of one problem."""
    if not np.isfinite(problem.base).any():
        return np.empty((0, 0)), np.empty(0)
    learned = Learned.of(problem)
    seen = np.isfinite(learned.relative)
    X = matrix(learned.history)[seen]
    label = np.clip(learned.relative[seen] / learned.history.deviation, -REACH, REACH)
    return Standard.of(X).apply(X), label


def rolling_growth(
    problems: Sequence[TargetProblem], *, origins: int, seed: int, settings: TargetSettings = DEFAULT
) -> Mapping[int, GlobalGrowth]:
    """Fit the global model for the year asked about and for past origins, each from what was known then.

    Parameters
    ----------
    problems : sequence of TargetProblem
        One for each indicator, of one level of the tree and asked about the same year.
    origins : int
        Past years to go back.
    seed : int
    settings : TargetSettings

    Returns
    -------
    Mapping
        By the year asked about; a year is missing where there was too little to learn from.
    """
    found: dict[int, GlobalGrowth] = {}
    if len(problems) < FEWEST_PROBLEMS:
        return found
    last = max(problem.asked for problem in problems)
    for year in range(last - origins, last + 1):
        past = [p.at(int(np.flatnonzero(p.years == year)[0])) for p in problems if year in p.years]
        model = GlobalGrowth.fit(past, seed=seed, settings=settings)
        if model is not None:
            found[year] = model
    return found
