"""In whose name a form is sent: the own name, or the one typed by whoever came by the printed link."""

from __future__ import annotations

from urllib.parse import quote, unquote

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from serving.access.principal import LOCAL, who
from serving.access.signature import signed
from serving.console.formats import Reader
from serving.console.typed import Trouble, TypedError
from serving.identity.cookies import cookie_name
from serving.request_schemas import Person

NAME_COOKIE = "loadline_name"
NAME_SECONDS = 12 * 3600
"""A working day: the name is filled in again, never taken without being seen."""
_PERSON: TypeAdapter[str] = TypeAdapter(Person)


def must_be_named() -> bool:
    """Tell whether a form has to ask for a name."""
    return who().kind == LOCAL.kind


def name_given(reader: Reader, typed: str) -> str:
    """Give the name for the record; see `serving.access.signature.signed`.

    Raises
    ------
    TypedError
        Where a name is needed and none that can be kept was typed.
    DeniedError
        Where somebody signs for another.
    """
    if not must_be_named():
        return signed(typed.strip() or None)
    try:
        return signed(_PERSON.validate_python(typed))
    except ValidationError:
        raise TypedError(Trouble(reader.say("form.trouble.name"), field="by")) from None


def name_before(request: Request) -> str:
    """Give the name that was typed into a form before; blank for none."""
    return unquote(request.cookies.get(cookie_name(NAME_COOKIE, request.scope), ""))


def remember_name(response: Response, request: Request, name: str) -> None:
    """Have the browser keep the name that was typed."""
    if must_be_named():
        response.set_cookie(
            cookie_name(NAME_COOKIE, request.scope),
            quote(name),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            max_age=NAME_SECONDS,
        )
