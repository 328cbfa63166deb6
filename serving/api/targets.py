"""Suggested targets of a unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from serving.api.desk import Desk, UnitTargets, desk_of, entity_tag, finite
from serving.api.units import DatasetName, UnitCode
from serving.errors import MEDIA_TYPE, NotFoundError
from serving.explanation import explained
from serving.request_schemas import FIRST_YEAR, LAST_YEAR
from serving.schemas import Driver, IndicatorName, Sentence, Suggestion, TargetLevel, UnitName, UnitSuggestions

router = APIRouter(tags=["targets"])


def suggestions(found: UnitTargets) -> Iterator[Suggestion]:
    """Give the rows of a unit as the API has them."""
    indicators = found.directory.snapshot.indicators
    for row in found.table.to_dict("records"):
        indicator = indicators[str(row["indicator"])]
        levels = {
            name: TargetLevel(value=finite(row[name]), probability=finite(row[f"p_{name}"]))
            for name in ("floor", "target", "stretch")
        }
        why = explained(row, indicator) if levels["target"].value is not None else None
        drivers = [] if why is None else why["drivers"]
        yield Suggestion(
            indicator=indicator.code,
            name=IndicatorName(en=indicator.name.en, zh=indicator.name.zh),
            unit_of_measure=indicator.unit,
            direction=indicator.direction,
            year=int(row["year"]),
            last_actual=finite(row["last_actual"]),
            drivers=[Driver(code=d["code"], amount=d["amount"], text=Sentence(**d["text"])) for d in drivers],
            text=None if why is None else Sentence(**why["text"]),
            evidence=str(row["evidence"]),
            model_version=_text(row["model_version"]),
            policy_version=_text(row["policy_version"]),
            data_version=int(row["data_version"]),
            known_on=found.known_on,
            **levels,
        )


def told(found: UnitTargets, items: list[Suggestion]) -> UnitSuggestions:
    """Give what the API says of a unit, with these of its rows."""
    return UnitSuggestions(
        unit=found.unit.code,
        name=UnitName(en=found.unit.name, zh=found.unit.name_zh),
        year=found.year,
        dataset=found.directory.snapshot.about.dataset,
        synthetic=found.directory.synthetic,
        items=items,
    )


def versions_tag(found: UnitTargets) -> str:
    """Give the ETag of what is said of a unit: it changes with data, model and policy."""
    versions = found.table[["model_version", "policy_version", "data_version"]].drop_duplicates()
    return entity_tag("targets", *found.directory.identity, found.year, versions.astype(str).to_numpy().tolist())


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and str(value) else None


@router.get(
    "/targets/{unit:path}",
    summary="Suggest targets for a unit",
    operation_id="get_targets",
    responses={
        503: {
            "description": "The first suggestions are being made, or no model is sound.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    },
)
def get_targets(
    response: Response,
    unit: UnitCode,
    desk: Annotated[Desk, Depends(desk_of)],
    year: Annotated[
        int | None,
        Query(
            ge=FIRST_YEAR,
            le=LAST_YEAR,
            description="The fiscal year; by default the one after the last that is complete.",
            examples=[2025],
        ),
    ] = None,
    indicator: Annotated[
        list[str] | None, Query(max_length=100, description="Only these indicators.", examples=[["R01"]])
    ] = None,
    dataset: DatasetName = None,
) -> UnitSuggestions:
    """Give floor, target and stretch of each indicator, each with its probability of being attained."""
    found = desk.targets(unit, year=year, dataset=dataset)
    items = list(suggestions(found))
    if indicator:
        items = [item for item in items if item.indicator in indicator]
        missing = sorted(set(indicator) - {item.indicator for item in items})
        if missing:
            raise NotFoundError(
                f"there is no suggestion for {unit!r} in {found.year} on {', '.join(missing)}",
                hint="GET /api/v1/indicators tells which indicators may have targets.",
            )
    response.headers["ETag"] = versions_tag(found)
    return told(found, items)
