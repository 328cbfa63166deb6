"""Scores of a unit, line by line, and what tells them from a reference."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from serving.api import score_desk
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.units import DatasetName, UnitCode
from serving.score_schemas import Against, PolicyList, Score, ScoreExplanation

router = APIRouter(tags=["scores"])

PeriodName = Annotated[
    str,
    Path(
        max_length=10,
        description="The period, as the dataset writes it; a bare year stands for its last one.",
        examples=["2024-12"],
    ),
]


@router.get(
    "/scores/{unit:path}/{period}/explanation",
    summary="Explain a unit's score against a reference",
    operation_id="explain_score",
)
def explain_score(
    response: Response,
    unit: UnitCode,
    period: PeriodName,
    desk: Annotated[Desk, Depends(desk_of)],
    against: Annotated[
        Against | None,
        Query(
            description="The targets, last year on the same basis, or the peers' median; by default the targets where "
            "the period was closed with them, else the peers.",
            examples=["peers"],
        ),
    ] = None,
    dataset: DatasetName = None,
) -> ScoreExplanation:
    """Split the difference between a score and its reference over the indicators, exactly, and tell it in words."""
    found, stamp = score_desk.explained_score(desk, unit, period, against=against, dataset=dataset)
    response.headers["ETag"] = entity_tag("score-explanation", *stamp, unit, found.against)
    return found


@router.get("/scores/{unit:path}/{period}", summary="Look a unit's score up", operation_id="get_score")
def get_score(
    response: Response,
    unit: UnitCode,
    period: PeriodName,
    desk: Annotated[Desk, Depends(desk_of)],
    dataset: DatasetName = None,
) -> Score:
    """Give a score with every line that it adds up from. A closed period is given as it was closed."""
    found, stamp = score_desk.unit_score(desk, unit, period, dataset=dataset)
    response.headers["ETag"] = entity_tag("score", *stamp, unit)
    return found


@router.get("/policies", summary="List the policies and which one answers", operation_id="list_policies")
def list_policies(
    response: Response, desk: Annotated[Desk, Depends(desk_of)], dataset: DatasetName = None
) -> PolicyList:
    """List the activated policies, the one that came with the dataset, and what stands in where there is none."""
    found = score_desk.policies(desk, dataset=dataset)
    response.headers["ETag"] = entity_tag("policies", found.model_dump_json())
    return found
