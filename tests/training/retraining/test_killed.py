"""A training run that is killed, wherever and whenever, comes to what it would have come to undisturbed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from killed_runs import KILLED, Driver, driver
from trained_home import Trained

from training.retraining.steps import STEPS

RANDOM_KILLS = int(os.environ.get("LOADLINE_RANDOM_KILLS", "3"))
"""Each costs half a training; LOADLINE_RANDOM_KILLS asks for more."""


@pytest.fixture(scope="module")
def drives() -> Iterator[Driver]:
    with driver() as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(drives: Driver, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, float]:
    """What the run comes to, and the seconds that it takes."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    began = time.monotonic()
    drives.train(home)
    whole = time.monotonic() - began
    return drives.carried_through(home), whole


def test_killed_at_every_step_boundary(drives: Driver, undisturbed: tuple[Trained, float], tmp_path: Path) -> None:
    home, marks = tmp_path / "home", tmp_path / "marks"
    code = KILLED
    while code == KILLED:
        ended = drives.train(home, marks=marks)
        assert ended.in_time
        code = ended.code
    assert code == 0, ended.failed
    died_at = marks.read_text().splitlines()
    steps = [step.code for step in STEPS if step.code != "scores.shadow"]
    assert set(died_at) == {f"{when} finished {step}" for when in ("before", "after") for step in steps} | {
        "before done ",
        "after done ",
    }
    found = drives.carried_through(home)
    assert found.champions == undisturbed[0].champions
    assert set(found.finished) == set(undisturbed[0].finished)


def test_killed_at_random_moments(drives: Driver, undisturbed: tuple[Trained, float], tmp_path: Path) -> None:
    expected, whole = undisturbed
    moments = random.Random(11)
    kills, homes = 0, 1
    while kills < RANDOM_KILLS:
        home = tmp_path / f"home-{homes}"
        began = time.monotonic()
        ended = drives.train(home, seconds=moments.uniform(0.2, 0.9) * whole)
        if not ended.in_time:
            kills += 1
            continue
        whole = min(whole, time.monotonic() - began)  # the machine has more time for it than it had
        assert ended.code == 0, ended.failed
        assert drives.carried_through(home).champions == expected.champions
        homes += 1
    assert drives.carried_through(home).champions == expected.champions
