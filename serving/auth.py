"""Who may ask: whoever holds the key, or a session opened with it. Everything else is refused."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.principal import LOCAL, acting
from serving.errors import FORBIDDEN, SIGN_IN, ErrorAnswers

PUBLIC = frozenset({"/healthz", "/readyz"})
"""The only addresses that answer everybody: a supervisor has no key."""
ENTRANCE = "/sign-in"
EXIT = "/sign-out"
COOKIE = "loadline_session"
SESSION_SECONDS = 12 * 3600
"""A working day."""
MAX_SESSIONS = 1_000
"""Beyond it the oldest ends; a key is not shared by more people."""
WRONG_KEY = "the key is not right"
MIN_TOKEN_LENGTH = 16
"""Characters; with fewer, a key could be found by trying."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_token(token: str) -> str:
    """Refuse a key that could be guessed.

    Raises
    ------
    LoadlineError
        Where it is too short.
    """
    if len(token) < MIN_TOKEN_LENGTH:
        raise LoadlineError(
            f"the key has fewer than {MIN_TOKEN_LENGTH} characters",
            where="LOADLINE_TOKEN",
            hint="Use a longer one, or leave it unset: then one is made at each start.",
        )
    return token


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class Sessions:
    """Open sessions, known by the hashes of their ids.

    Parameters
    ----------
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._ends: dict[bytes, float] = {}

    def open(self) -> str:
        """Open a session and give its id."""
        now = self.clock()
        self._ends = {key: end for key, end in self._ends.items() if end > now}
        while len(self._ends) >= MAX_SESSIONS:
            del self._ends[next(iter(self._ends))]
        session = secrets.token_urlsafe(32)
        self._ends[_digest(session)] = now + SESSION_SECONDS
        return session

    def holds(self, session: str) -> bool:
        """Tell whether a session is open."""
        return self._ends.get(_digest(session), float("-inf")) > self.clock()

    def close(self, session: str) -> None:
        """End a session, if there is one."""
        self._ends.pop(_digest(session), None)


class Gate:
    """Lets nothing pass but `PUBLIC`, the key as a bearer token, and sessions.

    A session is opened by the link that the service prints (`/?token=...`) or by posting the key to `ENTRANCE`, and
    may only read: a form on another site could otherwise act in its name.

    Parameters
    ----------
    app : ASGIApp
    token : str
        The key.
    sessions : Sessions
    answer : ErrorAnswers
    """

    def __init__(self, app: ASGIApp, *, token: str, sessions: Sessions, answer: ErrorAnswers) -> None:
        self.app = app
        self.sessions = sessions
        self.answer = answer
        self._key = _digest(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in PUBLIC):
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        response = await self._stop(Request(scope, receive))
        if response is not None:
            await response(scope, receive, send)
            return
        with acting(LOCAL):
            await self.app(scope, receive, send)

    async def _stop(self, request: Request) -> Response | None:
        """Give the answer that keeps a request from passing; None for one that may."""
        method, path = request.method, request.scope["path"]
        if method == "POST" and path == ENTRANCE:
            posted = parse_qs((await request.body()).decode("utf-8", "replace"))
            return self._enter(request, posted.get("token", [""])[0].strip(), "/")
        if method == "GET" and path == "/" and "token" in request.query_params:
            kept = [pair for pair in parse_qsl(request.url.query) if pair[0] != "token"]
            return self._enter(request, request.query_params["token"], "/?" + urlencode(kept) if kept else "/")
        if "authorization" in request.headers:
            return None if self._has_key(request) else self._refuse(request, WRONG_KEY)
        session = request.cookies.get(COOKIE, "")
        if not self.sessions.holds(session):
            return self._refuse(request, "this address needs a key")
        if method == "POST" and path == EXIT:
            self.sessions.close(session)
            response = RedirectResponse("/", status_code=303)
            response.delete_cookie(COOKIE, httponly=True, samesite="strict")
            return response
        if method not in SAFE_METHODS:
            hint = "Send the key itself: Authorization: Bearer ..."
            return self.answer(request.scope, FORBIDDEN, detail="a session may only read", hint=hint)
        return None

    def _is_key(self, token: str) -> bool:
        return hmac.compare_digest(_digest(token), self._key)

    def _has_key(self, request: Request) -> bool:
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ")
        return len(given) == 1 and scheme.lower() == "bearer" and self._is_key(token.strip())

    def _enter(self, request: Request, token: str, target: str) -> Response:
        if not self._is_key(token):
            return self._refuse(request, WRONG_KEY)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            COOKIE,
            self.sessions.open(),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            max_age=SESSION_SECONDS,
        )
        return response

    def _refuse(self, request: Request, what: str) -> Response:
        return self.answer(
            request.scope,
            SIGN_IN,
            detail=what,
            hint="Send Authorization: Bearer KEY, or open the link that `loadline serve` prints.",
            headers={"WWW-Authenticate": 'Bearer realm="loadline"'},
        )
