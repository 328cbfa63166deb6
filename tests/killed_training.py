"""Does training on the bank of `retraining_bank` in processes that kill themselves or are killed.

Run as a program it reads orders, each a line of JSON, and does each in a process that is forked for it: what takes
seconds to load is loaded once, before, and nothing else is done in the process that forks. An order has

- `home`; `said`, `failed`: files for what the process says, and for what it says went wrong;
- `marks`, optional: the process kills itself the first time that it comes to a boundary that this file does not name
  yet, and names it there before;
- `seconds`: it is killed after them.

The answer is a line with the code that it ended with, and whether it did so before it was killed for its time.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from retraining_bank import advisor_at

from features.indicators import Title
from training.retraining import runs
from training.track import settle_mlflow


def die_at_new_boundaries(marks: Path) -> None:
    """Kill the process just before and just after a step is said to be through, once for each such place."""
    say = runs.Run.say

    def boundary(place: str) -> None:
        known = marks.read_text().splitlines() if marks.exists() else []
        if place not in known:
            with open(marks, "a") as file:
                file.write(place + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), signal.SIGKILL)

    def said(
        self: runs.Run, kind: runs.Kind, text: Title, *, step: str = "", figures: Mapping[str, Any] | None = None
    ) -> runs.Event:
        inside = kind in ("finished", "done")
        if inside:
            boundary(f"before {kind} {step}")
        event = say(self, kind, text, step=step, figures=figures)
        if inside:
            boundary(f"after {kind} {step}")
        return event

    runs.Run.say = said  # type: ignore[method-assign]


def train(order: Mapping[str, Any]) -> None:
    """Ask, and do it."""
    if "marks" in order:
        die_at_new_boundaries(Path(order["marks"]))
    advisor = advisor_at(Path(order["home"]))
    run, _ = advisor.training.request(by="Li Ming", trials=2, seed=7)
    sys.stdout.write(f"{run.name}\n")
    advisor.training.work(run)
    sys.stdout.write(f"{run.state}\n")


def in_a_process_of_its_own(order: Mapping[str, Any]) -> int:
    """Fork one; give its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for standard, path in ((1, order["said"]), (2, order["failed"])):
            with open(path, "w") as file:
                os.dup2(file.fileno(), standard)
        train(order)
        code = 0
    except BaseException:  # whatever it is, whoever gave the order is told
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(child: int, seconds: float) -> dict[str, Any]:
    """Wait for a process, no longer than this."""
    waiting = select.poll()
    descriptor = os.pidfd_open(child)
    waiting.register(descriptor, select.POLLIN)
    in_time = bool(waiting.poll(1000 * seconds))
    if not in_time:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(descriptor)
    return {"code": code, "in_time": in_time}


def main() -> None:
    """Do as is ordered, until nobody orders any more."""
    settle_mlflow()
    import mlflow.artifacts  # loaded once, for all that are forked
    import mlflow.models
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    import training.retraining.steps
    import training.retraining.worker
    import training.suggest  # noqa: F401

    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(ended(in_a_process_of_its_own(order), order["seconds"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
