"""Rows of an original table, and the way back to them from the lines of a staged file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import Breach


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
    """Where a staged file comes from.

    Attributes
    ----------
    place : str
    rows : tuple of int
        The row there of each line here, from line 1; empty for observations, which hold their rows themselves.
    columns : dict
        The column names there by those here, and by indicator for a wide table.
    """

    place: str
    rows: tuple[int, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)


class WayBack:
    """Tells what is wrong with a staged folder in terms of where it came from.

    Parameters
    ----------
    folder : Path
    origins : mapping of file name to Origin
        A file without one is spoken of as it stands.
    """

    def __init__(self, folder: Path, origins: Mapping[str, Origin]) -> None:
        self._folder, self._origins = folder, origins
        self._ends: dict[str, list[int]] = {}
        self._held: tuple[str, int, pa.Table] | None = None

    def breach(self, breach: Breach) -> Breach:
        """Say a breach with the original place, row and column."""
        origin = self._origins.get(breach.file)
        if origin is None:
            return breach
        place, line, column = origin.place, 0, origin.columns.get(breach.column, breach.column)
        if breach.file.endswith(".parquet") and breach.line:
            row = self._row(breach.file, breach.line)
            place, line = row["source"], row["source_row"]
            column = origin.columns.get(row["indicator"], column) if breach.column == "value" else column
        elif 0 < breach.line <= len(origin.rows):
            line = origin.rows[breach.line - 1]
        return replace(breach, file=place, line=line, column=column)

    def _row(self, file: str, line: int) -> dict[str, Any]:
        """Read where a row of staged observations came from, holding on to its row group: breaches come in order."""
        path = self._folder / file
        if file not in self._ends:
            about = pq.read_metadata(path)
            self._ends[file] = list(accumulate(about.row_group(i).num_rows for i in range(about.num_row_groups)))
        ends = self._ends[file]
        group = bisect_left(ends, line)
        if self._held is None or self._held[:2] != (file, group):
            names = ["source", "source_row", "indicator"]
            rows = pq.ParquetFile(path, read_dictionary=["source", "indicator"]).read_row_group(group, columns=names)
            self._held = (file, group, rows)
        return self._held[2].slice(line - 1 - (ends[group - 1] if group else 0), 1).to_pylist()[0]
