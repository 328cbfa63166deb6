"""Where SQLite would lose or damage what several processes write, it is not used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError

if TYPE_CHECKING:
    from serving.database.connection import Database

SHARED = frozenset(
    {
        "afs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gfs2",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
"""File systems of other machines: a WAL needs memory that all its users share (sqlite.org/wal.html)."""
SAFE_SQLITE = (3, 51, 3)
"""Earlier versions can lose what several processes write to a WAL at once (sqlite.org/wal.html, "WAL-reset bug")."""
MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")


def check_place(file: Path, *, mounts: Path = MOUNTS) -> None:
    """Refuse a SQLite database on the file system of another machine, where that can be told.

    Raises
    ------
    LoadlineError
        Where it lies on one.
    """
    kind = file_system(file, mounts=mounts)
    if kind in SHARED:
        raise LoadlineError(
            f"the database would lie on a file system of another machine ({kind}), where SQLite can be damaged",
            where=str(file),
            hint="Put the home on a disk of this machine, or set LOADLINE_DATABASE_URL to a PostgreSQL database.",
        )


def file_system(file: Path, *, mounts: Path = MOUNTS) -> str:
    """Name the kind of file system that a file lies on; blank where it cannot be told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        place = file.resolve()
    except OSError:
        return ""
    found = ""
    longest = -1
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), parts[1]))
        if place.is_relative_to(point) and len(point.parts) >= longest:  # a later mount hides an earlier one
            found, longest = parts[2], len(point.parts)
    return found


def sqlite_module() -> Any:
    """Give the newest SQLite at hand: the wheel's where it is installed, else Python's own."""
    try:
        from pysqlite3 import dbapi2

        return dbapi2
    except ImportError:
        import sqlite3

        return sqlite3


def check_processes(database: Database, *, workers: int, version: tuple[int, ...] | None = None) -> None:
    """Refuse several processes on a SQLite that can lose what they write.

    Parameters
    ----------
    database : Database
    workers : int
        Processes that are to write to it.
    version : tuple of int, optional
        Of SQLite; by default that of the one in use.

    Raises
    ------
    LoadlineError
        Where there is more than one, and SQLite is older than `SAFE_SQLITE`.
    """
    found = tuple(sqlite_module().sqlite_version_info) if version is None else version
    if workers > 1 and database.is_sqlite and found < SAFE_SQLITE:
        raise LoadlineError(
            f"SQLite {'.'.join(map(str, found))} can lose what {workers} processes write at once",
            where="--workers",
            hint="Install pysqlite3, set LOADLINE_DATABASE_URL to a PostgreSQL database, or serve with one worker.",
        )
