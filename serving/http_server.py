"""The HTTP server: gives up on those who never finish asking, and stops without dropping anybody."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.draining import Draining

HEAD_SECONDS = 10.0
"""The first line and the headers must have come by then; they fit into a few packets."""
HEAD_BYTES = 64 << 10
"""Of the first line and the headers."""
FINISH_SECONDS = 30
"""How long requests in flight may take to finish once nothing new is taken."""
LOOK_SECONDS = 0.05
"""Between looks at whether anybody is connected."""
KEEP_ALIVE_SECONDS = 20
"""A connection that is not used ends; longer than a proxy's or a browser's pause between two requests of a page."""


class PatientProtocol(H11Protocol):
    """A connection that ends where the head of a request does not come within `HEAD_SECONDS`.

    The server's own limit counts between requests alone: a connection that sends nothing, or a byte now and then,
    would be held for ever.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; go on waiting where the head is not whole."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._wait_no_more()
        elif self._late is None and self.conn.trailing_data[0]:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        if self.conn.their_state is h11.IDLE:
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


def run_server(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    *,
    draining: Draining,
    seconds: float,
    protocol: type[PatientProtocol] = PatientProtocol,
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
    protocol : type of PatientProtocol
        Reads requests and writes answers.
    """
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,  # `serving.access_log` writes it, without what was asked
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        reset_contextvars=True,  # what one request was answered for must not be seen by the next on its connection
    )
    server = DrainingServer(config, draining=draining, seconds=seconds)
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
