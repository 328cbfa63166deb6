"""Files that only ever grow or stay: records of lines, and copies written once; whole whatever kills the writer."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX, sync_folder


def read_lines(path: Path) -> tuple[bytes, ...]:
    """Read the lines of a record, none where there is no file; a last line that a crash cut short does not count."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    return tuple(content.split(b"\n")[:-1])


def append_line(path: Path, line: bytes, *, what: str) -> None:
    """Add a line to a record, on disk when this returns; only under a lock that keeps other writers out.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    line : bytes
        Without its end.
    what : str
        What is being recorded, for the message: "the promotion".

    Raises
    ------
    LoadlineError
        Where it cannot be written; the record is then as it was.
    """
    try:
        with open(path, "a+b", buffering=0) as file:
            whole = path.read_bytes().rfind(b"\n") + 1  # what follows was cut short by a crash
            file.truncate(whole)
            try:
                if file.write(line + b"\n") != len(line) + 1:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise
        sync_folder(path.parent)
    except OSError as error:
        hint = "Check the free space and the rights on the folder, and try again; nothing has changed."
        raise LoadlineError(f"{what} could not be recorded: {error.strerror}", where=str(path), hint=hint) from error


def write_copy(path: Path, content: bytes) -> None:
    """Write a copy, whole or not at all and on disk when this returns; only under a lock.

    The same content again does nothing; other content in its place, which only damage explains, is replaced.

    Raises
    ------
    LoadlineError
        Where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".*{PARTIAL_SUFFIX}"):
            leftover.unlink(missing_ok=True)
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
        sync_folder(path.parent.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        hint = "Check the free space and the rights on the folder, and try again."
        raise LoadlineError(f"the copy could not be written: {error.strerror}", where=str(path), hint=hint) from error
