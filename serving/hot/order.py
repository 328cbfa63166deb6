"""What a process of the service is told when it starts, on its standard input, which then tells it when to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from serving.settings import Settings

LONGEST = 1 << 20
_PART = 4096
_NOT_PASSED = frozenset({"tracking_uri"})
"""Settings that every process reads from the environment itself."""


@dataclass(frozen=True)
class Order:
    """What a process needs to know.

    Attributes
    ----------
    settings : Settings
    token : str
        The machine's own key; it is neither in the arguments nor in the environment, where others may look.
    hosts : tuple of str
        Host names to answer to besides those of the settings.
    door : Path
        The socket on which the whole application listens.
    listening : int
        Number of the open file on which the small processes listen; -1 for the whole application.
    among : int
        How many small processes there are.
    """

    settings: Settings
    token: str
    hosts: tuple[str, ...]
    door: Path
    listening: int = -1
    among: int = 1

    def write(self, file: IO[bytes]) -> None:
        """Write it as one line."""
        passed = self.settings.model_fields_set - _NOT_PASSED
        given = {name: _plain(getattr(self.settings, name)) for name in passed}
        told: dict[str, Any] = {"settings": given, "token": self.token, "hosts": list(self.hosts)}
        told |= {"door": str(self.door), "listening": self.listening, "among": self.among}
        file.write(json.dumps(told).encode() + b"\n")
        file.flush()

    @classmethod
    def read(cls) -> Order:
        """Read it from standard input; from then on, the end of standard input is the order to stop."""
        line = b""
        while not line.endswith(b"\n") and len(line) < LONGEST:
            part = os.read(0, _PART)
            if not part:
                raise SystemExit(2)
            line += part
        told = json.loads(line)
        threading.Thread(target=_stop_with_parent, name="order", daemon=True).start()
        return cls(
            Settings(**told["settings"]),
            told["token"],
            tuple(told["hosts"]),
            Path(told["door"]),
            told["listening"],
            told["among"],
        )

    def socket(self) -> socket.socket:
        """Give the socket to listen on."""
        return socket.socket(fileno=self.listening)


def _plain(value: Any) -> Any:
    secret = getattr(value, "get_secret_value", None)
    if secret is not None:
        return secret()
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


def _stop_with_parent() -> None:
    while os.read(0, _PART):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
