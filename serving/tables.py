"""Tables on their way out: CSV, Parquet, XLSX or JSON, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError
from features.spreadsheet import inert

if TYPE_CHECKING:
    from xlsxwriter.format import Format as XlsxFormat
    from xlsxwriter.worksheet import Worksheet

MOST_SHEET_ROWS = 2**20 - 1
"""Rows of a sheet below its header (Excel specifications and limits)."""


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table in the format that the suffix names; the file appears whole or not at all.

    Raises
    ------
    LoadlineError
        Where the suffix or the folder is not usable.
    """
    writers = {".csv": _write_csv, ".parquet": _write_parquet, ".xlsx": _write_xlsx, ".json": _write_json}
    suffix = path.suffix.lower()
    if suffix not in writers:
        known = ", ".join(writers)
        raise LoadlineError(f"no table format has the suffix {suffix!r}", where=str(path), hint=f"Use one of {known}.")
    if not path.parent.is_dir():
        raise LoadlineError("the folder does not exist", where=str(path.parent), hint="Create it first.")
    write_whole(path, lambda unfinished: writers[suffix](frame, unfinished))


def write_sheets(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write several tables as the sheets of one XLSX book; the file appears whole or not at all.

    Raises
    ------
    LoadlineError
        Where the folder is not usable, or a table is longer than a sheet can be.
    """
    if not path.parent.is_dir():
        raise LoadlineError("the folder does not exist", where=str(path.parent), hint="Create it first.")
    write_whole(path, lambda unfinished: _write_book(tables, unfinished))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: `write` gets the path of an unfinished one beside it.

    Raises
    ------
    LoadlineError
        Where it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{path.suffix.lower()}")
    try:
        write(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise LoadlineError(
            f"cannot write the file ({error.strerror})", where=str(path), hint="Check the disk."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.map(inert).to_csv(path, index=False, encoding="utf-8")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _write_json(frame: pd.DataFrame, path: Path) -> None:
    path.write_text(to_json(frame), encoding="utf-8")


def _write_xlsx(frame: pd.DataFrame, path: Path) -> None:
    _write_book({"loadline": frame}, path)


def _write_book(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    import xlsxwriter

    for name, frame in tables.items():
        if len(frame) > MOST_SHEET_ROWS:
            hint = "Write .csv or .parquet, or fewer units."
            raise LoadlineError(
                f"the table {name} has {len(frame):,} rows, a sheet holds {MOST_SHEET_ROWS:,}",
                where=str(path),
                hint=hint,
            )
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        for name, frame in tables.items():
            _fill(book.add_worksheet(name), frame, bold)


def _fill(sheet: Worksheet, frame: pd.DataFrame, bold: XlsxFormat) -> None:
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, str(name), bold)
        for row, value in enumerate(frame[name].tolist(), start=1):
            if isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif isinstance(value, (int, float)):
                if value == value and abs(value) != float("inf"):
                    sheet.write_number(row, column, value)
            elif value is not None:
                sheet.write_string(row, column, str(value))
    sheet.freeze_panes(1, 0)
    sheet.autofit()


def to_json(frame: pd.DataFrame) -> str:
    """Give a table as JSON: a list of rows; what is missing is null."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    return json.dumps(rows, ensure_ascii=False, default=str, allow_nan=False)
