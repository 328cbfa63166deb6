"""The suggestions for a year, wholly from one data version, one model and one policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from serving.explanation import with_course

if TYPE_CHECKING:
    from pathlib import Path

    from models.bundle import ModelBundle
    from models.explanation.own_course import Against
    from training.own_course import Courses

TABLE_FORMAT = 2
"""Raised when the columns of kept tables change."""
COURSES_KEPT = 8
"""Indicators whose levels are kept ready for explanations: some 10 MB each for 10,000 units."""
SHOWN = 16
"""Digits of a digest in a file's name."""


@dataclass(frozen=True)
class Mark:
    """What tells the suggestions from all others.

    Attributes
    ----------
    dataset : str
    version : int
        Of the data.
    fingerprint : str
        Of the data.
    rules : str
        Digest of what the policy says about targets.
    year : int
    digest : str or None
        Of the champion; None where there is none, and all is fitted on the spot.
    """

    dataset: str
    version: int
    fingerprint: str
    rules: str
    year: int
    digest: str | None

    @property
    def file_name(self) -> str:
        """Give the name under which the table is kept in the home."""
        model = (self.digest or "none")[:SHOWN]
        return f"{self.fingerprint[:SHOWN]}-{model}-{self.version}-{self.rules}-{self.year}-{TABLE_FORMAT}.parquet"


@dataclass(frozen=True, eq=False)
class Suggested:
    """All suggestions for a year, and what explains them.

    Attributes
    ----------
    mark : Mark
    snapshot : Snapshot
        The data version.
    table : pd.DataFrame
        One row a unit and indicator, with the milestones that explain it.
    home : Path
    load : callable
        Gives the champion; it is asked only for explanations.
    """

    mark: Mark
    snapshot: Snapshot
    table: pd.DataFrame
    home: Path
    load: Callable[[], ModelBundle | None]
    _courses: dict[str, Courses] = field(default_factory=dict)

    @cached_property
    def model(self) -> ModelBundle | None:
        """Give the champion."""
        return self.load()

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        found = self.table.groupby("unit", sort=False).indices
        return {str(unit): np.asarray(rows) for unit, rows in found.items()}

    def of(self, unit: str) -> pd.DataFrame:
        """Give the suggestions for one unit.

        Raises
        ------
        LoadlineError
            Where there is no such unit.
        """
        self.snapshot.tree.number(unit)
        return self.table.iloc[self._rows.get(unit, np.empty(0, dtype=int))].reset_index(drop=True)

    def explain(self, unit: str, indicator: str, *, against: Against | None = None) -> dict[str, Any]:
        """Tell how a suggested target comes about; see `serving.suggesting.Suggesting.explain_target`."""
        rows = self.of(unit)
        rows = rows[(rows["indicator"] == indicator) & rows["target"].notna()]
        if rows.empty:
            raise LoadlineError(
                f"there is no suggested target for {unit} on {indicator}",
                where="--indicator",
                hint="`loadline targets --year YEAR` lists what there is, and why some have none.",
            )
        return with_course(
            dict(rows.iloc[0]), self.snapshot.indicators[indicator], self.courses(indicator).of(unit), against
        )

    def courses(self, indicator: str) -> Courses:
        """Give the levels of an indicator with their models; those of the last few indicators are kept."""
        from training.own_course import courses

        found = self._courses.get(indicator)
        if found is None:
            last = self.snapshot.span[1]
            found = courses(
                self.snapshot, indicator, self.mark.year, home=self.home, origin=last, latest=True, model=self.model
            )
            self._courses[indicator] = found
            for code in list(self._courses)[:-COURSES_KEPT]:
                self._courses.pop(code, None)
        return found
