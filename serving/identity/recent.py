"""What the database said a moment ago, so that it is not asked with every request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 1.0
"""What another process ends still opens doors here for at most so long; this process forgets it at once."""
MOST = 4_096
"""Entries; a few hundred bytes each."""

Found = TypeVar("Found")


class Recent(Generic[Found]):
    """Remembers findings by the digests of what was sought, for `SECONDS`.

    Parameters
    ----------
    clock : callable
        Seconds, never going back: the wall clock may.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._found: dict[str, tuple[float, Found]] = {}
        self._forgotten = 0

    @property
    def era(self) -> int:
        """Give what changes whenever all is forgotten; a finding from before must not be kept after."""
        return self._forgotten

    def get(self, digest: str) -> Found | None:
        """Give what was found, if it was a moment ago."""
        entry = self._found.get(digest)
        return entry[1] if entry is not None and entry[0] > self.clock() else None

    def keep(self, digest: str, found: Found, *, era: int) -> None:
        """Remember what was found, unless all was forgotten since it was looked for."""
        if era != self._forgotten:
            return
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[digest] = (self.clock() + SECONDS, found)

    def forget(self) -> None:
        """Forget everything."""
        self._forgotten += 1
        self._found.clear()
