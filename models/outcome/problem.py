"""The question a target model is asked: one indicator, all units, seen from one origin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator


@dataclass(frozen=True)
class TargetProblem:
    """One indicator seen from one origin, as plain arrays; the last row is the year asked about.

    Attributes
    ----------
    indicator : Indicator
    units : pd.Index
        U labels, unique.
    years : np.ndarray
        T+1 consecutive outcome years, ascending.
    base : np.ndarray
        (T+1, U): the figure known at each row's origin, NaN where not observed. For annual data `base[t]` is the
        outcome of the year before.
    outcome : np.ndarray
        (T+1, U): what came of it; NaN where not known at the last origin.
    weight : np.ndarray, optional
        (T+1, U): for ratios the denominator at each row's origin.
    peers : np.ndarray, optional
        (U,) codes of peer groups; all units are peers of each other where not given.
    size : np.ndarray, optional
        (U,) any positive measure of the unit's size, used where there is no weight.
    horizon : int
        Years from the base to the outcome.

    Raises
    ------
    LoadlineError
        Where the shapes disagree, labels repeat or years are not consecutive.
    """

    indicator: Indicator
    units: pd.Index
    years: np.ndarray
    base: np.ndarray
    outcome: np.ndarray
    weight: np.ndarray | None = None
    peers: np.ndarray | None = None
    size: np.ndarray | None = None
    horizon: int = 1

    def __post_init__(self) -> None:
        shape = (len(self.years), len(self.units))
        for name in ("base", "outcome", "weight"):
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise LoadlineError(f"{name} has shape {array.shape}, expected {shape}", where=self.indicator.code)
        for name in ("peers", "size"):
            array = getattr(self, name)
            if array is not None and array.shape != shape[1:]:
                raise LoadlineError(f"{name} has shape {array.shape}, expected {shape[1:]}", where=self.indicator.code)
        if not self.units.is_unique:
            raise LoadlineError("a unit is given twice", where=self.indicator.code)
        if len(self.years) == 0 or np.any(np.diff(self.years) != 1):
            raise LoadlineError("years must be consecutive and at least one", where=self.indicator.code)
        if self.horizon < 1:
            raise LoadlineError("the horizon must be at least one year", where=self.indicator.code)

    @classmethod
    def annual(
        cls,
        indicator: Indicator,
        years: np.ndarray,
        values: np.ndarray,
        *,
        units: pd.Index,
        weight: np.ndarray | None = None,
        peers: np.ndarray | None = None,
        size: np.ndarray | None = None,
    ) -> TargetProblem:
        """Ask for the year after the last of a table of year figures (years, units)."""
        years = np.asarray(years)
        unknown = np.full((1, len(units)), np.nan)
        return cls(
            indicator,
            units,
            years + 1,
            np.asarray(values, dtype=float),
            np.concatenate([np.asarray(values, dtype=float)[1:], unknown]),
            weight,
            peers,
            size,
        )

    @property
    def asked(self) -> int:
        """Give the year asked about."""
        return int(self.years[-1])

    @property
    def known(self) -> np.ndarray:
        """Give the (T+1, U) mask of rows to learn from: base and outcome both observed."""
        return np.isfinite(self.base) & np.isfinite(self.outcome)

    def at(self, row: int) -> TargetProblem:
        """See the problem from an earlier row's origin: later rows, and outcomes not yet known then, are gone."""
        stop = row + 1
        late = self.years[:stop] > self.years[row] - self.horizon
        outcome = np.where(late[:, None], np.nan, self.outcome[:stop])
        weight = None if self.weight is None else self.weight[:stop]
        return replace(self, years=self.years[:stop], base=self.base[:stop], outcome=outcome, weight=weight)

    def last(self, rows: int) -> TargetProblem:
        """Keep the last rows only."""
        weight = None if self.weight is None else self.weight[-rows:]
        return replace(
            self, years=self.years[-rows:], base=self.base[-rows:], outcome=self.outcome[-rows:], weight=weight
        )

    def take(self, columns: np.ndarray) -> TargetProblem:
        """Keep some units, by position, in the order given."""

        def pick(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[..., columns]

        return replace(
            self,
            units=self.units[columns],
            base=self.base[:, columns],
            outcome=self.outcome[:, columns],
            weight=pick(self.weight),
            peers=pick(self.peers),
            size=pick(self.size),
        )
