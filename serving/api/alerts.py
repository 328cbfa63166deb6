"""Alerts: what is to be reviewed, what stands behind it, and what reviewers make of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from serving.alert_schemas import AlertExplanation
from serving.api.alert_answers import case_answer, entry_answer, page_answer, record_answer
from serving.api.alert_desk import AlertDesk, alerts_of
from serving.api.desk import entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.units import DatasetName
from serving.errors import InvalidError
from serving.review_schemas import (
    AlertPage,
    AssignmentRequest,
    DispositionRequest,
    LinkRequest,
    NoteRequest,
    ReleaseRequest,
    ReviewedAlert,
    ReviewEntry,
    Status,
    TrackRecord,
    UndoRequest,
)

router = APIRouter(tags=["alerts"])

AlertKey = Annotated[
    str,
    Path(
        description="Key of the alert, percent-encoded; `/` may be left as it is.",
        max_length=500,
        examples=["CN-GD-17@2024-10"],
    ),
]
PeriodAsked = Annotated[
    str | None,
    Query(
        max_length=10,
        description="How the list stood at the end of this period, by what was known then; the newest by default, "
        "which is the reviewers' queue.",
        examples=["2024-12"],
    ),
]
TheAlerts = Annotated[AlertDesk, Depends(alerts_of)]


@router.get("/alerts", summary="List the alerts, the most pressing first", operation_id="list_alerts")
def list_alerts(
    response: Response,
    alerts: TheAlerts,
    period: PeriodAsked = None,
    severity: Annotated[
        Literal["amber", "red"] | None, Query(description="Only alerts of this severity.", examples=["red"])
    ] = None,
    status: Annotated[Status | None, Query(description="Only alerts that stand so.", examples=["new"])] = None,
    every: Annotated[
        bool, Query(alias="all", description="Also what is decided, superseded, or over.", examples=[False])
    ] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> AlertPage:
    """List what is to be reviewed. Alerts assist a review: none is a finding, and none changes a score or a target."""
    found = alerts.alerts(period, every=every or status is not None, dataset=dataset)
    rows = found.table
    if severity is not None:
        rows = rows[rows["severity"] == severity]
    if status is not None:
        rows = rows[rows["status"] == status]
    begin, after = 0, read_cursor(cursor)
    if after is not None:
        keys = list(rows["alert"])
        if after not in keys:
            raise InvalidError("the list has changed since the page before", hint="Begin again without `cursor`.")
        begin = keys.index(after) + 1
    shown = rows.iloc[begin : begin + limit]
    more = begin + limit < len(rows)
    cursor = write_cursor(str(shown["alert"].iloc[-1])) if more else None
    answer = page_answer(found, shown, total=len(rows), next_cursor=cursor)
    response.headers["ETag"] = entity_tag("alerts", answer.model_dump_json())
    return answer


@router.get("/alerts/record", summary="Tell how the detectors have done", operation_id="get_alert_record")
def get_record(response: Response, alerts: TheAlerts, dataset: DatasetName = None) -> TrackRecord:
    """Give each detector's record on this data, with an honest verdict, and what reviews say of what is missed."""
    found = alerts.alerts(dataset=dataset)
    answer = record_answer(found, alerts.recall(found.directory))
    response.headers["ETag"] = entity_tag("alert-record", answer.model_dump_json())
    return answer


@router.get("/alerts/{alert:path}/explanation", summary="Explain an alert", operation_id="explain_alert")
def explain_alert(
    response: Response, alert: AlertKey, alerts: TheAlerts, period: PeriodAsked = None, dataset: DatasetName = None
) -> AlertExplanation:
    """Tell which patterns and figures stand behind an alert, and what would make it a false alarm."""
    answer = alerts.explain(alerts.find(alert, period=period, dataset=dataset))
    response.headers["ETag"] = entity_tag("alert-explanation", answer.model_dump_json())
    return answer


@router.post("/alerts/{alert:path}/dispositions", summary="Decide an alert", operation_id="decide_alert")
def decide_alert(
    alert: AlertKey, asked: DispositionRequest, alerts: TheAlerts, dataset: DatasetName = None
) -> ReviewEntry:
    """Confirm an alert, dismiss it with a reason, or keep watching it. Saying the same again writes nothing."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.decide(
            alert, asked.decision, by=by, reason=asked.reason, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.post("/alerts/{alert:path}/notes", summary="Write a note on an alert", operation_id="note_alert")
def note_alert(alert: AlertKey, asked: NoteRequest, alerts: TheAlerts, dataset: DatasetName = None) -> ReviewEntry:
    """Keep a note with an alert, for the next reader."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.note(
            alert, text=asked.text, by=by, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.post("/alerts/{alert:path}/assignment", summary="Give an alert to a person", operation_id="assign_alert")
def assign_alert(
    alert: AlertKey, asked: AssignmentRequest, alerts: TheAlerts, dataset: DatasetName = None
) -> ReviewEntry:
    """Say who is to decide an alert, and by when."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.assign(
            alert, to=asked.to, by=by, due=asked.due, text=asked.note, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.post("/alerts/{alert:path}/links", summary="Link an alert to a case elsewhere", operation_id="link_alert")
def link_alert(alert: AlertKey, asked: LinkRequest, alerts: TheAlerts, dataset: DatasetName = None) -> ReviewEntry:
    """Keep with an alert where its case is handled."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.link(
            alert, case=asked.case, by=by, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.post("/alerts/{alert:path}/release", summary="Show an alert to the unit", operation_id="release_alert")
def release_alert(
    alert: AlertKey, asked: ReleaseRequest, alerts: TheAlerts, dataset: DatasetName = None
) -> ReviewEntry:
    """Let the unit's managers see a confirmed alert; until then only those who review and audit do."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.release(
            alert, by=by, reason=asked.reason, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.post("/alerts/{alert:path}/undo", summary="Take an entry on an alert back", operation_id="undo_alert_entry")
def undo_alert_entry(
    alert: AlertKey, asked: UndoRequest, alerts: TheAlerts, dataset: DatasetName = None
) -> ReviewEntry:
    """Take an entry back: it stays on record and no longer counts, so that the one before it stands again."""
    by = asked.signer
    entry = alerts.act(
        alert,
        lambda name: alerts.desk.advisor.reviewing.undo(
            alert, by=by, reason=asked.reason, entry=asked.entry, expected=asked.expected, dataset=name
        ),
        dataset=dataset,
    )
    return entry_answer(entry)


@router.get("/alerts/{alert:path}", summary="Look an alert up", operation_id="get_alert")
def get_alert(
    response: Response, alert: AlertKey, alerts: TheAlerts, period: PeriodAsked = None, dataset: DatasetName = None
) -> ReviewedAlert:
    """Give an alert, how its review stands, and everything on record about it."""
    answer = case_answer(alerts.find(alert, period=period, dataset=dataset))
    response.headers["ETag"] = entity_tag("alert", answer.model_dump_json())
    return answer
