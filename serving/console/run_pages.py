"""The pages of training: what was asked for, and one run step by step."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from serving.api.run_answers import detail_answer, run_answer
from serving.api.training_desk import SHADOW_REPORT, TrainingDesk, training_of
from serving.console.pages import AGAIN_SECONDS, Dataset, TheDesk, ThePages, stored_directory
from serving.console.run_rows import outcomes, result_text, timeline, ways_to_ask, ways_to_follow
from serving.training_schemas import RunState

RUNS_SHOWN = 25
"""Runs on a page: a screen."""
LAST_PAGE = 100_000
MOVING = frozenset({"queued", "running", "interrupted"})
"""States that somebody or something still changes: such a page asks again."""

TheTraining = Annotated[TrainingDesk, Depends(training_of)]


def run_router() -> APIRouter:
    """Give the routes of the training pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/training", run_list, methods=["GET"])
    router.add_api_route("/run", run_page, methods=["GET"])
    return router


def run_list(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    training: TheTraining,
    dataset: Dataset = None,
    state: Annotated[RunState | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    """List the training runs of a dataset, the newest first."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    name = directory.snapshot.about.dataset
    found = training.runs(dataset=name, state=state)
    shown = found[(page - 1) * RUNS_SHOWN : page * RUNS_SHOWN]
    rows = [(run_answer(run), run.events[-1:], run.result) for run in shown]
    reader = pages.reader(request.scope)
    response = pages.show(
        request.scope,
        "training.html",
        directory=directory,
        state=state,
        rows=[(run, last[0].text if last else None, result_text(result, reader)) for run, last, result in rows],
        page=page,
        more=len(found) > page * RUNS_SHOWN,
        ways=ways_to_ask(name),
    )
    if any(run.state in MOVING for run, _, _ in rows):
        response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response


def run_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    training: TheTraining,
    name: Annotated[str, Query(max_length=100)],
    dataset: Dataset = None,
) -> Response:
    """Show a run: how far it is, what was decided, each step, what happened, and what came of it."""
    kept = training.find(name)
    run = detail_answer(kept)
    directory = stored_directory(desk, dataset or run.dataset)
    reader = pages.reader(request.scope)
    moving = run.state in MOVING
    response = pages.show(
        request.scope,
        "run.html",
        directory=directory,
        run=run,
        seconds=AGAIN_SECONDS if moving else None,
        rows=timeline(run.steps, desk.advisor.now() if run.state == "running" else run.updated_at),
        outcomes=outcomes(run.result, reader),
        told=result_text(run.result, reader),
        shadow=result_text((run.result or {}).get("shadow"), reader),
        report=(kept.work / SHADOW_REPORT).is_file(),
        ways=ways_to_follow(run),
    )
    if moving:
        response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response
