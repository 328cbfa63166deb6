"""The versioned store on Delta Lake: an ingest is one data version, whole or not there at all; nothing is overwritten.

Three Delta tables. `observations` and `definitions` only grow, each row marked with the batch that brought it. A batch
counts once a row of `versions` names it: that single Delta commit is the moment at which a data version exists. What a
killed process leaves behind belongs to no version and is never read.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from features.dataset import Dataset
from features.editions import check_meaning
from features.errors import LoadlineError
from features.incoming import OBSERVATIONS, Incoming
from features.snapshot import DataVersion, Snapshot, frame_from
from features.tables import Tables, first_line, readable

__all__ = ["DataVersion", "Snapshot", "Store"]

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


class Store:
    """Data versions in a folder or bucket.

    Parameters
    ----------
    location : Path or str
        A folder, or a URL that Delta Lake can write to.
    """

    def __init__(self, location: Path | str) -> None:
        self.location = str(location)
        self._tables = Tables(self.location)

    def versions(self) -> list[DataVersion]:
        """List the data versions, the oldest first."""
        return _entries(self._tables.open("versions"))

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
        return Snapshot(self._tables, tuple(chain))

    def stored_indicators(self, dataset: str) -> frozenset[str]:
        """Give the codes that the last version of a dataset defines; empty where there is none."""
        if not any(v.dataset == dataset for v in self.versions()):
            return frozenset()
        return frozenset(self.snapshot(dataset=dataset).indicators)

    def ingest(self, dataset: Dataset, *, now: datetime) -> DataVersion:
        """Store a checked dataset as a new data version.

        It continues the last version of the dataset of the same name: figures that are new are added; a figure that
        differs from the stored one without saying when it became known counts as a restatement known from today. Where
        an indicator's `definition_version` is another, its stored figures stay with the old one and are not shown
        beside the new ones; those that are delivered again are stored again.

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
            if self._tables.open(table) is None:
                by_batch = None if table == "versions" else ["batch"]
                try:
                    DeltaTable.create(self._tables.path(table), schema, mode="ignore", partition_by=by_batch)
                except (DeltaError, OSError) as error:  # another ingest may have created it at this very moment
                    if self._tables.open(table) is None:
                        raise self._unwritable(error) from error
        versions = self._tables.open("versions")
        if versions is None:
            raise LoadlineError("the store was removed while it was written to", where=self.location)
        return versions

    def _append(self, table: str, data: pa.Table | pa.RecordBatchReader) -> None:
        try:
            write_deltalake(self._tables.path(table), data, mode="append")
        except (DeltaError, OSError) as error:
            raise self._unwritable(error) from error

    def _publish(self, entry: DataVersion, seen: DeltaTable) -> None:
        """Make a version exist, if no other has come since `seen`."""
        row = pa.Table.from_pylist([entry.__dict__], VERSIONS)
        at = seen.version()
        try:
            write_deltalake(seen, row, mode="append", commit_properties=CommitProperties(max_commit_retries=0))
        except (DeltaError, OSError) as error:
            now = self._tables.open("versions")
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
        return LoadlineError(f"the store cannot be written ({first_line(error)})", where=self.location, hint=hint)


def _entries(table: DeltaTable | None) -> list[DataVersion]:
    """Read the entries of the history, the oldest first."""
    if table is None:
        return []
    return sorted((DataVersion(**row) for row in readable(table).to_table().to_pylist()), key=lambda v: v.version)


def _carried_on(dataset: Dataset, previous: Snapshot | None) -> dict[str, str]:
    """Give the definitions to store: outcomes, goals and policy of the version before stay unless given anew."""
    texts = dataset.definitions
    if previous is None:
        return texts
    keys = {"outcomes": ["unit", "period", "outcome", "known_on"], "goals": ["unit", "indicator", "year"]}
    for kind, key in keys.items():
        earlier, given = frame_from(previous.texts[kind]), frame_from(texts[kind])
        if not earlier.empty:
            both = pd.concat([earlier, given] if not given.empty else [earlier]).drop_duplicates(key, keep="last")
            texts[kind] = both.to_json(orient="split", index=False, force_ascii=False, double_precision=15)
    if dataset.policy is None:
        texts["policy"] = previous.texts["policy"]
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
    check_meaning(previous.indicators, dataset.indicators, where=where)
