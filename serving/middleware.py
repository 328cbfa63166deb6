"""What every request passes on its way in and out, as plain ASGI: id, headers, host, size, HEAD and ETag."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection

from starlette._utils import parse_host_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import TOO_LARGE, UNEXPECTED, UNKNOWN_HOST, ErrorAnswers, request_id

log = logging.getLogger("loadline.serving")

MAX_BODY = 1 << 20
"""Bytes of a request; nothing that the service takes comes near it."""
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
    """Gives each request an id and each response its headers; what nobody expected becomes a 500 that tells nothing."""

    def __init__(self, app: ASGIApp, *, answer: ErrorAnswers) -> None:
        self.app = app
        self.answer = answer

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
            await send(message)

        try:
            await self.app(scope, receive, send_sealed)
        except Exception:
            log.exception("%s failed: %s %s", name, scope["method"], scope["path"].encode("unicode_escape").decode())
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
    """Refuses requests with more than `MAX_BODY` bytes, whether they say so or not."""

    def __init__(self, app: ASGIApp, *, answer: ErrorAnswers, limit: int = MAX_BODY) -> None:
        self.app = app
        self.answer = answer
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and int(told) > self.limit:
            await self._refuse(scope, receive, send)
            return
        read, started = 0, False

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.limit:
                raise _TooLargeError
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive_counted, send_noted)
        except _TooLargeError:
            if started:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a request may have at most {self.limit:,} bytes"
        await self.answer(scope, TOO_LARGE, detail=detail, headers={"Connection": "close"})(scope, receive, send)


class _TooLargeError(Exception):
    pass


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
