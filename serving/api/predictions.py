"""The warning model asked about rows of features that whoever asks has computed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from serving.api.units import DatasetName
from serving.asked_model import AskedModels
from serving.hot.predicting import ANSWERS, question_in
from serving.prediction_schemas import PredictionAnswer, PredictionExplanation, RowsToPredict, WarningModel

router = APIRouter(tags=["predictions"])
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": RowsToPredict.model_json_schema()}}}
}


async def asked_models_of(request: Request) -> AskedModels:
    """Give the models of the application that is asked."""
    return request.app.state.asked_models


Models = Annotated[AskedModels, Depends(asked_models_of)]


@router.get("/predictions", summary="Tell which warning model answers", operation_id="get_warning_model")
def get_warning_model(models: Models, dataset: DatasetName = None) -> WarningModel:
    """Name the features that the warning model in service is asked with, in their order."""
    asked = models.of(dataset)
    scorer = asked.scorer
    return WarningModel(
        dataset=asked.dataset,
        model_version=scorer.version,
        base_rate=scorer.base_rate,
        features=list(scorer.names),
    )


@router.post(
    "/predictions",
    summary="Predict deterioration for rows of features",
    operation_id="predict",
    response_model=PredictionAnswer,
    openapi_extra=BODY,
)
async def predict(request: Request, models: Models, dataset: DatasetName = None) -> Response:
    """Give the calibrated probability of deterioration of each row."""
    return await _answered(request, models, dataset, explain=False)


@router.post(
    "/predictions/explanation",
    summary="Explain predictions",
    operation_id="explain_predictions",
    response_model=PredictionExplanation,
    openapi_extra=BODY,
)
async def explain_predictions(request: Request, models: Models, dataset: DatasetName = None) -> Response:
    """Share out among drivers how far the probability of each row lies from that of the typical row."""
    return await _answered(request, models, dataset, explain=True)


async def _answered(request: Request, models: AskedModels, dataset: str | None, *, explain: bool) -> Response:
    question = question_in(await request.body())
    content = await run_in_threadpool(lambda: ANSWERS[explain](question, models.of(dataset)))
    return Response(content, media_type="application/json")
