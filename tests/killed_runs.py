"""A training run in processes that are killed: how one is started, and what it must have come to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from retraining_bank import advisor_at
from trained_home import Trained, checked

DRIVER = Path(__file__).resolve().parent / "killed_training.py"
NAMES = ("target-small", "warning-small")
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
