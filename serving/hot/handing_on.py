"""Hands a request on to the whole application as it came, and its answer back, both while they are still coming.

The whole application listens on a socket in the home that only its owner can open. It checks each request by itself, as
if it had come straight to it; only where the request came from is told, in a header that nobody else can set.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import NOT_READY, ErrorAnswers

FROM = b"x-loadline-from"
"""Header in which the whole application is told who is connected: address, port and scheme."""
PATIENCE_SECONDS = 10.0
"""A request waits for so long for the whole application to come back: to start takes it some four seconds."""
AGAIN_SECONDS = 0.05
"""Between attempts to reach it."""
RETRY_AFTER_SECONDS = 5
PART = 64 << 10
"""Bytes passed on at a time."""
HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"}
)
"""Headers of one connection (RFC 9110, 7.6.1); the body is framed anew."""
NEVER_LEFT_OUT = frozenset({b"host", b"content-length"})
"""Whoever names these as headers of the connection asks for what is no request any more."""
OURS = frozenset({b"date", b"server"})
"""Headers that the server puts on every answer itself."""

log = logging.getLogger("loadline.serving")


class HandingOn:
    """Hands requests on.

    Parameters
    ----------
    socket : Path
        On which the whole application listens.
    answer : ErrorAnswers
    patience : float
        Seconds to wait for it.
    """

    def __init__(self, socket: Path, *, answer: ErrorAnswers, patience: float = PATIENCE_SECONDS) -> None:
        self._socket, self._answer, self._patience = str(socket), answer, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            reader, writer = await self._connected()
        except OSError:
            await self._away(scope, "the whole application is not there at the moment")(scope, receive, send)
            return
        exchange = _Exchange(reader, writer)
        try:
            await exchange.run(scope, receive, send_noted)
        except (OSError, EOFError, h11.RemoteProtocolError) as error:
            if exchange.left:  # nobody waits for an answer any more
                return
            if started:  # the connection is cut, so that nobody takes a part for the whole
                raise ConnectionError("the answer ended early") from error
            log.warning("an answer was lost: the whole application ended meanwhile")
            what = "the whole application ended before it answered; what was asked may have been done"
            await self._away(scope, what)(scope, receive, send)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; where nobody listens nothing was sent, so that it can be tried again."""
        ends = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                return await asyncio.open_unix_connection(self._socket)
            except OSError:
                if asyncio.get_running_loop().time() >= ends:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    def _away(self, scope: Scope, what: str) -> ASGIApp:
        hint = "Look whether it was done, or send it again with its Idempotency-Key."
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return self._answer(scope, NOT_READY, detail=what, hint=hint, headers=headers)


class _Exchange:
    """One request and its answer on a connection of their own."""

    left = False
    """Whether whoever asked has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._write(_request(scope))
        asking = asyncio.create_task(self._ask(receive))
        try:
            await self._answer(send)
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError, OSError, h11.LocalProtocolError):
                await asking

    async def _ask(self, receive: Receive) -> None:
        """Pass the body on; end the connection once whoever asks has gone."""
        whole = False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left = True
                self._writer.transport.abort()
                return
            if whole:
                continue
            body = message.get("body", b"")
            if body:
                self._write(h11.Data(data=body))
                await self._writer.drain()
            if not message.get("more_body", False):
                self._write(h11.EndOfMessage())
                whole = True

    async def _answer(self, send: Send) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(PART)
                self._http.receive_data(data)
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise EOFError
            elif isinstance(event, h11.Response):
                headers = [(name, value) for name, value in event.headers if name not in HOP_BY_HOP | OURS]
                await send({"type": "http.response.start", "status": event.status_code, "headers": headers})
            elif isinstance(event, h11.Data):
                await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
            elif isinstance(event, h11.EndOfMessage):
                await send({"type": "http.response.body", "body": b""})
                return
            elif not isinstance(event, h11.InformationalResponse):
                raise EOFError

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)


def _request(scope: Scope) -> h11.Request:
    """Write the head of a request as it came."""
    told = [value for name, value in scope["headers"] if name == b"connection"]
    named = {name.strip().lower() for value in told for name in value.split(b",")}
    left_out = HOP_BY_HOP | {FROM} | (named - NEVER_LEFT_OUT)
    headers = [(name, value) for name, value in scope["headers"] if name not in left_out]
    if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        headers.append((b"transfer-encoding", b"chunked"))
    host, port = scope.get("client") or ("", 0)
    headers += [(b"connection", b"close"), (FROM, f"{host} {port} {scope['scheme']}".encode())]
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return h11.Request(method=scope["method"], target=target, headers=headers)


class ToldFrom:
    """In the whole application: takes from the header of `HandingOn` who is connected, and takes the header away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            told = [value for name, value in scope["headers"] if name == FROM]
            headers = [(name, value) for name, value in scope["headers"] if name != FROM]
            host, port, scheme = told[0].decode().split(" ") if len(told) == 1 else ("", "0", "http")
            scope = {**scope, "headers": headers, "client": (host, int(port)), "scheme": scheme}
        await self.app(scope, receive, send)
