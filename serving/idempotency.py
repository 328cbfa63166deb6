"""Requests that may be sent again: the same Idempotency-Key is the same request, done once and answered alike.

After draft-ietf-httpapi-idempotency-key-header: the same key with another request is refused with 422, and with 409
while the first is being answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from contextlib import suppress
from contextvars import ContextVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.principal import who
from serving.errors import CONFLICT, INVALID, ErrorAnswers
from serving.kept_answers import RENEW_SECONDS, Claim, InHandError, Kept, KeptAnswers

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"
BELOW = "/api/"
"""Pages are posted by browsers, which have no keys."""
OWN_RECORD = frozenset({"/api/v1/training-runs"})
"""What itself remembers for good which request came under which key."""
AGAIN_SECONDS = 1
"""After this a request may be sent again that is being answered: most take less."""
LONGEST_KEY = 200
KEY_TEXT = (
    "A word of your own, at most 200 visible characters: sent again with the same request within a day, nothing is "
    "done twice, and the answer is the first one. With another request it is refused."
)
"""What the description says of it."""
KEY_PATTERN = rf"^[!-~]([ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?$"
"""ASCII that can be seen, and spaces between."""
_KEY = re.compile(KEY_PATTERN)
_NOT_KEPT = frozenset({"content-length", "date", "server", "connection", "x-request-id", "set-cookie"})
"""Headers that belong to one answer on one connection."""

_request_key: ContextVar[str | None] = ContextVar("request_key", default=None)
_log = logging.getLogger("loadline.serving")


def request_key() -> str | None:
    """Give what names the request for ever, `principal:key`; None where it carries no key.

    A use case that makes something keeps it in a unique column: sent again after a crash between the change and the
    kept answer, the request then finds what it made.
    """
    return _request_key.get()


class Idempotent:
    """Answers a POST below `BELOW` with an Idempotency-Key once, and again with what it was answered.

    An answer is kept where something was done: 2xx and 3xx. What was refused or failed changed nothing, and is looked
    at anew. An answer with `Cache-Control: no-store` (it shows a secret) is not kept: sent again, the request is told
    that it was done.

    Parameters
    ----------
    app : ASGIApp
    answers : KeptAnswers
    answer : ErrorAnswers
    renew : float
        Seconds between signs of life of a request that takes long.
    """

    def __init__(
        self, app: ASGIApp, *, answers: KeptAnswers, answer: ErrorAnswers, renew: float = RENEW_SECONDS
    ) -> None:
        self.app, self.answers, self.answer, self.renew = app, answers, answer, renew

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        given = _given(scope)
        if given is None:
            await self.app(scope, receive, send)
            return
        key = given[0] if len(given) == 1 else ""
        if not _KEY.fullmatch(key):
            detail = f"Idempotency-Key is one word of 1 to {LONGEST_KEY} visible characters"
            await self.answer(scope, INVALID, detail=detail)(scope, receive, send)
            return
        principal = who().id
        before = _request_key.set(f"{principal}:{key}")
        try:
            if scope["path"] in OWN_RECORD:
                await self.app(scope, receive, send)
            else:
                await self._once(scope, receive, send, principal=principal, key=key)
        finally:
            _request_key.reset(before)

    async def _once(self, scope: Scope, receive: Receive, send: Send, *, principal: str, key: str) -> None:
        body = await _whole(receive)
        if body is None:
            return  # whoever asked has gone
        try:
            found = await run_in_threadpool(self.answers.claim, principal, key, _fingerprint(scope, body))
        except InHandError as error:
            again = {"Retry-After": str(AGAIN_SECONDS)}
            refusal = self.answer(scope, CONFLICT, detail=error.what, hint=error.hint, headers=again)
            await refusal(scope, receive, send)
        except LoadlineError as error:
            await self.answer.of(scope, error)(scope, receive, send)
        else:
            if isinstance(found, Claim):
                await self._first(scope, _sent(body, receive), send, claim=found)
                return
            response = self._shown_once(scope) if found.body is None else _replay(found, found.body)
            await response(scope, receive, send)

    async def _first(self, scope: Scope, receive: Receive, send: Send, *, claim: Claim) -> None:
        """Have the request answered, and keep the answer before it is given.

        One that is cut off by its time limit is not given up: its thread may still be at work.
        """
        start: Message = {}
        parts: list[bytes] = []

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = b"".join(parts)
                await self._keep(claim, start, body)
                await send(start)
                await send({"type": "http.response.body", "body": body})

        alive = asyncio.get_running_loop().create_task(self._stay(claim))
        try:
            await self.app(scope, receive, hold)
        except Exception:
            await self._give_up(claim)
            raise
        finally:
            alive.cancel()

    async def _keep(self, claim: Claim, start: Message, body: bytes) -> None:
        if not 200 <= start["status"] < 400:
            await self._give_up(claim)
            return
        headers = MutableHeaders(scope=start)
        secret = "no-store" in headers.get("cache-control", "")
        told = tuple((name, value) for name, value in headers.items() if name not in _NOT_KEPT)
        answer = Kept(start["status"], told, None if secret else body)
        try:
            await run_in_threadpool(self.answers.keep, claim, answer)
        except LoadlineError as error:  # what was done is done: the answer counts, kept or not
            _log.warning("the answer to a request with a key could not be kept: %s", type(error).__name__)

    async def _give_up(self, claim: Claim) -> None:
        try:
            await run_in_threadpool(self.answers.give_up, claim)
        except LoadlineError as error:  # the lease ends by itself
            _log.warning("a request with a key could not be given up: %s", type(error).__name__)

    async def _stay(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self.renew)
            with suppress(LoadlineError):
                await run_in_threadpool(self.answers.renew, claim)

    def _shown_once(self, scope: Scope) -> Response:
        detail = "this was done before, and its answer is shown only once"
        hint = "Look at what was made; where the secret was lost, take it back and make another."
        return self.answer(scope, CONFLICT, detail=detail, hint=hint, headers={REPLAYED: "true"})


def _given(scope: Scope) -> list[str] | None:
    """Give the keys of a request that this is for; None for any other."""
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(BELOW):
        return None
    return Headers(scope=scope).getlist(HEADER) or None


def _replay(kept: Kept, body: bytes) -> Response:
    response = Response(body, status_code=kept.status)
    for name, value in kept.headers:
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response


def _fingerprint(scope: Scope, body: bytes) -> str:
    whole = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"], body):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


async def _whole(receive: Receive) -> bytes | None:
    """Read a body, which has a limit already; None where the caller leaves before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _sent(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read to whoever reads it next."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
