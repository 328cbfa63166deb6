"""The ways in: by the machine's link or key, by name and password, by invitation, by the identity provider."""

from __future__ import annotations

import hmac
import ipaddress
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from features.errors import LoadlineError
from serving.errors import FORBIDDEN, INVALID, SIGN_IN, TOO_MANY, WRONG_METHOD, ErrorAnswers, InvalidError
from serving.identity.cookies import (
    STATE_COOKIE,
    drop,
    is_foreign,
    keep_session,
    keep_state,
    kept_cookie,
    read_fields,
    whole,
)
from serving.identity.identity import WRONG_KEY, Identity
from serving.identity.people import WRONG_PASSWORD
from serving.identity.records import digest_of

ENTRANCE = "/sign-in"
INVITATION = "/new-password"
PROVIDER = "/sign-in/provider"
RETURN = "/sign-in/provider/return"
FOREIGN = "this was sent from another site"
NOT_ALIKE = "the two passwords are not alike"
_OWN_ORIGIN = {"Referrer-Policy": "same-origin"}
"""So that browsers without `Sec-Fetch-Site` name the origin of what these pages send."""


class Draw(Protocol):
    """Draws a page that a stranger may see."""

    def __call__(self, scope: Scope, template: str, *, status: int = 200, **content: object) -> Response:
        """Draw it."""
        ...


class Entrance:
    """Answers at the addresses where strangers come in; everything else is closed to them.

    Parameters
    ----------
    identity : Identity
    token : str
        The machine's own key.
    answer : ErrorAnswers
    draw : Draw
    """

    def __init__(self, identity: Identity, *, token: str, answer: ErrorAnswers, draw: Draw) -> None:
        self.identity = identity
        self.answer = answer
        self.draw = draw
        self._key = digest_of(token)
        self._ways: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {
            ENTRANCE: {"GET": self._show, "POST": self._enter},
            INVITATION: {"GET": self._invited, "POST": self._accept},
            PROVIDER: {"GET": self._to_provider},
            RETURN: {"GET": self._from_provider},
        }

    def takes(self, request: Request) -> bool:
        """Tell whether this answers a request."""
        return request.scope["path"] in self._ways or self._is_link(request)

    async def __call__(self, request: Request) -> Response:
        """Answer it."""
        try:
            if request.scope["path"] not in self._ways:
                return await self._follow_link(request)
            way = self._ways[request.scope["path"]]
            if request.method not in way:
                detail, allow = f"{request.method} is not possible here", ", ".join(way)
                return self.answer(request.scope, WRONG_METHOD, detail=detail, headers={"Allow": allow})
            if request.method == "POST" and is_foreign(Headers(scope=request.scope), null_is=True):
                hint = "Sign in on the page of the service itself."
                return self.answer(request.scope, FORBIDDEN, detail=FOREIGN, hint=hint)
            return await way[request.method](request)
        except LoadlineError as error:
            return self.answer.of(request.scope, error)

    def refuse(self, scope: Scope, what: str) -> Response:
        """Say that whoever asks is not known."""
        return refusal(self.answer, scope, what)

    @staticmethod
    def _is_link(request: Request) -> bool:
        return request.method == "GET" and request.scope["path"] == "/" and "token" in request.query_params

    async def _follow_link(self, request: Request) -> Response:
        kept = [pair for pair in parse_qsl(request.url.query) if pair[0] != "token"]
        return await self._by_key(request, request.query_params["token"], "/?" + urlencode(kept) if kept else "/")

    async def _by_key(self, request: Request, token: str, target: str) -> Response:
        if not hmac.compare_digest(digest_of(token), self._key):
            return self.refuse(request.scope, WRONG_KEY)
        session = await run_in_threadpool(self.identity.sign_in_local)
        response = RedirectResponse(target, status_code=303)
        keep_session(response, request, session)
        return response

    async def _show(self, request: Request) -> Response:
        return self._page(request, "sign_in.html", trouble="")

    async def _enter(self, request: Request) -> Response:
        fields = read_fields(await whole(request.receive))
        token, login, password = (fields.get(name, [""])[0] for name in ("token", "login", "password"))
        if not login.strip():
            return await self._by_key(request, token.strip(), "/")
        entry = await run_in_threadpool(self.identity.sign_in, login, password, address=network_of(request.scope))
        if entry.wait > timedelta(0):
            seconds = math.ceil(entry.wait.total_seconds())
            return self.answer(
                request.scope,
                TOO_MANY,
                detail=f"there were too many attempts: wait for {seconds} seconds",
                hint="Ask an administrator for an invitation to choose a new password if you have forgotten yours.",
                headers={"Retry-After": str(seconds)},
            )
        if not entry.session:
            return self.refuse(request.scope, WRONG_PASSWORD)
        response = RedirectResponse("/", status_code=303)
        keep_session(response, request, entry.session)
        return response

    async def _invited(self, request: Request) -> Response:
        secret = request.query_params.get("secret", "")
        person = await run_in_threadpool(self.identity.people.invited, secret)
        return self._page(request, "new_password.html", person=person, secret=secret, trouble="")

    async def _accept(self, request: Request) -> Response:
        fields = read_fields(await whole(request.receive))
        secret, first, second = (fields.get(name, [""])[0] for name in ("secret", "password", "again"))
        trouble = NOT_ALIKE if first != second else ""
        if not trouble:
            try:
                await run_in_threadpool(self.identity.people.accept, secret, first)
            except InvalidError as error:
                trouble = error.what
            else:
                return RedirectResponse(ENTRANCE, status_code=303)
        person = await run_in_threadpool(self.identity.people.invited, secret)
        status = INVALID.status
        return self._page(request, "new_password.html", status=status, person=person, secret=secret, trouble=trouble)

    async def _to_provider(self, request: Request) -> Response:
        provider = self.identity.provider
        if provider is None:
            return self.refuse(request.scope, "no identity provider is set")
        where, state = await run_in_threadpool(provider.start, back=self._back(request))
        response = RedirectResponse(where, status_code=303)
        keep_state(response, request, state)
        return response

    async def _from_provider(self, request: Request) -> Response:
        """Take the provider's answer, and go on by a page of ours.

        A redirect from here would still count as coming from the provider's site, and the browser would not send the
        new cookie, which is for requests from our own pages alone.
        """
        provider, asked = self.identity.provider, request.query_params
        if provider is None:
            return self.refuse(request.scope, "no identity provider is set")
        if not asked.get("code"):
            hint = "Begin again, or sign in with a password."
            return self.answer(request.scope, FORBIDDEN, detail="the identity provider let nobody in", hint=hint)

        def finish() -> str:
            claims = provider.finish(
                state=asked.get("state", ""),
                kept=kept_cookie(request, STATE_COOKIE),
                code=asked["code"],
                issuer=asked.get("iss"),
                back=self._back(request),
            )
            return self.identity.admit(claims)

        session = await run_in_threadpool(finish)
        response = self._page(request, "entered.html")
        response.headers["Refresh"] = "0; url=/"
        drop(response, request, STATE_COOKIE)
        keep_session(response, request, session)
        return response

    def _back(self, request: Request) -> str:
        base = self.identity.settings.public_url or f"{request.url.scheme}://{request.headers['host']}"
        return base.rstrip("/") + RETURN

    def _page(self, request: Request, template: str, *, status: int = 200, **content: object) -> Response:
        response = self.draw(request.scope, template, status=status, **content)
        response.headers.update(_OWN_ORIGIN)
        return response


def refusal(answer: ErrorAnswers, scope: Scope, what: str) -> Response:
    """Say that whoever asks is not known."""
    return answer(
        scope,
        SIGN_IN,
        detail=what,
        hint="Send Authorization: Bearer KEY, or sign in on the console.",
        headers={"WWW-Authenticate": 'Bearer realm="loadline"', **_OWN_ORIGIN},
    )


def network_of(scope: Scope) -> str:
    """Give the address that a request comes from, as far as one person cannot change it at will: of IPv6 the /64."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
