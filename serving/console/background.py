"""Work that a page cannot wait for: begun by the first to ask, collected by whoever asks once it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Lock
from typing import Any, TypeVar

from serving.access.reach import whose

PATIENCE_SECONDS = 2.0
"""A page waits for so long before it says that it is being computed: most is at hand, and then comes at once."""
FRESH_SECONDS = 30.0
"""What nobody has collected for so long is let go, and made again if asked for: something may have changed since."""
Result = TypeVar("Result")


class Background:
    """Runs one piece of work after the other, each once however many ask for it.

    Parameters
    ----------
    patience : float
        Seconds to wait for a result before giving none.
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, *, patience: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience = patience
        self._clock = clock
        self._jobs: dict[Hashable, Future[tuple[float, Any]]] = {}
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page")

    def soon(self, key: Hashable, work: Callable[[], Result]) -> Result | None:
        """Give the result of a piece of work, or None while it is not done; what it raises is raised here.

        Parameters
        ----------
        key : hashable
            Names the work: who asks with the same key, and may see as far, gets the same result.
        work : callable
            Gives anything but None.
        """
        key = (whose(), key)
        with self._lock:
            self._jobs = {name: job for name, job in self._jobs.items() if not self._stale(job)}
            job = self._jobs.get(key)
            if job is None:
                run = copy_context().run  # the data and the models that the first to ask was given
                job = self._jobs[key] = self._worker.submit(lambda: (result := run(work), (self._clock(), result))[1])
        wait([job], timeout=self.patience)
        if not job.done():
            return None
        with self._lock:
            if self._jobs.get(key) is job:
                del self._jobs[key]
        return job.result()[1]

    def _stale(self, job: Future[tuple[float, Any]]) -> bool:
        return job.done() and job.exception() is None and self._clock() - job.result()[0] > FRESH_SECONDS
