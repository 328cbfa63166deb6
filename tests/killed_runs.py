"""A training run in processes that are killed: how one is begun, and what it must have come to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retraining_bank import advisor_at
from trained_home import Trained, checked

DRIVER = Path(__file__).resolve().parent / "killed_training.py"
NAMES = ("target-small", "warning-small")
LONGEST_SECONDS = 600.0
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Ended:
    """How a process ended: its code, whether by itself, what it said and what it said went wrong."""

    code: int
    in_time: bool
    said: str
    failed: str


@dataclass(frozen=True)
class Driver:
    """Does the run, each time in a process of its own that begins anew."""

    process: subprocess.Popen[str]

    def train(self, home: Path, *, marks: Path | None = None, seconds: float = LONGEST_SECONDS) -> Ended:
        """Have the run of a home begun or gone on with; see `killed_training`."""
        said, failed = (home.parent / f"{home.name}.{what}" for what in ("said", "failed"))
        order = {"home": str(home), "said": str(said), "failed": str(failed), "seconds": seconds}
        if marks is not None:
            order["marks"] = str(marks)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the driver itself has ended"
        return Ended(**json.loads(answer), said=said.read_text(), failed=failed.read_text())

    def carried_through(self, home: Path) -> Trained:
        """Do the run to its end in a process that nobody kills, and check what it left."""
        ended = self.train(home)
        assert ended.code == 0, ended.failed
        name, state = ended.said.split()
        assert state == "done", ended.failed
        advisor = advisor_at(home)
        assert len(advisor.training.runs()) == 1, "the same request is the same run"
        return checked(home, advisor.training.run(name), *NAMES)


@contextmanager
def driver() -> Iterator[Driver]:
    """Start what does the runs, for as long as it is needed."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process with threads cannot be forked
    with subprocess.Popen(
        [sys.executable, str(DRIVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | one_thread,
    ) as process:
        yield Driver(process)
