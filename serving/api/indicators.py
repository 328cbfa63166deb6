"""Indicators: what is measured."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from features import indicators as known
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.units import DatasetName
from serving.errors import NotFoundError
from serving.schemas import Indicator, IndicatorName, IndicatorPage

router = APIRouter(tags=["indicators"])


def indicator_answer(entry: known.Indicator) -> Indicator:
    """Give an indicator as the API has it."""
    return Indicator(
        code=entry.code,
        name=IndicatorName(en=entry.name.en, zh=entry.name.zh),
        aliases=list(entry.aliases),
        unit=entry.unit,
        direction=entry.direction,
        band=None if entry.band is None else list(entry.band),
        kind=entry.kind,
        numerator=entry.numerator,
        denominator=entry.denominator,
        perspective=entry.perspective,
        bounds=None if entry.bounds is None else list(entry.bounds),
        averaging=entry.averaging,
        core=entry.core,
        target_allowed=entry.is_target,
        entity_only=entry.entity_only,
        controllable=entry.controllable,
        publication_lag=entry.publication_lag,
        definition_version=entry.definition_version,
        formula=entry.formula,
        exclusions=entry.exclusions,
        owner=entry.owner,
    )


@router.get("/indicators", summary="List the indicators", operation_id="list_indicators")
def list_indicators(
    response: Response,
    desk: Annotated[Desk, Depends(desk_of)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> IndicatorPage:
    """List the indicators of the dataset in the order of their codes."""
    directory = desk.directory(dataset)
    snapshot = directory.snapshot
    after = read_cursor(cursor)
    codes = [code for code in sorted(snapshot.indicators) if after is None or code > after]
    shown = codes[:limit]
    response.headers["ETag"] = entity_tag("indicators", *directory.identity)
    return IndicatorPage(
        items=[indicator_answer(snapshot.indicators[code]) for code in shown],
        total=len(snapshot.indicators),
        next_cursor=write_cursor(shown[-1] if len(codes) > limit else None),
    )


@router.get("/indicators/{code}", summary="Look an indicator up", operation_id="get_indicator")
def get_indicator(
    response: Response,
    code: Annotated[str, Path(description="Code of the indicator.", examples=["R01"])],
    desk: Annotated[Desk, Depends(desk_of)],
    dataset: DatasetName = None,
) -> Indicator:
    """Give one indicator."""
    directory = desk.directory(dataset)
    snapshot = directory.snapshot
    if code not in snapshot.indicators:
        raise NotFoundError(f"there is no indicator {code!r}", hint="GET /api/v1/indicators lists them.")
    response.headers["ETag"] = entity_tag("indicators", *directory.identity)
    return indicator_answer(snapshot.indicators[code])
