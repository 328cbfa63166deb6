"""A real server in a process of its own, and asking it over real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving_home import BEARER, TOKEN

WAIT = 60
"""Seconds: generous, since other tests share the machine."""
START = """
import sys
from pathlib import Path
from serving.advisor import Advisor
from serving.server import serve
from serving.settings import Settings
serve(Advisor(Settings(home=Path(sys.argv[1]))), host="127.0.0.1", port=0, say=lambda text: print(text, flush=True))
print("stopped", flush=True)
"""


def start(home: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a server on a home; it prints its address first."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOADLINE_")}
    clean |= {"LOADLINE_RATE": "0", "LOADLINE_LOG_LEVEL": "warning"}  # nobody reads the pipe while requests are made
    return subprocess.Popen(
        [sys.executable, "-c", START, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, **environment},
    )


def get(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask for an address on a connection of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@dataclass
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    port: int
    said: str = ""

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask with the key."""
        return get(self.port, path, **BEARER, **headers)

    def json(self, path: str) -> Any:
        """Ask for an answer to programs, whatever its status."""
        return json.loads(self.get(path)[2])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing happen in the server meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(home: Path, **environment: str) -> Iterator[Running]:
    """Serve a home; in the end what the server has written to its log is in `said`."""
    process = start(home, LOADLINE_TOKEN=TOKEN, **environment)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)/", process.stdout.readline())
        assert found is not None
        server = Running(process, int(found[1]))
        yield server
        process.send_signal(signal.SIGTERM)
        server.said = process.communicate(timeout=WAIT)[1]
    finally:
        process.kill()
        process.wait()
