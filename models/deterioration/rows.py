"""Rows ready for the learners: the figures, and their normal scores where a learner asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.deterioration.scores import NormalScores


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of features and how their scores are found.

    Attributes
    ----------
    X : np.ndarray
        (n, F) float32 with NaN.
    scale : NormalScores
    """

    X: np.ndarray
    scale: NormalScores

    @cached_property
    def scores(self) -> np.ndarray:
        """Give all scores (n, F) float32, zero where a figure is not known."""
        return self.scale.apply(self.X)

    def some_scores(self, columns: np.ndarray) -> np.ndarray:
        """Give the scores (n, len(columns)) of some columns."""
        if "scores" in self.__dict__:
            return self.scores[:, columns]
        return NormalScores(self.scale.knots[columns], self.scale.scores[columns]).apply(self.X[:, columns])

    def at(self, chosen: np.ndarray) -> Rows:
        """Keep some rows, and their scores."""
        found = Rows(self.X[chosen], self.scale)
        if "scores" in self.__dict__:
            found.__dict__["scores"] = self.scores[chosen]
        return found
