"""What a deterioration model learns from: rows of features, what later happened, and which rows belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.errors import LoadlineError

NO_EVENT = -1
"""Event of a row after which nothing happened."""


@dataclass(frozen=True, eq=False)
class DeteriorationProblem:
    """Rows of units and periods whose outcome has matured.

    Attributes
    ----------
    X : np.ndarray
        (n, F) float32, NaN where a figure is not known. What was known at the end of the row's period, nothing later.
    names : tuple of str
        F names of the columns, such as `CREDIT.growth_1y`.
    y : np.ndarray
        (n,) 1 where the unit deteriorated, else 0.
    period, unit : np.ndarray
        (n,) period ordinals and numbers of units.
    event : np.ndarray
        (n,) which event a row foretells; rows of one event are never on both sides of a test. `NO_EVENT` for others.
    direction : np.ndarray
        (F,) +1 where a higher figure is worse, -1 where it is better, 0 where nothing is said.
    weight : np.ndarray
        (n,) how many rows each stands for, where only some of the uneventful rows were kept.
    per_year : int
        Periods in a year.
    """

    X: np.ndarray
    names: tuple[str, ...]
    y: np.ndarray
    period: np.ndarray
    unit: np.ndarray
    event: np.ndarray
    direction: np.ndarray
    weight: np.ndarray
    per_year: int = 1

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        names: Sequence[str],
        *,
        y: np.ndarray,
        period: np.ndarray,
        unit: np.ndarray,
        event: np.ndarray | None = None,
        direction: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        per_year: int = 1,
    ) -> DeteriorationProblem:
        """Check and convert; without events each unit's uninterrupted stretch of positives is one.

        Raises
        ------
        LoadlineError
            Where shapes disagree or an outcome is neither 0 nor 1.
        """
        X = np.ascontiguousarray(X, dtype=np.float32)
        y = np.asarray(y)
        rows, columns = X.shape if X.ndim == 2 else (-1, -1)
        given = {"y": y, "period": period, "unit": unit, "event": event, "weight": weight}
        for name, array in given.items():
            if array is not None and np.shape(array) != (rows,):
                raise LoadlineError(f"{name} has the shape {np.shape(array)} for {rows} rows")
        if len(names) != columns or (direction is not None and np.shape(direction) != (columns,)):
            raise LoadlineError(f"names or directions of another number than the {columns} columns")
        if not np.isin(y, (0, 1)).all():
            raise LoadlineError("an outcome is neither 0 nor 1", hint="Leave out rows whose outcome has not matured.")
        y, period, unit = y.astype(np.int8), np.asarray(period, np.int64), np.asarray(unit, np.int64)
        return cls(
            X,
            tuple(names),
            y,
            period,
            unit,
            stretches(y, period, unit) if event is None else np.where(y == 1, event, NO_EVENT).astype(np.int64),
            np.zeros(columns, np.int8) if direction is None else np.asarray(direction, np.int8),
            np.ones(rows) if weight is None else np.asarray(weight, np.float64),
            per_year,
        )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def positives(self) -> int:
        """Count the rows after which the unit deteriorated."""
        return int(self.y.sum())

    @property
    def events(self) -> int:
        """Count the events."""
        return len(np.unique(self.event[self.y == 1]))

    @property
    def base_rate(self) -> float:
        """Give the share of rows, by weight, after which the unit deteriorated; NaN of no rows."""
        total = float(self.weight.sum())
        return float(self.weight @ self.y) / total if total > 0 else float("nan")

    def rows(self, chosen: np.ndarray) -> DeteriorationProblem:
        """Keep some rows: a mask (n,) or row numbers."""
        return replace(
            self,
            X=self.X[chosen],
            y=self.y[chosen],
            period=self.period[chosen],
            unit=self.unit[chosen],
            event=self.event[chosen],
            weight=self.weight[chosen],
        )


def stretches(y: np.ndarray, period: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Number each unit's uninterrupted stretches of positives (n,); `NO_EVENT` for other rows."""
    found = np.full(len(y), NO_EVENT, np.int64)
    order = np.lexsort((period, unit))
    order = order[y[order] == 1]
    begins = (np.diff(unit[order], prepend=-1) != 0) | (np.diff(period[order], prepend=-2) != 1)
    found[order] = np.cumsum(begins) - 1
    return found
