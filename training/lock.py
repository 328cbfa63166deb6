"""One process at a time: an advisory lock on a file, given up by the system when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import LoadlineError

WAIT_SECONDS = 120.0  # longer than the longest holder: the first migration of a tracking database on a slow, busy disk
POLL_SECONDS = 0.02  # short beside what is done under the lock


class LockHeldError(LoadlineError):
    """Somebody else holds a lock for longer than one would wait."""


@contextmanager
def file_lock(path: Path, *, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock on a file, which is made where it is missing and never deleted.

    Parameters
    ----------
    wait : float
        Seconds to wait for another holder.

    Raises
    ------
    LockHeldError
        Where another process, or another part of this one, holds the lock for longer.
    LoadlineError
        Where the lock cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")  # noqa: SIM115 - closed below
    except OSError as error:
        hint = "Check that the home folder may be written."
        raise LoadlineError(f"the lock cannot be opened: {error.strerror}", where=str(path), hint=hint) from error
    with file:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    hint = "Wait for the other command to end, and try again."
                    raise LockHeldError("another process is at work here", where=str(path), hint=hint) from None
                time.sleep(POLL_SECONDS)
        yield
