"""Training runs: asking for one, following it, and stopping it. The work is done by a process of its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, status
from starlette.responses import Response

from serving.api.desk import entity_tag
from serving.api.documents import described_as, document_answer
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.run_answers import detail_answer, events_answer, run_answer
from serving.api.training_desk import TrainingDesk, training_of
from serving.api.units import DatasetName
from serving.errors import InvalidError
from serving.idempotency import request_key
from serving.training_schemas import (
    CancelAsked,
    RunEvents,
    RunState,
    TrainingAsked,
    TrainingRun,
    TrainingRunDetail,
    TrainingRunPage,
)

router = APIRouter(tags=["training"])

RunName = Annotated[str, Path(max_length=100, description="Name of the run.", examples=["sample-bank-4c1f09ab7d32"])]
RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="A word of your own: sent again with the same request, it is the same run, whatever has happened "
        "meanwhile. With another request it is refused.",
        examples=["4d0c1b1e-7f5a"],
    ),
]
TheTraining = Annotated[TrainingDesk, Depends(training_of)]


@router.get("/training-runs", summary="List the training runs, the newest first", operation_id="list_training_runs")
def list_training_runs(
    response: Response,
    training: TheTraining,
    state: Annotated[RunState | None, Query(description="Only runs that stand so.", examples=["running"])] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> TrainingRunPage:
    """List what was asked for, how far it is, and what became of it; of every dataset unless one is named."""
    runs = training.runs(dataset=dataset, state=state)
    begin, after = 0, read_cursor(cursor)
    if after is not None:
        names = [run.name for run in runs]
        if after not in names:
            raise InvalidError("the list has changed since the page before", hint="Begin again without `cursor`.")
        begin = names.index(after) + 1
    shown = runs[begin : begin + limit]
    answer = TrainingRunPage(
        items=[run_answer(run) for run in shown],
        total=len(runs),
        next_cursor=write_cursor(shown[-1].name if begin + limit < len(runs) else None),
    )
    response.headers["ETag"] = entity_tag("training-runs", answer.model_dump_json())
    return answer


@router.post(
    "/training-runs",
    summary="Ask for training",
    operation_id="ask_for_training",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"model": TrainingRun, "description": "The same was asked for before: this is its run."},
        202: {
            "description": "A new run, which a process of its own works on.",
            "headers": {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}},
        },
    },
)
def ask_for_training(
    asked: TrainingAsked, response: Response, training: TheTraining, key: RequestKey = None
) -> TrainingRun:
    """Have it decided what must be trained, and train, test and gate it; a model that passes is promoted.

    The same request twice is one run, unless the first failed, was cancelled, or is asked for `again`.
    """
    run, new = training.ask(asked, key=request_key() or key)
    response.status_code = status.HTTP_202_ACCEPTED if new else status.HTTP_200_OK
    response.headers["Location"] = f"/api/v1/training-runs/{run.name}"
    return run_answer(run)


@router.get("/training-runs/{name}", summary="Look a training run up", operation_id="get_training_run")
def get_training_run(response: Response, name: RunName, training: TheTraining) -> TrainingRunDetail:
    """Give a run with its steps, its log in words and what came of it."""
    answer = detail_answer(training.find(name))
    response.headers["ETag"] = entity_tag("training-run", answer.model_dump_json())
    return answer


@router.get("/training-runs/{name}/events", summary="Tell what happened since", operation_id="list_training_run_events")
def list_training_run_events(
    response: Response,
    name: RunName,
    training: TheTraining,
    after: Annotated[
        int, Query(ge=0, le=1_000_000, description="Number of the last event seen; 0 for all.", examples=[4])
    ] = 0,
) -> RunEvents:
    """Give the events of a run after one that is known: ask every few seconds until it has ended."""
    answer = events_answer(training.find(name), after)
    response.headers["ETag"] = entity_tag("training-run-events", after, answer.model_dump_json())
    return answer


@router.get(
    "/training-runs/{name}/shadow-report",
    summary="Read how scores differ",
    operation_id="get_shadow_report",
    response_class=Response,
    responses=described_as("html"),
)
def get_shadow_report(name: RunName, training: TheTraining) -> Response:
    """Give the report on scores under the present and the new rules, as a page in both languages."""
    return document_answer(training.shadow_report(name), form="html")


@router.post(
    "/training-runs/{name}/cancel",
    summary="Stop a training run",
    operation_id="cancel_training_run",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"model": TrainingRun, "description": "It has stopped already."},
        202: {"description": "It stops before its next step. What is promoted by then stays so."},
    },
)
def cancel_training_run(asked: CancelAsked, response: Response, name: RunName, training: TheTraining) -> TrainingRun:
    """Ask a run to stop. Asking twice changes nothing; a run that has ended is not changed, which is a conflict."""
    answer = run_answer(training.cancel(name, asked))
    response.status_code = status.HTTP_200_OK if answer.state == "cancelled" else status.HTTP_202_ACCEPTED
    return answer
