"""Whether the process lives, whether it can answer, and how it fares."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from serving.api.desk import Desk, desk_of
from serving.metrics import ADDRESS
from serving.schemas import Health, Readiness, State

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives", operation_id="health")
async def health() -> Health:
    """Answer without touching anything; open to all."""
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Whether the service can answer",
    operation_id="readiness",
    responses={503: {"model": Readiness, "description": "A component is missing, or the service is about to stop."}},
)
def readiness(request: Request, response: Response, desk: Annotated[Desk, Depends(desk_of)]) -> Readiness:
    """Tell the state of each component; open to all, so without reasons, which the console shows."""
    if request.app.state.draining.begun:
        response.status_code = 503
        return Readiness(status="stopping", components={})
    components: dict[str, State] = {
        name: cast(State, text.partition(":")[0]) for name, text in desk.readiness().items()
    }
    found = set(components.values())
    worst: State = "missing" if "missing" in found else "degraded" if "degraded" in found else "ok"
    if worst == "missing":
        response.status_code = 503
    return Readiness(status=worst, components=components)


@router.get(ADDRESS, include_in_schema=False, operation_id="metrics")
def metrics(request: Request) -> Response:
    """Answer a scrape by Prometheus; see `serving.metrics`."""
    return request.app.state.metrics.response()
