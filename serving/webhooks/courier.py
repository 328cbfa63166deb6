"""Writes down what is to be told, and delivers it: again and again until it arrives, or two days have gone by."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, or_, select, update

from serving.database.tables.base import canonical
from serving.database.tables.webhooks import deliveries, webhooks
from serving.webhooks.happenings import EVENTS
from serving.webhooks.signing import signed_headers
from serving.webhooks.subscriptions import DELIVERED, GIVEN_UP, WAITING, checked_address, delivery

if TYPE_CHECKING:
    from serving.advisor import Advisor

LOOK_SECONDS = 5.0
"""Between looks at the records: whoever is told within seconds is told at once."""
SEND_SECONDS = 10.0
"""A receiver may take so long to answer."""
LEASE = timedelta(minutes=2)
"""Whoever sends a message keeps others from sending it for so long; longer than sending can take."""
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Between attempts: the schedule that Standard Webhooks recommends."""
BATCH = 20
"""Messages taken at a time."""

_log = logging.getLogger("loadline.serving")
Send = Callable[[str, bytes, Mapping[str, str]], int]


class Courier:
    """Follows the records and delivers; one for a process, and several processes do not get in each other's way.

    Parameters
    ----------
    advisor : Advisor
    send : callable, optional
        Takes address, body and headers and gives the status; by default a request without redirects or proxies.
    """

    def __init__(self, advisor: Advisor, *, send: Send | None = None) -> None:
        self._advisor = advisor
        self._send = post if send is None else send
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked: tuple[Any, ...] | None = None

    def start(self) -> None:
        """Work in the background."""
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after what is being sent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(SEND_SECONDS)

    def once(self) -> int:
        """Write down what is new, deliver what is due, and tell how many messages were sent."""
        standing = self._standing()
        if not standing:
            return 0
        self._list_alerts(standing)
        self._write_down(standing)
        sent = 0
        for message in self._take():
            self._deliver(message)
            sent += 1
        return sent

    def _work(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.once()
            except Exception:  # whatever it is, later messages are to be delivered
                _log.exception("webhooks could not be looked after")

    def _standing(self) -> list[dict[str, Any]]:
        with self._advisor.database.read() as connection:
            found = connection.execute(select(webhooks).where(webhooks.c.disabled_at.is_(None))).mappings().all()
        return [dict(row) for row in found]

    def _list_alerts(self, standing: Sequence[Mapping[str, Any]]) -> None:
        """Put the newest alerts on record where anybody wants to know of them, once for each data version."""
        if not any("alert.raised" in webhook["events"] for webhook in standing) or not self._advisor.store.versions():
            return
        about = self._advisor.snapshot().about
        if self._looked != (about.fingerprint, about.version):
            self._advisor.reviewing.queue(dataset=about.dataset)
            self._looked = (about.fingerprint, about.version)

    def _write_down(self, standing: Sequence[Mapping[str, Any]]) -> None:
        """Write a message for each happening and webhook; its id is made of both, so that none is there twice."""
        now = self._advisor.now()
        for event, source in EVENTS.items():
            asking = [webhook for webhook in standing if event in webhook["events"]]
            if not asking:
                continue
            happened = list(source(self._advisor, min(webhook["created_at"] for webhook in asking)))
            rows = [
                delivery(webhook["id"], event, found.data, message=_name(webhook, found), at=found.at, made_at=now)
                for webhook in asking
                for found in happened
                if found.at >= webhook["created_at"]
            ]
            if rows:
                self._add(rows)

    def _add(self, rows: list[dict[str, Any]]) -> None:
        with self._advisor.database.read() as connection:
            hooks = {row["webhook"] for row in rows}
            known = set(connection.execute(select(deliveries.c.id).where(deliveries.c.webhook.in_(hooks))).scalars())
        for row in rows:
            if row["id"] in known:
                continue
            with self._advisor.database.write() as connection:
                there = connection.execute(
                    select(webhooks.c.id)
                    .where(webhooks.c.id == row["webhook"], webhooks.c.disabled_at.is_(None))
                    .with_for_update()
                ).all()
                before = connection.execute(select(deliveries.c.id).where(deliveries.c.id == row["id"])).all()
                if there and not before:
                    connection.execute(insert(deliveries).values(row))

    def _take(self) -> list[dict[str, Any]]:
        """Take what is due, and hold it so that no other process sends it as well."""
        now = self._advisor.now()
        free = or_(deliveries.c.held_until.is_(None), deliveries.c.held_until < now)
        due = and_(deliveries.c.state == WAITING, deliveries.c.due_at <= now, free)
        joined = select(deliveries, webhooks.c.url, webhooks.c.secret).join(webhooks)
        with self._advisor.database.write() as connection:
            asked = joined.where(due, webhooks.c.disabled_at.is_(None)).order_by(deliveries.c.due_at).limit(BATCH)
            asked = asked.with_for_update(skip_locked=True, of=deliveries)
            found = [dict(row) for row in connection.execute(asked).mappings()]
            if found:
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.id.in_([row["id"] for row in found]))
                    .values(held_until=now + LEASE)
                )
        return found

    def _deliver(self, message: Mapping[str, Any]) -> None:
        body = canonical(message["payload"]).encode()
        now = self._advisor.now()
        headers = {"content-type": "application/json", "user-agent": "loadline"}
        headers |= signed_headers(message["secret"], message["id"], body, at=now)
        status = None
        try:
            address = checked_address(message["url"], self._advisor.settings.webhook_hosts)  # may be allowed no longer
            status = self._send(address, body, headers)
        except Exception as error:  # a receiver can fail in any way
            _log.info("webhook message %s did not arrive: %s", message["id"], type(error).__name__)
        attempts = message["attempts"] + 1
        with self._advisor.database.write() as connection:
            values = _after(status, attempts, self._advisor.now())
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == message["id"], deliveries.c.state == WAITING)
                .values(attempts=attempts, last_status=status, held_until=None, **values)
            )


def post(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a message, to that address alone: no redirect, no proxy; what is answered is not read."""
    import httpx2

    with (
        httpx2.Client(follow_redirects=False, trust_env=False, timeout=SEND_SECONDS) as client,
        client.stream("POST", address, content=body, headers=dict(headers)) as answer,
    ):
        return answer.status_code


def _after(status: int | None, attempts: int, now: datetime) -> dict[str, Any]:
    """Tell how a message stands after an attempt."""
    if status is not None and 200 <= status < 300:
        return {"state": DELIVERED, "delivered_at": now}
    if attempts > len(WAITS):
        return {"state": GIVEN_UP}
    return {"due_at": now + WAITS[attempts - 1]}


def _name(webhook: Mapping[str, Any], found: Any) -> str:
    return hashlib.sha256(f"{webhook['id']}\x1f{found.event}\x1f{found.subject}".encode()).hexdigest()[:32]
