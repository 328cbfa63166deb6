"""The pages of one's own account, and of people and keys for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.errors import LoadlineError
from serving.access.principal import Grant, who
from serving.api.people import TheIdentity
from serving.console.pages import Pages, ThePages
from serving.errors import INVALID, InvalidError
from serving.identity.entrance import ENTRANCE, INVITATION, NOT_ALIKE
from serving.identity.identity import Identity
from serving.identity.keys import DAYS
from serving.identity.passwords import LONGEST
from serving.identity.records import LOGIN_LENGTH, NAME_LENGTH, grants_told, read_grant

LONGEST_GRANTS = 20_000
"""Characters of all grants as they are typed, one a line."""

Login = Annotated[str, Form(max_length=LOGIN_LENGTH)]
Name = Annotated[str, Form(max_length=NAME_LENGTH)]
Password = Annotated[str, Form(max_length=LONGEST)]
GrantLines = Annotated[str, Form(max_length=LONGEST_GRANTS)]


def account_router() -> APIRouter:
    """Give the routes of the pages of accounts."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/account", account_page, methods=["GET"])
    router.add_api_route("/account/password", change_own_password, methods=["POST"])
    router.add_api_route("/people", people_page, methods=["GET"])
    router.add_api_route("/people/add", post_person, methods=["POST"])
    router.add_api_route("/people/change", post_person_change, methods=["POST"])
    router.add_api_route("/people/invite", post_invitation, methods=["POST"])
    router.add_api_route("/people/key", post_key, methods=["POST"])
    router.add_api_route("/people/key/revoke", post_key_revocation, methods=["POST"])
    return router


def account_page(request: Request, identity: TheIdentity, pages: ThePages) -> Response:
    """Show who one is here, and what one may do."""
    return _account(request, identity, pages)


def change_own_password(
    request: Request, identity: TheIdentity, pages: ThePages, old: Password, password: Password, again: Password
) -> Response:
    """Change one's own password, and sign in with it."""
    try:
        if password != again:
            raise InvalidError(NOT_ALIKE)
        identity.people.change_password(who().id, old=old, new=password)
    except LoadlineError as error:
        return _account(request, identity, pages, trouble=error)
    return RedirectResponse(ENTRANCE, status_code=303)


def people_page(request: Request, identity: TheIdentity, pages: ThePages) -> Response:
    """Show who may sign in, and which keys there are."""
    return _people(request, identity, pages)


def post_person(
    request: Request, identity: TheIdentity, pages: ThePages, login: Login, name: Name, grants: GrantLines = ""
) -> Response:
    """Add a person, and show the invitation to choose a password."""
    try:
        person = identity.people.add(login, name=name, grants=_read(grants))
        secret, ends = identity.people.invite(person.login)
    except LoadlineError as error:
        return _people(request, identity, pages, trouble=error)
    return _people(request, identity, pages, invited=(person.login, _address(request, identity, secret), ends))


def post_person_change(
    request: Request,
    identity: TheIdentity,
    pages: ThePages,
    login: Login,
    revision: Annotated[int, Form(ge=0)],
    grants: Annotated[str | None, Form(max_length=LONGEST_GRANTS)] = None,
    disabled: Annotated[bool | None, Form()] = None,
) -> Response:
    """Change what a person may do, keep the person out, or let in again."""
    try:
        given = None if grants is None else _read(grants)
        identity.people.edit(login, grants=given, disabled=disabled, revision=revision)
    except LoadlineError as error:
        return _people(request, identity, pages, trouble=error)
    return RedirectResponse("/people", status_code=303)


def post_invitation(request: Request, identity: TheIdentity, pages: ThePages, login: Login) -> Response:
    """Invite a person to choose a password."""
    try:
        secret, ends = identity.people.invite(login)
    except LoadlineError as error:
        return _people(request, identity, pages, trouble=error)
    return _people(request, identity, pages, invited=(login, _address(request, identity, secret), ends))


def post_key(
    request: Request,
    identity: TheIdentity,
    pages: ThePages,
    name: Name,
    grants: GrantLines,
    days: Annotated[int, Form()] = DAYS,
) -> Response:
    """Make a key, and show it once."""
    try:
        made = identity.keys.create(name, grants=_read(grants), days=days)
    except LoadlineError as error:
        return _people(request, identity, pages, trouble=error)
    return _people(request, identity, pages, made=made)


def post_key_revocation(
    request: Request, identity: TheIdentity, pages: ThePages, key: Annotated[str, Form(max_length=32)]
) -> Response:
    """Revoke a key."""
    try:
        identity.keys.revoke(key)
    except LoadlineError as error:
        return _people(request, identity, pages, trouble=error)
    return RedirectResponse("/people", status_code=303)


def _account(request: Request, identity: Identity, pages: Pages, *, trouble: LoadlineError | None = None) -> Response:
    principal = who()
    person = identity.people.of(principal.id) if principal.kind == "person" else None
    return pages.show(
        request.scope,
        "account.html",
        status=200 if trouble is None else INVALID.status,
        principal=principal,
        person=person,
        ends_at=identity.session_end(),
        trouble=trouble,
    )


def _people(
    request: Request,
    identity: Identity,
    pages: Pages,
    *,
    trouble: LoadlineError | None = None,
    invited: object = None,
    made: object = None,
) -> Response:
    response = pages.show(
        request.scope,
        "people.html",
        status=200 if trouble is None else INVALID.status,
        people=[(person, "\n".join(grants_told(person.grants))) for person in identity.people.list()],
        keys=[(key, identity.trouble_with(key)) for key in identity.keys.list()],
        trouble=trouble,
        invited=invited,
        made=made,
        days=DAYS,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _read(lines: str) -> list[Grant]:
    return [read_grant(line.strip()) for line in lines.splitlines() if line.strip()]


def _address(request: Request, identity: Identity, secret: str) -> str:
    base = identity.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}{INVITATION}?secret={secret}"
