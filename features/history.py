"""Figures over time as they became known: when by default, which is the latest, and what was known on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.indicators import Indicator
from features.periods import Calendar
from features.rows import EPOCH, Chunk

DAYS = 2**22
"""More days than any date has since year 1, to fold a day into a key."""


def default_days(indicator: Indicator, calendar: Calendar, periods: np.ndarray) -> np.ndarray:
    """Give the day on which figures become known unless the dataset says otherwise.

    It is the last day of the period, or of the period `publication_lag` periods later. Days since 1970, one a period.
    """
    ends = [calendar.end(int(period) + indicator.publication_lag).toordinal() for period in periods]
    return np.array(ends, dtype=np.int64) - EPOCH


def positions_in(column: pa.Array, known: pa.Array) -> np.ndarray:
    """Translate a text column into positions in an array of texts; -1 where it is not there."""
    found = pc.index_in(column, value_set=known)  # pyright: ignore[reportAttributeAccessIssue]
    return found.fill_null(-1).to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class _Cells:
    """For each cell (indicator, period, unit) the figure that became known last, and when and by which batch.

    Rows may come in any order. A figure's *rank* puts the day it became known first and the batch that brought it
    second, so the highest rank is what holds. With that, memory is that of the cells, however often they were restated.
    """

    codes: pa.Array
    units: pa.Array
    batches: pa.Array
    first: int
    length: int
    values: np.ndarray = field(init=False)
    ranks: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.codes) * self.length * len(self.units)
        fits = (date.max.toordinal() + 1) * len(self.batches) < 2**31
        object.__setattr__(self, "values", np.full(size, np.nan))
        object.__setattr__(self, "ranks", np.full(size, -1, dtype=np.int32 if fits else np.int64))

    def cell(self, indicator: np.ndarray, period: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Number the cells; -1 outside."""
        row = period.astype(np.int64) - self.first
        inside = (indicator >= 0) & (row >= 0) & (row < self.length) & (unit >= 0)
        return np.where(inside, (indicator.astype(np.int64) * self.length + row) * len(self.units) + unit, -1)

    def of_rows(self, rows: pa.RecordBatch) -> np.ndarray:
        """Number the cells of stored rows, without those outside."""
        indicator, unit = (
            positions_in(rows.column("indicator"), self.codes),
            positions_in(rows.column("unit"), self.units),
        )
        cell = self.cell(indicator, rows.column("period").to_numpy(), unit)
        return cell[cell >= 0]

    def rank(self, known_on: np.ndarray, batch: np.ndarray) -> np.ndarray:
        """Order figures by the day they became known (days since 1970), then by batch."""
        return ((known_on.astype(np.int64) + EPOCH) * len(self.batches) + batch).astype(self.ranks.dtype)

    def day(self, cell: np.ndarray) -> np.ndarray:
        """Give the day on which the figure of a cell became known; meaningless for a cell without one."""
        return self.ranks[cell] // len(self.batches) - EPOCH

    def put(self, rows: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Put stored rows in; give cells, ranks and values of the figures that are superseded by now."""
        indicator, unit = (
            positions_in(rows.column("indicator"), self.codes),
            positions_in(rows.column("unit"), self.units),
        )
        cell = self.cell(indicator, rows.column("period").to_numpy(), unit)
        batch = positions_in(rows.column("batch"), self.batches)
        keep = (cell >= 0) & (batch >= 0)
        known = rows.column("known_on").cast(pa.int32()).to_numpy()
        cell, rank, value = cell[keep], self.rank(known, batch)[keep], rows.column("value").to_numpy()[keep]
        before = self.ranks[cell]
        newer = rank >= before
        replaced = np.unique(cell[newer & (before >= 0)])
        old = replaced, self.ranks[replaced], self.values[replaced]
        while newer.any():  # once more for each further figure of one cell among these rows
            self.ranks[cell[newer]], self.values[cell[newer]] = rank[newer], value[newer]
            newer = rank > self.ranks[cell]
        beaten = rank < self.ranks[cell]
        gone = old[1] < self.ranks[replaced]
        pairs = zip(old, (cell, rank, value), strict=True)
        superseded, ranks, values = (np.concatenate([mine[gone], theirs[beaten]]) for mine, theirs in pairs)
        return superseded, ranks, values


def place_figures(
    rows: Iterable[pa.RecordBatch],
    *,
    batches: Sequence[str],
    codes: Sequence[str],
    units: pd.Index,
    first: int,
    length: int,
) -> dict[str, np.ndarray]:
    """Put stored rows into frames: in each cell the figure that became known last, of equals the one brought last.

    Returns
    -------
    dict of (length, U) arrays, NaN where nothing is known.
    """
    cells = _Cells(_texts(codes), _texts(units), _texts(batches), first, length)
    for some in rows:
        cells.put(some)
    return dict(zip(codes, cells.values.reshape(len(codes), length, len(units)), strict=True))


@dataclass(frozen=True)
class Comparison:
    """Incoming rows beside what is stored: one entry a row.

    `there`: the cell has a figure. `same`: its latest figure is the incoming one. `recorded`: the very figure is stored
    as known on that very day. `latest_day`: when the latest became known, in days since 1970; 0 where there is none.
    `otherwise`: the cell has a figure under another definition, and none under this one.
    """

    there: np.ndarray
    same: np.ndarray
    recorded: np.ndarray
    latest_day: np.ndarray
    otherwise: np.ndarray


class LatestFigures:
    """What is stored already, to tell new figures from known ones.

    Parameters
    ----------
    rows : iterable of pa.RecordBatch
        The stored rows.
    batches : sequence of str
        The batches that brought them, the oldest first.
    codes, units
        Of the dataset that is to be compared: its chunks number indicators and units by them.
    first, length : int
        The periods that the stored rows cover.
    otherwise : iterable of pa.RecordBatch
        Stored rows that stand under other definitions than those of the dataset that is to be compared.
    """

    def __init__(
        self,
        rows: Iterable[pa.RecordBatch],
        *,
        batches: Sequence[str],
        codes: Sequence[str],
        units: pd.Index,
        first: int,
        length: int,
        otherwise: Iterable[pa.RecordBatch] = (),
    ) -> None:
        self._cells = _Cells(_texts(codes), _texts(units), _texts(batches), first, length)
        self._otherwise: np.ndarray | None = None
        for some in otherwise:
            if self._otherwise is None:
                self._otherwise = np.zeros(len(self._cells.ranks), dtype=bool)
            self._otherwise[self._cells.of_rows(some)] = True
        past = [self._cells.put(some) for some in rows]
        cell, rank, value = (np.concatenate(parts) for parts in zip(*past, strict=True)) if past else (np.empty(0),) * 3
        order = np.lexsort((rank, cell))
        cell, rank = cell[order].astype(np.int64), rank[order].astype(np.int64)
        self._past_keys, self._past_values = cell * DAYS + rank // len(batches), value[order]

    def compare(self, chunk: Chunk, known_on: np.ndarray) -> Comparison:
        """Compare incoming rows, known on the given days (since 1970), with what is stored."""
        cells = self._cells
        cell = cells.cell(chunk.indicator, chunk.period, chunk.unit)
        there = cell >= 0
        there[there] = cells.ranks[cell[there]] >= 0
        at = cell[there]
        same, recorded = np.zeros(len(cell), dtype=bool), np.zeros(len(cell), dtype=bool)
        latest_day = np.zeros(len(cell), dtype=np.int64)
        same[there], latest_day[there] = cells.values[at] == chunk.value[there], cells.day(at)
        recorded[there] = same[there] & (latest_day[there] == known_on[there])
        if len(self._past_keys):
            older = np.flatnonzero(there & (known_on < latest_day))
            key = cell[older] * DAYS + known_on[older] + EPOCH
            place = np.maximum(np.searchsorted(self._past_keys, key, side="right") - 1, 0)
            recorded[older] = (self._past_keys[place] == key) & (self._past_values[place] == chunk.value[older])
        otherwise = np.zeros(len(cell), dtype=bool)
        if self._otherwise is not None:
            otherwise = (cell >= 0) & ~there & self._otherwise[cell]
        return Comparison(there, same, recorded, latest_day, otherwise)


def _texts(texts: Iterable[str]) -> pa.Array:
    return pa.array([str(text) for text in texts], pa.string())
