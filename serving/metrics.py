"""What Prometheus scrapes: requests by operation, how long they take, and how the process fares.

Labels name operations, methods and statuses: never an address, a unit or a person.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LoadlineError

ADDRESS = "/metrics"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names a folder in which several processes keep what they count, so that each tells the sum; prometheus-client's."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: from the fastest answer to the longest allowed."""
UNNAMED = "none"
"""Operation of what was refused before anybody knew what it was for."""
MIN_LENGTH = 16
"""Characters of the scraper's token; with fewer, it could be found by trying."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Any other is counted as `other`: whoever asks must not be able to make labels."""


class Metrics:
    """Counts what a process answers. In several processes, `SHARED` must be set before this is imported.

    Parameters
    ----------
    also : iterable of Collector
        Asked at each scrape: what is looked up rather than counted.
    """

    def __init__(self, also: Iterable[Collector] = ()) -> None:
        self._counted, self._also = CollectorRegistry(), CollectorRegistry()
        for collector in also:
            self._also.register(collector)
        labels = ("operation", "method", "status")
        kept = self._counted
        self._requests = Counter("loadline_requests", "Requests answered.", labels, registry=kept)
        self._seconds = Histogram(
            "loadline_request_seconds", "Time to answer.", ("operation",), buckets=BUCKETS, registry=kept
        )
        self._in_flight = Gauge(
            "loadline_requests_in_flight", "Being answered.", registry=kept, multiprocess_mode="livesum"
        )
        self._sign_ins = Counter("loadline_sign_in_failures", "Attempts to sign in that failed.", registry=kept)
        self._children: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def begun(self) -> None:
        """Count a request in."""
        self._in_flight.inc()

    def ended(self, *, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a request out; the method is one of `METHODS` or `other`."""
        self._in_flight.dec()
        key = (operation or UNNAMED, method, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(*(str(part) for part in key))
        child.inc()
        timer = self._timers.get(key[0])
        if timer is None:
            timer = self._timers[key[0]] = self._seconds.labels(key[0])
        timer.observe(seconds)

    def sign_in_failed(self) -> None:
        """Count an attempt to sign in that failed."""
        self._sign_ins.inc()

    def text(self) -> bytes:
        """Give everything in Prometheus' text format, summed over the processes that share it."""
        counted = self._counted
        if SHARED in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)
        return generate_latest(counted) + generate_latest(self._also)

    def response(self) -> Response:
        """Answer a scrape."""
        return Response(self.text(), headers={"content-type": CONTENT_TYPE_LATEST})


def checked(token: SecretStr | None) -> SecretStr | None:
    """Refuse a token that could be guessed.

    Raises
    ------
    LoadlineError
        Where it is too short.
    """
    if token is not None and len(token.get_secret_value()) < MIN_LENGTH:
        hint = "Use a longer one, or leave it unset: then a key is needed to scrape."
        raise LoadlineError(
            f"the token has fewer than {MIN_LENGTH} characters", where="LOADLINE_METRICS_TOKEN", hint=hint
        )
    return token


def forget(process: int) -> None:
    """Leave out of the sums what a process that has ended had in flight; what it has answered still counts."""
    if SHARED in os.environ:
        mark_process_dead(process)


class Scrape:
    """Answers `ADDRESS` to whoever has the token made for that; all others go on, and need a key.

    Parameters
    ----------
    app : ASGIApp
    metrics : Metrics
    token : SecretStr, optional
        None: a key is always needed.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, token: SecretStr | None) -> None:
        self.app, self.metrics = app, metrics
        self._expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if (
            self._expected is None
            or scope["type"] != "http"
            or scope["path"] != ADDRESS
            or scope["method"] not in ("GET", "HEAD")
        ):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("authorization")
        if len(given) == 1 and hmac.compare_digest(given[0].encode("latin-1"), self._expected):
            scope.setdefault("state", {})["operation"] = "metrics"
            response = await run_in_threadpool(self.metrics.response)  # it looks into the database
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, send)
