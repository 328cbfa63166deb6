"""Figures over time as they became known: when by default, which is the latest, and what was known on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.indicators import Indicator, IndicatorSet
from features.observations import EPOCH, Chunk
from features.periods import Calendar

DAYS = 2**22
"""More days than any date has since year 1, to fold a day into a key."""


def default_days(indicator: Indicator, calendar: Calendar, periods: np.ndarray) -> np.ndarray:
    """Give the day on which figures become known unless the dataset says otherwise.

    It is the last day of the period, or of the period `publication_lag` periods later. Days since 1970, one a period.
    """
    return np.array(
        [calendar.end(int(p) + indicator.publication_lag).toordinal() - EPOCH for p in periods], dtype=np.int64
    )


def _positions(column: pa.Array, known: pd.Index) -> np.ndarray:
    """Translate a text column into positions in an index; -1 where it is not there."""
    encoded = pc.dictionary_encode(column)  # pyright: ignore[reportAttributeAccessIssue]
    places = known.get_indexer(pd.Index(encoded.dictionary.to_pylist(), dtype=object))
    return np.append(places, -1)[encoded.indices.to_numpy(zero_copy_only=False)]


def place_figures(
    batches_of_rows: Iterable[pa.RecordBatch],
    *,
    batches: Sequence[str],
    codes: Sequence[str],
    units: pd.Index,
    first: int,
    length: int,
    defaults: Callable[[str, np.ndarray], np.ndarray],
) -> dict[str, np.ndarray]:
    """Put stored rows into frames, the figure that became known last in each cell.

    Rows known on the default day go straight in; the few others are kept aside and put in order of the day they became
    known, then of the version that brought them, so memory stays near that of the frames.

    Returns
    -------
    dict of (length, U) arrays, NaN where nothing is known.
    """
    values = np.full((len(codes), length, len(units)), np.nan)
    flat = values.reshape(-1)
    periods = np.arange(first, first + length)
    usual = np.array([defaults(code, periods) for code in codes]).reshape(len(codes), length)
    order = {batch: number for number, batch in enumerate(batches)}
    aside: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    columns = pd.Index(list(codes), dtype=object)
    straight_from = np.full(len(flat) if len(batches) > 1 else 0, -1, dtype=np.int16)
    for rows in batches_of_rows:
        unit, indicator = _positions(rows.column("unit"), units), _positions(rows.column("indicator"), columns)
        period = rows.column("period").to_numpy() - first
        keep = (unit >= 0) & (indicator >= 0) & (period >= 0) & (period < length)
        unit, indicator, period = unit[keep], indicator[keep], period[keep]
        value = rows.column("value").to_numpy()[keep]
        known = rows.column("known_on").cast(pa.int32()).to_numpy()[keep]
        brought = np.array([order[b] for b in rows.column("batch").unique().to_pylist()])
        batch = (
            _positions(rows.column("batch"), pd.Index(list(order), dtype=object))[keep] if len(brought) > 1 else brought
        )
        batch = np.broadcast_to(batch, unit.shape)
        cell = (indicator * length + period) * len(units) + unit
        late = known != usual[indicator, period]
        if late.any():
            aside.append((cell[late], known[late], batch[late], value[late]))
        cell, value, batch = cell[~late], value[~late], batch[~late]
        if len(straight_from):
            newer = batch >= straight_from[cell]
            cell, value = cell[newer], value[newer]
            straight_from[cell] = batch[newer]
        flat[cell] = value
    if aside:
        _place_aside(flat, usual, aside, width=len(units))
    return dict(zip(codes, values, strict=True))


def _place_aside(flat: np.ndarray, usual: np.ndarray, aside: list[tuple[np.ndarray, ...]], *, width: int) -> None:
    """Put in figures that were not known on the default day: earlier ones only where nothing else is known."""
    cell, known, batch, value = (np.concatenate(parts) for parts in zip(*aside, strict=True))
    order = np.lexsort((batch, known))
    cell, known, value = cell[order], known[order], value[order]
    early = known < usual.reshape(-1)[cell // width]
    open_cells = early & np.isnan(flat[cell])
    flat[cell[open_cells]] = value[open_cells]
    flat[cell[~early]] = value[~early]


@dataclass(frozen=True)
class LatestFigures:
    """What is stored already, to tell new figures from known ones: sorted keys of cells with the days they were known."""

    keys: np.ndarray
    values: np.ndarray
    units: int
    indicators: int

    @classmethod
    def read(cls, rows: Iterable[pa.RecordBatch], units: pd.Index, indicators: IndicatorSet) -> LatestFigures:
        """Read stored rows, by their place in the new tree and indicator set."""
        codes = pd.Index(list(indicators), dtype=object)
        keys, values = [np.empty(0, np.int64)], [np.empty(0)]
        for batch in rows:
            unit, indicator = _positions(batch.column("unit"), units), _positions(batch.column("indicator"), codes)
            known = batch.column("known_on").cast(pa.int32()).to_numpy().astype(np.int64) + EPOCH
            cell = (batch.column("period").to_numpy().astype(np.int64) * len(codes) + indicator) * len(units) + unit
            keys.append(cell * DAYS + known)
            values.append(batch.column("value").to_numpy())
        key, value = np.concatenate(keys), np.concatenate(values)
        order = np.argsort(key, kind="stable")
        return cls(key[order], value[order], len(units), len(codes))

    def compare(self, chunk: Chunk, known_on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare incoming rows with what is stored.

        Returns
        -------
        there, same, recorded : boolean arrays
            Whether the cell has a figure; whether its latest equals the new one; whether the very figure is stored as
            known on that very day.
        """
        if not len(self.keys):
            nothing = np.zeros(len(chunk), dtype=bool)
            return nothing, nothing, nothing
        cell = (chunk.period.astype(np.int64) * self.indicators + chunk.indicator) * self.units + chunk.unit
        latest = np.maximum(np.searchsorted(self.keys, (cell + 1) * DAYS) - 1, 0)
        there = self.keys[latest] // DAYS == cell
        key = cell * DAYS + known_on + EPOCH
        exact = np.maximum(np.searchsorted(self.keys, key, side="right") - 1, 0)
        recorded = (self.keys[exact] == key) & (self.values[exact] == chunk.value)
        return there, there & (self.values[latest] == chunk.value), recorded
