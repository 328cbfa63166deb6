"""Has the work of training done by a process of its own, so that the service stays light and outlives it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from training.retraining.runs import RUNS, Runs, worker_at_work

if TYPE_CHECKING:
    from serving.advisor import Advisor

MOST_STARTS = 3
"""Workers started for what is waiting: one that dies leaves its run to the next, one that dies each time is left."""
POLL_SECONDS = 2.0
"""Between looks at whether another process still works on the runs."""
WORKER_LOG = "worker.log"
SECRETS = frozenset({"LOADLINE_TOKEN", "LOADLINE_METRICS_TOKEN", "LOADLINE_OIDC_CLIENT_SECRET"})
"""Variables that a worker has no use for."""

_log = logging.getLogger("loadline.serving")


class Jobs:
    """Starts a worker where runs are waiting and nobody works on them; one for an application.

    Parameters
    ----------
    advisor : Advisor
    command : sequence of str, optional
        The program and its arguments, instead of `loadline worker --once` on the home.
    poll : float
        Seconds between looks.
    """

    def __init__(self, advisor: Advisor, *, command: Sequence[str] | None = None, poll: float = POLL_SECONDS) -> None:
        settings = advisor.settings
        self.home = settings.home
        usual = (sys.executable, "-m", "serving.cli", "worker", "--home", str(settings.home.resolve()), "--once")
        self._command = tuple(command or usual)
        told = {"LOADLINE_STORE_URL": settings.store_url, "MLFLOW_TRACKING_URI": settings.tracking_uri}
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        self._environment = kept | {name: value for name, value in told.items() if value is not None}
        self._runs = Runs(self.home, advisor.now)
        self._poll = poll
        self._lock = threading.Lock()
        self._asked, self._attending, self._errand = False, False, False
        self._closed = threading.Event()

    def wake(self, *, errand: bool = False) -> None:
        """See to it that what is waiting is worked on; returns at once.

        Parameters
        ----------
        errand : bool
            Start a worker even if nothing is waiting: it lets the registry's aliases follow the record.
        """
        with self._lock:
            self._asked = True
            self._errand = self._errand or errand
            if self._attending or self._closed.is_set():
                return
            self._attending = True
        threading.Thread(target=self._attend, name="jobs", daemon=True).start()

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
                self._look_after()
            except Exception:  # whatever it is, the next request is to be looked after
                _log.exception("waiting training runs could not be looked at")

    def _look_after(self) -> None:
        """Start workers until nothing is waiting.

        A worker that is about to end may not have seen the newest request, so what is waiting is looked at again
        once nobody is at work.
        """
        starts = 0
        while not self._closed.is_set() and (self._errand or self._runs.waiting()):
            if worker_at_work(self.home):
                self._closed.wait(self._poll)
                continue
            errand, self._errand = self._errand, False
            if starts == MOST_STARTS and not errand:
                _log.warning("training runs are waiting, and %d workers ended without finishing them", starts)
                return
            starts += not errand  # one that ran an errand has not failed a run
            if not self._work():
                return

    def _work(self) -> bool:
        """Run a worker to its end, in a session of its own: what stops the service does not reach it."""
        log = self.home / RUNS / WORKER_LOG
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with open(log, "ab") as output:
                process = subprocess.Popen(  # noqa: S603 - a command of our own, no shell
                    self._command,
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
            _log.warning("a worker ended with %d; %s tells more", code, log)
        return True
