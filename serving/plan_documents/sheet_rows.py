"""Reading an uploaded sheet as rows of plain values: whatever it is, it is read within bounds, and runs nothing."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from serving.errors import InvalidError

MOST_PARTS = 300
"""Files inside a book: Excel writes some twenty and one a sheet."""
MOST_UNPACKED = 200 << 20
"""Bytes that a book may come to: a million lines."""
MOST_RATIO = 200
"""Times that a part may grow when unpacked; sheets of numbers come to some 10 to 20."""
SMALL_PART = 1 << 20
"""Bytes of a part below which its ratio says nothing."""
MOST_ROWS = 1_000_000
MOST_COLUMNS = 40
"""Columns read of a row, whatever width the file claims."""
LONGEST_TEXT = 4_000
ZIP_START = b"PK\x03\x04"
ENCODINGS = ("utf-8-sig", "gb18030")
"""What spreadsheet programs save CSV in, the first that fits; the second is that of a Chinese Windows."""
BROKEN = "Save it again as .xlsx with a spreadsheet program, or export the plan once more."


def sheet_rows(content: bytes) -> Iterator[tuple[Any, ...]]:
    """Give the rows of the first sheet of an XLSX book, or of a CSV file.

    Raises
    ------
    InvalidError
        Where it is neither, is damaged, or is not what a spreadsheet program writes.
    """
    if content.startswith(ZIP_START):
        _check_parts(content)
        return _book_rows(content)
    if content.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"PK")):
        raise InvalidError(
            "the file is no XLSX book", hint="Old and protected books: save as .xlsx without a password."
        )
    return _text_rows(content)


def _check_parts(content: bytes) -> None:
    """Look at the packing before anything is unpacked, and at each part for what no sheet needs."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise InvalidError("the book unpacks to more than a plan can be", hint=BROKEN)
            for part in parts:
                grown = part.file_size > max(SMALL_PART, MOST_RATIO * max(part.compress_size, 1))
                if grown or part.flag_bits & 1:
                    raise InvalidError("a part of the book is packed as no spreadsheet program does", hint=BROKEN)
                if part.filename.lower().endswith((".xml", ".rels")):
                    _check_xml(packed, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise InvalidError("the book is damaged", hint=BROKEN) from error


def _check_xml(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse declarations of entities: no sheet has any, and attacks do."""
    before = b""
    with packed.open(part) as file:
        while block := file.read(1 << 20):
            text = before + block
            declares = b"<!DOCTYPE" in text or b"<!ENTITY" in text
            if declares or text.startswith((b"\xff\xfe", b"\xfe\xff")):  # nor is anything of a book UTF-16
                raise InvalidError("a part of the book declares what no sheet needs", hint=BROKEN)
            before = text[-16:]


def _book_rows(content: bytes) -> Iterator[tuple[Any, ...]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)):
            if number >= MOST_ROWS:
                raise InvalidError(f"the sheet has more than {MOST_ROWS:,} rows", hint=BROKEN)
            yield tuple(_bounded(value) for value in row)
        book.close()
    except InvalidError:
        raise
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        SyntaxError,
    ) as error:
        raise InvalidError("the book is damaged", hint=BROKEN) from error
    except (AttributeError, EOFError, OSError, OverflowError) as error:
        raise InvalidError("the book cannot be read", hint=BROKEN) from error


def _text_rows(content: bytes) -> Iterator[tuple[Any, ...]]:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InvalidError("the file is neither an XLSX book nor a CSV file", hint=BROKEN)
    if "\x00" in text:
        raise InvalidError("the file is neither an XLSX book nor a CSV file", hint=BROKEN)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True)):
            if number >= MOST_ROWS:
                raise InvalidError(f"the sheet has more than {MOST_ROWS:,} rows", hint=BROKEN)
            yield tuple(_bounded(value) for value in row[:MOST_COLUMNS])
    except csv.Error as error:
        raise InvalidError("the CSV file is damaged", hint=BROKEN) from error


def _bounded(value: Any) -> Any:
    """Cut nothing, but refuse what no cell of ours holds."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise InvalidError(f"a cell has more than {LONGEST_TEXT:,} characters", hint="Shorten the reason.")
    return value
