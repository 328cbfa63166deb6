"""The audit as the use cases know it: `advisor.audit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Principal, who
from serving.audit.anchors import Anchor, add_anchor, read_anchors
from serving.audit.carrier import DAMAGED, Carrier
from serving.audit.chain import Head, append, head_of
from serving.audit.entry import Entry, event_of
from serving.audit.noting import noted_request
from serving.audit.reading import AT_ONCE, Wanted, count, page, part
from serving.audit.spool import Spool
from serving.audit.verification import Verdict, verify
from serving.database.connection import Database

FOLDER = "audit"
"""Below the home: spools and anchors."""


class Audit:
    """Notes who did or saw what, and tells of it.

    Parameters
    ----------
    database : Database
    folder : Path
        Where spools and anchors are kept.
    clock : callable
        Gives the time, with its zone.
    """

    def __init__(self, database: Database, folder: Path, *, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.folder = folder
        self._clock = clock
        self._carrier = Carrier(database, Spool(folder), clock=clock)

    def write(
        self, connection: Connection, action: str, *, subject: str, dataset: str = "", detail: Any = None
    ) -> Head:
        """Note a change within the caller's transaction: both are kept, or neither.

        Call it last: from here to the end of the transaction nobody else can append, and on PostgreSQL a transaction
        that then waits for other rows could wait for ever.

        Parameters
        ----------
        connection : Connection
            Of `Database.write`.
        action : str
            What is done: "plan.publish", "key.revoke".
        subject : str
            What it is done to: a plan's id, a login.
        dataset : str
        detail : document, optional
            What else must be known later. No secret, no password, no body of a request.

        Raises
        ------
        LoadlineError
            Where it is done in nobody's name.
        """
        request = noted_request()
        event = event_of(
            who(),
            action,
            at=self._clock(),
            subject=subject,
            dataset=dataset,
            request="" if request is None else request.request,
            detail=detail,
        )
        head = append(connection, [event])
        if request is not None:
            request.written = True
        return head

    def note(
        self,
        principal: Principal | None,
        action: str,
        *,
        status: int,
        subject: str = "",
        dataset: str = "",
        request: str = "",
        detail: Any = None,
    ) -> None:
        """Note an answer before it leaves; it is safe when this returns, and in the chain soon after.

        Parameters
        ----------
        principal : Principal or None
            None for a stranger.
        action : str
            The operation.
        status : int
            Of the answer.
        subject, dataset, request : str
        detail : document, optional

        Raises
        ------
        NoSpaceError
            Where it cannot be kept: then the answer must not leave.
        """
        self._carrier.put(
            event_of(
                principal,
                action,
                at=self._clock(),
                status=status,
                subject=subject,
                dataset=dataset,
                request=request,
                detail=detail,
            )
        )

    def kept(self, action: str, *, by: str, subject: str, dataset: str = "", detail: Any = None) -> None:
        """Note a change that is on record in a file, made outside of any request: at the command line, by a worker.

        Within a request it is the request that is noted, with how it was answered.

        Parameters
        ----------
        action : str
        by : str
            Who is named for it.
        subject, dataset : str
        detail : document, optional

        Raises
        ------
        NoSpaceError
            Where it cannot be noted; the change is made by then.
        """
        if noted_request() is None:
            self.note(_named(by), action, status=0, subject=subject, dataset=dataset, detail=detail)
            self._carrier.spool.close()  # whoever comes next carries it: a command ends at any time

    def start(self) -> None:
        """Carry what is noted into the chain in the background."""
        self._carrier.start()

    def close(self) -> None:
        """Carry what waits, and stop."""
        self._carrier.close()

    def settle(self) -> int:
        """Carry what waits here, or was left by dead processes, into the chain now, and count it."""
        return self._carrier.settle()

    def waiting(self) -> int:
        """Count the bytes of events that are not in the chain yet, of all processes."""
        return self._carrier.spool.waiting()

    def head(self) -> Head:
        """Give the end of the chain."""
        with self.database.read() as connection:
            return head_of(connection)

    def page(self, wanted: Wanted, *, limit: int, before: int | None = None) -> tuple[list[Entry], int]:
        """Give the last entries before a number, the newest first, and how many there are in all."""
        self.settle()
        with self.database.read() as connection:
            total = head_of(connection).number if wanted.is_every else count(connection, wanted)
            return page(connection, wanted, limit=limit, before=before), total

    def every(self, wanted: Wanted) -> Iterator[Entry]:
        """Give all entries so far, the oldest first, a part in memory at a time.

        Each part is read on its own, so that a slow reader holds nothing up; entries never change.
        """
        self.settle()
        after, last = 0, self.head().number
        while after < last:
            with self.database.read() as connection:
                found = part(connection, wanted, after=after, last=last)
            yield from found
            if len(found) < AT_ONCE:
                return
            after = found[-1].number

    def verify(self, anchor_files: Sequence[Path] = ()) -> Verdict:
        """Go through the whole chain; compare it with the home's anchors and with those of other files.

        Raises
        ------
        LoadlineError
            Where a file has no anchors, or the database cannot be reached.
        """
        self.settle()
        anchors = list(read_anchors(self._carrier.anchors))
        for path in anchor_files:
            anchors += _asked_anchors(path)
        with self.database.read() as connection:
            verdict = verify(connection, anchors)
        for path in sorted(self.folder.glob(f"*{DAMAGED}")):
            verdict.tell(0, "waiting", f"events that waited in {path.name} were tampered with and are in no chain")
        return verdict

    def anchor(self, out: Path) -> Anchor:
        """Append the end of the chain to a file, to be kept where nobody who can write here can write.

        Raises
        ------
        LoadlineError
            Where there is no entry yet, or the file cannot be written.
        """
        self.settle()
        head = self.head()
        if not head.number:
            raise LoadlineError("the audit has no entry yet", hint="There is nothing to hold fast.")
        self._carrier.anchor(due=False)
        return add_anchor(out, head, at=self._clock())


def _named(by: str) -> Principal:
    """Give in whose name it is done: the one that was named, where whoever runs the machine stands for others."""
    try:
        principal = who()
    except LoadlineError:
        principal = LOCAL
    return replace(principal, name=by) if by and principal.kind == LOCAL.kind else principal


def _asked_anchors(path: Path) -> tuple[Anchor, ...]:
    anchors = read_anchors(path)
    if not anchors:
        raise LoadlineError("there is no anchor in it", where=str(path), hint="See that it is the right file.")
    return anchors
