"""Waiting for what happens in the background."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
LONGEST = 120.0
"""Seconds: generous, since other tests share the machine; what never happens fails."""


def until(look: Callable[[], Found], *, seconds: float = LONGEST) -> Found:
    """Look again and again until something is found, and give it."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.05)
    return found
