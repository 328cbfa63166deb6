"""Who is told of what: adding, listing and ending webhooks, and how their deliveries stand."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select, update

from serving.access.principal import who
from serving.database.tables.webhooks import deliveries, webhooks
from serving.errors import InvalidError, NotFoundError
from serving.webhooks.signing import new_secret

if TYPE_CHECKING:
    from serving.advisor import Advisor

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""What never leaves the machine may go without TLS."""
MOST = 50
"""Webhooks that may stand: each is looked after every few seconds."""
LONGEST_URL = 2_000
TEST = "webhook.test"
"""The event of a message that only tries whether it arrives."""
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given-up"


class Webhooks:
    """What an administrator asks for.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def add(
        self, url: str, events: Collection[str], *, request_key: str | None = None
    ) -> tuple[Mapping[str, Any], str]:
        """Have a receiver told of events from now on.

        Parameters
        ----------
        url : str
            Of a host that `LOADLINE_WEBHOOK_HOSTS` allows; TLS unless it is this machine.
        events : collection of str
            Of `serving.webhooks.happenings.EVENTS`.
        request_key : str, optional
            The same twice is one webhook.

        Returns
        -------
        webhook : Mapping
            Its row, without the secret.
        secret : str
            By which the receiver checks signatures; it is told only now.

        Raises
        ------
        InvalidError
            Where messages may not go there, or an event is not known.
        """
        from serving.webhooks.happenings import EVENTS

        address = checked_address(url, self._advisor.settings.webhook_hosts)
        unknown = sorted(set(events) - set(EVENTS))
        if unknown or not events:
            what = f"there is no event {unknown[0]!r}" if unknown else "a webhook needs an event"
            raise InvalidError(what, hint=f"Use some of {', '.join(EVENTS)}.")
        row = {
            "id": secrets.token_hex(16),
            "url": address,
            "events": sorted(events),
            "secret": new_secret(),
            "created_at": self._advisor.now(),
            "created_by": who().name,
            "request_key": request_key,
        }
        with self._advisor.database.write() as connection:
            if request_key is not None:
                made = connection.execute(select(webhooks).where(webhooks.c.request_key == request_key)).mappings()
                before = made.one_or_none()
                if before is not None:
                    return _shown(dict(before)), before["secret"]
            standing = connection.execute(select(webhooks.c.id).where(webhooks.c.disabled_at.is_(None))).all()
            if len(standing) >= MOST:
                raise InvalidError(f"there are {MOST} webhooks already", hint="End one that is not needed.")
            connection.execute(insert(webhooks).values(row))
            told = {"url": address, "events": row["events"]}
            self._advisor.audit.write(connection, "webhook.add", subject=row["id"], detail=told)
        return _shown(row | {"disabled_at": None}), row["secret"]

    def every(self) -> list[dict[str, Any]]:
        """List the webhooks, the oldest first, without their secrets."""
        with self._advisor.database.read() as connection:
            rows = connection.execute(select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)).mappings().all()
        return [_shown(dict(row)) for row in rows]

    def find(self, name: str) -> Mapping[str, Any]:
        """Look a webhook up.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        found = [row for row in self.every() if row["id"] == name]
        if not found:
            raise NotFoundError("there is no such webhook", hint="GET /api/v1/webhooks lists them.")
        return found[0]

    def end(self, name: str) -> Mapping[str, Any]:
        """Tell a receiver nothing more; what waits is given up. Ending twice changes nothing."""
        self.find(name)
        with self._advisor.database.write() as connection:
            ended = connection.execute(
                update(webhooks)
                .where(webhooks.c.id == name, webhooks.c.disabled_at.is_(None))
                .values(disabled_at=self._advisor.now())
            )
            if ended.rowcount:
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.webhook == name, deliveries.c.state == WAITING)
                    .values(state=GIVEN_UP)
                )
                self._advisor.audit.write(connection, "webhook.end", subject=name)
        return self.find(name)

    def test(self, name: str) -> str:
        """Have a message sent that says nothing, to see whether it arrives; give its id.

        Raises
        ------
        NotFoundError
            Where there is no such webhook, or it was ended.
        """
        if self.find(name)["disabled_at"] is not None:
            raise NotFoundError("the webhook was ended", hint="Add another: POST /api/v1/webhooks.")
        now, message = self._advisor.now(), secrets.token_hex(16)
        row = delivery(name, TEST, {}, message=message, at=now, made_at=now)
        with self._advisor.database.write() as connection:
            connection.execute(insert(deliveries).values(row))
            self._advisor.audit.write(connection, "webhook.test", subject=name)
        return message

    def deliveries(self, name: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """List what was sent or is to be sent, the newest first."""
        self.find(name)
        asked = select(deliveries).where(deliveries.c.webhook == name)
        asked = asked.order_by(deliveries.c.made_at.desc(), deliveries.c.id).limit(limit)
        with self._advisor.database.read() as connection:
            return [dict(row) for row in connection.execute(asked).mappings()]


def delivery(
    webhook: str, event: str, data: Mapping[str, Any], *, message: str, at: datetime, made_at: datetime
) -> dict[str, Any]:
    """Lay out a message that is to be delivered."""
    return {
        "id": message,
        "webhook": webhook,
        "event": event,
        "payload": {"type": event, "timestamp": at.isoformat(), "data": dict(data)},
        "state": WAITING,
        "attempts": 0,
        "made_at": made_at,
        "due_at": made_at,
    }


def checked_address(url: str, allowed: Collection[str]) -> str:
    """Refuse an address to which nothing may be sent.

    Raises
    ------
    InvalidError
        Where it is none, names no allowed host, carries a password, or would send in the clear.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= LONGEST_URL
    if not plain or parts.scheme not in ("http", "https") or not host or parts.fragment:
        raise InvalidError("the address is no http address", hint="Such as https://risk.bank.example/loadline.")
    if parts.username is not None or parts.password is not None:
        raise InvalidError("the address carries a name or password", hint="Messages are signed; leave it out.")
    if host not in {name.lower() for name in allowed}:
        hint = "Whoever runs the service adds it to LOADLINE_WEBHOOK_HOSTS; nothing leaves the machine otherwise."
        raise InvalidError(f"messages may not go to {host}", hint=hint)
    if parts.scheme == "http" and host not in LOOPBACK:
        raise InvalidError("messages would travel in the clear", hint="Use https.")
    return url


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "url", "events", "created_at", "created_by", "disabled_at")}
