"""Reading a backup that anybody may have written: plain files under plain names, no more than it says and no larger."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from features.errors import LoadlineError
from serving.backup.manifest import DATABASE, HOME, MOST_BYTES, NAME, Kept, Manifest, damaged

MOST_FILES = 2_000_000
"""In a backup: a home of a hundred thousand models and data versions has fewer."""
MOST_RATIO = 100
"""Bytes unpacked for each byte packed: figures, models and rows of JSON reach twenty."""
FREE_BYTES = 64 << 20
"""So much may be unpacked whatever the ratio: a small home is mostly empty space of databases."""
LONGEST_NAME = 1_000
"""Characters; at most a few of the longest folder names."""
CHUNK = 1 << 20


def read_archive(path: Path, take: Callable[[str], IO[bytes] | None]) -> Manifest:
    """Read a backup to its end and check every byte of it.

    Parameters
    ----------
    path : Path
    take : callable
        Gets the name of each file, `home/...` or `database/...`, and gives where its content goes, if anywhere. What it
        was given counts only once this returns.

    Raises
    ------
    LoadlineError
        Where a byte was changed, a file is missing, added, no plain file or has no plain name, or there is more of it
        than a backup can hold.
    """
    found: dict[str, Kept] = {}
    manifest = None
    with _opened(path) as tar:
        for entry in tar:
            if manifest is not None or len(found) >= MOST_FILES:
                raise damaged("there is more in the backup than belongs there", entry.name)
            _check_entry(entry, found)
            source = tar.extractfile(entry)
            assert source is not None
            if entry.name == NAME:
                manifest = Manifest.from_bytes(source.read(MOST_BYTES))
            else:
                found[entry.name] = _taken(source, take(entry.name))
    if manifest is None:
        raise damaged("the backup was cut short", str(path))
    for name in sorted(found.keys() | manifest.files.keys()):
        if name not in found or name not in manifest.files:
            raise damaged("the backup does not hold the files that it names", name)
        if found[name] != manifest.files[name]:
            raise damaged("a file in the backup is not as it was written", name)
    tables = {f"{DATABASE}{name}.jsonl" for name in manifest.rows}
    if tables != {name for name in manifest.files if name.startswith(DATABASE)}:
        raise damaged("the backup does not hold the tables that it names", NAME)
    return manifest


def _check_entry(entry: tarfile.TarInfo, found: dict[str, Kept]) -> None:
    name = entry.name
    if not entry.isreg() or entry.issparse():
        raise damaged("the backup holds something else than plain files", name)
    plain = 0 < len(name) <= LONGEST_NAME and not any(
        part in ("", ".", "..") or "\0" in part or "\\" in part for part in name.split("/")
    )
    if not plain or name in found or not (name == NAME or name.startswith((HOME, DATABASE))):
        raise damaged("the backup holds a file that does not belong there", name)
    if name == NAME and entry.size > MOST_BYTES:
        raise damaged("what the backup says of itself is too long", name)


def _taken(source: IO[bytes], target: IO[bytes] | None) -> Kept:
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if target is not None:
                target.write(chunk)
    finally:
        if target is not None:
            target.close()
    return Kept(digest.hexdigest(), size)


class _Bounded:
    """Unpacks no more than a backup can hold."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._unpacked = gzip.GzipFile(fileobj=packed, mode="rb")
        self._given = 0

    def read(self, size: int) -> bytes:
        """Read on."""
        return b"".join(self._parts(size))

    def _parts(self, size: int) -> Iterator[bytes]:
        while size > 0 and (part := self._unpacked.read(min(size, CHUNK))):
            self._given += len(part)
            if self._given > FREE_BYTES + MOST_RATIO * self._packed.tell():
                raise damaged("the backup unpacks to more than a backup can hold", "")
            size -= len(part)
            yield part

    def drain(self) -> None:
        """Read what is left, so that its checksum is compared."""
        while self.read(CHUNK):
            pass


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with open(path, "rb") as packed:
            bounded = _Bounded(packed)
            with tarfile.open(fileobj=bounded, mode="r|", errorlevel=2) as tar:  # type: ignore[call-overload]
                yield tar
            bounded.drain()
    except LoadlineError as error:
        error.where = error.where or str(path)
        raise
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError, OverflowError) as error:
        raise damaged("the backup was cut short or changed", str(path)) from error
    except OSError as error:
        hint = "Check the name of the file, the free space and the rights."
        raise LoadlineError(
            f"the backup cannot be read: {error.strerror or error}", where=str(path), hint=hint
        ) from error
