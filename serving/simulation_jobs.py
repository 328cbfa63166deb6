"""Has simulations done by a process of its own, so that requests are answered meanwhile; what a kill leaves goes on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from serving.jobs import SECRETS
from serving.simulations import FOLDER

if TYPE_CHECKING:
    from serving.advisor import Advisor

POLL_SECONDS = 5.0
"""Between looks while another process works on one: its lease tells when it is dead."""
WORKER_LOG = "worker.log"

_log = logging.getLogger("loadline.serving")


class SimulationJobs:
    """Starts a worker where simulations wait and nobody works on them; one for an application.

    Parameters
    ----------
    advisor : Advisor
    command : sequence of str, optional
        The program and its arguments, instead of `serving.simulation_worker` on the home; the worker's name follows.
    poll : float
        Seconds between looks.
    """

    def __init__(self, advisor: Advisor, *, command: Sequence[str] | None = None, poll: float = POLL_SECONDS) -> None:
        settings = advisor.settings
        self._simulations, self._folder = advisor.simulations, settings.home / FOLDER
        usual = (sys.executable, "-m", "serving.simulation_worker", str(settings.home.resolve()))
        self._command = tuple(command or usual)
        told = {"LOADLINE_STORE_URL": settings.store_url, "MLFLOW_TRACKING_URI": settings.tracking_uri}
        if settings.database_url is not None:
            told["LOADLINE_DATABASE_URL"] = settings.database_url.get_secret_value()
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        self._environment = kept | {name: value for name, value in told.items() if value is not None}
        self._poll, self._lock, self._closed = poll, threading.Lock(), threading.Event()
        self._asked = self._attending = False

    def wake(self) -> None:
        """See to it that what is due is worked on; returns at once."""
        with self._lock:
            self._asked = True
            if self._attending or self._closed.is_set():
                return
            self._attending = True
        threading.Thread(target=self._attend, name="simulations", daemon=True).start()

    def close(self) -> None:
        """Look no more; a worker that has begun goes on."""
        self._closed.set()

    def _attend(self) -> None:
        while True:
            with self._lock:
                if not self._asked or self._closed.is_set():
                    self._attending = False
                    return
                self._asked = False
            try:
                while not self._closed.is_set() and self._simulations.pending():
                    if not self._simulations.due() or not self._work():
                        self._closed.wait(self._poll)
            except LoadlineError as error:
                _log.warning("waiting simulations could not be looked at: %s", error.what)
            except Exception:  # whatever it is, the next request is to be looked after
                _log.exception("waiting simulations could not be looked at")

    def _work(self) -> bool:
        """Run a worker to its end, in a session of its own; give whether it ended well."""
        worker = uuid.uuid4().hex
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(self._folder / WORKER_LOG, "ab") as output:
                process = subprocess.Popen(  # noqa: S603 - a command of our own, no shell
                    (*self._command, worker),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=self._environment,
                )
        except OSError as error:
            _log.warning("no worker could be started: %s", error.strerror)
            return False
        code = process.wait()
        if code:
            _log.warning("a worker on simulations ended with %d", code)
            self._simulations.release(worker)
        return code == 0
