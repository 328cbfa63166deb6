"""The use cases of simulations in the background: asked for, worked on one at a time, followed, cancelled."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from features.errors import LoadlineError
from serving.access.principal import who
from serving.appeals.frozen import plain
from serving.database.tables.simulations import simulations
from serving.errors import InvalidError, NotFoundError
from serving.policy_text import change_of_text, policy_of_text
from serving.request_schemas import LARGEST_POINT_VALUE
from serving.simulating import REPORT, SimulationRequest
from serving.simulation_lease import LEASE, CancelledError, kept_alive
from serving.simulation_question import Question
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor

MOST_ATTEMPTS = 3
"""Times that one is begun: what ends its worker each time is left, so that the others are not held up."""
FOLDER = "simulations"
ENDS = ("done", "failed", "cancelled")
COLUMNS = [column for column in simulations.c if column.name not in ("result", "request_key")]


class Simulations:
    """What those ask of a service who are about to change rules.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def ask(
        self, question: Question, *, title: str = "", dataset: str | None = None, request_key: str | None = None
    ) -> tuple[Mapping[str, Any], bool]:
        """Ask for a simulation; give its row and whether it is new.

        Raises
        ------
        InvalidError, TableError
            Where there is nothing to replay, or a document or period is wrong.
        """
        snapshot = self._advisor.snapshot(dataset)
        self._check(question, snapshot.about.dataset)
        row = {
            "id": uuid.uuid4().hex,
            "dataset": snapshot.about.dataset,
            "title": title,
            "state": "waiting",
            "revision": 1,
            "asked": question.as_dict(),
            "trouble": "",
            "asked_at": self._advisor.now(),
            "asked_by": who().name,
            "held_by": "",
            "attempts": 0,
            "request_key": request_key,
        }
        try:
            with self._advisor.database.write() as connection:
                before = None if request_key is None else _by_request(connection, request_key)
                if before is not None:
                    return before, False
                connection.execute(insert(simulations).values(**row))
                self._note(connection, "ask", row, {"title": title})
                return _found(connection, row["id"]), True
        except IntegrityError:
            with self._advisor.database.read() as connection:
                before = None if request_key is None else _by_request(connection, request_key)
            if before is None:
                raise
            return before, False

    def find(self, name: str, *, result: bool = False) -> Mapping[str, Any]:
        """Look a simulation up, with its result where that is asked for.

        Raises
        ------
        NotFoundError
            Where there is none of that id.
        """
        with self._advisor.database.read() as connection:
            return _found(connection, name, result=result)

    def listed(
        self,
        *,
        dataset: str | None = None,
        state: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> tuple[list[Mapping[str, Any]], int]:
        """List simulations, the newest first, and count all that fit."""
        pairs = ((simulations.c.dataset, dataset), (simulations.c.state, state))
        wanted = [column == value for column, value in pairs if value is not None]
        with self._advisor.database.read() as connection:
            total = connection.execute(select(func.count()).select_from(simulations).where(*wanted)).scalar_one()
            if after is not None:
                at, last = after
                same = and_(simulations.c.asked_at == at, simulations.c.id > last)
                wanted.append(or_(simulations.c.asked_at < at, same))
            query = select(*COLUMNS).where(*wanted).order_by(simulations.c.asked_at.desc(), simulations.c.id)
            return [dict(row._mapping) for row in connection.execute(query.limit(limit))], total

    def cancel(self, name: str) -> Mapping[str, Any]:
        """Stop a simulation: at once where it waits, else before its next step. One that has ended stays as it is."""
        with self._advisor.database.write() as connection:
            row = _found(connection, name, lock=True)
            if row["state"] in ENDS:
                return row
            _change(connection, row, state="cancelled", finished_at=self._advisor.now(), held_until=None)
            self._note(connection, "cancel", row, {})
            return _found(connection, name)

    def report(self, name: str) -> str:
        """Read the report of a simulation that is done.

        Raises
        ------
        NotFoundError
            Where there is none of that id, or it has no report.
        """
        row = self.find(name)
        path = self._folder(row["id"]) / REPORT
        if row["state"] != "done" or not path.is_file():
            raise NotFoundError(f"the simulation {name} has no report", hint="It is written when it is done.")
        return path.read_text(encoding="utf-8")

    def pending(self) -> bool:
        """Tell whether any has not ended."""
        return self._any(simulations.c.state.in_(["waiting", "running"]))

    def due(self) -> bool:
        """Tell whether a worker would find something to do: one at a time, so nothing while one is being done."""
        now = self._advisor.now()
        alive = and_(simulations.c.state == "running", simulations.c.held_until > now)
        return self.pending() and not self._any(alive)

    def release(self, worker: str) -> None:
        """Let others take up what a worker held that has ended."""
        held = and_(simulations.c.held_by == worker, simulations.c.state == "running")
        with self._advisor.database.write() as connection:
            connection.execute(update(simulations).where(held).values(held_until=None))

    def work(self, worker: str, *, progress: Progress = silent) -> bool:
        """Do the simulation that is due first; give False where none is, or another is being done.

        Parameters
        ----------
        worker : str
            Names who works.
        """
        row = self._claim(worker)
        if row is None:
            return False
        with kept_alive(self._advisor, row["id"], worker) as told:

            def show(stage: str, done: int, total: int) -> None:
                told(stage, done, total)
                progress(stage, done, total)

            try:
                result = self._made(row, show)
                self._end(row["id"], worker, state="done", result=result)
            except CancelledError:
                return True
            except LoadlineError as error:
                self._end(row["id"], worker, state="failed", trouble=f"{error.what} {error.hint}".strip())
        return True

    def _made(self, row: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="loadline-") as place:
            asked = Question(**row["asked"]).request(Path(place))
            simulating = self._advisor.simulating
            found, note = simulating.simulate(asked, dataset=row["dataset"], progress=progress)
            progress("writing", 0, 1)
            folder = self._folder(row["id"])
            folder.parent.mkdir(parents=True, exist_ok=True)
            simulating.write(found, folder, note=note)
        return plain(json.loads(json.dumps(found.summary() | {"present": note}, default=str)))

    def _folder(self, name: str) -> Path:
        return self._advisor.settings.home / FOLDER / name

    def _claim(self, worker: str) -> Mapping[str, Any] | None:
        """Take what is due first, unless another is being done; what was begun too often is given up."""
        now = self._advisor.now()
        active = simulations.c.state.in_(["waiting", "running"])
        with self._advisor.database.write() as connection:
            query = select(*COLUMNS).where(active).order_by(simulations.c.id).with_for_update()
            rows = [dict(row._mapping) for row in connection.execute(query)]
            if any(row["state"] == "running" and _alive(row, now) for row in rows):
                return None
            for row in sorted(rows, key=lambda row: (row["state"] != "running", row["asked_at"], row["id"])):
                if row["attempts"] >= MOST_ATTEMPTS:
                    trouble = f"its worker has ended {row['attempts']} times"
                    _change(connection, row, state="failed", trouble=trouble, finished_at=now, held_until=None)
                    continue
                attempts = row["attempts"] + 1
                _change(connection, row, state="running", held_by=worker, held_until=now + LEASE, attempts=attempts)
                return row
        return None

    def _end(
        self, name: str, worker: str, *, state: str, result: dict[str, Any] | None = None, trouble: str = ""
    ) -> None:
        """Write what came of it, unless it was cancelled or another has taken it over."""
        with self._advisor.database.write() as connection:
            row = _found(connection, name, lock=True)
            if row["state"] == "running" and row["held_by"] == worker:
                now = self._advisor.now()
                ended = {"state": state, "result": result, "trouble": trouble, "finished_at": now, "held_until": None}
                _change(connection, row, **ended, progress=None)

    def _any(self, condition: Any) -> bool:
        with self._advisor.database.read() as connection:
            return connection.execute(select(simulations.c.id).where(condition).limit(1)).first() is not None

    def _check(self, question: Question, dataset: str) -> None:
        if question.policy is None and question.change is None:
            hint = "Name or send a policy, or send a change from outside."
            raise InvalidError("there is nothing to simulate", hint=hint)
        if question.point_value is not None and not 0 < question.point_value <= LARGEST_POINT_VALUE:
            raise InvalidError(f"a point is worth more than nothing, and at most {LARGEST_POINT_VALUE:,.0f}")
        if question.period is not None and (question.first or question.last):
            raise InvalidError("a period excludes `from` and `to`", hint="Send one or the other.")
        for text in (question.policy, question.against):
            if text is not None:
                policy_of_text(text)
        if question.change is not None:
            change_of_text(question.change)
        asked = SimulationRequest(
            period=question.period, first=question.first, last=question.last, year_ends=question.year_ends
        )
        try:
            self._advisor.simulating.periods(self._advisor.snapshot(dataset), asked)
        except (LoadlineError, ValueError) as error:
            what = error.what if isinstance(error, LoadlineError) else "this is no period"
            raise InvalidError(what, hint=error.hint if isinstance(error, LoadlineError) else "") from error

    def _note(self, connection: Connection, action: str, row: Mapping[str, Any], detail: dict[str, Any]) -> None:
        subject = f"simulation {row['id']}"
        self._advisor.audit.write(
            connection, f"simulation.{action}", subject=subject, dataset=row["dataset"], detail=detail
        )


def _found(connection: Connection, name: str, *, result: bool = False, lock: bool = False) -> dict[str, Any]:
    query = select(*COLUMNS, *([simulations.c.result] if result else [])).where(simulations.c.id == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"there is no simulation {name!r}", hint="GET /api/v1/simulations lists them.")
    return dict(row._mapping)


def _by_request(connection: Connection, request_key: str) -> dict[str, Any] | None:
    row = connection.execute(select(*COLUMNS).where(simulations.c.request_key == request_key)).first()
    return None if row is None else dict(row._mapping)


def _change(connection: Connection, row: Mapping[str, Any], **values: Any) -> None:
    values["revision"] = row["revision"] + 1
    connection.execute(update(simulations).where(simulations.c.id == row["id"]).values(**values))


def _alive(row: Mapping[str, Any], now: datetime) -> bool:
    return row["held_until"] is not None and row["held_until"] > now
