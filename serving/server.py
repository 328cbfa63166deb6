"""Serving over HTTP until told to stop, and then stopping without dropping anybody."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from features.errors import LoadlineError

if TYPE_CHECKING:
    from serving.advisor import Advisor

DRAIN_SECONDS = 30
"""How long requests in flight may take to finish once the service is told to stop."""
BACKLOG = 512
"""Connections that may wait; a burst is not refused."""
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve(advisor: Advisor, *, host: str, port: int, say: Callable[[str], object]) -> None:
    """Serve the API and the console until SIGTERM or Ctrl-C.

    Parameters
    ----------
    advisor : Advisor
        Its settings may hold the key (`LOADLINE_TOKEN`); otherwise one is made and shown once, in a link.
    host : str
        Address to listen on.
    port : int
        Port to listen on; 0 for any that is free.
    say : callable
        Tells the address.

    Raises
    ------
    LoadlineError
        Where the address cannot be had, or the key could be guessed.
    """
    import uvicorn

    from serving.app import create_app

    given = advisor.settings.token
    token = given.get_secret_value() if given is not None else secrets.token_urlsafe(32)
    shown = ANY_ADDRESS.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    app = create_app(advisor, token=token, hosts=(shown,))
    listening = _listen(host, port)
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    if given is None:
        say(f"Loadline is at {address}?token={token}")
        say("The link opens the console; programs send the token as `Authorization: Bearer ...`.")
    else:
        say(f"Loadline is at {address} - sign in with the key in LOADLINE_TOKEN.")
    if host not in LOOPBACK:
        say("Others can reach this address, and nothing is encrypted: put a TLS proxy in front of it.")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # the link's token would end up in it
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=64 << 10,
    )
    threading.Thread(target=_prepare, daemon=True).start()
    with listening, _stops_quietly():
        uvicorn.Server(config).run(sockets=[listening])


def _prepare() -> None:
    """Load and compile in the background what the first explanation of a score would wait for."""
    from models.scoring.shapley import prepare

    prepare()


def _listen(host: str, port: int) -> socket.socket:
    """Take the address at once, so that whoever follows the link finds somebody there."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise LoadlineError(
            f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}",
            where="--port",
            hint="Stop what uses it, or choose another: --port 8322",
        ) from error
    return listening


@contextmanager
def _stops_quietly() -> Iterator[None]:
    """Let the process live through the signals that the server, once it has stopped, raises again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
