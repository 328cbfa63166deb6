"""What was known when: a range of periods cut into stretches that one reading of the panel serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LoadlineError
from features.history import place_figures
from features.panel import Panel
from features.rows import EPOCH
from features.snapshot import Snapshot

NEARLY_ALL = 0.99
"""An indicator is late by as many periods as this part of its figures took at least: one in a hundred may come early,
such as a flash figure, and is then used only from the usual day on."""
LONGEST_DELAY = 24
"""Longest usual delay, in periods: as long as a definition may declare (`publication_lag`)."""


@dataclass(frozen=True, eq=False)
class Vintage:
    """A stretch of periods for which one reading of the panel holds.

    What is computed from an indicator's rows up to P less its delay is what anybody could have computed at the end of
    P, for every P from `first` to `last`.

    Attributes
    ----------
    read : callable
        Reads the panel, its last row being `last`.
    delays : Mapping[str, int]
        By indicator: after how many periods its figures are usually known. The panel has no figure of the rows in
        between.
    first, last : int
        Ordinals, both inclusive.
    changed : frozenset of str or None
        Indicators whose used figures or delays are others than in the vintage before; None where that is not known.
    """

    read: Callable[[], Panel]
    delays: Mapping[str, int]
    first: int
    last: int
    changed: frozenset[str] | None = None

    @classmethod
    def of(cls, panel: Panel, *, first: int, last: int, delays: Mapping[str, int] | None = None) -> Vintage:
        """Make a vintage of a panel at hand."""
        return cls(lambda: panel, dict(delays or {}), first, last)

    @property
    def panel(self) -> Panel:
        """Read the panel; hold on to it where it is needed again."""
        return self.read()

    def held(self) -> Vintage:
        """Read the panel now, and give the vintage with it: it is not read again."""
        panel = self.read()
        return replace(self, read=lambda: panel)

    def using(self, change: Callable[[Panel], Panel]) -> Vintage:
        """Give the vintage with something done to its panel each time it is read, such as rolling it up."""
        return replace(self, read=lambda: change(self.read()))


def vintages(snapshot: Snapshot, first: int, last: int, *, known_on: date | None = None) -> tuple[Vintage, ...]:
    """Cut a range of periods where figures came later than usual or were restated.

    Delays are those seen by then, so that neither a cut nor a delay tells of a later period.

    Parameters
    ----------
    snapshot : Snapshot
    first, last : int
        Ordinals, both inclusive.
    known_on : date, optional
        Leave out what became known after this day, whatever the period.

    Returns
    -------
    tuple of Vintage
        In order, without gaps. A single one where every figure came with its usual delay.

    Raises
    ------
    LoadlineError
        Where the range is empty or begins before the figures do.
    """
    calendar, begin = snapshot.description.calendar, snapshot.span[0]
    if not begin <= first <= last:
        raise LoadlineError(
            f"there is no range of periods from {calendar.format(first)} to {calendar.format(last)}",
            hint=f"Figures begin with {calendar.format(begin)}; the last period must not be before the first.",
        )
    day = min(calendar.end(last), known_on or date.max)
    codes = list(snapshot.indicators)
    ends = np.array([calendar.end(ordinal).toordinal() - EPOCH for ordinal in range(begin, last + 1)])
    arrivals = _Arrivals.of(snapshot, codes, ends=ends, known_by=day)
    delays = _usual_delays(arrivals, [snapshot.indicators[code].publication_lag for code in codes], len(ends))
    changed = _changes(arrivals, delays)
    shown = slice(first - begin, last - begin + 1)
    cuts = [place for place in np.flatnonzero(changed.any(axis=1)).tolist() if shown.start < place < shown.stop]
    readings = _Readings(snapshot, codes, ends, delays[shown].min(axis=0), day)
    found = []
    for start, stop in zip([shown.start, *cuts], [*cuts, shown.stop], strict=True):
        others = None if start == shown.start else frozenset(np.array(codes)[changed[start]].tolist())
        usual = dict(zip(codes, delays[start].tolist(), strict=True))
        found.append(Vintage(_reader(readings, begin + stop - 1), usual, begin + start, begin + stop - 1, others))
    return tuple(found)


def _reader(readings: _Readings, last: int) -> Callable[[], Panel]:
    return lambda: readings.panel(last)


@dataclass(frozen=True)
class _Arrivals:
    """How many figures of which indicator and row became known in which row: one entry a combination.

    Rows count from the first one with figures; a figure known before its period counts as known at the first row.
    """

    indicator: np.ndarray
    row: np.ndarray
    known: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, snapshot: Snapshot, codes: Sequence[str], *, ends: np.ndarray, known_by: date) -> _Arrivals:
        """Count the figures, a batch at a time."""
        rows, parts = len(ends), []
        for some in snapshot.figures(known_by=known_by, any_definition=True):  # restated ones alone would all be late
            indicator, row, known = _when(some, pa.array(list(codes), pa.string()), snapshot.span[0], ends)
            keys = (indicator * rows + row) * rows + known
            parts.append(pd.Series(keys[(indicator >= 0) & (row < rows)]).value_counts(sort=False))
        counted = pd.concat(parts) if parts else pd.Series(dtype=np.int64)
        counted = counted.groupby(level=0).sum()
        keys = counted.index.to_numpy(dtype=np.int64)
        return cls(keys // rows // rows, keys // rows % rows, keys % rows, counted.to_numpy(dtype=np.int64))


def _when(
    figures: pa.RecordBatch, codes: pa.Array, begin: int, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give each figure's indicator (-1 for none of them), its row, and the first row at whose end it was known."""
    indicator = _positions(figures.column("indicator"), codes)
    row = figures.column("period").to_numpy().astype(np.int64) - begin
    return indicator, row, np.searchsorted(ends, figures.column("known_on").cast(pa.int32()).to_numpy())


def _positions(column: pa.Array, known: pa.Array) -> np.ndarray:
    found = pc.index_in(column, value_set=known)  # pyright: ignore[reportAttributeAccessIssue]
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _usual_delays(arrivals: _Arrivals, declared: Sequence[int], rows: int) -> np.ndarray:
    """Give each indicator's usual delay as seen at the end of each row, at least the declared one: (rows, C)."""
    seen = np.zeros((rows, len(declared), LONGEST_DELAY + 1), dtype=np.int64)
    delay = np.clip(arrivals.known - arrivals.row, 0, LONGEST_DELAY)
    np.add.at(seen, (arrivals.known, arrivals.indicator, delay), arrivals.count)
    np.cumsum(seen, axis=0, out=seen)
    at_least = np.cumsum(seen[..., ::-1], axis=-1)[..., ::-1]
    usual = (at_least[..., 1:] >= NEARLY_ALL * at_least[..., :1]).sum(axis=-1)
    some = at_least[..., 0] > 0
    # before an indicator's first figure any delay will do: the first one seen spares a cut
    usual = np.where(some, usual, np.take_along_axis(usual, some.argmax(axis=0)[None, :], axis=0))
    usual[:, ~some.any(axis=0)] = 0
    return np.maximum(usual, np.asarray(declared, dtype=np.int64))


def _changes(arrivals: _Arrivals, delays: np.ndarray) -> np.ndarray:
    """Tell in which rows an indicator's delay, or a figure that was in use already, is another: (rows, C)."""
    changed = np.zeros(delays.shape, dtype=bool)
    changed[1:] = delays[1:] != delays[:-1]
    late = arrivals.known > arrivals.row + delays[arrivals.known, arrivals.indicator]
    changed[arrivals.known[late], arrivals.indicator[late]] = True
    return changed


class _Late:
    """Figures that came later than usual, in the order in which they became known."""

    def __init__(self, parts: Sequence[tuple[np.ndarray, ...]]) -> None:
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.empty(0, int)] * 7
        order = np.lexsort((columns[6], columns[5]))
        self.indicator, self.row, self.known, self.unit, self.value, *_ = (column[order] for column in columns)


@dataclass(frozen=True, eq=False)
class _Readings:
    """Panels of many vintages from one reading of the store: the figures that came as usual, and the late ones apart.

    Attributes
    ----------
    ends : np.ndarray
        Last day of each row, in days since 1970.
    least_delays : np.ndarray
        (C,) the shortest usual delay of each indicator over the range.
    known_by : date
        Nothing that became known later is read.
    """

    snapshot: Snapshot
    codes: Sequence[str]
    ends: np.ndarray
    least_delays: np.ndarray
    known_by: date

    @cached_property
    def _read(self) -> tuple[dict[str, np.ndarray], _Late]:
        late: list[tuple[np.ndarray, ...]] = []
        usual = place_figures(
            self._usual(late),
            batches=self._batches,
            codes=self.codes,
            units=self.snapshot.tree.codes,
            first=self.snapshot.span[0],
            length=len(self.ends),
        )
        return usual, _Late(late)

    @property
    def _batches(self) -> list[str]:
        return [version.batch for version in self.snapshot.chain]

    def _usual(self, late: list[tuple[np.ndarray, ...]]) -> Iterator[pa.RecordBatch]:
        """Read the figures that came as usual, and put the others aside."""
        units = pa.array([str(code) for code in self.snapshot.tree.codes], pa.string())
        codes, batches = pa.array(list(self.codes), pa.string()), pa.array(self._batches, pa.string())
        for some in self.snapshot.figures(known_by=self.known_by):
            indicator, row, known = _when(some, codes, self.snapshot.span[0], self.ends)
            behind = known > row + self.least_delays[indicator]
            if not behind.any():
                yield some
                continue
            apart = some.filter(pa.array(behind))
            day = apart.column("known_on").cast(pa.int32()).to_numpy()
            unit, batch = _positions(apart.column("unit"), units), _positions(apart.column("batch"), batches)
            figures = (indicator[behind], row[behind], known[behind], unit, apart.column("value").to_numpy())
            there = (figures[0] >= 0) & (unit >= 0) & (batch >= 0)
            late.append(tuple(column[there] for column in (*figures, day, batch)))
            yield some.filter(pa.array(~behind))

    def panel(self, last: int) -> Panel:
        """Give the panel as known at the end of a period, without the rows that an indicator's delay leaves open."""
        snapshot = self.snapshot
        usual, late = self._read
        calendar, begin = snapshot.description.calendar, snapshot.span[0]
        length = last - begin + 1
        known = late.known < length
        by_indicator = {int(number): known & (late.indicator == number) for number in np.unique(late.indicator[known])}
        values = {}
        for number, code in enumerate(self.codes):
            array, delay = usual[code][:length], int(self.least_delays[number])
            if delay or number in by_indicator:
                array = array.copy()
                array[max(0, length - delay) :] = np.nan
            if number in by_indicator:
                which = by_indicator[number]
                array[late.row[which], late.unit[which]] = late.value[which]  # of equals the last one stays
            array.flags.writeable = False
            values[code] = array
        return Panel(
            calendar,
            snapshot.tree,
            snapshot.indicators,
            begin,
            values,
            min(calendar.end(last), self.known_by),
            data_version=snapshot.about.version,
            fingerprint=snapshot.about.fingerprint,
        )
