"""Answers made before they are asked for: one file with what is said of each unit, and where in it.

The file begins with a line that holds the hash of the index, and the index the hash of each answer, so that a reader
who was told the hash of that line knows whatever it reads to be what was written. Answers are read from the file when
they are asked for: what is altered or cut short later is noticed then, and harms nothing but itself.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from features.errors import LoadlineError
from models.bundle import sync_folder

FORMAT = 1
FOLDER = "hot"
SUFFIX = ".sheet"
LONGEST_LINE = 1 << 12
LARGEST_INDEX = 1 << 28
"""Bytes; an index has some 200 a unit."""
_CHUNK = 1 << 20


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: what follows it."""

    format: int
    index_bytes: int
    index_sha256: str
    answers_bytes: int


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where the answer about a unit is, and its ETag."""

    begin: int
    length: int
    sha256: str
    tag: str


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sheet is about.

    Attributes
    ----------
    release : str
        Of the program that wrote it.
    dataset : str
    version : int
        Of the data.
    year : int
        Of the targets.
    units : dict
        Where the answer about each unit is, of those that have one.
    parents : dict
        The unit right above each, blank for a root.
    """

    release: str
    dataset: str
    version: int
    year: int
    units: dict[str, Place]
    parents: dict[str, str]


class Sheet:
    """A sheet that is open for reading.

    Parameters
    ----------
    path : Path
    digest : str
        SHA-256 of its first line.

    Raises
    ------
    LoadlineError
        Where it is not what was written, whole.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self.path, self.digest = path, digest
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(path, f"the sheet cannot be read: {error.strerror}") from None
        try:
            self.index, self._begin = self._opened()
        except BaseException:
            self.close()
            raise

    def answer(self, unit: str) -> tuple[bytes, str] | None:
        """Give what is said of a unit, and its ETag; None where there is nothing.

        Raises
        ------
        LoadlineError
            Where it is not what was written.
        """
        place = self.index.units.get(unit)
        if place is None:
            return None
        content = os.pread(self._file, place.length, self._begin + place.begin)
        if hashlib.sha256(content).hexdigest() != place.sha256:
            raise _refused(self.path, "an answer is not what was written")
        return content, place.tag

    def within(self, unit: str, heads: frozenset[str] | None) -> bool:
        """Tell whether a unit is in one of the subtrees; None stands for all units."""
        if heads is None:
            return True
        met: set[str] = set()
        while unit and unit not in met:
            if unit in heads:
                return True
            met.add(unit)
            unit = self.index.parents.get(unit, "")
        return False

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        """Close it when the last request that reads from it has ended."""
        if getattr(self, "_file", -1) >= 0:
            self.close()

    def _opened(self) -> tuple[Index, int]:
        line, newline, _ = os.pread(self._file, LONGEST_LINE, 0).partition(b"\n")
        if not newline or hashlib.sha256(line).hexdigest() != self.digest:
            raise _refused(self.path, "this is not the sheet that was written")
        try:
            head = msgspec.json.decode(line, type=Line)
            if head.format != FORMAT or not 0 <= head.index_bytes <= LARGEST_INDEX:
                raise _refused(self.path, "the sheet is of another version")
            raw = os.pread(self._file, head.index_bytes, len(line) + 1)
            if hashlib.sha256(raw).hexdigest() != head.index_sha256:
                raise _refused(self.path, "the index is not what was written")
            index = msgspec.json.decode(raw, type=Index)
        except msgspec.MsgspecError:
            raise _refused(self.path, "the sheet cannot be read") from None
        begin = len(line) + 1 + head.index_bytes
        if os.fstat(self._file).st_size != begin + head.answers_bytes:
            raise _refused(self.path, "the sheet is not as long as it was written")
        for unit in index.units:
            place = index.units[unit]
            content = os.pread(self._file, place.length, begin + place.begin)
            if hashlib.sha256(content).hexdigest() != place.sha256:
                raise _refused(self.path, "an answer is not what was written")
        return index, begin


def write_sheet(
    path: Path,
    answers: Iterable[tuple[str, bytes, str]],
    *,
    parents: dict[str, str],
    release: str,
    dataset: str,
    version: int,
    year: int,
) -> str:
    """Write a sheet, whole or not at all; give the digest by which it is opened.

    Parameters
    ----------
    path : Path
    answers : iterable of (str, bytes, str)
        Unit, what is said of it, and the ETag of that.
    parents : dict
    release, dataset : str
    version, year : int

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    body = partial.with_name(f"{partial.name}.answers")
    units, begin = {}, 0
    try:
        with private_file(body) as file:
            for unit, content, tag in answers:
                units[unit] = Place(begin, len(content), hashlib.sha256(content).hexdigest(), tag)
                file.write(content)
                begin += len(content)
        index = msgspec.json.encode(Index(release, dataset, version, year, units, parents))
        line = msgspec.json.encode(Line(FORMAT, len(index), hashlib.sha256(index).hexdigest(), begin))
        with private_file(partial) as file:
            file.write(line + b"\n" + index)
            with open(body, "rb") as written:
                while part := written.read(_CHUNK):
                    file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        sync_folder(path.parent)
    finally:
        for left in (partial, body):
            with suppress(FileNotFoundError):
                left.unlink()
    return hashlib.sha256(line).hexdigest()


def private_file(path: Path) -> IO[bytes]:
    """Make a file that nobody else can read: it holds what was said of people's work."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def digest_of(path: Path) -> str | None:
    """Give the digest of a sheet that this program wrote itself; None where there is none."""
    try:
        with open(path, "rb") as file:
            line, newline, _ = file.read(LONGEST_LINE).partition(b"\n")
    except OSError:
        return None
    return hashlib.sha256(line).hexdigest() if newline else None


def _refused(path: Path, what: str) -> LoadlineError:
    return LoadlineError(what, where=str(path), hint="It is made again when the service starts anew.")
