"""Records one run again and again in processes that kill themselves (SIGKILL) at each call that changes anything.

After every call of the registry's client, half-way through a file that is copied and after it; then the same is
recorded to its end by another process. To be run with a home, whose tables exist.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

from models.bundle import ModelBundle
from training.recorded_run import RunRecord, record
from training.track import Tracker, settle_mlflow

CALLS = (
    *("create_registered_model", "create_run", "log_batch", "log_artifacts", "set_terminated"),
    *("create_model_version", "set_registered_model_alias"),
)
"""The model is made by the first recording only, so that one dies there first."""
FILES = 6
"""Copied for a run: three of its bundle, and as many more."""


def recording(number: int) -> RunRecord:
    """Give a record of its own to each death."""
    bundle = ModelBundle("target", {"number": number}, {"D01": "tree\n"}, {"scale": np.arange(5.0)})
    metrics = {None: {"loss_ratio": 0.9}, 2022: {"origin.loss_ratio": 0.8}, 2023: {"origin.loss_ratio": 1.1}}
    files = {"card/a.md": b"# a\n" * 50, "signature.json": b"{}", "tables/t.csv": b"a,b\n1,2\n"}
    return RunRecord(
        "killed", f"run-{number}", bundle, params={"seed": 7, "names": ["x"]}, metrics=metrics, files=files
    )


def deaths() -> list[tuple[str, int, str]]:
    """List where to die: what is called, which time, and whether within or after it."""
    calls = [(name, 1, "after") for name in CALLS] + [("log_batch", 2, "after")]
    return calls + [("copy", place, when) for place in range(1, FILES + 1, 2) for when in ("within", "after")]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(name: str, time: int, when: str) -> None:
    """Let this process die at a call."""
    from mlflow import MlflowClient

    owner, attribute = (shutil, "copy2") if name == "copy" else (MlflowClient, name)
    inner, seen = getattr(owner, attribute), [0]

    def call(*args, **kwargs):
        seen[0] += 1
        if seen[0] != time:
            return inner(*args, **kwargs)
        if when == "within":
            content = Path(args[0]).read_bytes()
            Path(args[1]).write_bytes(content[: len(content) // 2])
            die()
        inner(*args, **kwargs)
        return die()

    setattr(owner, attribute, call)


def main(home: Path) -> None:
    """Die everywhere, and record each run to its end; tell how each process ended and what number was given."""
    settle_mlflow()
    import mlflow.artifacts  # imported once, for all that are forked
    import mlflow.models
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    for number, death in enumerate(deaths()):
        child = os.fork()
        if child == 0:
            deadly(*death)
            record(Tracker(home), recording(number), alias="challenger")
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        child = os.fork()
        if child == 0:
            given = record(Tracker(home), recording(number), alias="challenger")
            told = {"number": number, "death": death, "killed": killed, "version": given}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
