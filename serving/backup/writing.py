"""Writing a backup while others write: whole or not at all, readable by its owner alone."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX, sync_folder
from serving.backup.manifest import DATABASE, HOME, NAME, Kept, Manifest
from serving.backup.order import AFTER_DATABASE, BEFORE_DATABASE, MLFLOW, files_of
from serving.backup.rows import FLEETING, tables_of, write_rows
from serving.database.connection import Database
from serving.database.guard import sqlite_module
from serving.database.upgrading import standing

MOST_TRIES = 5
"""Of a backup during which a file went away: nothing that is kept is deleted so often."""
CHUNK = 1 << 20
LEVEL = 1
"""Of compression: figures and models are compressed already, and the rest shrinks to a tenth even so."""
SQLITE_FILE = b"SQLite format 3\x00"


class WentAwayError(Exception):
    """A file was deleted while it was to be copied."""


@dataclass
class _Archive:
    """A backup in the making."""

    tar: tarfile.TarFile
    scratch: Path  # beside the backup: what is as large as a database may not fit into memory or /tmp
    files: dict[str, Kept] = field(default_factory=dict)

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """Add so many bytes of a file under a name."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        measured = _Measured(file, size)
        self.tar.addfile(entry, measured)  # type: ignore[arg-type]
        if name != NAME:
            self.files[name] = Kept(measured.digest.hexdigest(), size)


class _Measured:
    """A file that is hashed as it is read, and refuses to end early."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.left, self.digest = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        content = self.file.read(min(size, self.left) if size >= 0 else self.left)
        if not content and self.left:
            raise WentAwayError
        self.left -= len(content)
        self.digest.update(content)
        return content


def back_up(
    home: Path,
    database: Database,
    out: Path,
    *,
    clock: Callable[[], datetime],
    mlflow: bool = True,
    store: bool = True,
) -> tuple[Manifest, str]:
    """Write a backup of a home and its database.

    Parameters
    ----------
    home : Path
    database : Database
        The embedded one, or any other.
    out : Path
        A file that does not exist, outside of the home.
    clock : callable
        Gives the time, with its zone.
    mlflow : bool
        Whether the embedded registry belongs to it.
    store : bool
        Whether the data versions lie in the home.

    Returns
    -------
    manifest : Manifest
    digest : str
        SHA-256 of the file: kept elsewhere, it tells that the backup is the one that was taken.

    Raises
    ------
    LoadlineError
        Where the home is none, the file exists or lies in the home, or nothing more can be written. Nothing is left
        behind then.
    """
    _check_places(home, out)
    database.ready()
    for _ in range(MOST_TRIES):
        try:
            with _whole(out) as file:
                return _write(home.resolve(), database, file, now=clock(), mlflow=mlflow, store=store)
        except WentAwayError:
            continue
    hint = "Try again when less is being deleted."
    raise LoadlineError("files went away while they were copied", where=str(home), hint=hint)


def _check_places(home: Path, out: Path) -> None:
    if not home.is_dir():
        raise LoadlineError("there is no home here", where=str(home), hint="Name it with --home.")
    if out.exists() or out.is_symlink():
        raise LoadlineError(
            "the file exists already", where=str(out), hint="Give a new name: backups stay as they are."
        )
    if out.resolve().is_relative_to(home.resolve()):
        hint = "Put it elsewhere, best on another machine."
        raise LoadlineError("a backup does not belong into the home", where=str(out), hint=hint)


def _write(
    home: Path, database: Database, file: _Hashed, *, now: datetime, mlflow: bool, store: bool
) -> tuple[Manifest, str]:
    without = () if mlflow else (MLFLOW,)
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=LEVEL, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        archive = _Archive(tar, file.folder)
        for name, path in files_of(home, BEFORE_DATABASE, without=without):
            try:
                _add_file(archive, name, path)
            except WentAwayError:  # it is in the database by now
                continue
        revision, rows = _add_rows(archive, database)
        for patterns in AFTER_DATABASE:
            for name, path in files_of(home, patterns, without=(*without, *BEFORE_DATABASE)):
                if HOME + name not in archive.files:
                    _add_file(archive, name, path)
        manifest = Manifest(
            release=version("loadline"),
            revision=revision,
            made_at=now,
            store=store,
            mlflow=mlflow,
            rows=rows,
            files=archive.files,
        )
        content = manifest.as_bytes()
        archive.add(NAME, io.BytesIO(content), len(content))
    return manifest, file.digest.hexdigest()


def _add_file(archive: _Archive, name: str, path: Path) -> None:
    """Add a file as far as it goes now: what is appended meanwhile is left out."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise WentAwayError from error
    with open(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return
        if file.read(len(SQLITE_FILE)) == SQLITE_FILE:
            _add_sqlite(archive, name, path)
            return
        file.seek(0)
        archive.add(HOME + name, file, about.st_size)


def _add_sqlite(archive: _Archive, name: str, path: Path) -> None:
    """Add one state of a database that others may be writing to."""
    module = sqlite_module()
    with tempfile.NamedTemporaryFile(dir=archive.scratch, prefix=".loadline-", suffix=PARTIAL_SUFFIX) as copy:
        with closing(module.connect(str(path))) as source, closing(module.connect(copy.name)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        with open(copy.name, "rb") as file:
            archive.add(HOME + name, file, os.fstat(file.fileno()).st_size)


def _add_rows(archive: _Archive, database: Database) -> tuple[str, dict[str, int]]:
    """Add all tables as they are at one moment."""
    rows: dict[str, int] = {}
    with database.read() as connection:
        for table in tables_of(connection):
            if table.name in FLEETING:
                continue
            with tempfile.TemporaryFile(dir=archive.scratch) as lines:
                rows[table.name] = write_rows(connection, table, lines)
                size = lines.tell()
                lines.seek(0)
                archive.add(f"{DATABASE}{table.name}.jsonl", lines, size)
    return str(standing(database).revision), rows


class _Hashed:
    """A file being written, and the hash of what was."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self.file, self.folder, self.digest = file, folder, hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write on."""
        self.digest.update(content)
        return self.file.write(content)

    def flush(self) -> None:
        """Let it go to the system."""
        self.file.flush()


@contextmanager
def _whole(out: Path) -> Iterator[_Hashed]:
    """Give a file that gets its name once it is whole and on disk."""
    partial = out.with_name(f".{out.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            yield _Hashed(file, partial.parent)
            file.flush()
            os.fsync(handle)
        partial.replace(out)
        sync_folder(out.parent)
    except OSError as error:
        hint = "Check the free space and the rights on the folder, and try again."
        raise LoadlineError(
            f"the backup could not be written: {error.strerror or error}", where=str(out), hint=hint
        ) from error
    finally:
        partial.unlink(missing_ok=True)
