"""Tables from a lake: folders of Parquet files, perhaps partitioned by folders named column=value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.breaches import shortened
from features.errors import LoadlineError
from features.origins import Piece
from features.reading import inside
from features.source_spec import TableSpec
from features.staging import Staging

ROWS_AT_ONCE = 200_000
"""Rows read and written at a time, so that memory does not grow with the lake."""
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""What a partition of missing values is called."""


class ParquetSource:
    """A folder with the tables of a lake.

    Raises
    ------
    LoadlineError
        Where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, str(folder)
        if not folder.is_dir():
            raise LoadlineError("there is no such folder", where=self.name, hint="Name the folder of the lake.")

    def close(self) -> None:
        """Do nothing: files are closed as they are read."""

    def pieces(self, kind: str, spec: TableSpec, staging: Staging) -> Iterator[Piece]:
        """Read a table's files in the order of their names."""
        if spec.parquet is None:
            raise LoadlineError("a table of a lake needs `parquet`", where=kind, hint="Name its folder or file.")
        for path in self._files(kind, spec.parquet, staging):
            place = path.relative_to(self.folder).as_posix()
            try:
                yield from self._read(path, place, staging)
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                reason = shortened(str(error).strip().split("\n")[0], 120)
                hint = f"It is cut short or damaged ({reason})."
                staging.structure.add(place, 0, "", "", expected="a whole Parquet file", hint=hint)

    def _files(self, kind: str, name: str, staging: Staging) -> list[Path]:
        """List the files of a table, leaving out what begins with _ or a dot, as lakes do with their own files.

        Raises
        ------
        LoadlineError
            Where there are none, or they are a Delta table: its folder also holds what was deleted.
        """
        table = self.folder / name
        if not table.resolve().is_relative_to(self.folder.resolve()):
            hint = "Name a folder inside the lake."
            raise LoadlineError(f"{name!r} leads out of the lake", where=kind, hint=hint)
        if any(table.rglob("_delta_log")):
            hint = "Its folder also holds rows that were replaced or deleted: query it, or export it to plain Parquet."
            raise LoadlineError("this is a Delta table, not a Parquet folder", where=str(table), hint=hint)
        found = [table] if table.is_file() else sorted(table.rglob("*.parquet"))
        found = [p for p in found if p.is_file() and not _is_hidden(p.relative_to(self.folder))]
        if not found:
            raise LoadlineError("there are no .parquet files", where=str(table), hint=f"The table is {kind}.")
        return [path for path in found if inside(self.folder, path, staging.structure)]

    def _read(self, path: Path, place: str, staging: Staging) -> Iterator[Piece]:
        file = pq.ParquetFile(path)
        keys = _partition(path.relative_to(self.folder))
        names = file.schema_arrow.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            staging.structure.add(place, 0, twice[0], "", expected="each column once", hint="Rename one of them.")
            return
        start = 1
        yield self._piece(place, start, [], names, keys, file.schema_arrow)
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            batch.validate(full=True)
            yield self._piece(place, start, [batch], names, keys, file.schema_arrow)
            start += batch.num_rows

    def _piece(
        self,
        place: str,
        start: int,
        batches: list[pa.RecordBatch],
        names: list[str],
        keys: dict[str, str | None],
        schema: pa.Schema,
    ) -> Piece:
        table = pa.Table.from_batches(batches, schema).combine_chunks()
        columns = {name: _plain(table.column(name).combine_chunks()) for name in names}
        for key, value in keys.items():
            if key not in columns:
                columns[key] = pa.array([value], pa.string()).take(pa.array(np.zeros(table.num_rows, dtype=np.int64)))
        return Piece(place, np.arange(start, start + table.num_rows), columns)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)


def _partition(path: Path) -> dict[str, str | None]:
    """Read the columns that a file's folders spell out.

    >>> _partition(Path("observations/year=2024/branch=%E5%8C%97/part-0.parquet"))
    {'year': '2024', 'branch': '北'}
    """
    pairs = [part.split("=", 1) for part in path.parts[:-1] if "=" in part]
    return {name: None if value == NOTHING else unquote(value) for name, value in pairs}


def _plain(column: pa.Array) -> pa.Array:
    """Give nested columns as text: no table of the contract has any."""
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return column
