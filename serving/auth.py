"""Who may ask: whoever holds a key, or a session. Everything else is refused."""

from __future__ import annotations

import hmac

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LoadlineError
from serving.access.principal import LOCAL, Principal, acting
from serving.errors import FORBIDDEN, ErrorAnswers
from serving.identity.cookies import COOKIE, carries, drop, is_foreign, kept_cookie
from serving.identity.entrance import Entrance, refusal
from serving.identity.identity import WRONG_KEY, Identity
from serving.identity.records import digest_of
from serving.local_key import check_token

__all__ = ["COOKIE", "EXIT", "PUBLIC", "Gate", "check_token"]

PUBLIC = frozenset({"/healthz", "/readyz"})
"""The only addresses that answer everybody: a supervisor has no key. Strangers come in at those of `Entrance`."""
EXIT = "/sign-out"
NEEDS_KEY = "this address needs a key"
FORGED = "the form or the token of the session is not right"
LONGEST_KEY = 512
"""Characters; nothing that long was made here."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Lets nothing pass but `PUBLIC`, keys as bearer tokens, and sessions; all behind it know in whose name it is.

    A session may change things only with its token, in the form's field `csrf` or the header `X-CSRF-Token`: a form on
    another site could otherwise act in its name.

    Parameters
    ----------
    app : ASGIApp
    token : str
        The machine's own key; the database is not asked about it.
    identity : Identity
        Knows people, sessions and the other keys.
    answer : ErrorAnswers
    entrance : Entrance, optional
        Answers where strangers come in; without it they are refused there too.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, identity: Identity, answer: ErrorAnswers, entrance: Entrance | None = None
    ) -> None:
        self.app = app
        self.identity = identity
        self.answer = answer
        self.entrance = entrance
        self._key = digest_of(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in PUBLIC):
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            await self._let_in(scope, receive, send)
        except ClientDisconnect:
            return

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if self.entrance is not None and self.entrance.takes(request):
            response = await self.entrance(request)
            await response(scope, receive, send)
            return
        try:
            principal = await self._who(request)
        except LoadlineError as error:  # the database is away
            await self.answer.of(scope, error)(scope, receive, send)
            return
        if isinstance(principal, str):
            await refusal(self.answer, scope, principal)(scope, receive, send)
            return
        if principal.session and scope["method"] not in SAFE_METHODS:
            forged = is_foreign(Headers(scope=scope), null_is=False)
            right, receive = (False, receive) if forged else await carries(scope, receive, principal.csrf)
            if not right:
                hint = "Load the page again; a program sends a key: Authorization: Bearer ..."
                await self.answer(scope, FORBIDDEN, detail=FORGED, hint=hint)(scope, receive, send)
                return
            if scope["path"] == EXIT:
                await (await self._leave(request, principal))(scope, receive, send)
                return
        scope.setdefault("state", {})["principal"] = principal.id  # never the whole: the log tells what is here
        with acting(principal):
            await self.app(scope, receive, send)

    async def _leave(self, request: Request, principal: Principal) -> Response:
        try:
            await run_in_threadpool(self.identity.sign_out, principal)
        except LoadlineError as error:
            return self.answer.of(request.scope, error)
        response = RedirectResponse("/", status_code=303)
        drop(response, request, COOKIE)
        return response

    async def _who(self, request: Request) -> Principal | str:
        """Find out who asks; a text says why nobody does."""
        given = request.headers.getlist("authorization")
        if given:
            scheme, _, token = given[0].partition(" ")
            token = token.strip()
            if len(given) != 1 or scheme.lower() != "bearer" or len(token) > LONGEST_KEY:
                return WRONG_KEY
            if hmac.compare_digest(digest_of(token), self._key):
                return LOCAL
            return self.identity.remembered(key=token) or await run_in_threadpool(self.identity.of_key, token)
        session = kept_cookie(request, COOKIE)
        if not session or len(session) > LONGEST_KEY:
            return NEEDS_KEY
        known = self.identity.remembered(session=session)
        return known or await run_in_threadpool(self.identity.of_session, session) or NEEDS_KEY
