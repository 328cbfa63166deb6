"""Observations: figures as they were known on a day, and figures handed in as a new data version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status
from starlette.responses import Response

from features.errors import LoadlineError
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.units import DatasetName
from serving.directory import Directory
from serving.errors import InvalidError, NotFoundError
from serving.observation_schemas import DataVersionMade, ObservationPage, ObservationRow, ObservationsAsked
from serving.observing import Observation
from serving.request_schemas import Day

router = APIRouter(tags=["observations"])

MOST_NAMED = 50
"""Units or indicators looked up at once."""
SEPARATOR = "\x1f"
"""Between the parts of a cursor: no code holds it."""
TheDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/observations", summary="Look figures up", operation_id="list_observations")
def list_observations(
    response: Response,
    desk: TheDesk,
    unit: Annotated[list[str], Query(min_length=1, max_length=MOST_NAMED, description="Units.", examples=[["CN-BJ"]])],
    indicator: Annotated[
        list[str], Query(min_length=1, max_length=MOST_NAMED, description="Indicators.", examples=[["R01"]])
    ],
    first: Annotated[
        str | None, Query(alias="from", max_length=10, description="First period.", examples=["2024-01"])
    ] = None,
    last: Annotated[
        str | None, Query(alias="to", max_length=10, description="Last period.", examples=["2024-12"])
    ] = None,
    known_on: Annotated[
        Day | None, Query(description="As known on this day; by default all that is known.", examples=["2025-01-31"])
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> ObservationPage:
    """Give figures as they were known on a day, each with the day on which it became known."""
    directory = desk.directory(dataset)
    snapshot = directory.snapshot
    for code in unit:
        desk.unit(directory, code)
    for code in indicator:
        if code not in snapshot.indicators:
            hint = "GET /api/v1/indicators lists the indicators."
            raise NotFoundError(f"there is no indicator {code!r}", hint=hint)
    begin, end = snapshot.span
    rows = desk.advisor.observing.known(
        snapshot,
        sorted(set(unit)),
        sorted(set(indicator)),
        first=begin if first is None else _ordinal(desk, directory, first, opening=True),
        last=end if last is None else _ordinal(desk, directory, last),
        known_on=known_on,
    )
    after = _after(cursor)
    rest = [row for row in rows if after is None or (row.unit, row.indicator, row.period) > after]
    shown = rest[:limit]
    more = len(rest) > limit
    answer = ObservationPage(
        items=[_row(row) for row in shown],
        total=len(rows),
        next_cursor=write_cursor(SEPARATOR.join(_key(shown[-1])) if more else None),
        dataset=snapshot.about.dataset,
        data_version=snapshot.about.version,
        known_on=known_on,
    )
    response.headers["ETag"] = entity_tag("observations", answer.model_dump_json())
    return answer


@router.post(
    "/observations",
    summary="Hand figures in",
    operation_id="hand_in_observations",
    status_code=status.HTTP_201_CREATED,
    responses={201: {"description": "They are stored as a new data version."}},
)
def hand_in_observations(asked: ObservationsAsked, desk: TheDesk, dataset: DatasetName = None) -> DataVersionMade:
    """Store figures as a new data version, all or none; one that differs from what is stored is a restatement.

    Breaches of the contract are listed with the number of the figure, from 0. Nothing that was stored changes.
    """
    name, advisor, signer = desk.directory(dataset).snapshot.about.dataset, desk.advisor, asked.signer
    figures = [Observation(row.unit, row.indicator, row.period, row.value, row.known_on) for row in asked.rows]
    version, notes = advisor.observing.hand_in(figures, dataset=name)
    detail = {"by": signer, "reason": asked.reason, "data_version": version.version, "figures": len(figures)}
    detail |= {"fingerprint": version.fingerprint, "added": version.added, "restated": version.restated}
    with advisor.database.write() as connection:
        subject = f"data version {version.version}"
        advisor.audit.write(connection, "observations.hand_in", subject=subject, dataset=name, detail=detail)
    return DataVersionMade(
        version=version.version,
        dataset=version.dataset,
        fingerprint=version.fingerprint,
        stored_at=version.ingested_at,
        added=version.added,
        restated=version.restated,
        unchanged=version.unchanged,
        notes=notes,
    )


def _ordinal(desk: Desk, directory: Directory, text: str, *, opening: bool = False) -> int:
    """Read a period; a bare year stands for its last one, or for its first."""
    calendar = directory.snapshot.description.calendar
    year_alone = len(text) == 4 and text.isdecimal()
    try:
        if not year_alone:
            return calendar.parse(text)
        return calendar.first_of_year(int(text)) if opening else calendar.last_of_year(int(text))
    except (LoadlineError, ValueError) as error:
        hint = f"Write it like {calendar.format(directory.snapshot.span[1])}."
        raise InvalidError(f"{text!r} is no period of the dataset", hint=hint) from error


def _row(row: Observation) -> ObservationRow:
    assert row.known_on is not None
    told = {"unit": row.unit, "indicator": row.indicator, "period": row.period, "value": row.value}
    return ObservationRow.model_validate(told | {"known_on": row.known_on, "restated": row.restated})


def _key(row: Observation) -> tuple[str, str, str]:
    return row.unit, row.indicator, row.period


def _after(cursor: str | None) -> tuple[str, ...] | None:
    after = read_cursor(cursor)
    if after is None:
        return None
    parts = tuple(after.split(SEPARATOR))
    if len(parts) != 3:
        raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
    return parts
