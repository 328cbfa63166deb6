"""The versioned store on Delta Lake: an ingest is one data version, whole or not there at all; nothing is overwritten.

Three Delta tables. `observations` and `definitions` only grow, each row marked with the batch that brought it. A batch
counts once a row of `versions` names it: that single Delta commit is the moment at which a data version exists. What a
killed process leaves behind belongs to no version and is never read.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as fs
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from features.dataset import Dataset, Description
from features.errors import LoadlineError
from features.history import LatestFigures, place_figures
from features.incoming import OBSERVATIONS, Incoming
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.units import UnitTree

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
SCHEMAS = {"observations": OBSERVATIONS, "definitions": DEFINITIONS, "versions": VERSIONS}


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
        except (DeltaError, OSError) as error:
            raise LoadlineError(
                f"the store cannot be read ({_first_line(error)})",
                where=self._path(table),
                hint="Check the path and the rights to it; else restore a backup.",
            ) from error

    def versions(self) -> list[DataVersion]:
        """List the data versions, the oldest first."""
        return _entries(self._table("versions"))

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
            known = ", ".join(f"{v.version} ({v.dataset})" for v in every[-10:])
            asked = f" {version}" if version is not None else ""
            asked += f" of dataset {dataset!r}" if dataset is not None else ""
            raise LoadlineError(
                "the store holds no data yet" if not every else f"there is no data version{asked}",
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
        versions_seen = self._ready()
        every = _entries(versions_seen)
        own = [v for v in every if v.dataset == dataset.description.name]
        previous = self.snapshot(own[-1].version) if own else None
        if previous is not None:
            _check_continues(previous, dataset)
        batch, texts = uuid.uuid4().hex, _carried_on(dataset, previous)
        incoming = Incoming(
            dataset,
            previous.latest(dataset) if previous else None,
            batch=batch,
            today=now.date(),
            fingerprint=previous.about.fingerprint if previous else "",
            definitions=texts,
        )
        try:
            self._append("observations", pa.RecordBatchReader.from_batches(OBSERVATIONS, incoming.batches()))
        except LoadlineError as error:
            raise (incoming.failure or error) from error
        definitions = {"batch": [batch] * len(texts), "kind": list(texts), "text": list(texts.values())}
        self._append("definitions", pa.table(definitions, DEFINITIONS))
        calendar = dataset.description.calendar
        first, last = incoming.span
        entry = DataVersion(
            version=every[-1].version + 1 if every else 1,
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

    def _ready(self) -> DeltaTable:
        """Create the tables where they are missing; give that of the versions."""
        for table, schema in SCHEMAS.items():
            if self._table(table) is None:
                by_batch = None if table == "versions" else ["batch"]
                try:
                    DeltaTable.create(self._path(table), schema, mode="ignore", partition_by=by_batch)
                except (DeltaError, OSError) as error:  # another ingest may have created it at this very moment
                    if self._table(table) is None:
                        raise self._unwritable(error) from error
        versions = self._table("versions")
        if versions is None:
            raise LoadlineError("the store was removed while it was written to", where=self.location)
        return versions

    def _append(self, table: str, data: pa.Table | pa.RecordBatchReader) -> None:
        try:
            write_deltalake(self._path(table), data, mode="append")
        except (DeltaError, OSError) as error:
            raise self._unwritable(error) from error

    def _publish(self, entry: DataVersion, seen: DeltaTable) -> None:
        """Make a version exist, if no other has come since `seen`."""
        row = pa.Table.from_pylist([entry.__dict__], VERSIONS)
        at = seen.version()
        try:
            write_deltalake(seen, row, mode="append", commit_properties=CommitProperties(max_commit_retries=0))
        except (DeltaError, OSError) as error:
            now = self._table("versions")
            if now is not None and any(v.batch == entry.batch for v in _entries(now)):
                return  # the answer was lost, not the commit
            if now is None or now.version() == at:
                raise self._unwritable(error) from error
            raise LoadlineError(
                "another ingest finished in the meantime; this one was not stored",
                where=self.location,
                hint="Run it again.",
            ) from error

    def _unwritable(self, error: Exception) -> LoadlineError:
        hint = "Check free space, the path and the rights to it. Nothing was stored."
        return LoadlineError(f"the store cannot be written ({_first_line(error)})", where=self.location, hint=hint)


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
        rows = _readable(table).to_table(filter=pc.field("batch") == self.about.batch)
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

    @cached_property
    def last_known(self) -> date:
        """Give the last day on which any of its figures became known."""
        batches = (rows.column("known_on") for rows in self.figures() if rows.num_rows)
        return max(pc.max(days).as_py() for days in batches)  # pyright: ignore[reportAttributeAccessIssue]

    def figures(
        self, *, indicators: Sequence[str] | None = None, known_by: date | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read stored rows in batches: `batch`, `unit`, `indicator`, `period`, `value`, `known_on`.

        One row group is read at a time: Arrow's own scanner reads ahead of a slow reader without end.
        """
        table = self.store._table("observations")
        if table is None:
            return
        wanted = pc.field("batch").isin(pa.array([v.batch for v in self.chain], pa.string()))
        if indicators is not None:
            wanted &= pc.field("indicator").isin(pa.array(list(indicators), pa.string()))
        if known_by is not None:
            wanted &= pc.field("known_on") <= pa.scalar(known_by, pa.date32())
        stored = _readable(table)
        for fragment in stored.get_fragments(filter=wanted):
            for part in fragment.split_by_row_group(filter=wanted, schema=stored.schema):
                yield from part.to_table(schema=stored.schema, filter=wanted).to_batches()

    def latest(self, dataset: Dataset) -> LatestFigures:
        """Read what is stored, to compare a dataset that continues it."""
        first, last = self.span
        return LatestFigures(
            self.figures(),
            batches=[v.batch for v in self.chain],
            codes=list(dataset.indicators),
            units=dataset.tree.codes,
            first=first,
            length=last - first + 1,
        )

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
            self.figures(indicators=None if indicators is None else codes, known_by=None if day == date.max else day),
            batches=[v.batch for v in self.chain],
            codes=codes,
            units=self.tree.codes,
            first=first,
            length=max(0, last - first + 1),
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


def _entries(table: DeltaTable | None) -> list[DataVersion]:
    """Read the entries of the history, the oldest first."""
    if table is None:
        return []
    return sorted((DataVersion(**row) for row in _readable(table).to_table().to_pylist()), key=lambda v: v.version)


def _readable(table: DeltaTable) -> ds.Dataset:
    """Open a table for reading.

    A local one is read without the files of Python that `deltalake` hands to Arrow: Arrow's threads may still let go of
    them when the program ends, which aborts it.
    """
    uri = urlsplit(table.table_uri)
    local = fs.SubTreeFileSystem(url2pathname(uri.path), fs.LocalFileSystem()) if uri.scheme == "file" else None
    return table.to_pyarrow_dataset(filesystem=local)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


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
