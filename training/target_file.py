"""Targets that were set, read back from a file: what `loadline targets` wrote, or any table with the same columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches, TableError
from features.errors import LoadlineError
from features.reading import frame_of, read_table, require_table
from features.source_excel import MOST_ROWS, ExcelSource
from features.store import Snapshot

REQUIRED = ["unit", "indicator", "year", "target"]
OPTIONAL = ["floor", "stretch", "p_target"]
BOOKS = (".xlsx", ".xlsm")
MARKED = ("=", "+", "-", "@")
"""First letters before which a written table has an apostrophe, so that no spreadsheet runs the text."""


def read_target_file(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read targets: `unit, indicator, year, target`, and `floor`, `stretch`, `p_target` where they are given.

    A row without a target (a unit of which nothing could be said) is kept, with a missing figure.

    Parameters
    ----------
    path : Path
        `.csv`, `.csv.gz`, `.parquet`, or the first sheet of an `.xlsx`.
    snapshot : Snapshot
        Whose units and indicators the targets are for.

    Raises
    ------
    LoadlineError
        With every problem of the file, or where it holds no target.
    """
    require_table(path, ", ".join(REQUIRED), also=BOOKS)
    breaches = Breaches()
    rows = _read(path, breaches)
    breaches.raise_if_any(str(path), error=TableError)
    if rows.empty:
        raise LoadlineError("the file holds no target", where=str(path), hint=f"Columns: {', '.join(REQUIRED)}.")
    rows["unit"] = [text[1:] if text[:1] == "'" and text[1:2] in MARKED else text for text in rows["unit"]]
    _check_names(path.name, rows, snapshot, breaches)
    columns = [name for name in [*REQUIRED[2:], *OPTIONAL] if name in rows]
    figures = {name: _numbers(path.name, rows, name, breaches) for name in columns}
    year = figures["year"]
    whole = np.isfinite(year) & (np.nan_to_num(year) % 1 == 0)
    for place in np.flatnonzero(~whole & ~_unreadable(rows["year"])).tolist():
        shown = rows["year"].iloc[place]
        breaches.add(path.name, int(rows.index[place]), "year", shown, expected="a year such as 2025")
    again = rows[rows.duplicated(["unit", "indicator", "year"])]
    breaches.add_rows(
        path.name, again.index.to_numpy(), "unit, indicator", again["unit"].iloc.__getitem__, expected="each key once"
    )
    breaches.raise_if_any(str(path), error=TableError)
    found = rows[["unit", "indicator"]].assign(**figures).astype({"year": int})
    if not np.isfinite(found["target"]).any():
        raise LoadlineError("no row has a target", where=str(path), hint="Fill in the column `target`.")
    return found.reset_index(drop=True)


def _read(path: Path, breaches: Breaches) -> pd.DataFrame:
    """Read the columns as text, with line numbers as the index."""
    if path.suffix.lower() not in BOOKS:
        return frame_of(read_table(path, required=REQUIRED, optional=OPTIONAL, breaches=breaches))
    import openpyxl

    ExcelSource(path).close()  # refuses what is no sound book
    book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        cells = book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS)
        header = [str(cell).strip() if cell is not None else "" for cell in next(cells, ())]
        for name in REQUIRED:
            if name not in header:
                breaches.add(path.name, 1, name, "", expected=f"a column called {name!r}")
        wanted = {name: header.index(name) for name in [*REQUIRED, *OPTIONAL] if name in header}
        lines = [(line, row) for line, row in enumerate(cells, start=2) if any(cell is not None for cell in row)]
    finally:
        book.close()
    columns = {
        name: ["" if at >= len(row) or row[at] is None else str(row[at]) for _, row in lines]
        for name, at in wanted.items()
    }
    return pd.DataFrame(columns, index=[line for line, _ in lines], dtype=object)


def _check_names(file: str, rows: pd.DataFrame, snapshot: Snapshot, breaches: Breaches) -> None:
    units, indicators = set(snapshot.tree.codes), snapshot.indicators
    allowed = {code for code in indicators if indicators[code].is_target}
    for name, known, expected in (
        ("unit", units, "a unit of the data"),
        ("indicator", allowed, "an indicator that may have targets"),
    ):
        wrong = rows[~rows[name].isin(known)]
        breaches.add_rows(file, wrong.index.to_numpy(), name, wrong[name].iloc.__getitem__, expected=expected)


def _blank(column: pd.Series) -> np.ndarray:
    return column.astype(str).str.strip().str.lower().isin(["", "nan"]).to_numpy(dtype=bool)


def _read_numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column.astype(str).str.strip().where(~_blank(column)), errors="coerce").to_numpy(dtype=float)


def _unreadable(column: pd.Series) -> np.ndarray:
    """Tell which cells are neither empty nor a finite number."""
    return ~_blank(column) & ~np.isfinite(_read_numbers(column))


def _numbers(file: str, rows: pd.DataFrame, name: str, breaches: Breaches) -> np.ndarray:
    """Read a column of numbers; an empty cell is missing, anything else that is no finite number a breach."""
    for place in np.flatnonzero(_unreadable(rows[name])).tolist():
        breaches.add(file, int(rows.index[place]), name, rows[name].iloc[place], expected="a finite number")
    return _read_numbers(rows[name])
