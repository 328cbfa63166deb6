"""The use cases of training: asking for a run, doing it, following it, and stopping it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import LoadlineError
from training.progress import Progress, silent
from training.retraining.request import KINDS, TrainingRequest
from training.retraining.runs import Run, Runs

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from training.retraining.context import Workplace

SEED = 20240101
"""Of everything random, unless another is asked for."""
IDLE_SECONDS = 60.0
"""Between two times that a worker with nothing to do lets the registry's aliases follow the record."""
COLUMNS = ("run", "state", "dataset", "as_of", "data_version", "asked_by", "asked_at", "outcome")
"""Of the table of runs."""


class TrainingRuns:
    """Keeps requests for training and opens their runs; the work is a worker's.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    @property
    def _kept(self) -> Runs:
        return Runs(self._advisor.settings.home, self._advisor.now)

    def request(
        self,
        *,
        by: str,
        reason: str = "",
        dataset: str | None = None,
        as_of: str | None = None,
        kinds: Sequence[str] = KINDS,
        seed: int = SEED,
        trials: int | None = None,
        again: bool = False,
        change: Path | None = None,
        cluster: str = "",
    ) -> tuple[Run, bool]:
        """Ask for training; give the run and whether it is new. An equal request is the same run.

        Parameters
        ----------
        by, reason : str
            Who asks, and why; for the record.
        dataset : str, optional
            The one stored last by default.
        as_of : str, optional
            Last period to learn from; by default the last one with figures, with everything known by now.
        kinds : sequence of str
            Of `training.retraining.request.KINDS`.
        seed : int
        trials : int, optional
            Most settings that tuning may try for each model; 0 keeps the usual ones.
        again : bool
            Train although nothing has changed; also once more where an equal run has ended.
        change : Path, optional
            A file with a change from outside that the run answers to, as for a simulation.
        cluster : str
            Address of a Dask scheduler.

        Raises
        ------
        LoadlineError
            Where there is no such data, period or kind, or nobody is named.
        """
        if not by.strip():
            raise LoadlineError("nobody is named who asks", where="--by", hint="Say who asks for the training.")
        strange = [kind for kind in kinds if kind not in KINDS]
        if strange or not kinds:
            raise LoadlineError(f"there is no model {', '.join(strange)!r}", hint=f"There are {' and '.join(KINDS)}.")
        request = self._written(dataset, as_of, tuple(kinds), seed, trials, change, by.strip(), reason, cluster)
        if again:
            request = self._next_attempt(request)
        run, new = self._kept.ask(request)
        if new:
            self._advisor.audit.kept("ask_for_training", by=request.by, subject=run.name, dataset=request.dataset)
        return run, new

    def runs(self, dataset: str | None = None) -> tuple[Run, ...]:
        """List the runs, the newest first."""
        return self._kept.every(dataset=dataset)

    def run(self, name: str) -> Run:
        """Open a run by its name, or by a beginning of it that no other shares.

        Raises
        ------
        LoadlineError
            Where there is none of that name.
        """
        alike = [run for run in self._kept.every() if run.name.startswith(name)]
        exact = [run for run in alike if run.name == name]
        return (exact or alike)[0] if len(exact or alike) == 1 else self._kept.find(name)

    def table(self, dataset: str | None = None) -> pd.DataFrame:
        """List the runs as a table, the newest first."""
        rows = []
        for run in self.runs(dataset):
            request, events = run.request, run.events
            told = events[-1].text.en if events else ""
            rows.append(
                (
                    run.name,
                    run.state,
                    request.dataset,
                    request.as_of,
                    request.data_version,
                    request.by,
                    request.at,
                    told,
                )
            )
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def work(self, run: Run, *, progress: Progress = silent) -> None:
        """Do a run in this process, and whatever was asked for before it; or wait for the worker that is at it."""
        from training.retraining.worker import do_run

        do_run(self._workplace(progress), run, version=installed("loadline"))

    def attend(
        self, *, once: bool = False, progress: Progress = silent, say: Callable[[str], object] = lambda line: None
    ) -> None:
        """Do runs as they are asked for; let the registry's aliases follow the record meanwhile.

        Parameters
        ----------
        once : bool
            End when nothing is waiting.
        progress, say
            How to tell how far the work is, and what the registry lacks.

        Where another process is at work on the home, what it leaves is waited for.
        """
        from training.lock import LockHeldError
        from training.promote import sync_all
        from training.retraining.worker import work

        place, synced, said = self._workplace(progress), float("-inf"), set[str]()

        def idle() -> bool:
            return not self._kept.waiting()

        while True:
            if not idle():
                with suppress(LockHeldError):
                    work(place, version=installed("loadline"), until=idle)
            if time.monotonic() - synced >= IDLE_SECONDS:
                for line in sync_all(place.home, place.tracker):
                    if line not in said:  # once is enough
                        say(line)
                    said.add(line)
                synced = time.monotonic()
            if once and idle():
                return
            time.sleep(1.0)

    def _workplace(self, progress: Progress) -> Workplace:
        from training.retraining.context import Workplace
        from training.track import Tracker

        settings = self._advisor.settings
        tracker = Tracker(settings.home, settings.tracking_uri)
        return Workplace(settings.home, self._advisor.store, tracker, self._advisor.now, progress)

    def cancel(self, name: str) -> Run:
        """Ask a run to stop before its next step.

        Raises
        ------
        LoadlineError
            Where there is no such run, or it has ended.
        """
        run = self.run(name)
        if run.ended:
            raise LoadlineError(f"the run {name} has ended already", hint="Its result stands.")
        run.ask_to_stop()
        self._advisor.audit.kept("cancel_training_run", by="", subject=run.name, dataset=run.request.dataset)
        return run

    def _written(
        self,
        dataset: str | None,
        as_of: str | None,
        kinds: tuple[str, ...],
        seed: int,
        trials: int | None,
        change: Path | None,
        by: str,
        reason: str,
        cluster: str,
    ) -> TrainingRequest:
        from training.retraining.change_grounds import change_text
        from training.retraining.policy_marks import decided_mark, policy_day, policy_mark
        from training.tuning.tuned import DEFAULT_TRIALS

        advisor = self._advisor
        snapshot = advisor.snapshot(dataset)
        calendar, origin = snapshot.description.calendar, advisor.origin(snapshot, as_of)
        home = advisor.settings.home
        if as_of is None:
            policy = decided_mark(snapshot, home, origin, today=advisor.now().date())
        else:
            policy = policy_mark(snapshot, home, policy_day(snapshot, origin))
        return TrainingRequest(
            dataset=snapshot.about.dataset,
            data_version=snapshot.about.version,
            fingerprint=snapshot.about.fingerprint,
            as_of=calendar.format(origin),
            latest=as_of is None,
            policy=policy,
            code_version=installed("loadline"),
            seed=seed,
            trials=DEFAULT_TRIALS if trials is None else trials,
            kinds=kinds,
            change="" if change is None else change_text(change),
            by=by,
            reason=reason.strip(),
            at=advisor.now().isoformat(timespec="seconds"),
            cluster=cluster,
        )

    def _next_attempt(self, request: TrainingRequest) -> TrainingRequest:
        """Give the next attempt that has not ended; never the first, which may find that nothing is to be done."""
        kept = {run.name: run for run in self._kept.every(dataset=request.dataset)}
        request = replace(request, attempt=2)
        while (run := kept.get(request.run)) is not None and run.ended:
            request = replace(request, attempt=request.attempt + 1)
        return request
