"""A dataset folder written from the tables of another source, in the contract's columns and spelling."""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.breaches import Breaches, shortened
from features.errors import LoadlineError
from features.indicators import IndicatorSet, library
from features.origins import Origin, Piece
from features.periods import Calendar
from features.source_spec import CHINESE, COLUMNS, OPTIONAL, TableSpec
from features.spelling import (
    absent,
    combined_period,
    numbers,
    scaled,
    spell,
    spell_day,
    spell_period,
    translated,
)

PERCENT = {"%": 100.0, "‱": 10_000.0}
"""What a share is multiplied by to be in the unit of its indicator."""
PERIOD_PARTS = {"A": ("year",), "Q": ("year", "quarter"), "M": ("year", "month")}
"""What makes a period where there is no such column, as in a lake partitioned by year and month."""
MOST_ROWS = 5_000_000
"""Rows of the tables that are kept whole (all but observations); more are not units, outcomes or goals."""
DAYS = ("known_on", "valid_from", "valid_to")


class Staging:
    """Writes a dataset folder and remembers where everything came from.

    Parameters
    ----------
    folder : Path
        Made if need be; it must be empty.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            hint = "Name a new folder: what is staged must not mix with anything else."
            raise LoadlineError("the staging folder is not empty", where=str(folder), hint=hint)
        self.folder = folder
        self.origins: dict[str, Origin] = {}
        self.notes: dict[str, int] = {}
        self.structure = Breaches()
        """What keeps a table from being read at all."""
        self.cells = Breaches()
        """Cells that cannot be taken over, in tables that are read all the same."""

    def note(self, text: str, times: int = 1) -> None:
        """Keep a remark for the reader of the dataset, counted rather than repeated."""
        self.notes[text] = self.notes.get(text, 0) + times

    def description(self, content: dict[str, Any], origin: Origin) -> None:
        """Write `dataset.yaml`, a line a field."""
        lines = [f"{json.dumps(str(key))}: {_json(value)}\n" for key, value in content.items()]
        (self.folder / "dataset.yaml").write_text("".join(lines), encoding="utf-8")
        self.origins["dataset.yaml"] = origin

    def indicators(self, entries: Iterable[dict[str, Any] | str], origin: Origin) -> None:
        """Write `indicators.yaml`, a line an entry; a bare text or a code alone may be an alias of the library's."""
        lines = ["indicators:\n"]
        for entry in entries:
            content = {"code": entry} if isinstance(entry, str) else dict(entry)
            if set(content) == {"code"} and (found := _find(library(), str(content["code"]))):
                content["code"] = found
            lines.append(f"- {_json(content)}\n")
        (self.folder / "indicators.yaml").write_text("".join(lines), encoding="utf-8")
        self.origins["indicators.yaml"] = origin

    def table(self, kind: str, spec: TableSpec, pieces: Iterable[Piece], *, calendar: Calendar) -> None:
        """Write `units.csv`, `outcomes.csv` or `goals.csv`."""
        rows: list[int] = []
        names: list[str] = []
        place, original = "", {}
        with open(self.folder / f"{kind}.csv", "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            for piece in pieces:
                own = self._renamed(kind, spec, piece, calendar)
                if own is None:
                    return
                if not rows:
                    names = [n for n in own if kind == "units" or n in (*COLUMNS[kind], *OPTIONAL[kind])]
                    place, original = piece.place, dict(own)
                    writer.writerow(names)
                    rows.append(piece.header)
                if any(name not in own for name in names):
                    self.structure.add(piece.place, piece.header, "", "", expected=f"the columns of {place}")
                    return
                texts = [self._texts(name, piece.columns[own[name]], calendar).to_pylist() for name in names]
                writer.writerows(zip(*texts, strict=True))
                rows += piece.rows.tolist()
                if len(rows) > MOST_ROWS:
                    self.structure.add(place, 0, "", "", expected=f"at most {MOST_ROWS:,} rows of {kind}")
                    return
        self.origins[f"{kind}.csv"] = Origin(place, tuple(rows), original)

    def observations(
        self, number: int, spec: TableSpec, pieces: Iterable[Piece], *, calendar: Calendar, known: IndicatorSet
    ) -> set[str]:
        """Write the observations of one original table, with the row of each; give the indicators met.

        Numbers and texts go to different files, since a Parquet column has one type and a database's may not.
        """
        met: set[str] = set()
        writers: dict[str, pq.ParquetWriter] = {}
        try:
            for piece in pieces:
                own = self._renamed("observations", spec, piece, calendar)
                if own is None:
                    break
                wide = self._wide(piece, own, spec, calendar=calendar, known=known) if spec.wide else None
                if self.structure:
                    break
                for table in self._long(piece, own, wide, calendar=calendar, known=known):
                    met.update(table["indicator"].unique().to_pylist())
                    kind = "numbers" if pa.types.is_floating(table.schema.field("value").type) else "texts"
                    file = f"observations-{number:03d}-{kind}.parquet"
                    if file not in writers:
                        writers[file] = pq.ParquetWriter(self.folder / file, table.schema, compression="zstd")
                        self.origins[file] = Origin(piece.place, (), own | (wide or {}))
                    writers[file].write_table(table)
        finally:
            for writer in writers.values():
                writer.close()
        return met

    def _renamed(self, kind: str, spec: TableSpec, piece: Piece, calendar: Calendar) -> dict[str, str] | None:
        """Give the contract's column names with theirs; None, and a breach, where one is missing."""
        there = {name.strip(): name for name in piece.columns}
        before = self.structure.total
        hint = f"Its columns are: {', '.join(shortened(name, 20) for name in list(there)[:12])}."
        own: dict[str, str] = {}
        for theirs, ours in spec.columns.items():
            if theirs.strip() in there:
                own[ours] = there.pop(theirs.strip())
            else:
                self.structure.add(
                    piece.place, piece.header, theirs, "", expected=f"a column called {theirs!r}", hint=hint
                )
        for theirs in list(there):
            ours = (
                theirs.lower() if theirs.lower() in (*COLUMNS[kind], *OPTIONAL[kind]) else CHINESE.get(theirs, theirs)
            )
            if ours not in own and (ours == theirs or ours not in there):
                own[ours] = there.pop(theirs)
        wanted = COLUMNS[kind][:2] if spec.wide else COLUMNS[kind]
        for ours in wanted:
            parts = PERIOD_PARTS[calendar.frequency] if ours == "period" else ()
            if ours not in own and not (parts and all(part in own for part in parts)):
                expected = f"a column called {ours!r}, or one renamed to it"
                self.structure.add(piece.place, piece.header, ours, "", expected=expected, hint=hint)
        return own if self.structure.total == before else None

    def _texts(self, name: str, column: pa.Array, calendar: Calendar) -> pa.Array:
        if name == "period":
            return translated(column, lambda value: spell_period(value, calendar))
        return translated(column, spell_day if name in DAYS else spell)

    def _long(
        self,
        piece: Piece,
        own: dict[str, str],
        wide: dict[str, str] | None,
        *,
        calendar: Calendar,
        known: IndicatorSet,
    ) -> Iterator[pa.Table]:
        """Give the rows of a piece as the contract has them, once an indicator column where the table is wide."""
        count = len(piece.rows)
        given = piece.columns[own["known_on"]] if "known_on" in own else pa.nulls(count, pa.string())
        fixed = {
            "unit": self._texts("unit", piece.columns[own["unit"]], calendar),
            "period": self._periods(piece, own, calendar),
            "known_on": self._texts("known_on", given, calendar),
            "source_row": pa.array(piece.rows, pa.int64()),
            "source": pa.repeat(pa.scalar(piece.place), count),
        }
        if wide is None:
            codes = translated(piece.columns[own["indicator"]], lambda v: _find(known, spell(v)) or spell(v))
            value = self._shown(piece, own["value"], codes.to_pylist, known)
            yield pa.table(fixed | {"indicator": codes, "value": value})
            return
        for code, theirs in wide.items():
            there = np.flatnonzero(~absent(piece.columns[theirs]).to_numpy(zero_copy_only=False))
            codes = pa.repeat(pa.scalar(code), count)
            value = self._shown(piece, theirs, lambda code=code: [code] * count, known)
            yield pa.table(fixed | {"indicator": codes, "value": value}).take(pa.array(there))

    def _periods(self, piece: Piece, own: dict[str, str], calendar: Calendar) -> pa.Array:
        if "period" in own:
            return self._texts("period", piece.columns[own["period"]], calendar)
        parts = [translated(piece.columns[own[part]], spell) for part in PERIOD_PARTS[calendar.frequency]]
        joined = parts[0]
        if len(parts) > 1:
            joined = pc.binary_join_element_wise(*parts, "\x1f")  # pyright: ignore[reportAttributeAccessIssue]
        return translated(joined, lambda text: combined_period(str(text).split("\x1f"), calendar))

    def _wide(
        self, piece: Piece, own: dict[str, str], spec: TableSpec, *, calendar: Calendar, known: IndicatorSet
    ) -> dict[str, str]:
        """Tell which columns of a wide table are indicators: columns by code."""
        found: dict[str, str] = {}
        fixed = {"unit", "period", "known_on"}
        if "period" not in own:
            fixed.update(PERIOD_PARTS[calendar.frequency])

        def note(theirs: str, value: str, expected: str, hint: str) -> None:
            self.structure.add(piece.place, piece.header, theirs, value, expected=expected, hint=hint)

        for ours, theirs in own.items():
            if ours in fixed:
                continue
            code = _find(known, ours)
            if code is None and ours in spec.columns.values():
                near = ", ".join(difflib.get_close_matches(ours, list(known), 3)) or "see indicators.yaml"
                note(theirs, ours, "the code, name or alias of an indicator", f"Known: {near}.")
            elif code is None:
                self.note(f"{piece.place}: column {shortened(theirs)!r} is no indicator and was passed over", 0)
            elif code in found:
                expected = f"one column for {code}, not also {shortened(found[code])!r}"
                note(theirs, "", expected, "Map one of the two to another indicator, or leave it out.")
            else:
                found[code] = theirs
        if not found and not self.structure:
            note("", "", "a column an indicator", "Map columns to indicators, such as `不良率: R01`.")
        return found

    def _shown(self, piece: Piece, column: str, codes: Callable[[], list[str]], known: IndicatorSet) -> pa.Array:
        """Take a number shown as a percentage for what is shown, where its indicator is in % or ‱."""
        value = numbers(piece.columns[column])
        if column not in piece.percent:
            return value
        result, by_row, changed = value.to_pylist(), codes(), 0
        at = np.flatnonzero(piece.percent[column])
        for i in at:
            indicator = known.get(by_row[i])
            factor = PERCENT.get(indicator.unit) if indicator is not None else None
            if factor is not None:
                shown = scaled(float(result[i]), factor)
                result[i] = shown if pa.types.is_floating(value.type) else spell(shown)
                changed += 1
        where = f"{piece.place}, {column}"
        if changed:
            self.note(f"{where}: shown as a percentage, so taken as shown: 1.53% as 1.53", changed)
        if changed < len(at):
            left = len(at) - changed
            self.note(f"{where}: shown as a percentage, but the indicator is not in %: 1.53% taken as 0.0153", left)
        return pa.array(result, value.type)

    def remarks(self) -> tuple[str, ...]:
        """Give the notes, with the number of cells where they concern cells."""
        return tuple(f"{text} ({times:,} cells)" if times else text for text, times in self.notes.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _find(known: IndicatorSet, name: str) -> str | None:
    try:
        return known.find(name).code
    except LoadlineError:
        return None
