"""What a warning model has to beat: the best single indicator and a plain logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.warning.evaluation import auc

FEWEST_KNOWN = 0.3
"""A single indicator must be known of at least this part of the rows, or it is judged on an odd selection of them."""
WINSOR = (0.01, 0.99)
"""Quantiles to which columns are cut before they are scaled: one slip of the pen must not carry a regression."""
STRENGTH = 0.1
"""Inverse of the L2 penalty: strong, since columns are many, alike and noisy."""


@dataclass(frozen=True, eq=False)
class SingleIndicator:
    """The column that told best on the rows learned from, and its sign.

    Attributes
    ----------
    name : str
    place : int
        Number of the column.
    sign : float
        1 where a higher figure is worse, else -1.
    """

    name: str
    place: int
    sign: float

    @classmethod
    def best(
        cls, X: np.ndarray, y: np.ndarray, names: tuple[str, ...], *, period: np.ndarray
    ) -> SingleIndicator | None:
        """Choose by the AUC of standings within a period, on rows (n, F) whose figure is known.

        A column that only tells the years apart is none. None where no column is known often enough.
        """
        found: tuple[float, int, float] | None = None
        for place in range(X.shape[1]):
            known = np.isfinite(X[:, place])
            if known.mean() < FEWEST_KNOWN:
                continue
            standing = pd.Series(X[known, place]).groupby(period[known]).rank(pct=True).to_numpy()
            skill = auc(standing, y[known]) - 0.5
            if np.isfinite(skill) and (found is None or abs(skill) > found[0]):
                found = (abs(skill), place, 1.0 if skill >= 0 else -1.0)
        return None if found is None else cls(names[found[1]], found[1], found[2])

    def score(self, X: np.ndarray) -> np.ndarray:
        """Rank rows (n, F): (n,), NaN where the figure is missing."""
        return self.sign * X[:, self.place].astype(np.float64)


@dataclass(frozen=True, eq=False)
class PlainLogit:
    """Logistic regression on cut, scaled and filled-in columns.

    Attributes
    ----------
    low, high, middle, spread : np.ndarray
        (F,) limits, median and deviation of each column on the rows learned from.
    slope : np.ndarray
        (F,).
    intercept : float
    """

    low: np.ndarray
    high: np.ndarray
    middle: np.ndarray
    spread: np.ndarray
    slope: np.ndarray
    intercept: float

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, *, weight: np.ndarray | None = None) -> PlainLogit:
        """Fit on rows (n, F); every column has some known figure."""
        from sklearn.linear_model import LogisticRegression

        low, middle, high = np.nanquantile(X, (WINSOR[0], 0.5, WINSOR[1]), axis=0)
        cut = np.clip(np.where(np.isfinite(X), X, middle), low, high)
        spread = cut.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        model = LogisticRegression(C=STRENGTH, max_iter=500)
        model.fit((cut - middle) / spread, y, sample_weight=weight)
        return cls(low, high, middle, spread, np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]))

    def score(self, X: np.ndarray) -> np.ndarray:
        """Give the probability of rows (n, F): (n,)."""
        cut = np.clip(np.where(np.isfinite(X), X, self.middle), self.low, self.high)
        margin = ((cut - self.middle) / self.spread) @ self.slope + self.intercept
        return 1.0 / (1.0 + np.exp(-np.clip(margin, -50.0, 50.0)))
