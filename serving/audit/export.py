"""Entries as files: CSV and XLSX for people, JSON lines with all that a seal covers, to be verified elsewhere."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError
from features.spreadsheet import inert
from serving.audit.entry import Entry
from serving.database.tables.base import canonical

if TYPE_CHECKING:
    from serving.audit.reading import Wanted
    from serving.audit.trail import Audit

COLUMNS = ("number", *(name for name in Entry.__struct_fields__ if name != "number"))
MOST_SHEET_ROWS = 200_000
"""Of XLSX, which is built in memory; CSV and JSON lines have no bound."""
_LINES_AT_ONCE = 500


def export(audit: Audit, wanted: Wanted, path: Path) -> int:
    """Write entries to a file, the oldest first; it appears whole or not at all. Give their number.

    Raises
    ------
    LoadlineError
        Where the suffix or the folder is not usable, or a sheet cannot hold them.
    """
    writers = {".csv": _write_text(csv_lines), ".jsonl": _write_text(json_lines), ".xlsx": _write_sheet}
    suffix = path.suffix.lower()
    if suffix not in writers:
        hint = f"Use one of {', '.join(writers)}."
        raise LoadlineError(f"no export of the audit has the suffix {suffix!r}", where=str(path), hint=hint)
    if not path.parent.is_dir():
        raise LoadlineError("the folder does not exist", where=str(path.parent), hint="Create it first.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{suffix}")
    try:
        counted = _Counted(audit.every(wanted))
        writers[suffix](counted, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise LoadlineError(
            f"cannot write the file ({error.strerror})", where=str(path), hint="See the disk."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return counted.number


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Write entries as CSV, some lines at a time, with nothing in them that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    remaining = iter(entries)
    while True:
        part = list(islice(remaining, _LINES_AT_ONCE))
        writer.writerows([inert(getattr(entry, name)) for name in COLUMNS] for entry in part)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
        if len(part) < _LINES_AT_ONCE:
            return


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Write entries as JSON lines: without `hash`, each is what its seal covers, byte for byte."""
    for entry in entries:
        yield canonical({name: getattr(entry, name) for name in COLUMNS}) + "\n"


def detail_of(entry: Entry) -> dict[str, Any]:
    """Read the detail of an entry; one that was tampered with may be none."""
    try:
        found = json.loads(entry.detail)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": entry.detail}


class _Counted:
    """Counts what goes through."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.entries, self.number = entries, 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.entries:
            self.number += 1
            yield entry


def _write_text(lines: Callable[[Iterable[Entry]], Iterator[str]]) -> Callable[[Iterable[Entry], Path], None]:
    def write(entries: Iterable[Entry], path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines(entries))

    return write


def _write_sheet(entries: Iterable[Entry], path: Path) -> None:
    import pandas as pd

    from serving.tables import write_table

    found = list(islice(iter(entries), MOST_SHEET_ROWS + 1))
    if len(found) > MOST_SHEET_ROWS:
        hint = "Narrow it down with --from and --to, or write .csv or .jsonl."
        raise LoadlineError(f"a sheet takes at most {MOST_SHEET_ROWS:,} entries", where=str(path), hint=hint)
    write_table(pd.DataFrame([[getattr(entry, name) for name in COLUMNS] for entry in found], columns=[*COLUMNS]), path)
