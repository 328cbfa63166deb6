"""The figures of a dataset on their way into the store: told apart into new, restated and known ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from features.dataset import Dataset
from features.history import LatestFigures
from features.rows import EPOCH, NOT_GIVEN, Chunk

OBSERVATIONS = pa.schema(
    [
        ("batch", pa.string()),
        ("unit", pa.string()),
        ("indicator", pa.string()),
        ("period", pa.int32()),
        ("value", pa.float64()),
        ("known_on", pa.date32()),
    ]
)


class Incoming:
    """Reads a dataset's figures as rows for the store, leaving out those that it has.

    A figure without `known_on` became known on its default day if it is new; if the store has another one, it is a
    restatement known from today. Where the folder itself has a history of the figure, with `known_on` for the later
    ones, the one without is the first of them, and keeps its default day. A figure that is stored under another
    definition only is delivered anew on the present one: a restatement, even of the same value.

    Parameters
    ----------
    dataset : Dataset
    latest : LatestFigures or None
        What is stored of the same dataset.
    batch : str
        Marks the rows.
    today : date
        The day of the ingest.
    fingerprint : str
        That of the version that this one continues, or "".
    definitions : mapping of str
        All but the figures, as texts.

    Attributes
    ----------
    added, restated, unchanged : int
        Rows so far: of cells without a figure, of cells with one, and rows left out.
    span : tuple of int
        The first and the last period so far.
    failure : BaseException or None
        What went wrong while reading: the writer that pulls the rows hides it.
    """

    def __init__(
        self,
        dataset: Dataset,
        latest: LatestFigures | None,
        *,
        batch: str,
        today: date,
        fingerprint: str,
        definitions: Mapping[str, str],
    ) -> None:
        self.dataset, self.batch = dataset, batch
        self.added = self.restated = self.unchanged = 0
        self.span = (2**31, -(2**31))
        self.failure: BaseException | None = None
        self._latest = latest
        self._today = today.toordinal() - EPOCH
        self._hash = hashlib.sha256(fingerprint.encode())
        for kind, text in definitions.items():
            self._hash.update(f"{kind}\x1f{text}\x1e".encode())
        self._units = pa.array([str(code) for code in dataset.tree.codes], pa.string())
        self._codes = pa.array(list(dataset.indicators), pa.string())
        self._lags = np.array([indicator.publication_lag for indicator in dataset.indicators.values()])
        self._with_history: np.ndarray | None = None

    def fingerprint(self) -> str:
        """Give the SHA-256 of all that the version holds: its parent's fingerprint, definitions and new figures."""
        return self._hash.hexdigest()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the rows that are to be stored."""
        try:
            for chunk in self.dataset.observations.chunks():
                if len(chunk):
                    self.span = min(self.span[0], int(chunk.period.min())), max(self.span[1], int(chunk.period.max()))
                    yield self._rows(chunk)
        except BaseException as failure:
            self.failure = failure
            raise

    def _rows(self, chunk: Chunk) -> pa.RecordBatch:
        default = self._default_days(chunk)
        blank = chunk.known_on == NOT_GIVEN
        known_on = np.where(blank, default, chunk.known_on)
        keep = np.ones(len(chunk), dtype=bool)
        there = np.zeros(len(chunk), dtype=bool)
        if self._latest is not None:
            stored = self._latest.compare(chunk, known_on)
            there = stored.there | stored.otherwise
            changed = blank & there & ~stored.same
            if changed.any():
                changed[changed] = ~self._has_history(chunk, changed)
            keep = ~np.where(changed, False, stored.recorded | (blank & stored.same))
            told_last = np.maximum(np.maximum(default, self._today), stored.latest_day)
            known_on = np.where(changed, told_last, known_on)
        self.added += int((keep & ~there).sum())
        self.restated += int((keep & there).sum())
        self.unchanged += int((~keep).sum())
        unit, indicator, period, value, days = (
            array if keep.all() else array[keep]
            for array in (chunk.unit, chunk.indicator, chunk.period, chunk.value, known_on.astype(np.int32))
        )
        for array in (unit, indicator, period, value, days):
            self._hash.update(np.ascontiguousarray(array).data)
        return pa.record_batch(
            [
                pa.repeat(self.batch, len(unit)),
                self._units.take(pa.array(unit)),
                self._codes.take(pa.array(indicator)),
                pa.array(period, pa.int32()),
                pa.array(value, pa.float64()),
                pa.array(days, pa.int32()).cast(pa.date32()),
            ],
            schema=OBSERVATIONS,
        )

    def _default_days(self, chunk: Chunk) -> np.ndarray:
        """Give the day on which each figure became known where the dataset does not say: see `default_days`."""
        calendar = self.dataset.description.calendar
        first, last = int(chunk.period.min()), int(chunk.period.max()) + int(self._lags.max())
        ends = np.array([calendar.end(period).toordinal() for period in range(first, last + 1)]) - EPOCH
        return ends[chunk.period - first + self._lags[chunk.indicator]]

    def _has_history(self, chunk: Chunk, which: np.ndarray) -> np.ndarray:
        """Tell for which of some rows the folder has figures of the same cell with `known_on` too."""
        if self._with_history is None:
            keys = [np.empty(0, np.int64)]
            for other in self.dataset.observations.chunks():
                dated = other.known_on != NOT_GIVEN
                keys.append(np.unique(self._cell(other, dated)))
            self._with_history = np.unique(np.concatenate(keys))
        return _contains(self._with_history, self._cell(chunk, which))

    def _cell(self, chunk: Chunk, which: np.ndarray) -> np.ndarray:
        cell = chunk.period[which].astype(np.int64) * len(self._codes) + chunk.indicator[which]
        return cell * len(self._units) + chunk.unit[which]


def _contains(known: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Tell which keys are in a sorted array."""
    if not len(known):
        return np.zeros(len(keys), dtype=bool)
    return known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
