"""Asks an application as a server would hand it a request: any bytes in address, headers and body, nothing tidied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Pairs = Iterable[tuple[str, str]]
HOST = "127.0.0.1:8321"
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def text(self) -> str:
        """Give the body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Give what the body says."""
        return json.loads(self.body)


class Asker:
    """Asks one application again and again, in one loop of its own.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Ask no more."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def __call__(
        self, method: str, target: str, *, key: str | None = None, headers: Pairs = (), body: bytes | None = None
    ) -> Answer:
        """Ask; `target` is the path as it stands on the wire, with its query."""
        raw, _, query = target.encode("utf-8", "surrogatepass").partition(b"?")
        given = [("Host", HOST), *headers]
        if key is not None:
            given.append(("Authorization", f"Bearer {key}"))
        if body is not None and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in given):
            given.append(("Content-Length", str(len(body))))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw.decode("latin-1"), encoding="utf-8", errors="replace"),
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given],
            "client": ("10.0.0.1", 50_000),
            "server": ("127.0.0.1", 8321),
            "state": {},
        }
        return self._loop.run_until_complete(self._ask(scope, body or b""))

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Answer:
        told, sent = False, []

        async def receive() -> dict[str, Any]:
            nonlocal told
            if told:
                await asyncio.sleep(3_600)  # whoever asks stays
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers: dict[str, list[str]] = {}
        for name, value in sent[0]["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        return Answer(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))
