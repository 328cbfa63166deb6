"""What the steps of a run share: the data, the champion that it started from, and what earlier steps have left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from features.indicators import Title
from features.store import Snapshot, Store
from training.journal import write_copy
from training.progress import Progress, silent
from training.retraining.decision import Decision
from training.retraining.request import TrainingRequest
from training.retraining.runs import Run
from training.track import Tracker


@dataclass(frozen=True)
class Workplace:
    """Where a worker works, and with what.

    Attributes
    ----------
    home : Path
    store : Store
    tracker : Tracker
    clock : callable
        Gives the time, with its zone.
    progress : Progress
    """

    home: Path
    store: Store
    tracker: Tracker
    clock: Callable[[], datetime]
    progress: Progress = silent


@dataclass(frozen=True)
class Context:
    """One run at work.

    Attributes
    ----------
    place : Workplace
    run : Run
    memory : dict
        What steps have made and hand on within one process; whatever is missing is made again.
    """

    place: Workplace
    run: Run
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Give the home."""
        return self.place.home

    @cached_property
    def request(self) -> TrainingRequest:
        """Give what was asked."""
        return self.run.request

    @cached_property
    def snapshot(self) -> Snapshot:
        """Give the data version that was asked for, whatever has been stored since."""
        return self.place.store.snapshot(self.request.data_version)

    @cached_property
    def origin(self) -> int:
        """Give the last period (ordinal) to learn from."""
        return self.snapshot.description.calendar.parse(self.request.as_of)

    @property
    def decision(self) -> Decision:
        """Read what was decided."""
        return Decision.from_dict(self.kept("decision"))

    @property
    def champions(self) -> Mapping[str, str | None]:
        """Read the digests of the champions that the run started from, by kind of model."""
        return self.kept("start")["champions"]

    def keep(self, name: str, plain: Mapping[str, Any]) -> None:
        """Keep what a step found, for those after it."""
        content = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True).encode()
        write_copy(self.path(f"{name}.json"), content)

    def kept(self, name: str) -> Any:
        """Read what a step has kept."""
        return json.loads(self.path(f"{name}.json").read_bytes())

    def has(self, name: str) -> bool:
        """Tell whether a step has kept something."""
        return self.path(f"{name}.json").is_file()

    def path(self, name: str) -> Path:
        """Give the place of a file or folder of the run."""
        return self.run.work / name

    def note(self, text: Title, *, step: str = "", **figures: Any) -> None:
        """Say something in the run's log."""
        self.run.say("note", text, step=step, figures=figures)

    def progress(self, step: str) -> Progress:
        """Give what tells how far a step is: to who watches the process, and to who reads the run."""

        def advance(stage: str, done: int, total: int) -> None:
            self.run.advanced(step, stage, done, total)
            self.place.progress(stage, done, total)

        return advance
