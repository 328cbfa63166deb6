"""Models on record: what serves, what might, with what right; promoting and going back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from serving.api.desk import entity_tag
from serving.api.documents import described_as, document_answer
from serving.api.model_answers import model_answer, model_detail, promotion_answer, version_answer
from serving.api.model_desk import ModelDesk, models_of
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.units import DatasetName
from serving.model_schemas import (
    ModelDetail,
    ModelPage,
    ModelPromotion,
    ModelVersionDetail,
    PromotionAsked,
    RollbackAsked,
)

router = APIRouter(tags=["models"])

ModelName = Annotated[str, Path(max_length=100, description="Name of the model.", examples=["target-sample-bank"])]
Version = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-fA-F]{4,64}$",
        description="The version, or as much of it as names one.",
        examples=["3f9c01ab7d32"],
    ),
]
TheModels = Annotated[ModelDesk, Depends(models_of)]


@router.get("/models", summary="List the models on record", operation_id="list_models")
def list_models(
    response: Response,
    models: TheModels,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> ModelPage:
    """List each model with its versions: which serves, which might, and what each waits for."""
    named = models.names(dataset=dataset)
    after = read_cursor(cursor)
    rest = [name for name in named if after is None or name > after]
    shown = rest[:limit]
    two_people = models.two_people
    answer = ModelPage(
        items=[model_answer(name, named[name], two_people=two_people) for name in shown],
        total=len(named),
        next_cursor=write_cursor(shown[-1] if len(rest) > limit else None),
    )
    response.headers["ETag"] = entity_tag("models", answer.model_dump_json())
    return answer


@router.get("/models/{name}", summary="Look a model up", operation_id="get_model")
def get_model(response: Response, name: ModelName, models: TheModels) -> ModelDetail:
    """Give a model with its versions and the record of its promotions."""
    answer = model_detail(models.model(name), two_people=models.two_people)
    response.headers["ETag"] = entity_tag("model", answer.model_dump_json())
    return answer


@router.get("/models/{name}/versions/{version}", summary="Look a version up", operation_id="get_model_version")
def get_model_version(response: Response, name: ModelName, version: Version, models: TheModels) -> ModelVersionDetail:
    """Give a version with what each gate found, and how it did against the champion of its day."""
    answer = version_answer(models, *models.version(name, version))
    response.headers["ETag"] = entity_tag("model-version", answer.model_dump_json())
    return answer


@router.get(
    "/models/{name}/versions/{version}/card",
    summary="Read a model card",
    operation_id="get_model_card",
    response_class=Response,
    responses=described_as("html", "md"),
)
def get_model_card(
    name: ModelName,
    version: Version,
    models: TheModels,
    lang: Annotated[Literal["en", "zh"], Query(description="Its language.", examples=["zh"])] = "en",
    form: Annotated[Literal["html", "md"], Query(description="A page, or Markdown.", examples=["html"])] = "html",
) -> Response:
    """Give the card of a version: purpose, data, record against baselines, limits, sign-off."""
    content = models.card(name, version, language=lang, form=form)
    return document_answer(content, form=form, language="zh-CN" if lang == "zh" else "en")


@router.post("/models/{name}/promote", summary="Make a version the champion", operation_id="promote_model")
def promote_model(asked: PromotionAsked, name: ModelName, models: TheModels) -> ModelPromotion:
    """Promote a version on record. A failed gate, a changed champion or a missing second person is a conflict.

    The same again changes nothing. Running services take the new champion up by themselves.
    """
    return promotion_answer(models.promote(name, asked))


@router.post("/models/{name}/rollback", summary="Go back to the champion before", operation_id="roll_model_back")
def roll_model_back(asked: RollbackAsked, name: ModelName, models: TheModels) -> ModelPromotion:
    """Go back to the champion before this one, at once and by one person; once more, to the one before that."""
    return promotion_answer(models.rollback(name, asked))
