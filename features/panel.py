"""The panel: for each indicator one frame, periods down and units across, as it was known on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet
from features.periods import Calendar
from features.units import UnitTree


@dataclass(frozen=True)
class Panel:
    """Observations as they were known on a day, as arrays of P periods x U units.

    Attributes
    ----------
    calendar : Calendar
    tree : UnitTree
        Its U units are the columns.
    indicators : IndicatorSet
        Those of the dataset; `values` may hold fewer.
    first : int
        Ordinal of the first row; rows follow without gaps.
    values : Mapping[str, np.ndarray]
        By indicator code: (P, U) floats, NaN where nothing is known. Not to be written to.
    known_on : date
        Nothing that became known after this day is in it.
    data_version, fingerprint
        The stored data version that it was read from; None and "" for a panel that was not stored.
    """

    calendar: Calendar
    tree: UnitTree
    indicators: IndicatorSet
    first: int
    values: Mapping[str, np.ndarray]
    known_on: date
    data_version: int | None = None
    fingerprint: str = ""

    def __post_init__(self) -> None:
        shapes = {array.shape for array in self.values.values()}
        if len(shapes) > 1 or any(shape[1] != len(self.tree) for shape in shapes):
            raise LoadlineError(f"frames of different shapes in one panel: {sorted(shapes)}")

    def __getitem__(self, code: str) -> pd.DataFrame:
        """Give an indicator as a frame, periods x units."""
        return pd.DataFrame(self.array(code), index=self.periods, columns=self.units, copy=False)

    def __contains__(self, code: str) -> bool:
        return code in self.values

    def array(self, code: str) -> np.ndarray:
        """Give an indicator as a (P, U) array.

        Raises
        ------
        LoadlineError
            Where the panel does not hold it.
        """
        if code not in self.values:
            raise LoadlineError(f"the panel has no indicator {code!r}", hint=f"It has: {', '.join(self.values)}.")
        return self.values[code]

    @property
    def codes(self) -> list[str]:
        """List the indicators that have a frame."""
        return list(self.values)

    @property
    def units(self) -> pd.Index:
        """Give the columns."""
        return self.tree.codes

    @cached_property
    def ordinals(self) -> np.ndarray:
        """Give the rows as period ordinals: (P,)."""
        length = next((len(array) for array in self.values.values()), 0)
        return np.arange(self.first, self.first + length)

    @cached_property
    def periods(self) -> pd.PeriodIndex:
        """Give the rows as a pandas index of periods."""
        return self.calendar.index(self.ordinals)

    @property
    def last(self) -> int:
        """Give the ordinal of the last row."""
        return self.first + len(self.ordinals) - 1

    def indicator(self, code: str) -> Indicator:
        """Give the definition of an indicator."""
        return self.indicators[code]

    def up_to(self, ordinal: int) -> Panel:
        """Drop the rows after a period; what was known of the rows that stay is not changed."""
        keep = max(0, ordinal - self.first + 1)
        return replace(self, values={code: array[:keep] for code, array in self.values.items()})

    def only(self, codes: list[str]) -> Panel:
        """Keep some indicators."""
        return replace(self, values={code: self.array(code) for code in codes})

    def with_values(self, values: Mapping[str, np.ndarray]) -> Panel:
        """Put other frames in place, of the same shape."""
        return replace(self, values=dict(values))
