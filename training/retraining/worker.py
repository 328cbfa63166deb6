"""The worker: does the runs of a home one after the other, the interrupted ones first; one worker a home."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from features.errors import LoadlineError
from features.indicators import Title
from training.lock import file_lock
from training.retraining.context import Workplace
from training.retraining.runs import ENDS, RUNS, WORKER_LOCK, Run, Runs

IDLE_SECONDS = 0.5
"""Between two looks for new requests."""
WATCH_SECONDS = 0.05
"""Between two looks at whether the run at work has ended."""


def work(place: Workplace, *, version: str, until: Callable[[], bool], wait: float = 0.0) -> None:
    """Do what is asked for, until told to stop.

    Parameters
    ----------
    place : Workplace
    version : str
        Of the program.
    until : callable
        Asked between looks; True ends the work, which is then gone on with by the next worker.
    wait : float
        Seconds to wait for another worker of the home to end.

    Raises
    ------
    LoadlineError
        Where another worker is at work on the home.
    """
    with file_lock(Path(place.home) / RUNS / WORKER_LOCK, wait=wait):
        runs = Runs(place.home, place.clock)
        _turn_down(runs, version)
        if until():
            return
        from training.retraining.engine import engine, start
        from training.retraining.workflow import open_place

        open_place(place)
        with engine(place.home, version=version):
            begun: set[str] = set()
            while not until():
                for run in runs.waiting():
                    if run.name not in begun:
                        start(place.home, run.name)
                        begun.add(run.name)
                time.sleep(WATCH_SECONDS)


def do_run(place: Workplace, run: Run, *, version: str) -> None:
    """Do a run, and whatever was asked for before it; where another worker is at work, wait until it has done it.

    Raises
    ------
    LoadlineError
        Where the run cannot be done.
    """
    while not ended(run):
        try:
            work(place, version=version, until=lambda: ended(run))
        except LoadlineError as error:
            if "another process" not in error.what:
                raise
            _follow(place, run)


def ended(run: Run) -> bool:
    """Tell whether a run has ended."""
    return any(event.kind in ENDS for event in run.events)


def _follow(place: Workplace, run: Run) -> None:
    """Show how far another worker is with the run, for a while."""
    for _ in range(int(IDLE_SECONDS / WATCH_SECONDS)):
        found = run.advance
        if found is not None:
            place.progress(found.stage or found.step, found.done, found.total)
        if ended(run):
            return
        time.sleep(WATCH_SECONDS)


def _turn_down(runs: Runs, version: str) -> None:
    """End runs that another version of the program has begun: its steps are not these."""
    for run in runs.waiting():
        if run.request.code_version != version:
            text = Title(
                en=f"Version {run.request.code_version} of the program was asked, this is {version}: ask again.",
                zh=f"该申请由程序版本 {run.request.code_version} 受理，现为 {version}：请重新申请。",
            )
            run.say("cancelled", text)
