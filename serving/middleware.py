"""What every request passes on its way in and out, as plain ASGI: id, headers, host, size, HEAD and ETag."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Collection, Mapping

from starlette._utils import parse_host_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.draining import Draining
from serving.errors import TOO_LARGE, TOO_SLOW, UNEXPECTED, UNKNOWN_HOST, ErrorAnswers, request_id

log = logging.getLogger("loadline.serving")

MAX_BODY = 1 << 20
"""Bytes of a request; nothing but a file comes near it."""
LARGER: Mapping[str, int] = {"/import": 8 << 20, "/predictions": 8 << 20, "/predictions/explanation": 8 << 20}
"""Bytes for addresses that end so: a sheet of 100,000 lines has five million, 5,000 rows of 100 figures as many."""
BODY_SECONDS = 30.0
"""A body must have come by then: 8 MiB need 2 Mbit/s."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Pages load a style sheet and an icon from here, run no script, and cannot be framed."""
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""Put on every response that does not set its own."""
REVALIDATE = "private, no-cache"
"""What has an ETag may be kept by who asked, and is asked for again each time."""


class Envelope:
    """Gives each request an id and each response its headers; what nobody expected becomes a 500 that tells nothing.

    Parameters
    ----------
    app : ASGIApp
    answer : ErrorAnswers
    draining : Draining
        Once it has begun, each answer says that it is the last on its connection.
    """

    def __init__(self, app: ASGIApp, *, answer: ErrorAnswers, draining: Draining) -> None:
        self.app = app
        self.answer = answer
        self.draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = name
        started = False

        async def send_sealed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = name
                if "etag" in headers:
                    headers.setdefault("cache-control", REVALIDATE)
                for header, value in HEADERS.items():
                    headers.setdefault(header, value)
                if self.draining.begun:
                    headers["connection"] = "close"
            await send(message)

        try:
            await self.app(scope, receive, send_sealed)
        except ClientDisconnect:
            log.info("whoever asked left before the end of the request")
        except Exception:
            log.exception("%s failed: %s", name, scope["state"].get("operation", "an unknown address"))
            if started:
                raise
            response = self.answer(
                scope,
                UNEXPECTED,
                detail="the request could not be answered",
                hint=f"Ask whoever runs the service to look for {request_id(scope)} in its log.",
            )
            await response(scope, receive, send_sealed)


class HeadAsGet:
    """Answers HEAD as GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, send_head)


class HostGuard:
    """Refuses host names that are not the service's own, so that no other site can point its name at it."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], answer: ErrorAnswers) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan" or self._knows(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            response = self.answer(
                scope,
                UNKNOWN_HOST,
                detail="the Host header names a host that is not allowed",
                hint="Use the address that was printed at the start, or add the name to LOADLINE_ALLOWED_HOSTS.",
            )
            await response(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _knows(self, scope: Scope) -> bool:
        named = Headers(scope=scope).getlist("host")
        parsed = parse_host_header(named[0]) if len(named) == 1 else None
        return parsed is not None and parsed.host.lower() in self.hosts


class BodyLimit:
    """Refuses requests with too many bytes, whether they say so or not, and those whose bytes come too slowly.

    Parameters
    ----------
    app : ASGIApp
    answer : ErrorAnswers
    limit : int
        Bytes.
    larger : Mapping
        Bytes for addresses that end so.
    seconds : float
        From the first look at the body to its end.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        answer: ErrorAnswers,
        limit: int = MAX_BODY,
        larger: Mapping[str, int] = LARGER,
        seconds: float = BODY_SECONDS,
    ) -> None:
        self.app = app
        self.answer = answer
        self.limit, self.larger, self.seconds = limit, larger, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if "content-length" not in headers and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        limit = next((size for end, size in self.larger.items() if scope["path"].endswith(end)), self.limit)
        told = headers.get("content-length", "0")
        if told.isdecimal() and int(told) > limit:
            await self._too_large(scope, limit)(scope, receive, send)
            return
        body = _Body(receive, limit=limit, seconds=self.seconds)
        started = False

        async def send_unless_broken(message: Message) -> None:
            nonlocal started
            if body.trouble is None or started:
                started = True
                await send(message)

        try:
            await self.app(scope, body.receive, send_unless_broken)
        except _BodyError:
            if started:
                raise
        if body.trouble is None or started:
            return
        if body.trouble == "size":
            response = self._too_large(scope, limit)
        else:
            detail = f"the body did not come within {self.seconds:g} seconds"
            response = self.answer(scope, TOO_SLOW, detail=detail, headers={"Connection": "close"})
        await response(scope, receive, send)

    def _too_large(self, scope: Scope, limit: int) -> Response:
        detail = f"a request may have at most {limit:,} bytes"
        return self.answer(scope, TOO_LARGE, detail=detail, headers={"Connection": "close"})


class _BodyError(Exception):
    """Ends the reading of a body; frameworks may turn it into an answer of their own, which is then not sent."""


class _Body:
    """A body as it comes in, counted and timed.

    Attributes
    ----------
    trouble : {"size", "time"} or None
        What it was cut off for.
    """

    def __init__(self, receive: Receive, *, limit: int, seconds: float) -> None:
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._read, self._ends, self._whole = 0, 0.0, False
        self.trouble: str | None = None

    async def receive(self) -> Message:
        """Give the next part."""
        if self._whole:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._ends = self._ends or now + self._seconds
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            self.trouble = "time"
            raise _BodyError from None
        self._read += len(message.get("body", b""))
        if self._read > self._limit:
            self.trouble = "size"
            raise _BodyError
        self._whole = not message.get("more_body", False)
        return message


class ConditionalGet:
    """Answers 304 where the caller has what the ETag names."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        held = Headers(scope=scope).get("if-none-match") if scope["type"] == "http" else None
        if held is None or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        tags = {tag.strip().removeprefix("W/") for tag in held.split(",")}
        unchanged = False

        async def send_if_changed(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = MutableHeaders(scope=message)
                etag = headers.get("etag")
                if etag is not None and (etag in tags or "*" in tags):
                    unchanged = True
                    for name in ("content-length", "content-type"):
                        del headers[name]
                    message = {**message, "status": 304}
            elif unchanged and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, send_if_changed)
