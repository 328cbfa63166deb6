"""Watches each request from the outside: counts and times it, and writes one line about it."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.identity.entrance import ENTRANCE
from serving.logs import answering, request_answered
from serving.metrics import METHODS, UNNAMED, Metrics

CUT_OFF = 499
"""Counted where whoever asked has left before there was an answer; never sent."""
REFUSED_SIGN_IN = frozenset({401, 429})


class Observed:
    """Counts, times and logs what is answered inside; the outermost of all.

    Parameters
    ----------
    app : ASGIApp
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        before = answering.set(state)
        status = CUT_OFF

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        self.metrics.begun()
        try:
            await self.app(scope, receive, send_seen)
        finally:
            seconds = time.perf_counter() - began
            operation = state.get("operation", UNNAMED)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.ended(operation=operation, method=method, status=status, seconds=seconds)
            if scope["path"] == ENTRANCE and status in REFUSED_SIGN_IN:
                self.metrics.sign_in_failed()
            fields = {"operation": operation, "method": method, "status": status, "ms": round(seconds * 1e3, 2)}
            if "problem" in state:
                fields["problem"] = state["problem"]
            request_answered(fields)
            answering.reset(before)
