"""The computed features: one float32 cube of columns x periods x units, and the names of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from features.periods import Calendar

SEPARATOR = "."
"""Stands between indicator and feature in a column's name; neither of them may contain it."""


def column_name(feature: str, indicator: str | None = None) -> str:
    """Name a column: `LOANS.growth_1y`, or `year_share` for a feature of the panel as a whole."""
    return feature if indicator is None else f"{indicator}{SEPARATOR}{feature}"


def parse_column(name: str) -> tuple[str, str | None]:
    """Give the feature and the indicator (None for the panel as a whole) of a column.

    >>> parse_column("LOANS.growth_1y")
    ('growth_1y', 'LOANS')
    """
    indicator, separator, feature = name.rpartition(SEPARATOR)
    return feature, indicator if separator else None


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of every unit in every period.

    Attributes
    ----------
    cube : np.ndarray
        (F, P, U) float32, NaN where a feature is not known.
    names : tuple of str
        The F columns, such as `LOANS.growth_1y`.
    titles : Mapping[str, Title]
        What each column is called in English and Chinese.
    units_of_measure : Mapping[str, str]
        The unit in which each column is stated, such as `share`, `years` or the indicator's own.
    calendar : Calendar
    first : int
        Ordinal of the first row.
    units : pd.Index
        The U units.
    omitted : Mapping[str, str]
        Columns that were asked for but cannot be had from this panel, and why.
    """

    cube: np.ndarray
    names: tuple[str, ...]
    titles: Mapping[str, Title]
    units_of_measure: Mapping[str, str]
    calendar: Calendar
    first: int
    units: pd.Index
    omitted: Mapping[str, str]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def __contains__(self, name: str) -> bool:
        return name in self._place

    def array(self, name: str) -> np.ndarray:
        """Give one column of the matrix as (P, U) float32, a view.

        Raises
        ------
        LoadlineError
            Where there is no such column; says why where it was left out.
        """
        if name not in self._place:
            raise LoadlineError(
                f"there is no feature column {name!r}",
                hint=self.omitted.get(name, "") or f"Columns: {', '.join(self.names[:8])} ...",
            )
        return self.cube[self._place[name]]

    def frame(self, name: str) -> pd.DataFrame:
        """Give one column of the matrix as a frame, periods x units."""
        return pd.DataFrame(self.array(name), index=self.periods, columns=self.units, copy=False)

    @property
    def ordinals(self) -> np.ndarray:
        """Give the rows as period ordinals: (P,)."""
        return np.arange(self.first, self.first + self.cube.shape[1])

    @property
    def periods(self) -> pd.PeriodIndex:
        """Give the rows as a pandas index of periods."""
        return self.calendar.index(self.ordinals)

    def select(self, names: Sequence[str]) -> FeatureMatrix:
        """Keep some columns, in the order given. Copies them."""
        for name in names:
            self.array(name)
        places = [self._place[name] for name in names]
        return FeatureMatrix(
            self.cube[places],
            tuple(names),
            {name: self.titles[name] for name in names},
            {name: self.units_of_measure[name] for name in names},
            self.calendar,
            self.first,
            self.units,
            self.omitted,
        )

    def rows(self, where: np.ndarray | Sequence[int]) -> np.ndarray:
        """Give rows for a model: (n, F) float32, column by column in memory.

        Parameters
        ----------
        where : np.ndarray or sequence of int
            A (P, U) mask, or ordinals of periods, of which every unit is taken.

        Returns
        -------
        np.ndarray
            In the order of `index`: by period, then by unit.
        """
        mask = self._mask(where)
        return self.cube[:, mask].T

    def index(self, where: np.ndarray | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the period ordinals and the unit numbers of the rows that `rows` gives: two (n,) arrays."""
        periods, units = np.nonzero(self._mask(where))
        return periods + self.first, units

    def _mask(self, where: np.ndarray | Sequence[int]) -> np.ndarray:
        given = np.asarray(where)
        if given.dtype == bool:
            if given.shape != self.cube.shape[1:]:
                raise LoadlineError(
                    f"a mask of shape {given.shape} for features of periods x units {self.cube.shape[1:]}"
                )
            return given
        mask = np.zeros(self.cube.shape[1:], dtype=bool)
        rows = given.astype(np.int64) - self.first
        if ((rows < 0) | (rows >= len(mask))).any():
            raise LoadlineError("there are no features of some of the periods asked for", hint="Give ordinals of rows.")
        mask[rows] = True
        return mask
