"""Answers that may take minutes: made once in the background, kept for a while, asked for again by the same request."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillMakingError
from threading import Lock
from typing import Any

from serving.errors import NotReadyError

PATIENCE_SECONDS = 8.0
"""A request waits for so long: shorter than any proxy, and most answers take less."""
KEPT = 32
"""Answers kept for who asks again; each has some thousand rows at most."""
MOST_WAITING = 8
"""Questions that may wait at once: they are answered one after the other."""


class WaitingRoom:
    """Makes answers in a thread of its own, one after the other.

    Parameters
    ----------
    name : str
        Of the thread.
    patience : float
        Seconds that a request waits.
    """

    def __init__(self, name: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self.patience = patience
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._made: OrderedDict[str, Future[Any]] = OrderedDict()

    def answer(self, question: str, make: Callable[[], Any]) -> Any:
        """Give the answer to a question; the first to ask has it made.

        Parameters
        ----------
        question : str
            Tells it from every other, with the versions that it is answered from.
        make : callable
            Makes the answer. What it raises is told to whoever waits, and is tried anew by who asks later.

        Raises
        ------
        NotReadyError
            Where it is not made yet: the same request gets it later.
        """
        key = hashlib.sha256(question.encode()).hexdigest()
        with self._lock:
            job = self._made.pop(key, None)
            if job is None or (job.done() and job.exception() is not None):
                if sum(not each.done() for each in self._made.values()) >= MOST_WAITING:
                    raise NotReadyError("too many questions are waiting for an answer", hint="Ask again in a minute.")
                job = self._worker.submit(make)
            self._made[key] = job
            done = [name for name, each in self._made.items() if each.done() and name != key]
            for name in done[: max(len(self._made) - KEPT, 0)]:
                del self._made[name]
        try:
            return job.result(self.patience)
        except StillMakingError as error:
            if job.done():  # it was the answer's own
                raise
            raise NotReadyError("the answer is being made", hint="Send the same request again.") from error

    def close(self) -> None:
        """Make nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)
