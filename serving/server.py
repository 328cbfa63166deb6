"""Serving over HTTP until told to stop, and then stopping without dropping anybody."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from serving.draining import Draining

if TYPE_CHECKING:
    from serving.advisor import Advisor
    from serving.settings import Settings

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
    from serving.app import create_app
    from serving.http_server import run_server
    from serving.logs import configure

    settings, draining = advisor.settings, Draining()
    token = key_of(settings)
    app = create_app(advisor, token=token, hosts=(shown_host(host),), draining=draining)
    listening = listen(host, port)
    announced(settings, host=host, listening=listening, token=token, say=say)
    configure(form=settings.log_format, level=settings.log_level)
    threading.Thread(target=prepare, daemon=True).start()
    with listening:
        run_server(app, [listening], draining=draining, seconds=settings.drain_seconds)


def prepare() -> None:
    """Load and compile in the background what the first explanation of a score would wait for."""
    from models.scoring.shapley import prepare

    prepare()


def key_of(settings: Settings) -> str:
    """Give the machine's own key: the one that was set, else a new one.

    Raises
    ------
    LoadlineError
        Where it could be guessed.
    """
    from serving.local_key import check_token

    return secrets.token_urlsafe(32) if settings.token is None else check_token(settings.token.get_secret_value())


def shown_host(host: str) -> str:
    """Give the name under which an address that is listened on can be reached from here."""
    shown = ANY_ADDRESS.get(host, host)
    return f"[{shown}]" if ":" in shown else shown


def announced(
    settings: Settings, *, host: str, listening: socket.socket, token: str, say: Callable[[str], object]
) -> None:
    """Tell where the service is, and how to come in: by the machine's own key only while there are no people."""
    from serving.identity.people_kept import has_people

    address = f"http://{shown_host(host)}:{listening.getsockname()[1]}/"
    if settings.token is None and has_people(settings):
        say(f"Loadline is at {address} - sign in with your name; programs need keys: `loadline key create`.")
    elif settings.token is None:
        say(f"Loadline is at {address}?token={token}")
        say("The link opens the console; programs send the token as `Authorization: Bearer ...`.")
    else:
        say(f"Loadline is at {address} - sign in with the key in LOADLINE_TOKEN.")
    if host not in LOOPBACK:
        say("Others can reach this address, and nothing is encrypted: put a TLS proxy in front of it.")


def listen(host: str, port: int) -> socket.socket:
    """Take the address at once, so that whoever follows the link finds somebody there.

    Raises
    ------
    LoadlineError
        Where it cannot be had.
    """
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
