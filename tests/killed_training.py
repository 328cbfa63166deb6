"""Asks for training on the bank of `retraining_bank` and does it, in a process that kills itself or waits to be killed.

`python killed_training.py HOME [--marks FILE] [--seed N]`: with `--marks`, the process kills itself the first time that
it comes to a boundary that FILE does not name yet, and names it there before.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from retraining_bank import advisor_at

from features.indicators import Title
from training.retraining import runs


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


def main() -> None:
    """Ask, and do it."""
    home = Path(sys.argv[1])
    told = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    if "--marks" in told:
        die_at_new_boundaries(Path(told["--marks"]))
    advisor = advisor_at(home)
    run, _ = advisor.training.request(
        by="Li Ming", trials=int(told.get("--trials", 2)), seed=int(told.get("--seed", 7))
    )
    sys.stdout.write(f"{run.name}\n")
    advisor.training.work(run)
    sys.stdout.write(f"{run.state}\n")


if __name__ == "__main__":
    main()
