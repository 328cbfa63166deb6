"""What endpoints and pages ask about training runs, in the form in which they answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request

from features.errors import LoadlineError
from features.indicators import Title
from serving.api.alert_desk import GIVEN
from serving.api.desk import Desk
from serving.errors import InvalidError, NotFoundError
from serving.jobs import Jobs
from serving.training import SEED
from training.journal import append_line, read_lines
from training.lock import file_lock
from training.retraining.request import KINDS
from training.retraining.runs import ENDS, RUNS, Run

if TYPE_CHECKING:
    from serving.training_schemas import CancelAsked, TrainingAsked

KEYS = "keys.jsonl"
"""Beside the runs: which request came under which key."""
SHADOW_REPORT = "shadow/report.html"
"""Among what the steps of a run leave."""


class TrainingDesk:
    """Asks the advisor about training runs; one for an application.

    Parameters
    ----------
    desk : Desk
    jobs : Jobs
        Has the runs worked on.
    """

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        self.desk = desk
        self.jobs = jobs

    def runs(self, *, dataset: str | None = None, state: str | None = None) -> tuple[Run, ...]:
        """List the runs, the newest first.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        """
        if dataset is not None:
            self.desk.directory(dataset)
        found = self.desk.advisor.training.runs(dataset)
        return tuple(run for run in found if state in (None, run.state))

    def find(self, name: str) -> Run:
        """Open a run.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        """
        found = next((run for run in self.desk.advisor.training.runs() if run.name == name), None)
        if found is None:
            raise NotFoundError(f"there is no training run {name!r}", hint="GET /api/v1/training-runs lists them.")
        return found

    def ask(self, asked: TrainingAsked, *, key: str | None = None) -> tuple[Run, bool]:
        """Ask for training and have it worked on; give the run and whether it is new.

        Parameters
        ----------
        asked : TrainingAsked
        key : str, optional
            Names the request: sent again, it is the same run, whatever has happened meanwhile.

        Raises
        ------
        NotFoundError
            Where there is no such dataset.
        InvalidError
            Where there is no such period, or the key came with another request.
        """
        self.desk.directory(asked.dataset)
        if key is None:
            run, new = self._ask(asked)
        else:
            keys = RequestKeys(self.desk.advisor.settings.home / RUNS)
            run, new = keys.once(key, asked.model_dump_json(), ask=lambda: self._ask(asked), find=self.find)
        self.jobs.wake()
        return run, new

    def cancel(self, name: str, asked: CancelAsked) -> Run:
        """Ask a run to stop before its next step.

        Raises
        ------
        NotFoundError
            Where there is none of that name.
        LoadlineError
            Where it has ended.
        """
        by, run = asked.signer, self.find(name)
        already = run.cancelled and run.state not in ENDS.values()
        if not already:
            self.desk.advisor.training.cancel(name)
            run.say("note", _asked_to_stop(by, asked.reason))
        self.jobs.wake()
        return run

    def shadow_report(self, name: str) -> str:
        """Read the report on scores under the present and the new rules.

        Raises
        ------
        NotFoundError
            Where there is no such run, or it has scored nothing again.
        """
        path = self.find(name).work / SHADOW_REPORT
        if not path.is_file():
            hint = "It is written where the policy or the figures scored have changed."
            raise NotFoundError(f"the run {name!r} has no report on scores", hint=hint)
        return path.read_text(encoding="utf-8")

    def _ask(self, asked: TrainingAsked) -> tuple[Run, bool]:
        advisor = self.desk.advisor
        snapshot = advisor.snapshot(asked.dataset)
        try:
            advisor.origin(snapshot, asked.as_of)
        except LoadlineError as error:
            raise InvalidError(error.what, hint=error.hint) from error
        try:
            return advisor.training.request(
                by=asked.signer,
                reason=asked.reason,
                dataset=asked.dataset,
                as_of=asked.as_of,
                kinds=[kind for kind in KINDS if kind in asked.kinds],
                seed=SEED if asked.seed is None else asked.seed,
                trials=asked.trials,
                again=asked.again,
            )
        except LoadlineError as error:
            if error.where.startswith(GIVEN):
                raise InvalidError(error.what, hint=error.hint) from error
            raise


@dataclass(frozen=True)
class RequestKeys:
    """Which request came under which key, so that one sent twice is done once.

    Attributes
    ----------
    folder : Path
        Where the record is kept.
    """

    folder: Path

    def once(
        self, key: str, body: str, *, ask: Callable[[], tuple[Run, bool]], find: Callable[[str], Run]
    ) -> tuple[Run, bool]:
        """Give what the key was first used for, or ask and remember it.

        Raises
        ------
        InvalidError
            Where the key came with another request.
        """
        named, wanted = _digest(key), _digest(body)
        with file_lock(self.folder / "keys.lock"):
            for line in read_lines(self.folder / KEYS):
                entry = json.loads(line)
                if entry["key"] != named:
                    continue
                if entry["body"] != wanted:
                    hint = "Use a new key for a new request."
                    raise InvalidError("this Idempotency-Key came with another request before", hint=hint)
                return find(entry["run"]), False
            run, new = ask()
            line = json.dumps({"key": named, "body": wanted, "run": run.name}).encode()
            append_line(self.folder / KEYS, line, what="the key of the request")
        return run, new


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _asked_to_stop(by: str, reason: str) -> Title:
    en, zh = (f": {reason}", f"：{reason}") if reason else (".", "。")
    return Title(en=f"{by} asked for it to stop{en}", zh=f"{by}申请停止{zh}")


async def training_of(request: Request) -> TrainingDesk:
    """Give the training desk of the application that is asked."""
    return request.app.state.training
