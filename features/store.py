"""The versioned store on Delta Lake: an ingest is one data version, whole or not there at all; nothing is overwritten.

Three Delta tables. `observations` and `definitions` only grow, each row marked with the batch that brought it. A batch
counts once a row of `versions` names it: that single Delta commit is the moment at which a data version exists. What a
killed process leaves behind belongs to no version and is never read.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from features.dataset import Dataset, Description
from features.errors import LoadlineError
from features.history import EPOCH, LatestFigures, default_days, place_figures
from features.indicators import Indicator, IndicatorSet
from features.observations import Chunk
from features.panel import Panel
from features.units import UnitTree

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
DEFINITIONS = pa.schema([("batch", pa.string()), ("kind", pa.string()), ("text", pa.large_string())])
VERSIONS = pa.schema(
    [
        ("version", pa.int64()),
        ("parent", pa.int64()),
        ("batch", pa.string()),
        ("dataset", pa.string()),
        ("fingerprint", pa.string()),
        ("ingested_at", pa.timestamp("us", tz="UTC")),
        ("added", pa.int64()),
        ("restated", pa.int64()),
        ("unchanged", pa.int64()),
        ("first_period", pa.string()),
        ("last_period", pa.string()),
        ("units", pa.int64()),
        ("indicators", pa.int64()),
    ]
)


@dataclass(frozen=True)
class DataVersion:
    """One entry of the store's history.

    `parent` is the version of the same dataset that it continues, -1 for the first. `added` counts new figures,
    `restated` those that replace an older one (which is kept), `unchanged` those that were known already.
    """

    version: int
    parent: int
    batch: str
    dataset: str
    fingerprint: str
    ingested_at: datetime
    added: int
    restated: int
    unchanged: int
    first_period: str
    last_period: str
    units: int
    indicators: int


class Store:
    """Data versions in a folder or bucket.

    Parameters
    ----------
    location : Path or str
        A folder, or a URL that Delta Lake can write to.
    """

    def __init__(self, location: Path | str) -> None:
        self.location = str(location)

    def _path(self, table: str) -> str:
        return f"{self.location.rstrip('/')}/{table}"

    def _table(self, table: str) -> DeltaTable | None:
        try:
            return DeltaTable(self._path(table))
        except TableNotFoundError:
            return None

    def versions(self) -> list[DataVersion]:
        """List the data versions, the oldest first."""
        table = self._table("versions")
        if table is None:
            return []
        rows = table.to_pyarrow_table().to_pylist()
        return sorted((DataVersion(**row) for row in rows), key=lambda v: v.version)

    def snapshot(self, version: int | None = None, *, dataset: str | None = None) -> Snapshot:
        """Open a data version: the last one by default, or the last one of a dataset.

        Raises
        ------
        LoadlineError
            Where there is none.
        """
        every = self.versions()
        fitting = [
            v for v in every if (version is None or v.version == version) and (dataset is None or v.dataset == dataset)
        ]
        if not fitting:
            known = ", ".join(str(v.version) for v in every[-10:])
            raise LoadlineError(
                "the store holds no data yet" if not every else f"there is no data version {version or dataset}",
                where=self.location,
                hint=f"Known versions: {known}." if every else "Run `loadline ingest DIR` first.",
            )
        chain, by_number = [fitting[-1]], {v.version: v for v in every}
        while chain[0].parent >= 0:
            chain.insert(0, by_number[chain[0].parent])
        return Snapshot(self, tuple(chain))

    def stored_indicators(self, dataset: str) -> frozenset[str]:
        """Give the codes that the last version of a dataset defines; empty where there is none."""
        if not any(v.dataset == dataset for v in self.versions()):
            return frozenset()
        return frozenset(self.snapshot(dataset=dataset).indicators)

    def ingest(self, dataset: Dataset, *, now: datetime) -> DataVersion:
        """Store a checked dataset as a new data version.

        It continues the last version of the dataset of the same name: figures that are new are added; a figure that
        differs from the stored one without saying when it became known counts as a restatement known from today.

        Parameters
        ----------
        dataset : Dataset
        now : datetime
            The clock, with its time zone.

        Raises
        ------
        LoadlineError
            Where the folder contradicts the stored history, or another ingest got in between. Nothing is stored then.
        """
        every = self.versions()
        versions_seen = self._table("versions")
        own = [v for v in every if v.dataset == dataset.description.name]
        previous = self.snapshot(own[-1].version) if own else None
        if previous is not None:
            _check_continues(previous, dataset)
        batch = uuid.uuid4().hex
        incoming = _Incoming(dataset, previous, batch=batch, today=now.date())
        self._append("observations", pa.RecordBatchReader.from_batches(OBSERVATIONS, incoming.batches()), ["batch"])
        texts = _carried_on(dataset, previous)
        definitions = pa.table(
            {"batch": [batch] * len(texts), "kind": list(texts), "text": list(texts.values())}, DEFINITIONS
        )
        self._append("definitions", definitions, ["batch"])
        calendar = dataset.description.calendar
        first, last = incoming.span
        entry = DataVersion(
            version=len(every) + 1,
            parent=own[-1].version if own else -1,
            batch=batch,
            dataset=dataset.description.name,
            fingerprint=incoming.fingerprint(),
            ingested_at=now,
            added=incoming.added,
            restated=incoming.restated,
            unchanged=incoming.unchanged,
            first_period=calendar.format(first),
            last_period=calendar.format(last),
            units=len(dataset.tree),
            indicators=len(dataset.indicators),
        )
        self._publish(entry, versions_seen)
        return entry

    def _append(self, table: str, data: pa.Table | pa.RecordBatchReader, partition_by: Sequence[str] | None) -> None:
        write_deltalake(self._path(table), data, mode="append", partition_by=list(partition_by or []) or None)

    def _publish(self, entry: DataVersion, seen: DeltaTable | None) -> None:
        """Make a version exist, if no other has come since `seen`."""
        row = pa.Table.from_pylist([entry.__dict__], VERSIONS)
        once = CommitProperties(max_commit_retries=0)
        try:
            write_deltalake(
                self._path("versions") if seen is None else seen,
                row,
                mode="error" if seen is None else "append",
                commit_properties=once,
            )
        except (CommitFailedError, DeltaError, FileExistsError) as error:
            raise LoadlineError(
                "another ingest finished in the meantime; this one was not stored",
                where=self.location,
                hint="Run it again.",
            ) from error


@dataclass(frozen=True)
class Snapshot:
    """A data version, opened for reading; `chain` holds it and the versions that it continues, the oldest first."""

    store: Store
    chain: tuple[DataVersion, ...]

    @property
    def about(self) -> DataVersion:
        """Give the entry of the version itself."""
        return self.chain[-1]

    @cached_property
    def _texts(self) -> dict[str, str]:
        table = self.store._table("definitions")
        if table is None:
            raise LoadlineError(
                "the store has lost its definitions", where=self.store.location, hint="Restore a backup."
            )
        rows = table.to_pyarrow_dataset().to_table(filter=pc.field("batch") == self.about.batch)
        return dict(zip(rows["kind"].to_pylist(), rows["text"].to_pylist(), strict=True))

    @cached_property
    def description(self) -> Description:
        """Give what `dataset.yaml` said."""
        return Description.model_validate_json(self._texts["description"])

    @cached_property
    def indicators(self) -> IndicatorSet:
        """Give the indicators."""
        return IndicatorSet(Indicator.model_validate(entry) for entry in json.loads(self._texts["indicators"]))

    @cached_property
    def tree(self) -> UnitTree:
        """Give the tree of units."""
        return UnitTree.from_frame(_frame(self._texts["units"], as_text=True), self.description.calendar)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Give the labels of what later happened; empty where there are none."""
        return _frame(self._texts["outcomes"])

    @cached_property
    def goals(self) -> pd.DataFrame:
        """Give the goals set for units with others below them; empty where there are none."""
        return _frame(self._texts["goals"])

    @property
    def policy(self) -> dict[str, Any] | None:
        """Give the dataset's policy as it stands."""
        return json.loads(self._texts["policy"])

    @cached_property
    def span(self) -> tuple[int, int]:
        """Give the first and the last period that have figures, as ordinals."""
        parse = self.description.calendar.parse
        return min(parse(v.first_period) for v in self.chain), max(parse(v.last_period) for v in self.chain)

    def figures(
        self, *, indicators: Sequence[str] | None = None, known_by: date | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read stored rows in batches: `batch`, `unit`, `indicator`, `period`, `value`, `known_on`."""
        table = self.store._table("observations")
        if table is None:
            return
        wanted = pc.field("batch").isin([v.batch for v in self.chain])
        if indicators is not None:
            wanted &= pc.field("indicator").isin(list(indicators))
        if known_by is not None:
            wanted &= pc.field("known_on") <= pa.scalar(known_by, pa.date32())
        yield from table.to_pyarrow_dataset().to_batches(filter=wanted)

    def panel(
        self, as_of: int | None = None, *, known_on: date | None = None, indicators: Sequence[str] | None = None
    ) -> Panel:
        """Read the panel as it was known.

        Parameters
        ----------
        as_of : int, optional
            Last period (ordinal) of the panel; by default the last one with figures.
        known_on : date, optional
            Leave out what became known after this day; by default the end of `as_of` where that is given, else all.
        indicators : sequence of str, optional
            Codes; all by default.
        """
        calendar, (first, last) = self.description.calendar, self.span
        last = last if as_of is None else as_of
        day = known_on if known_on is not None else (calendar.end(last) if as_of is not None else date.max)
        codes = list(self.indicators) if indicators is None else list(indicators)
        for code in codes:
            if code not in self.indicators:
                raise LoadlineError(f"there is no indicator {code!r}", hint=f"Known: {', '.join(self.indicators)}.")
        values = place_figures(
            self.figures(indicators=codes, known_by=None if day == date.max else day),
            batches=[v.batch for v in self.chain],
            codes=codes,
            units=self.tree.codes,
            first=first,
            length=max(0, last - first + 1),
            defaults=lambda code, period: default_days(self.indicators[code], calendar, period),
        )
        for array in values.values():
            array.flags.writeable = False
        return Panel(
            calendar,
            self.tree,
            self.indicators,
            first,
            values,
            day,
            data_version=self.about.version,
            fingerprint=self.about.fingerprint,
        )


def _frame(text: str, *, as_text: bool = False) -> pd.DataFrame:
    content = json.loads(text)
    return pd.DataFrame(content["data"], columns=content["columns"], dtype=object if as_text else None)


def _carried_on(dataset: Dataset, previous: Snapshot | None) -> dict[str, str]:
    """Give the definitions to store: outcomes, goals and policy of the version before stay unless given anew."""
    texts = dataset.definitions
    if previous is None:
        return texts
    keys = {"outcomes": ["unit", "period", "outcome", "known_on"], "goals": ["unit", "indicator", "year"]}
    for kind, key in keys.items():
        earlier, given = _frame(previous._texts[kind]), _frame(texts[kind])
        if not earlier.empty:
            both = pd.concat([earlier, given] if not given.empty else [earlier]).drop_duplicates(key, keep="last")
            texts[kind] = both.to_json(orient="split", index=False, force_ascii=False)
    if dataset.policy is None:
        texts["policy"] = previous._texts["policy"]
    return texts


def _check_continues(previous: Snapshot, dataset: Dataset) -> None:
    """Refuse a folder that contradicts the history of the same dataset."""
    where, before = str(dataset.folder.name), previous.description
    if dataset.description.calendar != before.calendar:
        raise LoadlineError(
            f"dataset {before.name!r} is stored with another frequency or fiscal year (frequency {before.frequency})",
            where=where,
            hint="Give the dataset another name, or keep the frequency.",
        )
    used = {str(code) for code in previous.tree.codes}
    missing = sorted(used - {str(code) for code in dataset.tree.codes})
    if missing:
        raise LoadlineError(
            f"units.csv lacks {len(missing):,} units that the store knows: {', '.join(missing[:5])}",
            where=where,
            hint="A unit that is gone stays in the file, with valid_to.",
        )
    dropped = sorted(set(previous.indicators) - set(dataset.indicators))
    if dropped:
        raise LoadlineError(
            f"indicators.yaml lacks indicators that the store knows: {', '.join(dropped[:8])}",
            where=where,
            hint="Keep their definitions; figures need not be given every time.",
        )


class _Incoming:
    """The figures of a dataset on their way into the store: told apart into new, restated and known ones."""

    def __init__(self, dataset: Dataset, previous: Snapshot | None, *, batch: str, today: date) -> None:
        self.dataset, self.batch = dataset, batch
        self.today = today.toordinal() - EPOCH
        self.added = self.restated = self.unchanged = 0
        self.span = (2**31, -(2**31))
        self._hash = hashlib.sha256((previous.about.fingerprint if previous else "").encode())
        for kind, text in dataset.definitions.items():
            self._hash.update(f"{kind}\x1f{text}\x1e".encode())
        self._codes = pa.array([str(code) for code in dataset.tree.codes], pa.string())
        self._indicators = pa.array(list(dataset.indicators), pa.string())
        self._latest = (
            LatestFigures.read(previous.figures(), dataset.tree.codes, dataset.indicators) if previous else None
        )
        self._defaults: dict[tuple[int, int], int] = {}

    def fingerprint(self) -> str:
        """Give the SHA-256 of all that the version holds: its parent's fingerprint, definitions and new figures."""
        return self._hash.hexdigest()

    def batches(self) -> Iterator[pa.RecordBatch]:
        for chunk in self.dataset.observations.chunks():
            if len(chunk):
                self.span = (min(self.span[0], int(chunk.period.min())), max(self.span[1], int(chunk.period.max())))
                yield self._batch(chunk)

    def _batch(self, chunk: Chunk) -> pa.RecordBatch:
        default = self._default_days(chunk)
        blank = chunk.known_on < -(2**30)
        known_on = np.where(blank, default, chunk.known_on)
        keep = np.ones(len(chunk), dtype=bool)
        if self._latest is not None:
            there, same, recorded = self._latest.compare(chunk, known_on)
            keep = ~np.where(blank, there & same, recorded)
            known_on = np.where(blank & there & ~same, np.maximum(default, self.today), known_on)
            self.restated += int((keep & there).sum())
            self.unchanged += int((~keep).sum())
            self.added += int((keep & ~there).sum())
        else:
            self.added += len(chunk)
        unit, indicator, period, value = (a[keep] for a in (chunk.unit, chunk.indicator, chunk.period, chunk.value))
        days = known_on[keep].astype(np.int32)
        for array in (unit, indicator, period, value, days):
            self._hash.update(np.ascontiguousarray(array).tobytes())
        return pa.record_batch(
            [
                pa.repeat(self.batch, len(unit)),
                self._codes.take(pa.array(unit)),
                self._indicators.take(pa.array(indicator)),
                pa.array(period, pa.int32()),
                pa.array(value, pa.float64()),
                pa.array(days, pa.int32()).cast(pa.date32()),
            ],
            schema=OBSERVATIONS,
        )

    def _default_days(self, chunk: Chunk) -> np.ndarray:
        """Give the day on which each figure became known where the dataset does not say."""
        calendar, indicators = self.dataset.description.calendar, list(self.dataset.indicators.values())
        pair = chunk.period.astype(np.int64) * len(indicators) + chunk.indicator
        distinct, place = np.unique(pair, return_inverse=True)
        days = [
            default_days(indicators[int(p % len(indicators))], calendar, np.array([p // len(indicators)]))[0]
            for p in distinct
        ]
        return np.array(days, dtype=np.int64)[place]
