"""Notes what is asked over HTTP before the answer leaves: what was seen, what was changed, what was refused."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.principal import Principal, who
from serving.access.rules import Rule
from serving.audit.noting import Noting, noting
from serving.audit.trail import Audit
from serving.errors import FORBIDDEN, TOO_MANY, ErrorAnswers, NoSpaceError, request_id
from serving.errors import SIGN_IN as SIGN_IN_KIND

SEEN = "audited"
"""In the state of a request that `Audited` looks after."""
REFUSED = frozenset({SIGN_IN_KIND.status, FORBIDDEN.status, TOO_MANY.status})
SIGN_IN = "sign-in"
"""What a refused stranger is said to have tried."""
UNKNOWN = "unknown"
"""What somebody is said to have tried who was refused before it was looked up: a form without its token."""
UNANSWERED = 500
"""Status of an attempt that failed without an answer of its own."""
STRANGERS_A_MINUTE = 60
"""Attempts of strangers noted one by one: whoever has no key must not be able to fill the disk."""
_MINUTE = 60.0
_REPLAYED = b"idempotency-replayed"
"""Header of an answer that was given before, when it was noted."""

log = logging.getLogger("loadline.audit")


class Audited:
    """Keeps an event for what the audit is about; an answer whose event cannot be kept does not leave.

    Noted are answers about people's work (`read`), every attempt to change something (`change`) that no use case has
    noted with the change itself, and every 403. It stands behind `Authorise`, which leaves the operation, its rule and
    the parameters of the path in the request's state, and around everything that makes the answer.

    Parameters
    ----------
    app : ASGIApp
    audit : Audit
    answer : ErrorAnswers
    """

    def __init__(self, app: ASGIApp, *, audit: Audit, answer: ErrorAnswers) -> None:
        self.app = app
        self.audit = audit
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        state = scope.get("state", {})
        rule: Rule | None = state.get("rule")
        if scope["type"] != "http" or rule is None:
            await self.app(scope, receive, send)
            return
        state[SEEN] = True
        begun = False

        def note(message: Message) -> None:
            nonlocal begun
            begun = True
            if _matters(rule, message["status"], message.get("headers", ()), noted):
                self._note(scope, rule, noted, message["status"])

        with noting(request_id(scope)) as noted:
            try:
                await self.app(scope, receive, withheld_unless(note, scope, receive, send, answer=self.answer))
            except BaseException:
                if rule.audit == "change" and not begun:
                    self._note(scope, rule, noted, UNANSWERED)
                raise

    def _note(self, scope: Scope, rule: Rule, noted: Noting, status: int) -> None:
        state, query = scope["state"], _query(scope)
        subject = (state.get("parameters") or {}).get(rule.about) or query.get(rule.about, "") if rule.about else ""
        self.audit.note(
            _principal(),
            state["operation"],
            status=status,
            subject=subject,
            dataset=noted.dataset or query.get("dataset", ""),
            request=noted.request,
        )


class AuditedDoor:
    """Keeps an event for who came no further: a 403 before `Audited`, and strangers refused at sign-in.

    Stands around the gate. What is typed at sign-in is not kept: it may be a password.

    Parameters
    ----------
    app : ASGIApp
    audit : Audit
    answer : ErrorAnswers
    clock : callable
        Seconds, never going back.
    """

    def __init__(
        self, app: ASGIApp, *, audit: Audit, answer: ErrorAnswers, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app = app
        self.audit = audit
        self.answer = answer
        self._strangers = Strangers(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        def note(message: Message) -> None:
            if message["status"] in REFUSED and not noted.written and SEEN not in scope.get("state", {}):
                self._note(scope, message["status"], noted.request)

        with noting(request_id(scope)) as noted:
            await self.app(scope, receive, withheld_unless(note, scope, receive, send, answer=self.answer))

    def _note(self, scope: Scope, status: int, request: str) -> None:
        principal = _principal()
        if principal is not None:
            if status == FORBIDDEN.status:
                action = scope.get("state", {}).get("operation") or UNKNOWN
                self.audit.note(principal, action, status=status, request=request)
        elif _tries(scope):
            left_out = self._strangers.left_out()
            if left_out is not None:
                detail = {"left_out": left_out} if left_out else None
                action = UNKNOWN if status == FORBIDDEN.status else SIGN_IN
                self.audit.note(None, action, status=status, request=request, detail=detail)


def withheld_unless(
    note: Callable[[Message], None], scope: Scope, receive: Receive, send: Send, *, answer: ErrorAnswers
) -> Send:
    """Give a `send` that notes an answer as it begins, and lets nothing of it out where that fails."""
    withheld = False

    async def send_noted(message: Message) -> None:
        nonlocal withheld
        if message["type"] == "http.response.start":
            try:
                note(message)
            except NoSpaceError as error:
                withheld = True
                log.error("%s not answered: %s", request_id(scope), error)
                await answer.of(scope, error)(scope, receive, send)
        if not withheld:
            await send(message)

    return send_noted


class Strangers:
    """Counts the attempts of strangers: the first of each minute are noted, the others are told by their number.

    Parameters
    ----------
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute, self._noted, self._left_out = float("-inf"), 0, 0

    def left_out(self) -> int | None:
        """Give how many were left out since the last that was noted; None for one that is left out itself."""
        now = self._clock()
        if now - self._minute >= _MINUTE:
            self._minute, self._noted = now, 0
        if self._noted >= STRANGERS_A_MINUTE:
            self._left_out += 1
            return None
        self._noted += 1
        told, self._left_out = self._left_out, 0
        return told


def _matters(rule: Rule, status: int, headers: Iterable[tuple[bytes, bytes]], noted: Noting) -> bool:
    if status == FORBIDDEN.status:
        return True
    if rule.audit == "read":
        return 200 <= status < 300 or status == 304
    if rule.audit == "change":
        return status >= 400 or not (noted.written or any(name == _REPLAYED for name, _ in headers))
    return False


def _principal() -> Principal | None:
    try:
        return who()
    except LoadlineError:
        return None


def _query(scope: Scope) -> Mapping[str, str]:
    """Read the query as the router does: the last of several counts."""
    if not scope["query_string"]:
        return {}
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace"))


def _tries(scope: Scope) -> bool:
    """Tell whether a stranger has tried to be let in, rather than just come by."""
    if scope["method"] != "GET":
        return True
    return "authorization" in Headers(scope=scope) or b"token=" in scope["query_string"]
