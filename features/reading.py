"""Tables from CSV (plain or gzip) and Parquet files, piece by piece, with the line of every row; nothing is trusted."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features.breaches import Breaches, shortened
from features.errors import LoadlineError

BLOCK_BYTES = 16 * 2**20
"""Text is read in blocks of this size, so that memory does not grow with the file."""
BATCH_ROWS = 1_000_000
"""Parquet is read in batches of this many rows, for the same reason."""
BOMB_RATIO = 200
"""A gzip file that unpacks to more than this multiple is refused; real tables reach some 5 to 30."""
BOMB_FLOOR = 64 * 2**20
"""Bytes below which the ratio is not looked at."""
LONGEST_LINE = 2**20
"""A line of text beyond this many bytes is no row of a table."""
TEXT_COLUMNS = ("unit", "period", "indicator", "outcome")
"""Columns of few distinct values, read from Parquet as a dictionary of them."""

BOM = b"\xef\xbb\xbf"

TABLES = (".csv", ".csv.gz", ".parquet")
"""What `read_table` reads."""


def require_table(path: Path, columns: str, *, also: Sequence[str] = ()) -> None:
    """Refuse what is no file, or of a format that is not read.

    Parameters
    ----------
    path : Path
    columns : str
        What the table should hold, for the hint.
    also : sequence of str
        Suffixes that are read beside those of `read_table`.

    Raises
    ------
    LoadlineError
    """
    if not path.is_file():
        raise LoadlineError("there is no such file", where=str(path), hint=f"Columns: {columns}.")
    known = (*TABLES, *also)
    if not path.name.lower().endswith(known):
        raise LoadlineError(
            f"the file is none of {', '.join(known)}", where=str(path), hint=f"Save it as CSV in UTF-8: {columns}."
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table: their line numbers and their columns as Arrow arrays (text, except for typed Parquet)."""

    lines: np.ndarray
    columns: dict[str, pa.Array]


def inside(folder: Path, path: Path, breaches: Breaches) -> bool:
    """Tell whether a file really lies in its dataset's folder; a link out of it, or in a circle, is a breach."""
    try:
        if path.resolve().is_relative_to(folder.resolve()):
            return True
        hint = "It is a link that leads out."
    except (OSError, RuntimeError):
        hint = "It is a link that leads nowhere."
    breaches.add(path.name, 0, "", "", expected="a file inside the dataset's folder", hint=hint)
    return False


def is_regular(path: Path, breaches: Breaches) -> bool:
    """Tell whether a path is an ordinary file; a folder, or a pipe that would be waited for, is a breach."""
    if path.is_file():
        return True
    breaches.add(path.name, 0, "", "", expected="an ordinary file", hint="Something else has this name: rename it.")
    return False


def read_text(path: Path, breaches: Breaches, *, limit: int = 4 * 2**20) -> str | None:
    """Read a small UTF-8 text file whole; None, and a breach, where that cannot be done."""
    if not path.exists():
        breaches.add(
            path.name, 0, "", "", expected="the file to be there", hint="Every dataset has one; see the contract."
        )
        return None
    if not is_regular(path, breaches):
        return None
    if path.stat().st_size > limit:
        breaches.add(
            path.name, 0, "", "", expected=f"at most {limit:,} bytes", hint="This file describes, it holds no data."
        )
        return None
    data = path.read_bytes().removeprefix(BOM)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _note_encoding(path.name, data.count(b"\n", 0, error.start) + 1, data, breaches)
        return None


def read_table(
    path: Path, *, required: Sequence[str], optional: Sequence[str] | None, breaches: Breaches
) -> Iterator[Rows]:
    """Read a table piece by piece.

    Parameters
    ----------
    path : Path
        `.csv`, `.csv.gz` or `.parquet`.
    required, optional : sequences of column names
        `optional=None` keeps every other column; otherwise columns named in neither are passed over.
    breaches : Breaches
        Takes what is wrong with the file; rows that cannot be read are left out.
    """
    if path.suffix == ".parquet":
        yield from _read_parquet(path, required=required, optional=optional, breaches=breaches)
    else:
        yield from _read_csv(path, required=required, optional=optional, breaches=breaches)


def _wanted(
    file: str, header: Sequence[str], required: Sequence[str], optional: Sequence[str] | None, breaches: Breaches
) -> list[str] | None:
    """Check a header; give the columns to keep, or None where a required one is missing."""
    missing = [name for name in required if name not in header]
    hint = "Its columns are: " + ", ".join(shortened(name, 20) for name in list(header)[:12]) + "."
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        hint = "Columns are to be separated by commas."
    for name in missing:
        breaches.add(file, 1, name, "", expected=f"a column called {name!r}", hint=hint)
    for name, times in Counter(header).items():
        if times > 1 and (optional is None or name in (*required, *optional)):
            breaches.add(file, 1, name, "", expected="each column once", hint="Rename or remove the second one.")
            return None
    if missing:
        return None
    return [name for name in header if optional is None or name in required or name in optional]


def _read_parquet(
    path: Path, *, required: Sequence[str], optional: Sequence[str] | None, breaches: Breaches
) -> Iterator[Rows]:
    try:
        schema = pq.read_schema(path)
        columns = _wanted(path.name, schema.names, required, optional, breaches)
        if columns is None or not _are_plain(path.name, schema, columns, breaches):
            return
        file = pq.ParquetFile(path, read_dictionary=[name for name in TEXT_COLUMNS if name in required])
        start = 1
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            lines = np.arange(start, start + batch.num_rows)
            start += batch.num_rows
            batch.validate(full=True)
            yield Rows(lines, dict(zip(batch.schema.names, batch.columns, strict=True)))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = shortened(str(error).splitlines()[0] if str(error) else type(error).__name__, 120)
        breaches.add(
            path.name, 0, "", "", expected="a whole Parquet file", hint=f"It is cut short or damaged ({reason})."
        )


def _are_plain(file: str, schema: pa.Schema, columns: Sequence[str], breaches: Breaches) -> bool:
    """Tell whether every column holds texts, numbers or days: no table has lists, structures or bytes."""
    before = breaches.total
    for name in columns:
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
            hint = "Write it as text, or as a number."
            breaches.add(file, 1, name, str(kind), expected="a column of texts, numbers or days", hint=hint)
    return breaches.total == before


def _open(path: Path) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")  # type: ignore[return-value]


def _blocks(path: Path, breaches: Breaches) -> Iterator[bytes]:
    """Read a text file in blocks of whole lines; stop, with a breach, where it is damaged or a bomb."""
    allowed = max(BOMB_FLOOR, BOMB_RATIO * path.stat().st_size) if path.suffix == ".gz" else None
    read, rest = 0, b""
    try:
        with _open(path) as stream:
            while block := stream.read(BLOCK_BYTES):
                read += len(block)
                if allowed is not None and read > allowed:
                    expected = f"a file that unpacks to at most {BOMB_RATIO} times its size"
                    breaches.add(path.name, 0, "", "", expected=expected, hint="Store it as plain CSV or as Parquet.")
                    return
                block = rest + block
                cut = block.rfind(b"\n") + 1
                rest = block[cut:]
                if len(rest) > LONGEST_LINE:
                    expected = f"lines of at most {LONGEST_LINE:,} bytes"
                    breaches.add(path.name, 0, "", "", expected=expected, hint="Is it really a CSV file?")
                    return
                if cut:
                    yield block[:cut]
        if rest:
            yield rest
    except (gzip.BadGzipFile, EOFError, zlib.error):
        breaches.add(
            path.name, 0, "", "", expected="a whole gzip file", hint="It is cut short or damaged: export it again."
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        breaches.add(path.name, 0, "", "", expected="a file that can be read", hint=f"{reason}.")


def _read_csv(
    path: Path, *, required: Sequence[str], optional: Sequence[str] | None, breaches: Breaches
) -> Iterator[Rows]:
    name, header, columns, line = path.name, [], None, 1
    for number, block in enumerate(_blocks(path, breaches)):
        if number == 0:
            block = block.removeprefix(BOM)
        if not _is_utf8(name, block, line, breaches):
            return
        if number == 0:
            first, _, block = block.partition(b"\n")
            if b"\r" in first.rstrip(b"\r"):
                _note_line_ends(name, 1, breaches)
                return
            header = [cell.strip() for cell in next(csv.reader([first.decode().strip("\r")]), [])]
            columns = _wanted(name, header, required, optional, breaches)
            line = 2
        if columns is None:
            return
        if block:
            lines, block = _whole_rows(name, block, line, len(header), breaches)
            line += lines[1]
            if len(lines[0]):
                yield Rows(lines[0], _parse(block, header, columns))
    if columns is None and not breaches:
        breaches.add(name, 1, "", "", expected="a header line", hint=f"It begins with: {','.join(required)}.")


def _note_line_ends(name: str, line: int, breaches: Breaches) -> None:
    hint = "A carriage return stands alone: save it with LF or CR LF."
    breaches.add(name, line, "", "", expected="line ends as in Unix or Windows", hint=hint)


def _is_utf8(name: str, block: bytes, line: int, breaches: Breaches) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        _note_encoding(name, line + block.count(b"\n", 0, error.start), block, breaches)
        return False
    return True


def _note_encoding(name: str, line: int, data: bytes, breaches: Breaches) -> None:
    hint = "Save it as UTF-8."
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = "It is UTF-16: save it as UTF-8."
    else:
        try:
            data[:BLOCK_BYTES].decode("gb18030")
            hint = "It looks like GBK/GB18030: save it as UTF-8 (in Excel: 'CSV UTF-8')."
        except UnicodeDecodeError:
            pass
    breaches.add(name, line, "", "", expected="UTF-8 text", hint=hint)


def _whole_rows(
    name: str, block: bytes, start: int, width: int, breaches: Breaches
) -> tuple[tuple[np.ndarray, int], bytes]:
    """Find the lines of a block that are rows of the right width.

    Returns the line numbers of the good rows with the number of all lines, and the good rows as bytes. The usual block,
    without quotes and with as many commas as it should have, is not looked at line by line.
    """
    count = block.count(b"\n") + (not block.endswith(b"\n"))
    whole = block.count(b"\r") == block.count(b"\r\n") + block.endswith(b"\r")
    if whole and b'"' not in block and b"\n\n" not in block and b"\n\r\n" not in block and block[:1] not in b"\r\n":
        view = np.frombuffer(block, dtype=np.uint8)
        commas, ends = np.flatnonzero(view == ord(",")), np.flatnonzero(view == ord("\n"))
        ends = ends if block.endswith(b"\n") else np.append(ends, len(view))
        if len(commas) == count * (width - 1):
            by_line = commas.reshape(count, width - 1)
            if width == 1 or ((by_line[:, -1] < ends).all() and (by_line[1:, 0] > ends[:-1]).all()):
                return (np.arange(start, start + count), count), block
    good: list[int] = []
    kept: list[bytes] = []
    for line, raw in enumerate(block.split(b"\n")[:count], start=start):
        raw = raw.rstrip(b"\r")
        if not raw.strip(b" \t"):
            continue
        if b"\r" in raw:
            _note_line_ends(name, line, breaches)
            continue
        try:
            cells = next(csv.reader([raw.decode()], strict=True))
        except csv.Error:
            cells = None
        if cells is None or raw.count(b'"') % 2 == 1:
            hint = "A quote is opened and not closed, or stands inside a value: double it, or remove it."
            breaches.add(name, line, "", raw.decode(), expected="quotes in pairs around a whole value", hint=hint)
        elif len(cells) != width:
            hint = f"It has {len(cells)}: is a comma missing, or one inside a value without quotes?"
            breaches.add(name, line, "", raw.decode(), expected=f"{width} columns", hint=hint)
        else:
            good.append(line)
            kept.append(raw)
    return (np.array(good, dtype=np.int64), count), b"\n".join(kept) + b"\n"


def _parse(block: bytes, header: Sequence[str], columns: Sequence[str]) -> dict[str, pa.Array]:
    table = pa_csv.read_csv(
        pa.BufferReader(block),
        read_options=pa_csv.ReadOptions(column_names=list(header), use_threads=False, block_size=len(block) + 1),
        parse_options=pa_csv.ParseOptions(newlines_in_values=False),
        convert_options=pa_csv.ConvertOptions(
            include_columns=list(columns),
            column_types={name: pa.string() for name in header},
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return {name: table.column(name).combine_chunks() for name in columns}


def as_text(column: pa.Array) -> pa.Array:
    """Give a column as text; missing values become empty text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode() if not pa.types.is_string(column.type.value_type) else column
    if pa.types.is_dictionary(column.type):
        return column.cast(pa.string()).fill_null("")
    return (column if pa.types.is_string(column.type) else column.cast(pa.string())).fill_null("")


def frame_of(pieces: Iterable[Rows]):
    """Put a small table together as a frame of text, with its `line` numbers as the index."""
    import pandas as pd

    frames = [
        pd.DataFrame(
            {name: as_text(column).to_pylist() for name, column in rows.columns.items()}, index=rows.lines, dtype=object
        )
        for rows in pieces
    ]
    return pd.concat(frames) if frames else pd.DataFrame()
