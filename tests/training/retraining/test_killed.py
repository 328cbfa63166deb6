"""A training run that is killed, again and again, comes to what it would have come to undisturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from retraining_bank import advisor_at
from trained_home import Trained, checked

from training.retraining.steps import STEPS

DRIVER = Path(__file__).resolve().parents[2] / "killed_training.py"
NAMES = ("target-small", "warning-small")
RANDOM_KILLS = int(os.environ.get("LOADLINE_RANDOM_KILLS", "10"))
"""Each costs a start of the program and half a training; LOADLINE_RANDOM_KILLS asks for more."""
LONGEST_SECONDS = 120
KILLED = -signal.SIGKILL


def started(home: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(DRIVER), str(home), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def carried_through(home: Path, more: Sequence[str] = ()) -> Trained:
    """Do the run to its end in a process that nobody kills, and check what it left."""
    process = started(home, *more)
    out, err = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 0, err
    name, state = out.split()
    assert state == "done", err
    advisor = advisor_at(home)
    assert len(advisor.training.runs()) == 1, "the same request is the same run"
    return checked(home, advisor.training.run(name), *NAMES)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return carried_through(tmp_path_factory.mktemp("undisturbed") / "home")


def test_killed_at_every_step_boundary(undisturbed: Trained, tmp_path: Path) -> None:
    home, marks = tmp_path / "home", tmp_path / "marks"
    codes = []
    while not codes or codes[-1] == KILLED:
        process = started(home, "--marks", str(marks))
        _, err = process.communicate(timeout=LONGEST_SECONDS)
        codes.append(process.returncode)
        assert process.returncode in (0, KILLED), err
    died_at = marks.read_text().splitlines()
    steps = [step.code for step in STEPS if step.code != "scores.shadow"]
    assert set(died_at) == {f"{when} finished {step}" for when in ("before", "after") for step in steps} | {
        "before done ",
        "after done ",
    }
    found = carried_through(home)
    assert found.champions == undisturbed.champions
    assert set(found.finished) == set(undisturbed.finished)


def test_killed_at_random_moments(undisturbed: Trained, tmp_path: Path) -> None:
    moments = random.Random(11)
    began = time.monotonic()
    carried_through(tmp_path / "home-0")
    whole = time.monotonic() - began
    kills, homes = 0, 1
    while kills < RANDOM_KILLS:
        home = tmp_path / f"home-{homes}"
        process = started(home)
        try:
            process.communicate(timeout=moments.uniform(0.2, 0.9) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0
        assert carried_through(home).champions == undisturbed.champions
        homes += 1
    assert carried_through(home).champions == undisturbed.champions
