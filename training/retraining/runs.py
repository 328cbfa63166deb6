"""Training runs as they are kept in the home: what was asked, what happened, how far they are, what came of them.

Light enough for a service to read while somebody else does the work: a run is a folder of small files.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from features.errors import LoadlineError
from features.indicators import Title
from models.bundle import check_name
from training.journal import append_line, read_lines, write_copy
from training.lock import file_lock
from training.retraining.request import TrainingRequest

RUNS = "runs"
REQUEST, LOG, PROGRESS, RESULT, CANCEL = "request.json", "log.jsonl", "progress.json", "result.json", "cancel"
WORK = "work"
WORKER_LOCK = "worker.lock"

State = Literal["queued", "running", "interrupted", "done", "failed", "cancelled"]
Kind = Literal["queued", "started", "finished", "decided", "note", "resumed", "done", "failed", "cancelled"]
ENDS: Mapping[str, State] = {"done": "done", "failed": "failed", "cancelled": "cancelled"}
"""What ends a run, and the state that it is in from then on."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a run's log.

    Attributes
    ----------
    at : datetime
        In UTC.
    kind : str
        `queued`, `started` and `finished` (a step), `decided`, `note`, `resumed` (after an interruption), and how a run
        ends: `done`, `failed`, `cancelled`.
    step : str
        Code of the step; "" for what concerns the whole run.
    text : Title
        What happened, in a sentence.
    figures : Mapping
        Plain JSON.
    """

    at: datetime
    kind: Kind
    step: str
    text: Title
    figures: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give the event as plain JSON."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "kind": self.kind,
            "step": self.step,
            "text": {"en": self.text.en, "zh": self.text.zh},
            "figures": dict(self.figures),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Event:
        """Read what `as_dict` gave."""
        return cls(
            datetime.fromisoformat(plain["at"]), plain["kind"], plain["step"], Title(**plain["text"]), plain["figures"]
        )


@dataclass(frozen=True, slots=True)
class Advance:
    """How far the step at work is: `done` of `total`."""

    step: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Run:
    """A run, opened for reading and for its log to be added to.

    Attributes
    ----------
    folder : Path
    clock : callable
        Gives the time, with its zone.
    """

    folder: Path
    clock: Callable[[], datetime]

    @property
    def name(self) -> str:
        """Give its name."""
        return self.folder.name

    @property
    def work(self) -> Path:
        """Give the folder of what its steps leave for those after them."""
        return self.folder / WORK

    @property
    def request(self) -> TrainingRequest:
        """Read what was asked."""
        path = self.folder / REQUEST
        try:
            return TrainingRequest.from_dict(json.loads(path.read_bytes()))
        except ValueError:
            raise _damaged(path) from None

    @property
    def events(self) -> tuple[Event, ...]:
        """Read the log, oldest first."""
        path = self.folder / LOG
        try:
            return tuple(Event.from_dict(json.loads(line)) for line in read_lines(path))
        except (ValueError, KeyError, TypeError):
            raise _damaged(path) from None

    @property
    def result(self) -> dict[str, Any] | None:
        """Read what came of it; None before its end."""
        path = self.folder / RESULT
        return json.loads(path.read_bytes()) if path.is_file() else None

    @property
    def advance(self) -> Advance | None:
        """Read how far it is; None where it has not said."""
        try:
            return Advance(**json.loads((self.folder / PROGRESS).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    @property
    def state(self) -> State:
        """Tell where it stands; a run that nobody works on and that has not ended was interrupted."""
        events = self.events
        for event in reversed(events):
            if event.kind in ENDS:
                return ENDS[event.kind]
        if not any(event.kind == "started" for event in events):
            return "queued"
        return "running" if worker_at_work(self.folder.parent.parent) else "interrupted"

    @property
    def ended(self) -> bool:
        """Tell whether it is done, failed or was cancelled."""
        path = self.folder / LOG
        try:
            return any(json.loads(line)["kind"] in ENDS for line in reversed(read_lines(path)))
        except (ValueError, KeyError, TypeError):
            raise _damaged(path) from None

    @property
    def cancelled(self) -> bool:
        """Tell whether somebody has asked for it to stop."""
        return (self.folder / CANCEL).exists()

    def say(self, kind: Kind, text: Title, *, step: str = "", figures: Mapping[str, Any] | None = None) -> Event:
        """Add a line to the log, on disk when this returns."""
        event = Event(self.clock().astimezone(UTC), kind, step, text, figures or {})
        line = json.dumps(event.as_dict(), ensure_ascii=False, allow_nan=False).encode()
        with file_lock(self.folder / "lock"):
            append_line(self.folder / LOG, line, what="what happened in the run")
        return event

    def advanced(self, step: str, stage: str, done: int, total: int) -> None:
        """Note how far it is; may be lost in a crash."""
        partial = self.folder / f".{PROGRESS}"  # one worker a run: nobody else writes it
        partial.write_text(json.dumps({"step": step, "stage": stage, "done": done, "total": total}))
        os.replace(partial, self.folder / PROGRESS)

    def ask_to_stop(self) -> None:
        """Leave a mark that the worker stops at before its next step."""
        (self.folder / CANCEL).touch()

    def end(self, result: Mapping[str, Any]) -> None:
        """Keep what came of it."""
        content = json.dumps(result, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True).encode()
        with file_lock(self.folder / "lock"):
            write_copy(self.folder / RESULT, content)


@dataclass(frozen=True)
class Runs:
    """The runs of a home.

    Attributes
    ----------
    home : Path
    clock : callable
        Gives the time, with its zone.
    """

    home: Path
    clock: Callable[[], datetime]

    @property
    def folder(self) -> Path:
        """Give the folder that holds a folder each."""
        return Path(self.home) / RUNS

    def ask(self, request: TrainingRequest) -> tuple[Run, bool]:
        """Keep a request; give its run and whether it is new. An equal request is the same run.

        Once a run has failed or was cancelled, the same request makes another attempt.
        """
        with file_lock(self.folder / "lock"):
            while (found := self._folder(request.run)).is_dir():
                run = Run(found, self.clock)
                if run.state not in ("failed", "cancelled"):
                    return run, False
                request = replace(request, attempt=request.attempt + 1)
            content = json.dumps(request.as_dict(), ensure_ascii=False, indent=1, sort_keys=True).encode()
            partial = self.folder / f".{request.run}.{secrets.token_hex(4)}.partial"
            partial.mkdir(parents=True)
            write_copy(partial / REQUEST, content)
            os.replace(partial, found)
        run = Run(found, self.clock)
        text = Title(
            en=f"{request.by or 'Somebody'} asked for training as of {request.as_of}.",
            zh=f"{request.by or '有人'}申请以 {request.as_of} 为截至期训练模型。",
        )
        run.say("queued", text)
        return run, True

    def find(self, name: str) -> Run:
        """Open a run.

        Raises
        ------
        LoadlineError
            Where there is none of that name.
        """
        folder = self._folder(name)
        if not (folder / REQUEST).is_file():
            raise LoadlineError(f"there is no training run {name!r}", hint="`loadline runs list` shows them.")
        return Run(folder, self.clock)

    def every(self, *, dataset: str | None = None) -> tuple[Run, ...]:
        """List the runs, the newest first."""
        asked = [(run.request, run) for run in self._found()]
        kept = [(request.at, run.name, run) for request, run in asked if dataset in (None, request.dataset)]
        return tuple(run for _, _, run in sorted(kept, key=lambda entry: entry[:2], reverse=True))

    def waiting(self) -> tuple[Run, ...]:
        """List the runs that have not ended, the oldest first."""
        found = [run for run in self._found() if not run.ended]
        return tuple(sorted(found, key=lambda run: (run.request.at, run.name)))

    def _found(self) -> Iterator[Run]:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if not path.name.startswith(".") and (path / REQUEST).is_file():  # a dot: a process died making it
                    yield Run(path, self.clock)

    def _folder(self, name: str) -> Path:
        check_name(name)
        return self.folder / name


def worker_at_work(home: str | Path) -> bool:
    """Tell whether some process is working on the runs of a home."""
    try:
        with open(Path(home) / RUNS / WORKER_LOCK, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _damaged(path: Path) -> LoadlineError:
    hint = "Restore it from a backup, or move the folder of the run away: models and promotions do not rest on it."
    return LoadlineError("the record of a run is not what was written", where=str(path), hint=hint)
