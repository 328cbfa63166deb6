"""The HTTP server: gives up on those who never finish asking, and stops without dropping anybody."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.draining import Draining

HEAD_SECONDS = 10.0
"""The first line and the headers must have come by then; they fit into a few packets."""
HEAD_BYTES = 64 << 10
"""Of the first line and the headers; and of what comes without a byte of a body in it: chunks' marks, and trailers."""
FINISH_SECONDS = 30
"""How long requests in flight may take to finish once nothing new is taken."""
LOOK_SECONDS = 0.05
"""Between looks at whether anybody is connected."""
KEEP_ALIVE_SECONDS = 20
"""A connection that is not used ends; longer than a proxy's or a browser's pause between two requests of a page."""


class PatientProtocol(HttpToolsProtocol):
    """A connection that ends where the head of a request does not come within `HEAD_SECONDS` and `HEAD_BYTES`.

    The server's own limit counts between requests alone: a connection that sends nothing, or a byte now and then,
    would be held for ever, and one that never ends its headers, or what may follow a body, would fill the memory.
    """

    _late: asyncio.TimerHandle | None = None
    _in_head = True
    _moved = False
    _came = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; refuse a head that does not end."""
        self._moved = False
        super().data_received(data)
        self._came = 0 if self._moved else self._came + len(data)
        if self._came > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._in_head = True
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no more, and refuse a head that came at once and is too large."""
        self._in_head, self._moved = False, True
        self._wait_no_more()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise ValueError("the head of the request is too large")
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body is none, whatever it calls itself."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._moved = True
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """Told to stop by SIGTERM, it says that it is not ready, serves on for a while, and only then takes nothing new.

    Whoever sends requests here has that while to notice. Each answer says that it is the last on its connection, so
    that those who stay connected leave between two requests. Where nobody is connected there is nobody to wait for.

    Parameters
    ----------
    config : uvicorn.Config
    draining : Draining
    seconds : float
        How long to serve on; not after Ctrl-C, where somebody sits and waits.
    """

    def __init__(self, config: uvicorn.Config, *, draining: Draining, seconds: float) -> None:
        super().__init__(config)
        self._draining, self._seconds = draining, seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal."""
        self._draining.begin()
        if sig == signal.SIGINT:
            self._seconds = 0.0
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on for a while, then finish what is in flight."""
        self._draining.begin()
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        while self.server_state.connections and loop.time() < ends:
            await asyncio.sleep(min(LOOK_SECONDS, max(0.0, ends - loop.time())))
        await super().shutdown(sockets)


def built_server(app: ASGIApp, *, draining: Draining, seconds: float) -> DrainingServer:
    """Build the server of an application; see `run_server`."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,  # `serving.access_log` writes it, without what was asked
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        reset_contextvars=True,  # what one request was answered for must not be seen by the next on its connection
    )
    return DrainingServer(config, draining=draining, seconds=seconds)


def run_server(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    *,
    draining: Draining,
    seconds: float,
) -> None:
    """Serve an application until SIGTERM or Ctrl-C.

    Parameters
    ----------
    app : ASGIApp
    sockets : sequence of socket
        Already listening.
    draining : Draining
        Begins with the signal.
    seconds : float
        How long to serve on after SIGTERM.
    """
    server = built_server(app, draining=draining, seconds=seconds)
    with _stops_quietly(server):
        server.run(sockets=list(sockets))


@contextmanager
def _stops_quietly(server: DrainingServer) -> Iterator[None]:
    """Let the process live through the signals that come before the server listens to them, or that it raises again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
