"""Tables from the sheets of an Excel book, as Excel stores them; the book is not trusted."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import yaml

from features.breaches import shortened
from features.errors import LoadlineError
from features.origins import Origin, Piece
from features.reading import BOMB_FLOOR, BOMB_RATIO
from features.source_spec import TableSpec
from features.spelling import column_of, spell, spell_day
from features.staging import Staging
from features.yaml_loader import parse_yaml

SHEETS = {
    "dataset": ("dataset", "数据集"),
    "indicators": ("indicators", "指标"),
    "units": ("units", "机构"),
    "observations": ("observations", "数据"),
    "outcomes": ("outcomes", "结果"),
    "goals": ("goals", "目标"),
}
"""What the sheets of a book are called where nothing else is said."""
MOST_UNPACKED = 2**30
"""Bytes to which a book may unpack; Excel's own limit of rows is reached well below."""
MOST_ROWS = 1_048_576
"""Rows of a sheet in Excel; a row beyond was not written by it, and may stand for endless empty ones."""
MOST_COLUMNS = 16_384
ROWS_AT_ONCE = 20_000
LISTS = {"aliases", "lines"}
"""Fields of an indicator that hold several texts; in a cell they are separated by | or 、."""
PAIRS = {"band", "bounds"}
"""Fields that hold two numbers, written 0, 100 or [0, null]."""
_ZEROS = re.compile(r"0{2,20}")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)|^(?:\xff\xfe|\xfe\xff)")
"""What attacks declare; parsers differ in what they make of it. Nor is a part of a book UTF-16, which would hide it."""
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"


class ExcelSource:
    """A book, `.xlsx` or `.xlsm`; macros are never run, formulas count with the value that was saved.

    Raises
    ------
    LoadlineError
        Where it is no such book, is damaged, or unpacks to far more than a book does.
    """

    def __init__(self, book: Path) -> None:
        self.path, self.name = book, str(book)
        if not book.is_file():
            raise LoadlineError("there is no such book", where=self.name, hint="Name an .xlsx file.")
        formulas = self._guard()
        self._book = self._open(data_only=True)
        self._written = self._open(data_only=False) if formulas else None
        self._by_name = {title.strip().casefold(): title for title in self._book.sheetnames}

    def _guard(self) -> bool:
        """Look at the archive before anything is unpacked; tell whether there are formulas."""
        with open(self.path, "rb") as stream:
            if stream.read(4) == _OLD_FORMAT:
                hint = "Save it in Excel as .xlsx, without a password."
                raise LoadlineError("this is an old .xls book or has a password", where=self.name, hint=hint)
        try:
            with zipfile.ZipFile(self.path) as archive:
                parts = archive.infolist()
                unpacked = sum(part.file_size for part in parts)
                if unpacked > min(MOST_UNPACKED, max(BOMB_FLOOR, BOMB_RATIO * self.path.stat().st_size)):
                    hint = "Save it again in Excel, or export it to CSV."
                    raise LoadlineError(f"the book unpacks to {unpacked:,} bytes", where=self.name, hint=hint)
                if any(_holds(archive, part, _DECLARATION) for part in parts if part.filename.endswith(".xml")):
                    raise ValueError("it declares entities, which no book needs")
                sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
                return any(_holds(archive, part, _FORMULA) for part in sheets)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
            raise self._unreadable(error) from None

    def _open(self, *, data_only: bool) -> openpyxl.Workbook:
        if not openpyxl.DEFUSEDXML:
            raise LoadlineError("Excel books are read only where defusedxml is installed", hint="Install defusedxml.")
        try:
            return openpyxl.load_workbook(self.path, read_only=True, data_only=data_only, keep_links=False)
        except Exception as error:  # a damaged book fails in whatever part of the parser meets the damage
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> LoadlineError:
        cause = error.__cause__ or error  # openpyxl wraps what went wrong
        reason = shortened(str(cause).strip().split("\n")[0] or type(cause).__name__, 120)
        hint = "Open it in Excel and save it again as .xlsx."
        return LoadlineError(f"this cannot be read as an Excel book ({reason})", where=self.name, hint=hint)

    def close(self) -> None:
        """Let go of the file."""
        for book in (self._book, self._written):
            if book is not None:
                book.close()

    def sheet(self, kind: str, spec: TableSpec | None = None) -> str | None:
        """Find the sheet of a table, by its given or its usual name; None where there is none of the usual name.

        Raises
        ------
        LoadlineError
            Where the given one is not in the book.
        """
        if spec is not None:
            found = self._by_name.get((spec.sheet or "").strip().casefold())
            if found is None:
                hint = f"Its sheets are: {', '.join(shortened(title, 30) for title in self._book.sheetnames[:20])}."
                what = f"there is no sheet {spec.sheet!r}" if spec.sheet else "a table of a book needs `sheet`"
                raise LoadlineError(what, where=self.name, hint=hint)
            return found
        return next((self._by_name[name] for name in SHEETS[kind] if name in self._by_name), None)

    def pieces(self, kind: str, spec: TableSpec, staging: Staging) -> Iterator[Piece]:
        """Read a sheet below its heading: the first row that is not blank. Blank rows are passed over."""
        title = self.sheet(kind, spec)
        place = f"{self.path.name}, sheet {title}"
        names: list[str] = []
        header = 0
        rows: list[int] = []
        cells: list[list[Any]] = []
        percent: list[list[int]] = []
        for number, values, shown in self._rows(str(title), place, names, staging):
            if not names:
                names += [spell(value).strip() for value in values]
                header = number
                twice = [name for name, times in Counter(filter(None, names)).items() if times > 1]
                for name in twice:
                    staging.structure.add(place, number, name, "", expected="each column once", hint="Rename one.")
                if twice:
                    return
                yield self._piece(place, [], [], [], names, header)
                continue
            rows.append(number)
            cells.append(values)
            percent.append(shown)
            if len(rows) >= ROWS_AT_ONCE:
                yield self._piece(place, rows, cells, percent, names, header)
                rows, cells, percent = [], [], []
        if not names:
            staging.structure.add(place, 0, "", "", expected="a row of column names", hint="The sheet is empty.")
        elif rows:
            yield self._piece(place, rows, cells, percent, names, header)

    def _piece(
        self,
        place: str,
        rows: Sequence[int],
        cells: Sequence[Sequence[Any]],
        percent: Sequence[Sequence[int]],
        names: Sequence[str],
        header: int,
    ) -> Piece:
        columns, marks = {}, {}
        for at, name in enumerate(names):
            if name:
                columns[name] = column_of([row[at] if at < len(row) else None for row in cells])
                marked = np.array([at in shown for shown in percent], dtype=bool)
                if marked.any():
                    marks[name] = marked
        return Piece(place, np.array(rows, dtype=np.int64), columns, marks, header)

    def _rows(
        self, title: str, place: str, names: Sequence[str], staging: Staging
    ) -> Iterator[tuple[int, list[Any], list[int]]]:
        """Give the rows that are not blank: number, values, and which columns are shown as percentages.

        A cell that holds an error, or a formula without its value, is noted and given as the text that stands there.
        """
        sheet, written = self._book[title], self._written[title] if self._written is not None else None
        try:
            for each in (sheet, written):
                if each is not None:
                    each.reset_dimensions()
            formulas = written.iter_rows() if written is not None else None
            for number, row in enumerate(sheet.iter_rows(), start=1):
                if number > MOST_ROWS or len(row) > MOST_COLUMNS:
                    expected = f"at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns"
                    staging.structure.add(place, number, "", "", expected=expected, hint="Save it again in Excel.")
                    return
                beside = next(formulas, ()) if formulas is not None else ()
                values, shown = [], []
                for at, cell in enumerate(row):
                    value = cell.value
                    if cell.data_type == "e":
                        hint = "Correct the formula, or leave the row out where nothing was observed."
                        name = names[at] if at < len(names) else ""
                        staging.cells.add(place, number, name, value, expected="no error in a cell", hint=hint)
                    elif value is None and at < len(beside) and beside[at].data_type == "f":
                        value = spell(getattr(beside[at].value, "text", beside[at].value))
                        hint = "The formula was never calculated: open the book in Excel and save it."
                        name = names[at] if at < len(names) else ""
                        staging.cells.add(place, number, name, value, expected="a saved value", hint=hint)
                    elif isinstance(value, int | float) and not isinstance(value, bool):
                        form = cell.number_format or ""
                        if "%" in form:
                            shown.append(at)
                        elif _ZEROS.fullmatch(form) and value == int(value):
                            value = str(int(value)).zfill(len(form))
                    values.append(value)
                if any(value is not None and value != "" for value in values):
                    yield number, values, shown
        except LoadlineError:
            raise
        except Exception as error:  # as above: a damaged sheet fails anywhere in the parser
            raise self._unreadable(error) from None

    def describe(self, staging: Staging) -> bool:
        """Write `dataset.yaml` from a sheet of names and values; tell whether there is such a sheet."""
        title = self.sheet("dataset")
        if title is None:
            return False
        content: dict[str, Any] = {}
        lines: list[int] = []
        place = f"{self.path.name}, sheet {title}"
        for number, values, _ in self._rows(title, place, ("name", "value"), staging):
            name, value = spell(values[0]).strip(), values[1] if len(values) > 1 else None
            if name in ("title_en", "title_zh"):
                if "title" not in content:
                    lines.append(number)
                content.setdefault("title", {})[name[-2:]] = spell(value)
            elif name:
                content[name] = _whole(value) if isinstance(value, int | float) else spell_day(value)
                lines.append(number)
        staging.description(content, Origin(place, tuple(lines)))
        return True

    def indicators(self, staging: Staging, spec: TableSpec | None = None) -> bool:
        """Write `indicators.yaml` from a sheet with a row an indicator; tell whether there is such a sheet."""
        title = self.sheet("indicators", spec)
        if title is None:
            return False
        spec = spec or TableSpec(sheet=title)
        entries: list[dict[str, Any]] = []
        lines, place = [0], f"{self.path.name}, sheet {title}"
        for piece in self.pieces("indicators", spec, staging):
            columns = {spec.columns.get(name, name): column.to_pylist() for name, column in piece.columns.items()}
            if not lines[0]:
                lines[0] = piece.header
            for at, number in enumerate(piece.rows):
                entries.append(_entry({name: values[at] for name, values in columns.items()}))
                lines.append(int(number))
        staging.indicators(entries, Origin(place, tuple(lines)))
        return True


def _holds(archive: zipfile.ZipFile, part: zipfile.ZipInfo, wanted: re.Pattern[bytes]) -> bool:
    tail = b""
    with archive.open(part) as stream:
        while block := stream.read(2**20):
            if wanted.search(tail + block):
                return True
            tail = block[-64:]
    return False


def _whole(value: float) -> float | int:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _entry(cells: dict[str, Any]) -> dict[str, Any]:
    """Make an entry of `indicators.yaml` of a row: blanks are left out, lists and pairs taken apart."""
    entry: dict[str, Any] = {}
    for name, value in cells.items():
        if value is None or value == "":
            continue
        if name in ("name_en", "name_zh"):
            entry.setdefault("name", {})[name[-2:]] = spell(value)
        elif name in LISTS:
            entry[name] = [part.strip() for part in re.split(r"[|、]", spell(value)) if part.strip()]
        elif name in PAIRS:
            entry[name] = _pair(spell(value))
        elif isinstance(value, bool):
            entry[name] = value
        elif name in ("code", "definition_version") or not isinstance(value, int | float):
            entry[name] = spell(value)
        else:
            entry[name] = _whole(value)
    return entry


def _pair(text: str) -> object:
    try:
        return parse_yaml(text if text.strip().startswith("[") else f"[{text}]")
    except (yaml.YAMLError, ValueError):
        return text
