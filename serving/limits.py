"""How often, how long and in what form the service may be asked."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.principal import who
from serving.errors import NOT_READY, TOO_MANY, WRONG_TYPE, ErrorAnswers

ALWAYS_ANSWERED = frozenset({"/healthz", "/readyz"})
"""A supervisor that gets no answer ends the process."""
MOST_BUCKETS = 10_000
"""Askers remembered; beyond it the one that has been silent for longest is forgotten, whose bucket is the fullest."""
RETRY_SECONDS = 10
"""After this a request may be sent again that took too long: whatever kept it is seldom over at once."""
UPLOADS = ("/import",)
"""Ends of the addresses that take files."""
FOR_PROGRAMS = "/api/"
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenBuckets:
    """Gives each asker a bucket of tokens that fills at a steady rate (a token bucket).

    Parameters
    ----------
    rate : float
        Tokens a second; 0 for no limit.
    burst : float
        Tokens that a bucket holds.
    among : int
        Processes that share the load: each gives its part.
    clock : callable
        Seconds, never going back.
    most : int
        Buckets remembered.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        among: int = 1,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_BUCKETS,
    ) -> None:
        self.rate, self.burst = rate / among, max(1.0, burst / among)
        self._clock, self._most = clock, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, asker: str, *, take: bool = True) -> float:
        """Take a token, or only look; give the seconds until there is one, 0 where there is."""
        if self.rate == 0:
            return 0.0
        now = self._clock()
        tokens, at = self._buckets.get(asker, (self.burst, now))
        tokens = min(self.burst, tokens + (now - at) * self.rate)
        missing = 1.0 - tokens
        if take:
            self._buckets[asker] = (tokens if missing > 0 else tokens - 1.0, now)
            self._buckets.move_to_end(asker)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return missing / self.rate if missing > 0 else 0.0


class PerStranger:
    """Slows down an address from which come requests of nobody known: refused, or on the way in.

    Parameters
    ----------
    app : ASGIApp
    buckets : TokenBuckets
    answer : ErrorAnswers
    """

    def __init__(self, app: ASGIApp, *, buckets: TokenBuckets, answer: ErrorAnswers) -> None:
        self.app, self.buckets, self.answer = app, buckets, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED or self.buckets.rate == 0:
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else ""
        seconds = self.buckets.wait(address, take=False)
        if seconds > 0:
            await _too_many(self.answer, scope, seconds)(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start" and "principal" not in scope.get("state", {}):
                self.buckets.wait(address)
            await send(message)

        await self.app(scope, receive, send_counted)


class PerPrincipal:
    """Slows down whoever asks too often; stands behind the gate, and notes for the log who asks.

    Parameters
    ----------
    app : ASGIApp
    buckets : TokenBuckets
    answer : ErrorAnswers
    """

    def __init__(self, app: ASGIApp, *, buckets: TokenBuckets, answer: ErrorAnswers) -> None:
        self.app, self.buckets, self.answer = app, buckets, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        principal = named(scope)
        if principal:
            seconds = self.buckets.wait(principal)
            if seconds > 0:
                await _too_many(self.answer, scope, seconds)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def named(scope: Scope) -> str:
    """Note in the state of the request who asks, and give it; blank for a stranger at an address open to all."""
    try:
        principal = who()
    except LoadlineError:
        return ""
    scope.setdefault("state", {})["principal"] = principal.id
    return principal.id


class TimeLimit:
    """Answers 503 where a request takes too long. What a thread does for it by then cannot be stopped, and ends."""

    def __init__(self, app: ASGIApp, *, seconds: float, answer: ErrorAnswers) -> None:
        self.app, self.seconds, self.answer = app, seconds, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or self.seconds == 0:
            await self.app(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        limit = asyncio.timeout(self.seconds)
        try:
            async with limit:
                await self.app(scope, receive, send_noted)
        except TimeoutError:
            if started or not limit.expired():
                raise
            detail = f"the request took more than {self.seconds:g} seconds"
            hint = "It may have been carried out all the same: look, or send it again with its Idempotency-Key."
            headers = {"Retry-After": str(RETRY_SECONDS)}
            await self.answer(scope, NOT_READY, detail=detail, hint=hint, headers=headers)(scope, receive, send)


class JsonOnly:
    """Refuses anything but JSON below `FOR_PROGRAMS`, except where files are taken.

    A form on another site can send text and forms in a person's name, and nothing else without asking first.
    """

    def __init__(self, app: ASGIApp, *, answer: ErrorAnswers) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if (
            scope["type"] != "http"
            or scope["method"] in _BODILESS
            or not scope["path"].startswith(FOR_PROGRAMS)
            or scope["path"].endswith(UPLOADS)
        ):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bodiless = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
        given = headers.getlist("content-type")
        if bodiless or (len(given) == 1 and is_json(given[0])):
            await self.app(scope, receive, send)
            return
        refusal = self.answer(
            scope,
            WRONG_TYPE,
            detail="the body is not said to be JSON",
            hint="Send Content-Type: application/json",
            headers={"Accept-Post": "application/json"} if scope["method"] == "POST" else None,
        )
        await refusal(scope, receive, send)


def is_json(content_type: str) -> bool:
    """Tell whether a content type is JSON.

    >>> is_json("application/json; charset=utf-8"), is_json("application/merge-patch+json"), is_json("text/plain")
    (True, True, False)
    """
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _too_many(answer: ErrorAnswers, scope: Scope, seconds: float) -> Response:
    headers = {"Retry-After": str(math.ceil(seconds))}
    hint = "Ask less often, wait as long as Retry-After says, or have LOADLINE_RATE raised."
    return answer(scope, TOO_MANY, detail="you ask too often", hint=hint, headers=headers)
