"""People: who may sign in, and what they may do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, status
from starlette.responses import Response

from serving.api.desk import entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.revisions import IfMatch, asked_revision, revision_tag
from serving.identity.entrance import INVITATION
from serving.identity.identity import Identity
from serving.identity.records import LOGIN_LENGTH
from serving.identity_schemas import (
    InvitationAnswer,
    PersonAnswer,
    PersonChange,
    PersonPage,
    PersonRequest,
    asked,
)

router = APIRouter(tags=["people"])


async def identity_of(request: Request) -> Identity:
    """Give what the application knows of people."""
    return request.app.state.identity


TheIdentity = Annotated[Identity, Depends(identity_of)]
LoginAsked = Annotated[
    str, Path(max_length=LOGIN_LENGTH, description="The login, whatever its case.", examples=["li.wei@bank.example"])
]
CREATED = {"Location": {"description": "Where it is found.", "schema": {"type": "string"}}}
TAGGED = {"ETag": {"description": "Send it as If-Match with a change.", "schema": {"type": "string"}}}
NEVER_STORED = "no-store"
"""The answer holds a secret: neither caches nor the record of repeated requests may keep it."""


@router.get("/people", summary="List the people", operation_id="list_people")
def list_people(
    response: Response, identity: TheIdentity, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PersonPage:
    """List who may sign in, by login, those who are disabled included."""
    found = identity.people.list(after=read_cursor(cursor) or "", limit=limit + 1)
    shown = found[:limit]
    answer = PersonPage(
        items=[PersonAnswer.of(person) for person in shown],
        total=identity.people.count(),
        next_cursor=write_cursor(shown[-1].login) if len(found) > limit else None,
    )
    response.headers["ETag"] = entity_tag("people", answer.model_dump_json())
    return answer


@router.post(
    "/people",
    summary="Add a person",
    operation_id="add_person",
    status_code=status.HTTP_201_CREATED,
    responses={201: {"headers": CREATED | TAGGED}},
)
def add_person(response: Response, given: PersonRequest, identity: TheIdentity) -> PersonAnswer:
    """Add somebody, without a password: see the password reset, or let the identity provider vouch for the address."""
    person = identity.people.add(given.login, name=given.name, grants=asked(given.grants))
    response.headers["Location"] = f"/api/v1/people/{person.login}"
    response.headers["ETag"] = revision_tag(person.revision)
    return PersonAnswer.of(person)


@router.get("/people/{login}", summary="Look a person up", operation_id="get_person")
def get_person(response: Response, login: LoginAsked, identity: TheIdentity) -> PersonAnswer:
    """Give what is known of somebody; the ETag is what a change must name."""
    person = identity.people.get(login)
    response.headers["ETag"] = revision_tag(person.revision)
    return PersonAnswer.of(person)


@router.patch(
    "/people/{login}",
    summary="Change a person",
    operation_id="change_person",
    responses={200: {"headers": TAGGED}},
)
def change_person(
    response: Response, login: LoginAsked, given: PersonChange, identity: TheIdentity, revision: IfMatch = None
) -> PersonAnswer:
    """Change name or grants, keep somebody out or let in again. Who is kept out is signed out at once."""
    person = identity.people.edit(
        login,
        name=given.name,
        grants=None if given.grants is None else asked(given.grants),
        disabled=given.disabled,
        revision=asked_revision(revision),
    )
    response.headers["ETag"] = revision_tag(person.revision)
    return PersonAnswer.of(person)


@router.post(
    "/people/{login}/password-reset",
    summary="Invite to choose a password",
    operation_id="reset_password",
    status_code=status.HTTP_201_CREATED,
)
def reset_password(response: Response, login: LoginAsked, identity: TheIdentity) -> InvitationAnswer:
    """Make an address where the person chooses a password, once, within a day. Nobody else ever knows the password."""
    secret, ends = identity.people.invite(login)
    response.headers["Cache-Control"] = NEVER_STORED
    person = identity.people.get(login)
    return InvitationAnswer(login=person.login, address=f"{INVITATION}?secret={secret}", ends_at=ends)
