"""The pages of models: which serve and which might, and one version with its gates and its record."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from serving.api.model_answers import model_answer, model_detail, version_answer
from serving.api.model_desk import ModelDesk, models_of
from serving.console.model_rows import compared_years, evidence_rows, gate_rows, gate_titles, ways_to_decide
from serving.console.pages import Dataset, TheDesk, ThePages, stored_directory

VERSIONS_SHOWN = 20
"""Versions of a model on the page, the newest: older ones are in the answer of the service."""
RECORD_SHOWN = 30
"""Lines of the record of promotions on the page."""

TheModels = Annotated[ModelDesk, Depends(models_of)]


def model_router() -> APIRouter:
    """Give the routes of the model pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/models", model_list, methods=["GET"])
    router.add_api_route("/model", model_page, methods=["GET"])
    return router


def model_list(
    request: Request, desk: TheDesk, pages: ThePages, models: TheModels, dataset: Dataset = None
) -> Response:
    """Show the models of a dataset: which serves, which might, and the record of promotions."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    two_people = models.two_people
    shown = []
    for name, found in models.names(dataset=directory.snapshot.about.dataset).items():
        whole = None if isinstance(found, str) else model_detail(found, two_people=two_people)
        about = whole or model_answer(name, found, two_people=two_people)
        shown.append(
            {
                "about": about,
                "versions": about.versions[:VERSIONS_SHOWN],
                "more": max(0, len(about.versions) - VERSIONS_SHOWN),
                "record": [] if whole is None else whole.record[: -RECORD_SHOWN - 1 : -1],
            }
        )
    runs = {run.name for run in desk.advisor.training.runs()}
    return pages.show(request.scope, "models.html", directory=directory, two_people=two_people, models=shown, runs=runs)


def model_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    models: TheModels,
    name: Annotated[str, Query(max_length=100)],
    version: Annotated[str, Query(pattern=r"^[0-9a-fA-F]{4,64}$")],
    dataset: Dataset = None,
) -> Response:
    """Show a version: how it stands, each gate, how it did year by year, its card, and how to decide about it."""
    model, one = models.version(name, version)
    found = version_answer(models, model, one)
    directory = stored_directory(desk, dataset or _dataset_of(desk, found.described.get("dataset")))
    reader = pages.reader(request.scope)
    chart, with_champion = compared_years(found)
    return pages.show(
        request.scope,
        "model.html",
        directory=directory,
        found=found,
        gates=gate_rows(found, gate_titles(desk.advisor.settings.home, found.kind), reader),
        chart=chart,
        with_champion=with_champion,
        evidence=evidence_rows(found),
        cards=[address for address in found.cards if f"lang={reader.language}&" in address],
        record=[line for line in model_detail(model, two_people=False).record if line.version == found.version],
        with_run=found.run in {run.name for run in desk.advisor.training.runs()},
        ways=ways_to_decide(found),
    )


def _dataset_of(desk: TheDesk, told: object) -> str | None:
    """Give the dataset that a model says it is of, where it is still stored."""
    return next((entry.dataset for entry in desk.advisor.store.versions() if entry.dataset == told), None)
