"""Signs of life of a worker on a simulation: its lease is renewed, its progress told, and a wish to stop is noticed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, update

from features.errors import LoadlineError
from serving.database.tables.simulations import simulations

if TYPE_CHECKING:
    from serving.advisor import Advisor

LEASE = timedelta(seconds=60)
"""For so long a worker may be silent: a replay of a large network computes for some seconds without a word."""
BEAT_SECONDS = LEASE.total_seconds() / 6
"""Between signs of life: several may be late before anybody takes the worker for dead."""
_log = logging.getLogger("loadline.serving")


class CancelledError(LoadlineError):
    """Somebody asked for it to stop, or another worker has taken it over."""


@contextmanager
def kept_alive(
    advisor: Advisor, simulation: str, worker: str, *, beat: float = BEAT_SECONDS
) -> Iterator[Callable[[str, int, int], None]]:
    """Renew the lease of a simulation while the inside works; give what the inside tells its progress.

    Parameters
    ----------
    advisor : Advisor
    simulation, worker : str
    beat : float
        Seconds between signs of life.

    Yields
    ------
    callable
        Takes stage, done and total; raises CancelledError once somebody asked for it to stop, or another took over.
    """
    ended, lost = threading.Event(), threading.Event()
    at: dict[str, int | str] = {"stage": "", "done": 0, "total": 0}
    mine = and_(simulations.c.id == simulation, simulations.c.held_by == worker, simulations.c.state == "running")

    def sign() -> None:
        with advisor.database.write() as connection:
            values = {"held_until": advisor.now() + LEASE, "progress": dict(at)}
            if not connection.execute(update(simulations).where(mine).values(**values)).rowcount:
                lost.set()

    def beats() -> None:
        while not ended.wait(beat):
            try:
                sign()
            except LoadlineError:
                _log.warning("a sign of life of simulation %s could not be written", simulation)

    def told(stage: str, done: int, total: int) -> None:
        news = stage != at["stage"]
        at.update(stage=stage, done=done, total=total)
        if news:
            sign()
        if lost.is_set():
            raise CancelledError("the simulation was cancelled", where=simulation)

    thread = threading.Thread(target=beats, name="lease", daemon=True)
    thread.start()
    try:
        yield told
    finally:
        ended.set()
        thread.join()
