"""Keys of programs: made, listed, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, status
from starlette.responses import Response

from serving.api.desk import entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.people import NEVER_STORED, TheIdentity
from serving.identity_schemas import KeyAnswer, KeyPage, KeyRequest, NewKeyAnswer, asked

router = APIRouter(tags=["keys"])

KeyAsked = Annotated[
    str, Path(max_length=32, description="Id of the key.", examples=["6f1c1f0c5a1b4e0c9a3f5d2e7b8c9d01"])
]


@router.get("/keys", summary="List the keys", operation_id="list_keys")
def list_keys(
    response: Response, identity: TheIdentity, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> KeyPage:
    """List the keys of programs, those that are over included; nobody can read their secrets again."""
    every = identity.keys.list()
    after = read_cursor(cursor) or ""
    found = [key for key in every if key.id > after]
    answer = KeyPage(
        items=[KeyAnswer.of(key) for key in found[:limit]],
        total=len(every),
        next_cursor=write_cursor(found[limit - 1].id) if len(found) > limit else None,
    )
    response.headers["ETag"] = entity_tag("keys", answer.model_dump_json())
    return answer


@router.post("/keys", summary="Make a key", operation_id="create_key", status_code=status.HTTP_201_CREATED)
def create_key(response: Response, given: KeyRequest, identity: TheIdentity) -> NewKeyAnswer:
    """Make a key for a program. Its secret is in this answer and nowhere else: keep it where secrets are kept."""
    key, secret = identity.keys.create(given.name, grants=asked(given.grants), days=given.days)
    response.headers["Cache-Control"] = NEVER_STORED
    return NewKeyAnswer.made(key, secret)


@router.delete("/keys/{key}", summary="Revoke a key", operation_id="revoke_key")
def revoke_key(key: KeyAsked, identity: TheIdentity) -> KeyAnswer:
    """End a key. Every process refuses it within a second or two; revoking it again changes nothing."""
    return KeyAnswer.of(identity.keys.revoke(key))
