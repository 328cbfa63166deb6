"""Figures of any shape on one scale: each column's place in its own distribution, as a normal score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 5.0
"""Scores end here: six parts in ten million lie beyond."""
INNER_REACH = 4.0
"""Beyond this, or beyond what so few rows can tell, scores go on in a straight line, so that extremes differ."""
KNOTS = 33
"""A quarter of a standard deviation apart at most: fine enough in the tails, where failing units are."""

FEW_ROWS = 4
"""Up to so many rows are scored row by row: of one row all columns at once take less than one column by itself."""


@dataclass(frozen=True, eq=False)
class NormalScores:
    """Monotone maps of columns to normal scores; what is not known becomes zero, the middle.

    Attributes
    ----------
    knots, scores : np.ndarray
        (F, K) figures, rising, and the scores they have; beyond the last knot of a column both repeat.
    """

    knots: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> NormalScores:
        """Learn the maps from rows (n, F); uses no outcome."""
        from scipy.special import ndtr, ndtri

        knots, scores = np.zeros((X.shape[1], KNOTS + 2)), np.zeros((X.shape[1], KNOTS + 2))
        for place, column in enumerate(X.T):
            known = column[np.isfinite(column)].astype(np.float64)
            if len(known) == 0:
                continue
            reach = min(INNER_REACH, float(ndtri(1 - 0.5 / (len(known) + 1))))
            inner = np.linspace(-reach, reach, KNOTS)
            figures, number = np.unique(np.quantile(known, ndtr(inner)), return_inverse=True)
            if len(figures) < 2:  # a constant tells nothing
                knots[place] = figures[0]
                continue
            levels = np.bincount(number, inner) / np.bincount(number)
            slopes = (levels[[1, -1]] - levels[[0, -2]]) / (figures[[1, -1]] - figures[[0, -2]])
            first, last = figures[0] - (levels[0] + REACH) / slopes[0], figures[-1] + (REACH - levels[-1]) / slopes[1]
            filled = len(figures) + 2
            knots[place, :filled] = first, *figures, last
            scores[place, :filled] = -REACH, *levels, REACH
            knots[place, filled:], scores[place, filled:] = last, REACH
        return cls(knots, scores)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Give the scores (n, F) float32 of rows (n, F)."""
        if len(X) <= FEW_ROWS:
            return np.array([self._row(row) for row in X], np.float32).reshape(X.shape)
        found = np.zeros(X.shape, np.float32)
        for place in range(X.shape[1]):
            figures = X[:, place]
            scores = np.interp(figures, self.knots[place], self.scores[place])
            found[:, place] = np.where(np.isfinite(figures), scores, 0.0)
        return found

    def _row(self, row: np.ndarray) -> np.ndarray:
        """Give the scores (F,) of one row: all columns at once, each as `np.interp` has it."""
        figures, every = row.astype(np.float64), np.arange(len(row))
        place = (self.knots <= figures[:, None]).sum(axis=1) - 1
        low = np.clip(place, 0, self.knots.shape[1] - 2)
        x, y = self.knots[every, low], self.scores[every, low]
        width, rise = self.knots[every, low + 1] - x, self.scores[every, low + 1] - y
        with np.errstate(invalid="ignore"):  # infinite figures lie outside
            found = rise / np.where(width > 0, width, 1.0) * (figures - x) + y
        found = np.where(place < 0, self.scores[:, 0], found)
        found = np.where(figures >= self.knots[:, -1], self.scores[:, -1], found)
        return np.where(np.isfinite(figures), found, 0.0)

    def figures(self, columns: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Give the figures (n,) that have some scores (n,), each in a column of its own."""
        found = np.empty(len(columns))
        for column in np.unique(columns):
            here = columns == column
            found[here] = np.interp(scores[here], self.scores[column], self.knots[column])
        return found
