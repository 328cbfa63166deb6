"""Units: regions, branches and groups of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.directory import UnitEntry
from serving.errors import NotFoundError
from serving.schemas import Unit, UnitName, UnitPage

router = APIRouter(tags=["units"])

DatasetName = Annotated[
    str | None, Query(description="Name of the dataset; the last one stored by default.", examples=["sample-bank"])
]
UnitCode = Annotated[
    str, Path(description="Code of the unit, percent-encoded; `/` may be left as it is.", examples=["CN-BJ"])
]


def unit_answer(entry: UnitEntry) -> Unit:
    """Give a unit as the API has it."""
    return Unit(
        code=entry.code,
        name=UnitName(en=entry.name, zh=entry.name_zh),
        parent=entry.parent,
        level=entry.level,
        region_type=entry.region_type,
        peer_group=entry.peer_group,
        business_line=entry.business_line,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        successors=list(entry.successors),
        children=entry.children,
    )


@router.get("/units", summary="List the units", operation_id="list_units")
def list_units(
    response: Response,
    desk: Annotated[Desk, Depends(desk_of)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    level: Annotated[str | None, Query(description="Only units of this level.", examples=["region"])] = None,
    parent: Annotated[
        str | None, Query(description="Only units right below this one; blank for the roots.", examples=["SAMPLE"])
    ] = None,
    dataset: DatasetName = None,
) -> UnitPage:
    """List the units in the order of their codes."""
    directory = desk.directory(dataset)
    if parent:
        desk.unit(directory, parent)
    if level is not None and level not in directory.levels:
        raise NotFoundError(f"there is no level {level!r}", hint=f"Known: {', '.join(directory.levels) or 'none'}.")
    page = directory.page(limit=limit, after=read_cursor(cursor), level=level, parent=parent)
    response.headers["ETag"] = entity_tag("units", *directory.identity)
    return UnitPage(
        items=[unit_answer(entry) for entry in page.units],
        total=page.total,
        next_cursor=write_cursor(page.next_after),
    )


@router.get("/units/{unit:path}", summary="Look a unit up", operation_id="get_unit")
def get_unit(
    response: Response, unit: UnitCode, desk: Annotated[Desk, Depends(desk_of)], dataset: DatasetName = None
) -> Unit:
    """Give one unit."""
    directory = desk.directory(dataset)
    entry = desk.unit(directory, unit)
    response.headers["ETag"] = entity_tag("units", *directory.identity)
    return unit_answer(entry)
