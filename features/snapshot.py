"""A data version opened for reading: its definitions, and its panel as it was known on any day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.dataset import Dataset, Description
from features.editions import Editions, editions_of
from features.errors import LoadlineError
from features.history import LatestFigures, place_figures
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.tables import Tables, readable
from features.units import UnitTree


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


@dataclass(frozen=True)
class Snapshot:
    """A data version, opened for reading; `chain` holds it and the versions that it continues, the oldest first."""

    tables: Tables
    chain: tuple[DataVersion, ...]

    @property
    def about(self) -> DataVersion:
        """Give the entry of the version itself."""
        return self.chain[-1]

    @cached_property
    def texts(self) -> dict[str, str]:
        table = self.tables.open("definitions")
        if table is None:
            raise LoadlineError(
                "the store has lost its definitions", where=self.tables.location, hint="Restore a backup."
            )
        rows = readable(table).to_table(filter=pc.field("batch") == self.about.batch)
        return dict(zip(rows["kind"].to_pylist(), rows["text"].to_pylist(), strict=True))

    @cached_property
    def description(self) -> Description:
        """Give what `dataset.yaml` said."""
        return Description.model_validate_json(self.texts["description"])

    @cached_property
    def indicators(self) -> IndicatorSet:
        """Give the indicators."""
        return IndicatorSet(Indicator.model_validate(entry) for entry in json.loads(self.texts["indicators"]))

    @cached_property
    def tree(self) -> UnitTree:
        """Give the tree of units."""
        return UnitTree.from_frame(frame_from(self.texts["units"], as_text=True), self.description.calendar)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Give the labels of what later happened; empty where there are none."""
        return frame_from(self.texts["outcomes"])

    @cached_property
    def goals(self) -> pd.DataFrame:
        """Give the goals set for units with others below them; empty where there are none."""
        return frame_from(self.texts["goals"])

    @property
    def policy(self) -> dict[str, Any] | None:
        """Give the dataset's policy as it stands."""
        return json.loads(self.texts["policy"])

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

    @cached_property
    def editions(self) -> Editions:
        """Tell under which definitions the figures of each version of the chain were delivered."""
        batches = [v.batch for v in self.chain]
        if len(batches) == 1:
            return Editions.read({batches[0]: self.texts["indicators"]}, batches)
        table = self.tables.open("definitions")
        assert table is not None
        wanted = pc.field("batch").isin(pa.array(batches, pa.string())) & (pc.field("kind") == "indicators")
        rows = readable(table).to_table(columns=["batch", "text"], filter=wanted)
        texts = dict(zip(rows["batch"].to_pylist(), rows["text"].to_pylist(), strict=True))
        return Editions.read(texts, batches)

    @cached_property
    def withheld(self) -> dict[str, tuple[str, ...]]:
        """List, by indicator, the batches whose figures stand under another definition than this version's."""
        return self.editions.withheld(self.editions.stated[-1])

    def figures(
        self,
        *,
        indicators: Sequence[str] | None = None,
        known_by: date | None = None,
        any_definition: bool = False,
    ) -> Iterator[pa.RecordBatch]:
        """Read stored rows in batches: `batch`, `unit`, `indicator`, `period`, `value`, `known_on`.

        Parameters
        ----------
        indicators : sequence of str, optional
            Codes; all by default.
        known_by : date, optional
            Leave out what became known after this day.
        any_definition : bool
            True to read figures too that were delivered under another definition than this version's.
        """
        wanted = self._of_chain
        if indicators is not None:
            wanted &= pc.field("indicator").isin(pa.array(list(indicators), pa.string()))
        if known_by is not None:
            wanted &= pc.field("known_on") <= pa.scalar(known_by, pa.date32())
        if not any_definition and self.withheld:
            wanted &= ~_rows_of(self.withheld)
        return self._stored(wanted)

    @property
    def _of_chain(self) -> pc.Expression:
        return pc.field("batch").isin(pa.array([v.batch for v in self.chain], pa.string()))

    def _stored(self, wanted: pc.Expression) -> Iterator[pa.RecordBatch]:
        """Read one row group at a time: Arrow's own scanner reads ahead of a slow reader without end."""
        table = self.tables.open("observations")
        if table is None:
            return
        stored = readable(table)
        for fragment in stored.get_fragments(filter=wanted):
            for part in fragment.split_by_row_group(filter=wanted, schema=stored.schema):
                yield from part.to_table(schema=stored.schema, filter=wanted).to_batches()

    def given_for_parents(self) -> list[str]:
        """List the indicators that have figures of units with others below them."""
        above = pa.array([str(code) for code in self.tree.codes[self.tree.ever_parent]], pa.string())
        found: set[str] = set()
        for rows in self.figures():
            theirs = pc.is_in(rows.column("unit"), value_set=above)  # pyright: ignore[reportAttributeAccessIssue]
            found.update(rows.column("indicator").filter(theirs).unique().to_pylist())
        return [code for code in self.indicators if code in found]

    def latest(self, dataset: Dataset) -> LatestFigures:
        """Read what is stored under the definitions of a dataset that continues it, to compare the two."""
        first, last = self.span
        withheld = self.editions.withheld(editions_of(dataset.indicators.values()))
        apart = _rows_of(withheld) if withheld else None
        return LatestFigures(
            self._stored(self._of_chain if apart is None else self._of_chain & ~apart),
            otherwise=() if apart is None else self._stored(self._of_chain & apart),
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


def _rows_of(batches: Mapping[str, Sequence[str]]) -> pc.Expression:
    """Say which rows are of some indicators in the batches named for each."""
    together: dict[tuple[str, ...], list[str]] = {}
    for code, theirs in batches.items():
        together.setdefault(tuple(theirs), []).append(code)
    parts = [
        pc.field("indicator").isin(pa.array(codes, pa.string())) & pc.field("batch").isin(pa.array(theirs, pa.string()))
        for theirs, codes in together.items()
    ]
    found = parts[0]
    for part in parts[1:]:
        found = found | part
    return found


def frame_from(text: str, *, as_text: bool = False) -> pd.DataFrame:
    """Read a table that was stored as JSON."""
    content = json.loads(text)
    return pd.DataFrame(content["data"], columns=content["columns"], dtype=object if as_text else None)
