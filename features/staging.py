"""A dataset folder written from another source, and the way back from each of its lines to the original place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import Breach, LoadlineError
from features.indicators import IndicatorSet, library
from features.periods import Calendar
from features.reading import Breaches, shortened
from features.source_spec import COLUMNS, OPTIONAL, TableSpec
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

CHINESE = {
    **{"机构": "unit", "上级机构": "parent", "名称": "name", "期间": "period", "指标": "indicator", "数值": "value"},
    **{"获知日期": "known_on", "生效日期": "valid_from", "失效日期": "valid_to", "承继机构": "successor"},
    **{"结果": "outcome", "年度": "year", "级别": "level", "区域类型": "region_type", "同业组": "peer_group"},
    **{"条线": "business_line", "年": "year", "季": "quarter", "季度": "quarter", "月": "month", "月份": "month"},
}
"""Headings that are understood without being mapped; the contract's own name goes before."""
PERIOD_PARTS = {"A": ("year",), "Q": ("year", "quarter"), "M": ("year", "month")}
"""What makes a period where there is no such column, as in a lake partitioned by year and month."""
MOST_ROWS = 5_000_000
"""Rows of the tables that are kept whole (all but observations); more are not units, outcomes or goals."""
DAYS = ("known_on", "valid_from", "valid_to")


@dataclass(frozen=True)
class Piece:
    """Some rows of an original table, under its own column names.

    Attributes
    ----------
    place : str
        What a reader knows the table by: `book.xlsx, sheet 数据`, a file of a lake, a query.
    rows : (N,) int array
        Numbers of the rows there, as its users count.
    columns : dict of N-long Arrow arrays
    percent : dict of (N,) bool arrays
        By column, where a number is shown as a percentage: 0.0153 shown as 1.53%.
    header : int
        The row of the column names; 0 where there is none.
    """

    place: str
    rows: np.ndarray
    columns: dict[str, pa.Array]
    percent: dict[str, np.ndarray] = field(default_factory=dict)
    header: int = 0


@dataclass(frozen=True)
class Origin:
    """Where the lines of a staged file come from; `rows[i]` stands for line i + 1, and blank for observations."""

    place: str
    rows: tuple[int, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)


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
                    place, original = piece.place, {ours: theirs for ours, theirs in own.items()}
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
                for table in self._long(spec, piece, own, calendar, known):
                    met.update(table["indicator"].unique().to_pylist())
                    kind = "numbers" if pa.types.is_floating(table.schema.field("value").type) else "texts"
                    file = f"observations-{number:03d}-{kind}.parquet"
                    if file not in writers:
                        writers[file] = pq.ParquetWriter(self.folder / file, table.schema, compression="zstd")
                        original = {ours: theirs for ours, theirs in own.items()}
                        self.origins[file] = Origin(piece.place, (), original)
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
            ours = theirs if theirs in (*COLUMNS[kind], *OPTIONAL[kind]) else CHINESE.get(theirs, theirs)
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
        self, spec: TableSpec, piece: Piece, own: dict[str, str], calendar: Calendar, known: IndicatorSet
    ) -> Iterable[pa.Table]:
        """Give the rows of a piece as the contract has them, once an indicator column where the table is wide."""
        fixed = {"unit": self._texts("unit", piece.columns[own["unit"]], calendar)}
        fixed["period"] = self._periods(piece, own, calendar)
        if "known_on" in own:
            fixed["known_on"] = self._texts("known_on", piece.columns[own["known_on"]], calendar)
        fixed["source_row"] = pa.array(piece.rows, pa.int64())
        fixed["source"] = pa.repeat(pa.scalar(piece.place), len(piece.rows))
        if not spec.wide:
            codes = translated(piece.columns[own["indicator"]], lambda v: _find(known, spell(v)) or spell(v))
            theirs = own["value"]
            value = self._shown(piece, theirs, numbers(piece.columns[theirs]), codes.to_pylist(), known)
            yield pa.table(fixed | {"indicator": codes, "value": value})
            return
        for code, theirs in self._wide(spec, piece, own, calendar, known):
            column = piece.columns[theirs]
            there = np.flatnonzero(~absent(column).to_numpy(zero_copy_only=False))
            codes = pa.repeat(pa.scalar(code), len(piece.rows))
            value = self._shown(piece, theirs, numbers(column), code, known)
            table = pa.table(fixed | {"indicator": codes, "value": value})
            yield table.take(pa.array(there))

    def _periods(self, piece: Piece, own: dict[str, str], calendar: Calendar) -> pa.Array:
        if "period" in own:
            return self._texts("period", piece.columns[own["period"]], calendar)
        parts = [translated(piece.columns[own[part]], spell) for part in PERIOD_PARTS[calendar.frequency]]
        joined = parts[0]
        if len(parts) > 1:
            joined = pc.binary_join_element_wise(*parts, "\x1f")  # pyright: ignore[reportAttributeAccessIssue]
        return translated(joined, lambda text: combined_period(str(text).split("\x1f"), calendar))

    def _wide(
        self, spec: TableSpec, piece: Piece, own: dict[str, str], calendar: Calendar, known: IndicatorSet
    ) -> list[tuple[str, str]]:
        """Tell which columns of a wide table are indicators: code and column."""
        found: dict[str, str] = {}
        fixed = {"unit", "period", "known_on"} | (
            set(PERIOD_PARTS[calendar.frequency]) if "period" not in own else set()
        )
        for ours, theirs in own.items():
            if ours in fixed:
                continue
            code = _find(known, ours)
            if code is None and ours in spec.columns.values():
                code = ours
            if code is None:
                self.note(f"{piece.place}: column {shortened(theirs)!r} is no indicator and was passed over", 0)
            elif code in found:
                hint = "Map one of the two to another indicator, or leave it out of the query."
                expected = f"one column for {code}, not also {shortened(found[code])!r}"
                self.structure.add(piece.place, piece.header, theirs, "", expected=expected, hint=hint)
            else:
                found[code] = theirs
        if not found:
            hint = "Map columns to indicators, such as `不良率: R01`."
            self.structure.add(piece.place, piece.header, "", "", expected="a column an indicator", hint=hint)
        return list(found.items())

    def _shown(self, piece: Piece, column: str, value: pa.Array, codes: str | list[str], known: IndicatorSet):
        """Take a number shown as a percentage for what is shown, where its indicator is in % or ‱."""
        at = np.flatnonzero(piece.percent[column]) if column in piece.percent else ()
        if not len(at) or not pa.types.is_floating(value.type):
            return value
        result = value.to_numpy(zero_copy_only=False).copy()
        changed = 0
        for i in at:
            indicator = known.get(codes if isinstance(codes, str) else codes[i])
            if indicator is not None and indicator.unit in ("%", "‱"):
                result[i] = scaled(result[i], indicator.ratio_scale)
                changed += 1
        where = f"{piece.place}, {column}"
        self.note(f"{where}: cells shown as a percentage were taken as shown, 1.53% as 1.53", changed)
        self.note(f"{where}: cells shown as a percentage belong to an indicator not in %; taken as 0.0153", len(at) - changed)
        return pa.array(result, pa.float64(), mask=value.is_null().to_numpy(zero_copy_only=False))

    def remarks(self) -> tuple[str, ...]:
        """Give the notes, with the number of cells where they concern cells."""
        return tuple(f"{text} ({times:,} cells)" if times else text for text, times in self.notes.items())

    def back(self, breach: Breach) -> Breach:
        """Say a breach of a staged file in terms of the original: its place, row and column."""
        origin = self.origins.get(breach.file)
        if origin is None:
            return breach
        place, line, column = origin.place, 0, origin.columns.get(breach.column, breach.column)
        if breach.file.endswith(".parquet") and breach.line:
            place, line, code = _row_of(self.folder / breach.file, breach.line)
            column = origin.columns.get(code, column) if breach.column == "value" else column
        elif 0 < breach.line <= len(origin.rows):
            line = origin.rows[breach.line - 1]
        return replace(breach, file=place, line=line, column=column)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _find(known: IndicatorSet, name: str) -> str | None:
    try:
        return known.find(name).code
    except LoadlineError:
        return None


def _row_of(path: Path, line: int) -> tuple[str, int, str]:
    """Read where a row of staged observations came from: place, row and indicator."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if line <= rows:
            table = file.read_row_group(group, columns=["source", "source_row", "indicator"]).slice(line - 1, 1)
            row = table.to_pylist()[0]
            return row["source"], row["source_row"], row["indicator"]
        line -= rows
    raise AssertionError("a breach names a row of its file")
