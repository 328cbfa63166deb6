"""The whole application behind small processes: `python -m serving.whole`, started by `serving.workers`."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

from serving.draining import Draining
from serving.hot.order import Order

BACKLOG = 512
"""Connections that may wait; a burst is not refused."""


def main() -> None:
    """Serve until told to stop."""
    from serving.advisor import Advisor
    from serving.app import create_app
    from serving.hot.handing_on import ToldFrom
    from serving.http_server import run_server
    from serving.logs import configure
    from serving.server import prepare

    order, draining = Order.read(), Draining()
    configure(form=order.settings.log_format, level=order.settings.log_level)
    advisor = Advisor(order.settings)
    app = create_app(advisor, token=order.token, hosts=order.hosts, draining=draining, publish=True)
    threading.Thread(target=prepare, daemon=True).start()
    with door(order.door) as listening:
        run_server(ToldFrom(app), [listening], draining=draining, seconds=0.0)


def door(place: Path) -> socket.socket:
    """Listen on a socket in the file system that only the owner of the process can open."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        place.unlink()  # what a killed process has left
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(place))
    finally:
        os.umask(before)
    listening.listen(BACKLOG)
    return listening


if __name__ == "__main__":
    main()
