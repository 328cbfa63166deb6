"""The same work in this process and on the workers of a real Dask cluster."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import quarterly_bank

from features.errors import LoadlineError
from models.levels import levels_of
from training.distributed import run_tasks
from training.target_model import bundle_of, fit_level, level_tasks


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Dask scheduler with one worker, each a process of its own."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    where = ["--scheduler-file", str(file)]
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard"]
    processes = [subprocess.Popen([*dask, "--no-dashboard", *where], stderr=subprocess.DEVNULL)]
    try:
        for _ in range(300):
            if file.exists():
                break
            time.sleep(0.1)
        processes.append(subprocess.Popen([*worker, *where], stderr=subprocess.DEVNULL))
        yield json.loads(file.read_text())["address"]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def test_fits_on_a_cluster_equal_those_in_this_process(tmp_path: Path, scheduler: str) -> None:
    snapshot = quarterly_bank.stored(tmp_path)
    origin = snapshot.description.calendar.parse("2023-Q4")
    tasks = level_tasks(levels_of(snapshot.panel(origin), "SALES", year=2024, origin=origin), seed=5)
    here, there = run_tasks(fit_level, tasks), run_tasks(fit_level, tasks, cluster=scheduler)
    assert [key for key, _ in here] == [key for key, _ in there]
    for (key, mine), (_, other) in zip(here, there, strict=True):
        assert bundle_of({key: mine}, {}).digest == bundle_of({key: other}, {}).digest


def test_a_cluster_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(LoadlineError, match="no Dask scheduler"):
        run_tasks(fit_level, [], cluster="tcp://127.0.0.1:9")
