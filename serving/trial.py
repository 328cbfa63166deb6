"""A model tried out in a process of its own before it may answer: what is wrong with it harms that process alone.

A LightGBM text whose hashes agree can still be made to abort whoever loads it, or to keep it busy for ever. The process
has low priority, ends with the one that started it, and leaves the finished table of suggestions in the home.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from features.errors import LoadlineError

if TYPE_CHECKING:
    from models.bundle import ModelBundle

LOADING_SECONDS = 120.0
"""To start and to load a model takes two or three; much more is left for a machine that is busy."""
MAKING_SECONDS = 3600.0
"""To make all suggestions takes seconds, and minutes for ten thousand units; what is not done by then never will be."""
NICENESS = 10
"""Beside the service, which answers people, this can wait."""
LOADED, MADE = b"loaded", b"made"
SECRETS = frozenset({"LOADLINE_TOKEN"})
"""Variables that the process has no use for."""
LONGEST_REASON = 300
_AT_ONCE = 65536


class ChangedError(LoadlineError):
    """What was tried is no longer what is wanted."""


class Trial:
    """Runs one trial at a time; can be ended from another thread."""

    def __init__(self, *, loading: float = LOADING_SECONDS, making: float = MAKING_SECONDS) -> None:
        self._limits = {LOADED: loading, MADE: making}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def run(self, order: Mapping[str, Any]) -> None:
        """Have a model loaded and asked; returns once it has done all that it was to do.

        Parameters
        ----------
        order : Mapping
            `home, model, digest`; and for suggestions `store, version, year`, and `sheet` where one is to be written.

        Raises
        ------
        LoadlineError
            Where the process refuses the model, dies of it, or takes too long.
        """
        environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
        with tempfile.TemporaryFile() as said:
            with self._lock:
                if self._closed:
                    raise LoadlineError("the service is stopping")
                self._process = process = subprocess.Popen(
                    [sys.executable, "-m", "serving.trial"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    env=environment,
                )
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps(dict(order)).encode() + b"\n")
                process.stdin.flush()
                for step, limit in self._limits.items():
                    _await(process.stdout.fileno(), step, limit)
            except (OSError, TimeoutError, EOFError) as error:
                raise LoadlineError(_reason(process, error, said)) from None
            finally:
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    pipe.close()  # pyright: ignore[reportOptionalMemberAccess]
                self._process = None

    def close(self) -> None:
        """End what is running, and start nothing any more."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill()


def _await(pipe: int, step: bytes, limit: float) -> None:
    """Wait for a line that says that a step is done."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    line, deadline = b"", time.monotonic() + limit
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise TimeoutError(f"it was not {step.decode()} within {limit:.0f} seconds")
        byte = os.read(pipe, 1)
        if not byte:
            raise EOFError
        line += byte
    if line.strip() != step:
        raise EOFError


def _reason(process: subprocess.Popen[bytes], error: Exception, said: Any) -> str:
    """Say why a trial failed."""
    if isinstance(error, TimeoutError):
        return str(error)
    code = process.wait()
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    last = lines[-1][:LONGEST_REASON] if lines else ""
    if code < 0:
        return f"loading it ended the process that tried it out (signal {-code})"
    return last or f"the process that tried it out ended with {code}"


def load_every(model: ModelBundle) -> None:
    """Load each LightGBM text of a model, and ask it about two rows: one of zeros, one with nothing known."""
    import lightgbm as lgb
    import numpy as np

    for text in model.texts.values():
        booster = lgb.Booster(model_str=text)
        rows = np.array([[0.0], [np.nan]]).repeat(booster.num_feature(), axis=1)
        booster.predict(rows, num_threads=1)


def main() -> None:
    """Do what the line on standard input says, and end when whoever wrote it ends."""
    from pathlib import Path

    from training.promotion.copies import kept_bundle

    os.nice(NICENESS)
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, _AT_ONCE)
        if not part:
            os._exit(2)
        line += part
    threading.Thread(target=_end_with_parent, daemon=True).start()
    order = json.loads(line)
    try:
        model = kept_bundle(order["home"], order["model"], order["digest"])
        load_every(model)
        _say(LOADED)
        if "year" in order:
            from serving.advisor import Advisor
            from serving.settings import Settings

            advisor = Advisor(Settings(home=Path(order["home"]), store_url=order["store"]))
            snapshot = advisor.store.snapshot(order["version"])
            mark = advisor.suggesting.mark(snapshot, order["digest"], order["year"])
            table = advisor.suggesting.kept(mark)
            if table is None:
                table = advisor.suggesting.make(snapshot, mark, model)
            if order.get("sheet"):
                from serving.sheets import make_sheet
                from serving.suggested import Suggested

                make_sheet(Suggested(mark, snapshot, table, advisor.settings.home, lambda: model))
        _say(MADE)
    except Exception as error:
        what = error.what if isinstance(error, LoadlineError) else f"{type(error).__name__}: {error}"
        os.write(2, f"\n{what}\n".encode())
        os._exit(1)
    os._exit(0)


def _say(step: bytes) -> None:
    os.write(1, step + b"\n")


def _end_with_parent() -> None:
    while os.read(0, _AT_ONCE):
        pass
    os._exit(2)


if __name__ == "__main__":
    main()
