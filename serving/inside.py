"""A service inside a running program, for notebooks and trials: real HTTP, on this machine alone."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from serving.client import Loadline

if TYPE_CHECKING:
    from serving.advisor import Advisor

HOST = "127.0.0.1"


@contextmanager
def service_inside(advisor: Advisor) -> Iterator[Loadline]:
    """Serve on a free port for as long as it is needed, and give a client that has the machine's own key.

    Parameters
    ----------
    advisor : Advisor
        Whose home is served; it can be used beside.

    Examples
    --------
    ::

        with service_inside(Advisor(Settings(home=home))) as service:
            print(service.service.readiness().status)
    """
    from serving.app import create_app
    from serving.draining import Draining
    from serving.http_server import built_server
    from serving.server import listen

    key, draining = secrets.token_urlsafe(32), Draining()
    app = create_app(advisor, token=key, draining=draining)
    with listen(HOST, 0) as listening:
        server = built_server(app, draining=draining, seconds=0.0)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="service-inside")
        thread.start()
        try:
            with Loadline(f"http://{HOST}:{listening.getsockname()[1]}", key) as service:
                yield service
        finally:
            server.should_exit = True
            thread.join()
