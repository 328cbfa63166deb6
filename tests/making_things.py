"""A service with one address that makes a thing, on a real database: for the tests of requests that come again.

As a program (`DATABASE_URL`), it is killed between making the thing and keeping the answer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request
from sqlalchemy import func, insert, select
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from serving.access.principal import LOCAL, acting
from serving.database.connection import Database
from serving.database.tables.webhooks import webhooks
from serving.errors import ErrorAnswers, InvalidError, handle_errors
from serving.idempotency import Idempotent, request_key
from serving.kept_answers import KeptAnswers

NOW = datetime(2025, 1, 15, 8, 30, tzinfo=UTC)
KEY = {"Idempotency-Key": "4d0c1b1e-7f5a"}
THINGS = "/api/v1/things"


def nothing() -> None:
    """Do nothing."""


class Making:
    """A service that makes things.

    Attributes
    ----------
    now : datetime
        Its clock.
    principal : Principal
        In whose name the next request is made.
    before_answer : callable
        Called when the thing is made, before it is told.
    """

    def __init__(self, database: Database, *, before_answer: Callable[[], object] = nothing) -> None:
        self.database, self.before_answer = database, before_answer
        self.now, self.principal = NOW, LOCAL
        self.asked = 0
        self._lock = threading.Lock()
        answers = KeptAnswers(database, lambda: self.now, keep=timedelta(hours=24))
        answer = ErrorAnswers(lambda *_: JSONResponse({}))
        app = FastAPI()
        app.post(THINGS, status_code=201)(self._make)
        handle_errors(app, answer)
        inner = Idempotent(app, answers=answers, answer=answer, renew=0.05)

        async def in_somebodys_name(scope: Any, receive: Any, send: Any) -> None:
            with acting(self.principal):
                await inner(scope, receive, send)

        self.app = in_somebodys_name

    def client(self) -> TestClient:
        """Give a client of its own."""
        return TestClient(self.app, raise_server_exceptions=False)

    def things(self) -> int:
        """Count what was made."""
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(webhooks)) or 0

    def _make(self, request: Request, name: str = "thing", status: int = 201, secret: bool = False) -> JSONResponse:
        with self._lock:
            self.asked += 1
            number = self.asked
        if status == 422:
            raise InvalidError("this is not valid")
        if status >= 500:
            raise RuntimeError("it fails")
        key = request_key()
        with self.database.write() as connection:
            mine = webhooks.c.request_key == key
            found = None if key is None else connection.scalar(select(webhooks.c.id).where(mine))
            made = found or f"{name}-{number}"
            if found is None:
                row = {"id": made, "url": "", "events": [], "secret": "", "created_at": self.now, "created_by": "x"}
                connection.execute(insert(webhooks).values(**row, request_key=key))
        self.before_answer()
        headers = {"ETag": '"r1"', "Location": f"{THINGS}/{made}"} | ({"Cache-Control": "no-store"} if secret else {})
        return JSONResponse({"id": made}, status_code=201, headers=headers)


def main(url: str) -> None:
    """Make a thing and be killed."""
    making = Making(Database(url), before_answer=lambda: os.kill(os.getpid(), signal.SIGKILL))
    making.client().post(THINGS, headers=KEY)


if __name__ == "__main__":
    main(sys.argv[1])
