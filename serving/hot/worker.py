"""A small process: `python -m serving.hot.worker`, started by `serving.workers`."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from serving.draining import Draining
from serving.errors import ErrorAnswers
from serving.hot.front import Front, no_page, parts_of
from serving.hot.handing_on import HandingOn
from serving.hot.order import Order
from serving.hot.served import Watch
from serving.http_server import run_server
from serving.logs import configure
from serving.release import release

YOUNG = 20_000
"""New objects after which those that refer to one another are looked for; a request makes some hundred, in no ring."""


def front_of(order: Order, draining: Draining) -> Front:
    """Put the application of a small process together."""
    settings, answer = order.settings, ErrorAnswers(no_page)
    identity, audit = parts_of(settings, lambda: datetime.now(UTC), order.token)
    return Front(
        settings,
        hosts=order.hosts,
        token=order.token,
        identity=identity,
        audit=audit,
        watch=Watch(settings.home, release=release()),
        hand_on=HandingOn(order.door, answer=answer),
        answer=answer,
        draining=draining,
        among=order.among,
    )


def settle_down() -> None:
    """Leave what was loaded to the end of the process: to look through it again and again took a third of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


def main() -> None:
    """Serve until told to stop."""
    order, draining = Order.read(), Draining()
    configure(form=order.settings.log_format, level=order.settings.log_level)
    front = front_of(order, draining)
    settle_down()
    seconds = order.settings.drain_seconds
    run_server(front, [order.socket()], draining=draining, seconds=seconds)


if __name__ == "__main__":
    main()
