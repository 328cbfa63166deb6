"""Restoring a backup into an empty home and an empty database; what is there stays as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from features.errors import LoadlineError
from models.bundle import sync_folder
from serving.backup.archive import read_archive
from serving.backup.manifest import DATABASE, HOME, Manifest, damaged
from serving.backup.order import LEFT_OUT, fits
from serving.backup.rows import is_empty, read_rows, tables_of
from serving.database.connection import FILE_NAME, Database
from serving.database.upgrading import revisions, standing, upgrade
from training.lock import file_lock

STAGING = ".restoring"
OVERLOOKED = frozenset({STAGING, "lost+found", FILE_NAME, f"{FILE_NAME}.lock", f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"})
"""What may lie in an empty home: a volume's own folder, what an earlier attempt left, and an empty database."""


def verify_backup(file: Path) -> Manifest:
    """Check every byte of a backup and change nothing.

    Raises
    ------
    LoadlineError
        Where it is not as it was written.
    """
    return read_archive(file, lambda _: None)


def restore(file: Path, home: Path, database: Database) -> Manifest:
    """Put what a backup holds into a home and a database, and bring the tables up to this program.

    Nothing of it counts before all of it was checked. A process that is killed leaves a home that must be emptied.

    Parameters
    ----------
    file : Path
    home : Path
        Missing or empty.
    database : Database
        Without rows; of either kind, whatever kind the backup was taken from.

    Raises
    ------
    LoadlineError
        Where home or database are not empty, or the backup is damaged or of a later release.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(home / f"{STAGING}.lock"):
            _check_empty(home, database)
            with _staging(home) as staging:
                manifest = read_archive(file, lambda name: _place(staging, name))
                if manifest.revision not in revisions():
                    hint = "Restore it with the release that wrote it, or a later one."
                    raise LoadlineError("the backup was written by a later release", where=str(file), hint=hint)
                _fill(database, staging, manifest)
                _move(staging / HOME, home)
            upgrade(database)
    except OSError as error:
        hint = "Check the free space and the rights, empty the home and the database, and try again."
        raise LoadlineError(
            f"the backup could not be restored: {error.strerror}", where=str(home), hint=hint
        ) from error
    finally:
        (home / f"{STAGING}.lock").unlink(missing_ok=True)
    return manifest


def _check_empty(home: Path, database: Database) -> None:
    left = sorted(path.name for path in home.iterdir() if path.name not in OVERLOOKED | {f"{STAGING}.lock"})
    if left:
        hint = "Restore into a new folder, and move the old one away first."
        raise LoadlineError(f"the home is not empty: there is {left[0]!r}", where=str(home), hint=hint)
    found = standing(database)
    if found.revision is None:
        return
    with database.engine.connect() as connection:
        empty = is_empty(connection)
    if not found.known or not empty:
        hint = "Restore into a new database: CREATE DATABASE ..., and name it with --database-url."
        raise LoadlineError("the database is not empty", where="--database-url", hint=hint)


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    staging = home / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _place(staging: Path, name: str) -> IO[bytes]:
    """Open a new file; its name was checked, and its folders are ours."""
    if name.startswith(HOME) and fits(name.removeprefix(HOME), LEFT_OUT):
        raise damaged("the backup holds a file that does not belong there", name)
    path = staging / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except (FileExistsError, NotADirectoryError) as error:
        raise damaged("the backup holds a file that does not belong there", name) from error
    return open(handle, "wb")


def _fill(database: Database, staging: Path, manifest: Manifest) -> None:
    """Put the rows into tables of the revision that they were taken from; all of them or none."""
    revision = standing(database).revision
    if revision is None:
        upgrade(database, manifest.revision)
    elif revision != manifest.revision:
        hint = "Give a database without tables."
        raise LoadlineError("the backup's tables are of another revision", where="--database-url", hint=hint)
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        tables = {table.name: table for table in tables_of(connection)}
        if unknown := manifest.rows.keys() - tables.keys():
            raise damaged("the backup holds a table that its revision has not", min(unknown))
        for name, table in tables.items():
            if name in manifest.rows:
                with open(staging / DATABASE / f"{name}.jsonl", "rb") as file:
                    if read_rows(connection, table, file) != manifest.rows[name]:
                        raise damaged("the backup does not hold as many rows as it says", name)


def _move(staging: Path, home: Path) -> None:
    for path in sorted(staging.iterdir()) if staging.is_dir() else ():
        path.rename(home / path.name)
    sync_folder(home)
