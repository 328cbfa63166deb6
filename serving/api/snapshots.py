"""Snapshots: the stored data versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from features.store import DataVersion
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.errors import InvalidError
from serving.schemas import Snapshot, SnapshotPage

router = APIRouter(tags=["snapshots"])


def snapshot_answer(entry: DataVersion) -> Snapshot:
    """Give a data version as the API has it."""
    return Snapshot(
        version=entry.version,
        dataset=entry.dataset,
        continues=entry.parent if entry.parent >= 0 else None,
        fingerprint=entry.fingerprint,
        ingested_at=entry.ingested_at,
        added=entry.added,
        restated=entry.restated,
        unchanged=entry.unchanged,
        first_period=entry.first_period,
        last_period=entry.last_period,
        units=entry.units,
        indicators=entry.indicators,
    )


@router.get("/snapshots", summary="List the data versions", operation_id="list_snapshots")
def list_snapshots(
    response: Response,
    desk: Annotated[Desk, Depends(desk_of)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SnapshotPage:
    """List the data versions, the oldest first; empty before the first."""
    versions = desk.advisor.store.versions()
    word = read_cursor(cursor)
    if word is not None and not word.isdecimal():
        raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
    rest = [entry for entry in versions if word is None or entry.version > int(word)]
    shown = rest[:limit]
    response.headers["ETag"] = entity_tag("snapshots", *(entry.fingerprint for entry in versions))
    return SnapshotPage(
        items=[snapshot_answer(entry) for entry in shown],
        total=len(versions),
        next_cursor=write_cursor(str(shown[-1].version) if len(rest) > limit else None),
    )
