"""What the models of all years learn and answer from: features as known, and labels as known at any origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from threading import RLock

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.known_matrix import known_matrix
from features.matrix import FeatureMatrix
from features.panel import Panel
from features.snapshot import Snapshot
from features.vintages import Vintage, vintages
from models.deterioration.columns import chosen_columns
from training.warning.deterioration_ahead import candidate_codes
from training.warning.labels import NEVER, Labels, labels
from training.warning.schedule import terms


@dataclass(frozen=True, eq=False)
class Material:
    """A data version as known period by period, from its first figures to the last period asked about.

    Attributes
    ----------
    snapshot : Snapshot
    vintages : tuple of Vintage
        From the first period with figures on.
    known_on : date or None
        Nothing that became known later is used, whatever the period.
    prior : np.ndarray or None
        (P, U) scores in [0, 1] that need no labels, a column of their own.
    reviewed : pd.DataFrame or None
        What reviewers found; see `training.warning.labels.labels`.
    """

    snapshot: Snapshot
    vintages: tuple[Vintage, ...]
    known_on: date | None = None
    prior: np.ndarray | None = None
    reviewed: pd.DataFrame | None = None
    _kept: dict[object, object] = field(default_factory=dict, repr=False)
    _lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def first(self) -> int:
        """Give the ordinal of the first row."""
        return self.vintages[0].first

    @property
    def last(self) -> int:
        """Give the ordinal of the last row."""
        return self.vintages[-1].last

    @cached_property
    def panel(self) -> Panel:
        """Read the panel as known at the end of the last row."""
        return self.vintages[-1].panel

    @cached_property
    def leaves(self) -> np.ndarray:
        """Tell which units exist and have none below them: (P, U) booleans."""
        tree = self.snapshot.tree
        leaf = np.zeros((self.last - self.first + 1, len(tree)), dtype=bool)
        for first, last in tree.segments(self.first, self.last):
            leaf[first - self.first : last - self.first + 1] = tree.leaves(first)
        return leaf

    @cached_property
    def origins(self) -> tuple[int, ...]:
        """List the ends of fiscal years that models are trained at."""
        found = terms(self.snapshot.description.calendar, self.first, self.last + 1, begin=self.first)
        return tuple(dict.fromkeys(term.origin for term in found if term.origin >= self.first))

    @cached_property
    def matrix(self) -> FeatureMatrix:
        """Compute every column that a model of any origin, or of hindsight, may want; rows are those of the labels."""
        wanted = [self.columns_at(origin) for origin in dict.fromkeys((*self.origins, self.last))]
        indicators = [code for code in self.panel.codes if any(code in chosen for chosen, _ in wanted)]
        features = list(dict.fromkeys(name for _, names in wanted for name in names))
        return known_matrix(self.vintages, indicators=indicators, features=features)

    def columns_at(self, origin: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Name the indicators and the features that a model of an origin is offered."""
        with self._lock:
            if ("columns", origin) not in self._kept:
                positives = int((self.leaves & (self.labels_at(origin).y == 1)).sum())
                self._kept["columns", origin] = chosen_columns(self.known_panel(origin), positives)
            found = self._kept["columns", origin]
        assert isinstance(found, tuple)
        return found

    def known_panel(self, origin: int) -> Panel:
        """Give the panel as known at the end of a period: late figures are blank."""
        vintage = next(v for v in self.vintages if v.first <= origin <= v.last)
        panel = (self.panel if vintage is self.vintages[-1] else vintage.panel).up_to(origin)
        values = {}
        for code, array in panel.values.items():
            delay = vintage.delays.get(code, 0)
            if delay:
                array = array.copy()
                array[max(0, len(array) - delay) :] = np.nan
            values[code] = array
        return panel.with_values(values)

    def labels_at(self, origin: int) -> Labels:
        """Give the labels as known at the end of a period, on the rows of this material."""
        with self._lock:
            if ("labels", origin) not in self._kept:
                self._kept["labels", origin] = self._labels_at(origin)
            found = self._kept["labels", origin]
        assert isinstance(found, Labels)
        return found

    def _labels_at(self, origin: int) -> Labels:
        snapshot = self.snapshot
        vintage = next(v for v in self.vintages if v.first <= origin <= v.last)
        panel = self.known_panel(origin)
        if len(snapshot.outcomes):
            panel = panel.only(panel.codes[:1])
        else:
            panel = panel.only([code for code in candidate_codes(snapshot.indicators) if code in panel])
        known_by = min(snapshot.description.calendar.end(origin), self.known_on or date.max)
        if not panel.codes:
            panel = self.known_panel(origin)
        found = labels(snapshot, panel, known_by=known_by, delays=vintage.delays, reviewed=self.reviewed)
        return stretched(found, self.first, self.last)

    def labels_now(self, day: date) -> Labels:
        """Give all labels known by a day, which may be later than the end of the last row."""
        panel = self.panel
        found = labels(self.snapshot, panel, known_by=day, delays=self.vintages[-1].delays, reviewed=self.reviewed)
        return stretched(found, self.first, self.last)


def material(
    snapshot: Snapshot,
    last: int,
    *,
    known_on: date | None = None,
    prior: np.ndarray | None = None,
    reviewed: pd.DataFrame | None = None,
    stretches: Sequence[Vintage] | None = None,
) -> Material:
    """Gather what models learn and answer from, up to a period.

    Parameters
    ----------
    snapshot : Snapshot
    last : int
        Last period (ordinal) that is asked about.
    known_on : date, optional
        Leave out what became known after this day, whatever the period.
    prior : np.ndarray, optional
        (P, U) scores from the first period with figures to `last`.
    reviewed : pd.DataFrame, optional
        `unit, period, value, known_on` of decided reviews.
    stretches : sequence of Vintage, optional
        Where they are at hand already; from the first period with figures to `last`.

    Raises
    ------
    LoadlineError
        Where the prior has other rows than the data.
    """
    first = snapshot.span[0]
    cut = tuple(stretches) if stretches is not None else vintages(snapshot, first, last, known_on=known_on)
    shape = (last - first + 1, len(snapshot.tree))
    if cut[0].first != first or cut[-1].last != last or (prior is not None and prior.shape != shape):
        raise LoadlineError("vintages or prior scores of other periods than those asked about")
    return Material(snapshot, cut, known_on, prior, reviewed)


def stretched(found: Labels, first: int, last: int) -> Labels:
    """Lay labels out on other rows; rows that they do not have are unknown."""
    rows, units = last - first + 1, found.y.shape[1]
    y, known_from = np.full((rows, units), np.nan, dtype=np.float32), np.full((rows, units), NEVER)
    start, stop = max(first, found.first), min(last + 1, found.first + len(found.y))
    if start < stop:
        here, there = slice(start - first, stop - first), slice(start - found.first, stop - found.first)
        y[here], known_from[here] = found.y[there], found.known_from[there]
    return replace(found, y=y, known_from=known_from, first=first)
