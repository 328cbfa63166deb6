"""Carries events from the spools into the chain."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from features.errors import LoadlineError
from serving.audit.anchors import FILE, add_anchor, is_due, read_anchors
from serving.audit.chain import append, head_of
from serving.audit.entry import Event
from serving.audit.spool import DamagedError, Full, Spool
from serving.database.connection import Database

log = logging.getLogger("loadline.audit")

BATCH = 1_000
"""Events of a transaction: enough that its commit does not matter, and others wait for some 30 ms at most."""
GATHER_SECONDS = 0.5
"""Events wait for others for so long: a commit each would cost more than the answers they are about."""
LOOK_SECONDS = 30.0
"""How often somebody looks for what dead processes have left."""
RETRY_SECONDS = 5.0
"""Before trying again where the database could not be reached."""
DAMAGED = ".damaged"


class Carrier:
    """Moves events on, when asked or in the background.

    Parameters
    ----------
    database : Database
    spool : Spool
        Of this process.
    clock : callable
        Gives the time, with its zone.
    """

    def __init__(self, database: Database, spool: Spool, *, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.spool = spool
        self._clock = clock
        self._moving = threading.Lock()
        self._full: list[Full] = []
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, event: Event) -> None:
        """Keep an event; it is safe when this returns, and in the chain soon after.

        Raises
        ------
        NoSpaceError
            Where it cannot be kept.
        """
        self.spool.put(event)
        if not self._wake.is_set():
            self._wake.set()

    def settle(self) -> int:
        """Move all that waits here, and all that dead processes have left, into the chain, and count it.

        Raises
        ------
        LoadlineError
            Where the database cannot be reached; everything stays where it is then.
        """
        with self._moving:
            self._full += self.spool.left_behind()
            if (mine := self.spool.turn()) is not None:
                self._full.append(mine)
            moved = 0
            while self._full:
                moved += self._carry(self._full[0])
                del self._full[0]
            return moved

    def start(self) -> None:
        """Move events on in the background from now on."""
        if self._thread is None:
            self._stop.clear()
            self._wake.set()
            self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Move what waits, and stop; where the database cannot be reached it is left for the next process."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        try:
            self.settle()
        except (LoadlineError, SQLAlchemyError, OSError) as error:
            log.error("audit events stay in %s: %s", self.spool.folder, type(error).__name__)
            while self._full:
                self._full.pop().leave()
        self.spool.close()

    def anchor(self, *, due: bool = True) -> None:
        """Add an anchor to those of the home, by default only where the last one is of another day."""
        path, at = self.anchors, self._clock()
        with self.database.read() as connection:
            head = head_of(connection)
        if not due or is_due(read_anchors(path), head, at=at):
            add_anchor(path, head, at=at)

    @property
    def anchors(self) -> Path:
        """Give the file of the home's own anchors."""
        return self.spool.folder / FILE

    def _carry(self, full: Full) -> int:
        moved = 0
        try:
            for events in full.batches(BATCH):
                with self.database.write() as connection:
                    append(connection, events)
                moved += len(events)
        except DamagedError as error:  # kept for the auditors, and out of the way of the others
            log.error("%s", error)
            full.path.rename(full.path.with_name(full.path.name + DAMAGED))
            full.leave()
            return moved
        full.drop()
        return moved

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(LOOK_SECONDS)
            if self._stop.wait(GATHER_SECONDS):
                return
            self._wake.clear()
            try:
                self.settle()
                self.anchor()
            except (LoadlineError, SQLAlchemyError, OSError) as error:
                log.error("audit events wait in %s: %s", self.spool.folder, type(error).__name__)
                self._wake.set()
                self._stop.wait(RETRY_SECONDS)
