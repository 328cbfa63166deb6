"""The worker: does the runs of a home one after the other, the interrupted ones first; one worker a home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from features.indicators import Title
from training.lock import LockHeldError, file_lock
from training.retraining.context import Workplace
from training.retraining.runs import RUNS, WORKER_LOCK, Run, Runs

FOLLOW_SECONDS = 0.5
"""To show how far another worker is, before trying to take its place."""
WATCH_SECONDS = 0.05
"""Between two looks at whether the run at work has ended."""
LOOKERS_SECONDS = 0.2
"""To wait for the lock: whoever looks whether a worker is at work holds it for an instant."""


def work(place: Workplace, *, version: str, until: Callable[[], bool]) -> None:
    """Do what is asked for, one run after the other, until told to stop.

    Parameters
    ----------
    place : Workplace
    version : str
        Of the program.
    until : callable
        Asked before each run is begun, and between looks; True ends the work, which is then gone on with by the next
        worker.

    Raises
    ------
    LockHeldError
        Where another worker is at work on the home.
    LoadlineError
        Where the record of jobs cannot be read.
    """
    with file_lock(Path(place.home) / RUNS / WORKER_LOCK, wait=LOOKERS_SECONDS):
        runs = Runs(place.home, place.clock)
        _turn_down(runs, version)
        if until():
            return
        from training.retraining.engine import engine, over, start
        from training.retraining.workflow import open_place

        open_place(place)
        with engine(place.home, version=version):
            begun: set[str] = set()
            while True:
                waiting = runs.waiting()
                if until():  # asked after the look, so that no run is begun that this worker would leave half-way
                    return
                for run in waiting[:1]:
                    if run.name not in begun:
                        start(place.home, run.name)
                        begun.add(run.name)
                    elif over(run.name) and not run.ended:
                        _lost(run)
                time.sleep(WATCH_SECONDS)


def do_run(place: Workplace, run: Run, *, version: str) -> None:
    """Do a run, and whatever was asked for before it; where another worker is at work, wait until it has done it.

    Raises
    ------
    LoadlineError
        Where the run cannot be done.
    """
    left = Event()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _do(place, run, version, left)
        return
    with ThreadPoolExecutor(1) as pool:  # a notebook runs its cells in an event loop, where DBOS refuses to be called
        try:
            pool.submit(_do, place, run, version, left).result()
        finally:
            left.set()


def _do(place: Workplace, run: Run, version: str, left: Event) -> None:
    """Do a run, unless whoever asked has left."""
    while not (run.ended or left.is_set()):
        try:
            work(place, version=version, until=lambda: run.ended or left.is_set())
        except LockHeldError:
            _follow(place, run)


def _follow(place: Workplace, run: Run) -> None:
    """Show how far another worker is with the run, for a while."""
    for _ in range(int(FOLLOW_SECONDS / WATCH_SECONDS)):
        found = run.advance
        if found is not None:
            place.progress(found.stage or found.step, found.done, found.total)
        if run.ended:
            return
        time.sleep(WATCH_SECONDS)


def _lost(run: Run) -> None:
    """End a run whose end could not be noted at its time."""
    text = Title(
        en="Failed: it stopped, and how could not be written down. Check the free space, and ask again.",
        zh="失败：运行已停止，但原因未能写入记录。请检查可用空间后重新申请。",
    )
    run.say("failed", text, figures={"what": "the run stopped, and how could not be written down"})


def _turn_down(runs: Runs, version: str) -> None:
    """End runs that another version of the program was asked for: its steps are not these."""
    for run in runs.waiting():
        if run.request.code_version != version:
            text = Title(
                en=f"Version {run.request.code_version} of the program was asked, this is {version}: ask again.",
                zh=f"该申请由程序版本 {run.request.code_version} 受理，现为 {version}：请重新申请。",
            )
            run.say("cancelled", text)
