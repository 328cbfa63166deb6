"""Where events wait on their way into the chain: files that are only appended to, one process each.

An event is in its file before the answer it is about leaves, so that a process that is killed loses none. (The file is
the operating system's by then, not yet the disk's: a machine that loses power may lose what it saw in the last second.)
A file is locked for as long as its process lives; what a dead one has left, any other may take over.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock

import msgspec

from features.errors import LoadlineError
from serving.audit.entry import Event
from serving.errors import NoSpaceError

NAME = "spool-*.jsonl"
_BEING_MADE = ".new-"
"""A file gets its name once it is locked: no other process takes it for one that was left."""
_MODE = 0o600

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


class DamagedError(LoadlineError):
    """A file of waiting events was changed by somebody else."""


@dataclass(frozen=True, slots=True)
class Full:
    """A file that is not written to any more, and the lock on it."""

    path: Path
    lock: int

    def batches(self, size: int) -> Iterator[list[Event]]:
        """Read what waits in it, a part at a time. A last line without its end is of an answer that never left.

        Raises
        ------
        DamagedError
            Where a line is none of ours.
        """
        with self.path.open("rb") as file:
            while lines := list(islice(file, size)):
                if not lines[-1].endswith(b"\n"):
                    del lines[-1]
                try:
                    yield [_decode(line) for line in lines]
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise DamagedError(
                        "a file of waiting audit events was changed by somebody else",
                        where=str(self.path),
                        hint="Keep it for the auditors: `loadline audit verify` names it.",
                    ) from error

    def drop(self) -> None:
        """Delete it: all of it is in the chain."""
        self.path.unlink(missing_ok=True)
        os.close(self.lock)

    def leave(self) -> None:
        """Let go of it: others may take it."""
        os.close(self.lock)


class Spool:
    """The file that this process appends to.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owner = 0
        self._file, self._path, self._size = -1, folder, 0
        self._changing = Lock()
        self._count, self._name = 0, ""

    def __del__(self) -> None:
        if self._file >= 0 and self._owner == os.getpid():
            os.close(self._file)

    def put(self, event: Event) -> None:
        """Append an event; it is there when this returns.

        Raises
        ------
        NoSpaceError
            Where it cannot be written: then what it is about must not be shown.
        """
        line = _encode(event) + b"\n"
        with self._changing:
            try:
                if self._file < 0 or self._owner != os.getpid():
                    self._open()
                if os.write(self._file, line) != len(line):
                    os.ftruncate(self._file, self._size)
                    raise OSError("a part of it only")
            except OSError as error:
                raise NoSpaceError(
                    "the audit cannot be written, so nothing is shown or changed",
                    where=str(self.folder),
                    hint="Ask whoever runs the service to see to its disk.",
                ) from error
            self._size += len(line)

    def turn(self) -> Full | None:
        """Close the file, for what waits in it to be moved on; None where nothing waits."""
        with self._changing:
            if self._file < 0 or self._owner != os.getpid() or not self._size:
                return None
            full, self._file = Full(self._path, self._file), -1
            return full

    def close(self) -> None:
        """Let go of a file in which nothing waits; one in which something does is left for others."""
        with self._changing:
            if self._file >= 0 and self._owner == os.getpid():
                if not self._size:
                    self._path.unlink(missing_ok=True)
                os.close(self._file)
            self._file = -1

    def left_behind(self) -> list[Full]:
        """Take what processes that live no more have left, the oldest first."""
        return [full for path in sorted(self.folder.glob(NAME), key=_age) if (full := self._taken(path)) is not None]

    def waiting(self) -> int:
        """Count the bytes that wait, in the files of all processes."""
        sizes = (_status(path) for path in self.folder.glob(NAME))
        return sum(status.st_size for status in sizes if status is not None)

    def _open(self) -> None:
        if self._owner != os.getpid():
            if self._file >= 0:
                os.close(self._file)  # the parent's: it still holds it
            self._file, self._owner, self._count, self._name = -1, os.getpid(), 0, secrets.token_hex(4)
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"spool-{self._owner}-{self._name}-{self._count:06}.jsonl"
        unnamed = self.folder / f"{_BEING_MADE}{name}"
        file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _MODE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.rename(self.folder / name)
        except OSError:
            os.close(file)
            raise
        self._file, self._path, self._size = file, self.folder / name, 0
        self._count += 1

    def _taken(self, path: Path) -> Full | None:
        try:
            lock = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        if not os.fstat(lock).st_nlink:  # it was moved on and deleted meanwhile
            os.close(lock)
            return None
        return Full(path, lock)


def _age(path: Path) -> tuple[int, str]:
    status = _status(path)
    return (0 if status is None else status.st_mtime_ns, path.name)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
