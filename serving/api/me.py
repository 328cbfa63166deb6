"""Who asks."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from serving.access.principal import who
from serving.api.desk import entity_tag
from serving.api.people import TheIdentity
from serving.identity_schemas import MeAnswer, told

router = APIRouter(tags=["people"])


@router.get("/me", summary="Tell who asks", operation_id="get_me")
def get_me(response: Response, identity: TheIdentity) -> MeAnswer:
    """Give the name and the roles of whoever asks, and until when the session holds."""
    principal = who()
    answer = MeAnswer(
        name=principal.name,
        kind=principal.kind,
        roles=sorted(role.value for role in principal.roles),
        grants=told(principal.grants),
        session_ends_at=identity.session_end(),
        csrf=principal.csrf,
    )
    response.headers["ETag"] = entity_tag("me", answer.model_dump_json())
    return answer
