"""The cookies of the console, and whether a request comes from a page of ours."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from serving.identity.sessions import SESSION_SECONDS

COOKIE = "loadline_session"
STATE_COOKIE = "loadline_state"
STATE_SECONDS = 600
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
MAX_FIELDS = 1_000
"""Fields of a form; a sheet of a plan that is edited in the browser has hundreds."""
MAX_FILES = 10
OUR_OWN = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of requests from our pages, and of those that a person typed or bookmarked."""


def cookie_name(name: str, scope: Scope) -> str:
    """Give a cookie's name: under TLS with the prefix by which no other host, and no page without TLS, can set it."""
    return f"__Host-{name}" if scope.get("scheme") == "https" else name


def kept_cookie(request: Request, name: str) -> str:
    """Give what the browser keeps under a name; blank for nothing."""
    return request.cookies.get(cookie_name(name, request.scope), "")


def keep_session(response: Response, request: Request, session: str) -> None:
    """Have the browser keep a session: unseen by scripts, and sent along from our own pages alone."""
    response.set_cookie(
        cookie_name(COOKIE, request.scope),
        session,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=SESSION_SECONDS,
    )


def keep_state(response: Response, request: Request, state: str) -> None:
    """Have the browser keep the state of a sign-in by a provider, from whose page it must be sent along."""
    response.set_cookie(
        cookie_name(STATE_COOKIE, request.scope),
        state,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        max_age=STATE_SECONDS,
    )


def drop(response: Response, request: Request, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(
        cookie_name(name, request.scope), httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def is_foreign(headers: Headers, *, null_is: bool) -> bool:
    """Tell whether another site has sent a request that changes something.

    Parameters
    ----------
    headers : Headers
    null_is : bool
        What to make of `Origin: null` from a browser that does not say more: pages without a referrer send it, ours
        among them, and so do sandboxed ones.
    """
    site = headers.getlist("sec-fetch-site")
    if site:
        return len(site) != 1 or site[0] not in OUR_OWN
    origin = headers.getlist("origin")
    if not origin:
        return False
    if origin == ["null"]:
        return null_is
    try:
        named = urlsplit(origin[0]).netloc.lower()
    except ValueError:
        return True
    return len(origin) != 1 or named != headers.get("host", "").lower()


async def carries(scope: Scope, receive: Receive, token: str) -> tuple[bool, Receive]:
    """Tell whether a request carries a session's token, in the header or in its form; and let its body be read again.

    Raises
    ------
    ClientDisconnect
        Where whoever asked has gone.
    """
    headers = Headers(scope=scope)
    given = headers.getlist(CSRF_HEADER)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not given and kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        body = await whole(receive)
        given = await _in_form(scope, body, multipart=kind.startswith("multipart"))
        receive = again(body, receive)
    sent = given[0].encode("utf-8", "replace") if len(given) == 1 else b""  # a form's charset can make half characters
    return bool(token) and hmac.compare_digest(sent, token.encode()), receive


async def whole(receive: Receive) -> bytes:
    """Read a body to its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Give a body that was read already, and then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def read_fields(body: bytes) -> dict[str, list[str]]:
    """Read a form; one that cannot be read has no fields."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}


async def _in_form(scope: Scope, body: bytes, *, multipart: bool) -> list[str]:
    if not multipart:
        return read_fields(body).get(CSRF_FIELD, [])

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    try:
        async with Request(scope, again(body, nothing)).form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as form:
            return [value for value in form.getlist(CSRF_FIELD) if isinstance(value, str)]
    except (HTTPException, MultiPartException, ClientDisconnect, ValueError, KeyError):
        return []
