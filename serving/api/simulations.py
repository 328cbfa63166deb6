"""Simulations: past periods under other rules, worked on in the background by a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, status
from starlette.responses import Response

from features.errors import LoadlineError
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.documents import described_as, document_answer
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit
from serving.api.time_cursor import read_time_cursor, write_time_cursor
from serving.api.units import DatasetName
from serving.errors import InvalidError, NotFoundError
from serving.idempotency import request_key
from serving.simulation_jobs import SimulationJobs
from serving.simulation_question import Question
from serving.simulation_schemas import (
    Simulation,
    SimulationAsked,
    SimulationCancelAsked,
    SimulationDetail,
    SimulationPage,
    SimulationProgress,
    SimulationQuestion,
    SimulationState,
)

router = APIRouter(tags=["simulations"])

SimulationName = Annotated[
    str,
    Path(
        max_length=32,
        pattern="^[0-9a-f]{1,32}$",
        description="The simulation's id.",
        examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"],
    ),
]
TheDesk = Annotated[Desk, Depends(desk_of)]


async def jobs_of(request: Request) -> SimulationJobs:
    """Give what has simulations done for the application that is asked."""
    return request.app.state.simulation_jobs


@router.get("/simulations", summary="List the simulations, the newest first", operation_id="list_simulations")
def list_simulations(
    response: Response,
    desk: TheDesk,
    state: Annotated[SimulationState | None, Query(description="Only those that stand so.", examples=["done"])] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> SimulationPage:
    """List what was asked for and how far it is; of every dataset unless one is named."""
    if dataset is not None:
        desk.directory(dataset)
    rows, total = desk.advisor.simulations.listed(
        dataset=dataset, state=state, after=read_time_cursor(cursor), limit=limit + 1
    )
    shown = rows[:limit]
    last = write_time_cursor(shown[-1]["asked_at"], shown[-1]["id"]) if len(rows) > limit else None
    answer = SimulationPage(items=[Simulation(**_fields(row)) for row in shown], total=total, next_cursor=last)
    response.headers["ETag"] = entity_tag("simulations", answer.model_dump_json())
    return answer


@router.post(
    "/simulations",
    summary="Ask for a simulation",
    operation_id="ask_for_simulation",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        202: {
            "description": "It is worked on in the background.",
            "headers": {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}},
        }
    },
)
def ask_for_simulation(
    asked: SimulationAsked,
    response: Response,
    desk: TheDesk,
    jobs: Annotated[SimulationJobs, Depends(jobs_of)],
    dataset: DatasetName = None,
) -> Simulation:
    """Have past periods replayed under another policy, with a change from outside, or both. No score is stored."""
    name = desk.directory(dataset).snapshot.about.dataset
    if asked.policy is not None and asked.document is not None:
        raise InvalidError("a policy is named and sent at once", hint="Send `policy` or `document`.")
    question = Question(
        policy=asked.document if asked.policy is None else _policy(desk, asked.policy, name),
        against=None if asked.against is None else _policy(desk, asked.against, name),
        change=asked.change,
        period=asked.period,
        first=asked.first,
        last=asked.last,
        year_ends=asked.year_ends,
        suggested_targets=asked.suggested_targets,
        point_value=asked.point_value,
        known_on=None if asked.known_on is None else asked.known_on.isoformat(),
    )
    with in_the_name_of(asked.signer):
        row, _ = desk.advisor.simulations.ask(question, title=asked.title, dataset=name, request_key=request_key())
    jobs.wake()
    response.headers["Location"] = f"/api/v1/simulations/{row['id']}"
    return Simulation(**_fields(row))


@router.get("/simulations/{simulation}", summary="Look a simulation up", operation_id="get_simulation")
def get_simulation(response: Response, simulation: SimulationName, desk: TheDesk) -> SimulationDetail:
    """Give a simulation with what was asked for and, once it is done, who would gain, who would lose, and why."""
    row = desk.advisor.simulations.find(simulation, result=True)
    asked = dict(row["asked"])
    asked["known_on"] = None if asked["known_on"] is None else date.fromisoformat(asked["known_on"])
    answer = SimulationDetail(**_fields(row), question=SimulationQuestion(**asked), result=row["result"])
    response.headers["ETag"] = entity_tag("simulation", answer.model_dump_json())
    return answer


@router.get(
    "/simulations/{simulation}/report",
    summary="Read the report",
    operation_id="get_simulation_report",
    response_class=Response,
    responses=described_as("html"),
)
def get_simulation_report(simulation: SimulationName, desk: TheDesk) -> Response:
    """Give the report of a simulation that is done, as a page in both languages."""
    return document_answer(desk.advisor.simulations.report(simulation), form="html")


@router.post("/simulations/{simulation}/cancel", summary="Stop a simulation", operation_id="cancel_simulation")
def cancel_simulation(asked: SimulationCancelAsked, simulation: SimulationName, desk: TheDesk) -> Simulation:
    """Stop a simulation before its next step. One that has ended stays as it is; asking twice changes nothing."""
    with in_the_name_of(asked.signer):
        return Simulation(**_fields(desk.advisor.simulations.cancel(simulation)))


def _policy(desk: Desk, name: str, dataset: str) -> str:
    """Give a policy's text as it is now: it stays what was asked for, whatever is activated before it is replayed."""
    try:
        return desk.advisor.policies.known_text(name, dataset=dataset)
    except LoadlineError as error:
        if type(error) is not LoadlineError:
            raise
        raise NotFoundError(error.what, hint="GET /api/v1/policies lists the policies.") from error


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("id", "dataset", "title", "state", "trouble", "asked_at", "asked_by")}
    progress = None if row["progress"] is None else SimulationProgress(**row["progress"])
    return told | {"finished_at": row["finished_at"], "progress": progress if row["state"] == "running" else None}
