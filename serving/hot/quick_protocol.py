"""A short way for requests of the plainest form: without the general parser, which costs as much as all the rest.

It takes a request only where nothing about it can be read in two ways: whole in one piece, nothing after it, HTTP/1.1,
a hot address, plain headers each on a line, a body of stated length. Whatever else comes goes to the general parser
from its first byte, so that there is one place that refuses, and none that guesses.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import h11
from starlette.types import Message, Scope

from serving.hot.front import PREDICT, TARGETS
from serving.http_server import PatientProtocol

ADDRESSES = (TARGETS.encode(), PREDICT.encode())
HEAD = re.compile(
    rb"(GET|POST) (/[!-~]{1,4096}) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}:[\t -~]{0,4096}\r\n){1,50})\r\n"
)
"""Each byte fits in one place alone, so that no head takes long to refuse."""
GENERAL = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer"})
"""Headers that change how a request is to be read."""
LENGTH_DIGITS = 7
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

log = logging.getLogger("loadline.serving")


class Plain:
    """A request of the plainest form.

    Attributes
    ----------
    method, path, query : str, str, bytes
    raw_path : bytes
    headers : list of (bytes, bytes)
        Names in lower case.
    body : bytes
    """

    __slots__ = ("body", "headers", "method", "path", "query", "raw_path")

    def __init__(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.raw_path, _, self.query = target.partition(b"?")
        self.method, self.path = method.decode(), unquote(self.raw_path.decode())
        self.headers, self.body = headers, body


def plain_request(data: bytes) -> Plain | None:
    """Read a request; None where it is not of the plainest form, or not whole, or not alone."""
    found = HEAD.match(data)
    if found is None or not found[2].startswith(ADDRESSES):
        return None
    headers, length, hosts = [], -1, 0
    for line in found[3][:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if name in GENERAL or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
        if name == b"content-length":
            if length >= 0 or not value.isdigit() or len(value) > LENGTH_DIGITS:
                return None
            length = int(value)
        hosts += name == b"host"
        headers.append((name, value))
    body = data[found.end() :]
    if hosts != 1 or len(body) != max(length, 0):
        return None
    return Plain(found[1], found[2], headers, body)


class QuickProtocol(PatientProtocol):
    """A connection on which plain requests take the short way."""

    _quick: _Cycle | None = None

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._quick is not None:
            self._quick.after += data  # the next request, sent before this one is answered
            self.flow.pause_reading()
            return
        idle = self.cycle is None or self.cycle.response_complete
        plain = plain_request(data) if idle and not self.conn.trailing_data[0] and not self.root_path else None
        if plain is None or not self._between_requests():
            super().data_received(data)
            return
        self._unset_keepalive_if_required()
        self._wait_no_more()
        self._quick = self.cycle = _Cycle(self, plain)  # type: ignore[assignment]
        task = self.loop.create_task(self._quick.run(), context=contextvars.Context())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def answered(self, *, stay: bool) -> None:
        """Go on to what came meanwhile; or end the connection."""
        quick, self._quick = self._quick, None
        self.on_response_complete()
        if not stay:
            self.transport.close()
        elif quick is not None and quick.after and not self.transport.is_closing():
            self.data_received(quick.after)

    def _between_requests(self) -> bool:
        """Tell whether the general parser has nothing begun."""
        return self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE


class _Cycle:
    """One request and its answer; has of uvicorn's own what its protocol looks at."""

    def __init__(self, protocol: QuickProtocol, plain: Plain) -> None:
        self._protocol, self._plain = protocol, plain
        self.after = b""
        self.keep_alive, self.disconnected, self.response_complete = True, False, False
        self.message_event = asyncio.Event()
        self._given = False
        self._head: tuple[int, Iterable[tuple[bytes, bytes]]] | None = None
        self._parts: list[bytes] = []

    async def run(self) -> None:
        """Have it answered."""
        try:
            await self._protocol.app(self._scope(), self.receive, self.send)  # type: ignore[arg-type]
        except Exception:
            log.exception("a request failed")
        if not self.response_complete:
            self.response_complete = True
            if not self.disconnected:
                self._protocol.transport.write(_FAILED)
            self._protocol.answered(stay=False)

    async def receive(self) -> Message:
        """Give the body, and later that whoever asked has gone."""
        if not self._given:
            self._given = True
            return {"type": "http.request", "body": self._plain.body, "more_body": False}
        while not (self.disconnected or self.response_complete):
            self.message_event.clear()
            await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep an answer until it is whole, and write it at once."""
        if message["type"] == "http.response.start":
            self._head = message["status"], message.get("headers", ())
            return
        if self.response_complete or self._head is None:
            raise RuntimeError("a part of an answer without its beginning, or after its end")
        self._parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        status, headers = self._head
        self.response_complete = True
        self.message_event.set()
        if self.disconnected:
            self._protocol.answered(stay=False)
            return
        body = b"".join(self._parts)
        stay = self.keep_alive and not any(name == b"connection" and value == b"close" for name, value in headers)
        self._protocol.transport.write(written(status, [*self._defaults(), *headers], body, stay=stay))
        self._protocol.answered(stay=stay)

    def _defaults(self) -> Iterable[tuple[bytes, bytes]]:
        return self._protocol.server_state.default_headers

    def _scope(self) -> Scope:
        protocol, plain = self._protocol, self._plain
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": protocol.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": protocol.server,
            "client": protocol.client,
            "scheme": protocol.scheme,
            "method": plain.method,
            "root_path": "",
            "path": plain.path,
            "raw_path": plain.raw_path,
            "query_string": plain.query,
            "headers": plain.headers,
            "state": protocol.app_state.copy(),
        }
        return scope


def written(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, stay: bool) -> bytes:
    """Write an answer.

    Raises
    ------
    ValueError
        Where a header would end its line.
    """
    bodiless = status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    lines, told, closing = [_STATUS[status]], False, False
    for name, value in headers:
        if b"\r" in value or b"\n" in value or b"\0" in value:
            raise ValueError("a header of more than a line")
        told, closing = told or name == b"content-length", closing or name == b"connection"
        lines.append(b"%b: %b\r\n" % (name, value))
    if not told and not bodiless:
        lines.append(b"content-length: %d\r\n" % len(body))
    if not stay and not closing:
        lines.append(b"connection: close\r\n")
    lines.append(b"\r\n")
    if not bodiless:
        lines.append(body)
    return b"".join(lines)
