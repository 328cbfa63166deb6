"""A service of several processes, asked over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from running_service import WAIT, Running
from serving_home import TOKEN

START = """
import sys
from pathlib import Path
from serving.settings import Settings
from serving.workers import serve_with_workers
serve_with_workers(Settings(home=Path(sys.argv[1]), rate=0, log_format="json"), host="127.0.0.1", port=0,
    workers=int(sys.argv[2]), say=lambda text: print(text, flush=True))
print("stopped", flush=True)
"""


def children(parent: int) -> dict[int, str]:
    """Give the processes that one has started, and what each runs."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (place / "stat").read_text(), (place / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            found[int(place.name)] = command.replace(b"\0", b" ").decode().strip()
    return found


def running_as(server: Running, module: str) -> list[int]:
    """Give the numbers of the server's processes that run a module."""
    return [number for number, command in children(server.process.pid).items() if command.endswith(module)]


@contextmanager
def several(home: Path, workers: int = 1, **environment: str) -> Iterator[Running]:
    """Serve a home with small processes in front; `said` has its log in the end, and what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOADLINE_")}
    with tempfile.TemporaryFile("w+") as log:  # a pipe that nobody reads would fill up, and hold the service up
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(home), str(workers)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**clean, "LOADLINE_TOKEN": TOKEN, **environment},
        )
        try:
            assert process.stdout is not None
            found = re.search(r":(\d+)/", process.stdout.readline())
            assert found is not None
            server = Running(process, int(found[1]))
            yield server
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=WAIT)
            log.seek(0)
            server.said = log.read()
            assert process.returncode == 0, server.said
            assert "stopped" in printed
        finally:
            process.kill()
            process.wait()
