"""Several processes: small ones in front, the whole application behind, and this one, which sees to it that they live.

It loads nothing of what they load, so that what ends them does not end it.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from serving.hot.order import Order
from serving.hot.sheet import FOLDER
from serving.settings import Settings

DOOR = "whole.sock"
LONGEST_DOOR = 100
"""Bytes of a socket's address: systems take 103 to 107."""
LOOK_SECONDS = 0.1
"""Between looks at whether all processes live."""
LONG_LIFE_SECONDS = 10.0
"""What lived for so long did not die of how it starts, and is started again at once."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 15.0
"""What dies young is started again after a pause that doubles each time."""
STOP_SECONDS = 40.0
"""A process finishes what it has within `serving.http_server.FINISH_SECONDS`; what has not ended by then is killed."""
FRONT, WHOLE = "serving.hot.worker", "serving.whole"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Of a small process: it answers single rows, and each thread of a library would keep memory of its own."""
COUNTED = "PROMETHEUS_MULTIPROC_DIR"
SECRET = ("LOADLINE_TOKEN",)
"""Variables that the processes are told otherwise."""

log = logging.getLogger("loadline.serving")


class Supervised:
    """A process that is started again whenever it ends.

    Parameters
    ----------
    module : str
        What it runs.
    order : Order
    environment : dict
    clock : callable
        Seconds, never going back.
    """

    def __init__(
        self, module: str, order: Order, environment: dict[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.module = module
        self.process: subprocess.Popen[bytes] | None = None
        self._order, self._environment, self._clock = order, environment, clock
        self._began, self._pause, self._due = 0.0, 0.0, 0.0

    def start(self) -> None:
        """Start it."""
        self._began = self._clock()
        self.process = subprocess.Popen(  # noqa: S603 - one of two modules of this program
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            env=self._environment,
            pass_fds=(self._order.listening,) if self._order.listening >= 0 else (),
            start_new_session=True,  # Ctrl-C is for this process, which stops the others in their order
        )
        assert self.process.stdin is not None
        try:
            self._order.write(self.process.stdin)
        except BrokenPipeError:
            log.error("%s ended as it began", self.module)

    def look(self) -> int | None:
        """Start it again where it has ended and the time has come; give the number of one that was found ended."""
        now = self._clock()
        if self.process is None:
            if now >= self._due:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        ended, lived = self.process.pid, now - self._began
        self._close()
        longer = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause))
        self._pause = 0.0 if lived >= LONG_LIFE_SECONDS else longer
        self._due = now + self._pause
        log.error("%s ended with %d after %.0f s and is started again", self.module, code, lived)
        return ended

    def tell(self) -> None:
        """Tell it to stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, ends: float) -> None:
        """Wait until it has stopped, and no longer than that."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, ends - self._clock()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process = None


def serve_with_workers(settings: Settings, *, host: str, port: int, workers: int, say: Callable[[str], object]) -> None:
    """Serve until SIGTERM or Ctrl-C, with so many small processes in front of the whole application.

    Parameters
    ----------
    settings : Settings
    host : str
        Address to listen on.
    port : int
        Port to listen on; 0 for any that is free.
    workers : int
    say : callable
        Tells the address.

    Raises
    ------
    LoadlineError
        Where the address cannot be had, the key could be guessed, or the database is not for several processes.
    """
    from serving.logs import configure
    from serving.server import announced, key_of, listen, shown_host

    token = key_of(settings)
    listening = listen(host, port)
    configure(form=settings.log_format, level=settings.log_level)
    counted = Path(tempfile.mkdtemp(prefix="loadline-counted-"))
    try:
        order = Order(settings, token, (shown_host(host),), _door(settings.home, counted), among=workers)
        with _told_to_stop() as stop, _started(order, listening, workers=workers, counted=counted) as processes:
            _checked(settings, workers)
            announced(settings, host=host, listening=listening, token=token, say=say)
            _watch_over(processes, stop)
    finally:
        shutil.rmtree(counted, ignore_errors=True)


def _door(home: Path, temporary: Path) -> Path:
    """Give the place of the socket: in the home, or where that would be too long, in a folder that is ours alone."""
    place = home.resolve() / FOLDER / DOOR
    return place if len(os.fsencode(place)) <= LONGEST_DOOR else temporary / DOOR


@contextmanager
def _started(order: Order, listening: socket.socket, *, workers: int, counted: Path) -> Iterator[list[Supervised]]:
    """Start all processes, and stop them in their order in the end."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRET}
    environment |= {COUNTED: str(counted)}
    os.environ[COUNTED] = str(counted)
    front = replace(order, listening=listening.fileno())
    fronts = [Supervised(FRONT, front, environment | ONE_THREAD) for _ in range(workers)]
    whole = Supervised(WHOLE, order, environment)
    try:
        for one in (*fronts, whole):
            one.start()
        yield [*fronts, whole]
    finally:
        listening.close()
        _stop(fronts)
        _stop([whole])
        os.environ.pop(COUNTED, None)


def _checked(settings: Settings, workers: int) -> None:
    """Refuse a database that is not for several processes; looked at while they load, before any of them writes."""
    from serving.database.connection import Database
    from serving.database.guard import check_processes

    check_processes(Database.of(settings), workers=workers + 1)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Give what is set by SIGTERM and Ctrl-C, which end nothing by themselves until all has been stopped in order."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch_over(processes: list[Supervised], stop: threading.Event) -> None:
    """Start again what ends, until told to stop."""
    while not stop.wait(LOOK_SECONDS):
        for one in processes:
            ended = one.look()
            if ended is not None:
                _forget(ended)


def _stop(processes: list[Supervised]) -> None:
    """Tell processes to stop, and wait for them; the whole application is told last, since the others hand on to it."""
    ends = time.monotonic() + STOP_SECONDS
    for one in processes:
        one.tell()
    for one in processes:
        one.wait(ends)


def _forget(process: int) -> None:
    from serving.metrics import forget

    forget(process)
