"""Errors as they leave the service: RFC 9457 problems for programs, pages for people."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from features.errors import DatasetError, LoadlineError
from serving.database.trouble import AwayError, CrossedError, FullError, UnfitError

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger("loadline.serving")

MEDIA_TYPE = "application/problem+json"
FOR_PROGRAMS = ("/api/", "/openapi.json", "/healthz", "/readyz")
"""Below these addresses an error is always a problem document, whatever the caller accepts."""
RETRY_AFTER_SECONDS = 10
"""After this a caller may ask again for what is being made: it takes seconds, at worst minutes."""
LISTED = 50
"""Breaches of a dataset, or of a description, that a problem lists; it need not tell them all."""
LONGEST_PLACE = 200
"""Characters of where something is wrong: names that nobody expected may be as long as the request."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space, no quota left, no file so large allowed."""
DEEPEST_CAUSE = 8
"""Errors that an error may come from one after another before nobody looks further."""


@dataclass(frozen=True)
class Kind:
    """A kind of problem: the end of its `type`, its HTTP status and its title."""

    name: str
    status: int
    title: str


BAD_REQUEST = Kind("bad-request", 400, "The request cannot be understood")
UNKNOWN_HOST = Kind("unknown-host", 400, "The service does not answer to this host name")
SIGN_IN = Kind("sign-in", 401, "A key or a session is needed")
FORBIDDEN = Kind("forbidden", 403, "This is not allowed")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
WRONG_METHOD = Kind("method-not-allowed", 405, "This address does not take that method")
TOO_SLOW = Kind("too-slow", 408, "The request came too slowly")
CONFLICT = Kind("conflict", 409, "The present state does not allow this")
STALE = Kind("stale", 412, "It was changed by somebody else")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
WRONG_TYPE = Kind("wrong-type", 415, "This content type is not taken here")
INVALID = Kind("invalid", 422, "The request is not valid")
NO_REVISION = Kind("no-revision", 428, "If-Match is needed")
TOO_MANY = Kind("too-many", 429, "Too many requests")
UNEXPECTED = Kind("unexpected", 500, "Something went wrong here")
NOT_READY = Kind("not-ready", 503, "The service is not ready")
NO_SPACE = Kind("no-space", 507, "There is no space left to write to")

KINDS = (
    *(BAD_REQUEST, UNKNOWN_HOST, SIGN_IN, FORBIDDEN, NOT_FOUND, WRONG_METHOD, TOO_SLOW, CONFLICT, STALE),
    *(TOO_LARGE, WRONG_TYPE, INVALID, NO_REVISION, TOO_MANY, UNEXPECTED, NOT_READY, NO_SPACE),
)
_BY_STATUS = {kind.status: kind for kind in reversed(KINDS)}


class NotFoundError(LoadlineError):
    """What was asked for does not exist."""


class InvalidError(LoadlineError):
    """What was asked cannot be read."""


class NotReadyError(LoadlineError):
    """What was asked for is not at hand yet."""


class DeniedError(LoadlineError):
    """Who asks may not do this."""


class StaleError(LoadlineError):
    """What was to be changed is not any more what the asker saw."""


class NoRevisionError(LoadlineError):
    """The asker did not say which state is to be changed."""


class NoSpaceError(LoadlineError):
    """Nothing can be written any more."""


class FieldProblem(BaseModel):
    """One thing that is wrong with a request or a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str = Field(description="The parameter, field, or place in a file.", examples=["query.limit"])
    what: str = Field(description="What is wrong with it.", examples=["Input should be less than or equal to 500"])


class Problem(BaseModel):
    """An error, as RFC 9457 has it, with what to do next."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Problem")

    type: str = Field(description="Names the kind of problem.", examples=["urn:loadline:problem:not-found"])
    title: str = Field(description="What kind of problem it is.", examples=[NOT_FOUND.title])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What is wrong.", examples=["there is no unit 'CN-XX'"])
    instance: str = Field(description="The address that was asked.", examples=["/api/v1/units/CN-XX"])
    hint: str = Field(description="What to do next; may be blank.", examples=["GET /api/v1/units lists the units."])
    request_id: str = Field(description="Quote this to whoever runs the service.", examples=["4f2c9a1be07d4c55"])
    errors: list[FieldProblem] = Field(default=[], description="Each thing that is wrong, where there are several.")


_BY_ERROR = {
    AwayError: NOT_READY,
    CrossedError: CONFLICT,
    FullError: NO_SPACE,
    UnfitError: INVALID,
    DeniedError: FORBIDDEN,
    InvalidError: INVALID,
    NoRevisionError: NO_REVISION,
    NoSpaceError: NO_SPACE,
    NotFoundError: NOT_FOUND,
    NotReadyError: NOT_READY,
    StaleError: STALE,
}

Page = Callable[[Scope, Problem], Response]
"""Draws a problem for a person."""


def wants_page(scope: Scope) -> bool:
    """Tell whether a person is looking: a browser asks, and not for anything meant for programs."""
    return not scope["path"].startswith(FOR_PROGRAMS) and "text/html" in Headers(scope=scope).get("accept", "")


def request_id(scope: Scope) -> str:
    """Give the id under which the request is logged; blank before it has one."""
    return str(scope.get("state", {}).get("request_id", ""))


class ErrorAnswers:
    """Answers with an error: a problem document, or a page where a person is looking.

    Parameters
    ----------
    page : Page
        Draws the page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def __call__(
        self,
        scope: Scope,
        kind: Kind,
        *,
        detail: str,
        hint: str = "",
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Build the response."""
        scope.setdefault("state", {})["problem"] = kind.name
        problem = Problem(
            type=f"urn:loadline:problem:{kind.name}",
            title=kind.title,
            status=kind.status,
            detail=whole_characters(detail),
            instance=quote(scope["path"], errors="replace"),
            hint=hint,
            request_id=request_id(scope),
            errors=list(errors),
        )
        if wants_page(scope):
            response = self.page(scope, problem)
        else:
            response = JSONResponse(
                problem.model_dump(exclude_defaults=True), status_code=kind.status, media_type=MEDIA_TYPE
            )
        response.headers.update(headers or {})
        return response

    def of(self, scope: Scope, error: LoadlineError) -> Response:
        """Answer with an error from within. Its `where` may be a path of this machine, and stays here."""
        if isinstance(error, DatasetError):
            breaches = [
                FieldProblem(where=f"{b.file}:{b.line}:{b.column}", what=f"expected {b.expected}")
                for b in error.breaches[:LISTED]
            ]
            return self(scope, INVALID, detail=error.what, hint=error.hint, errors=breaches)
        kind = NO_SPACE if out_of_space(error) else _BY_ERROR.get(type(error), CONFLICT)
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if kind is NOT_READY else None
        if isinstance(error, CrossedError):
            headers = {"Retry-After": "1"}
        return self(scope, kind, detail=error.what, hint=error.hint, headers=headers)

    def of_http(self, scope: Scope, error: HTTPException) -> Response:
        """Answer with an error of HTTP itself: nothing at an address, a method that it does not take."""
        kind = _BY_STATUS.get(error.status_code, BAD_REQUEST if error.status_code < 500 else UNEXPECTED)
        detail = {404: "there is nothing at this address", 405: f"{scope['method']} is not possible here"}
        hint = {404: "/openapi.json lists the addresses.", 405: "See the Allow header."}
        headers = dict(error.headers or {})
        if "GET" in headers.get("Allow", ""):
            headers["Allow"] = headers["Allow"].replace("GET", "GET, HEAD")
        return self(
            scope,
            kind,
            detail=detail.get(kind.status, kind.title),
            hint=hint.get(kind.status, ""),
            headers=headers,
        )


def whole_characters(text: str) -> str:
    r"""Give a text that can be sent: half a character, which JSON can escape into a text, becomes a question mark.

    >>> whole_characters("\ud800")
    '?'
    """
    return text.encode("utf-8", "replace").decode()


def out_of_space(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it comes from, says that nothing more can be written."""
    for _ in range(DEEPEST_CAUSE):
        if error is None:
            return False
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        error = error.__cause__ or error.__context__
    return False


def handle_errors(app: FastAPI, answer: ErrorAnswers) -> None:
    """Have every expected error answered; the unexpected are caught around the application, see `middleware`."""
    from fastapi.exceptions import RequestValidationError  # small processes do without FastAPI, which weighs much

    async def of_loadline(request: Request, error: Exception) -> Response:
        assert isinstance(error, LoadlineError)
        log.debug("refused by %s", type(error).__name__)  # what it says may quote what was asked
        return answer.of(request.scope, error)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [
            FieldProblem(
                where=whole_characters(".".join(str(part) for part in entry["loc"]))[:LONGEST_PLACE],
                what=whole_characters(entry["msg"]),
            )
            for entry in error.errors()[:LISTED]
        ]
        return answer(
            request.scope,
            INVALID,
            detail="some parameters are not valid",
            hint="The errors name each parameter; /openapi.json describes them.",
            errors=errors,
        )

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer.of_http(request.scope, error)

    async def of_system(request: Request, error: Exception) -> Response:
        if not out_of_space(error):
            raise error
        hint = "Make room where the home is; nothing was changed."
        return answer(request.scope, NO_SPACE, detail="nothing more can be written", hint=hint)

    app.add_exception_handler(OSError, of_system)
    app.add_exception_handler(LoadlineError, of_loadline)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
