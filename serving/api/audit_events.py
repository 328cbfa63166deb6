"""The audit: who saw or changed what, whether the chain holds, and the entries as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from features.errors import LoadlineError
from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.audit.entry import Entry
from serving.audit.export import csv_lines, detail_of
from serving.audit.reading import Wanted
from serving.audit.trail import Audit
from serving.audit.verification import Verdict
from serving.audit_schemas import AuditEvent, AuditEventPage, AuditFinding, AuditVerdict
from serving.errors import InvalidError
from serving.request_schemas import Moment

MOST_VERIFIED = 300_000
"""Entries gone through while somebody waits: some four seconds. More are for the command line."""
LATEST_YEAR = 9998
"""The last year that has a day after its last, in any zone."""

router = APIRouter(tags=["audit"])

Principal = Annotated[
    str, Query(max_length=200, description="Only what was done by this name or id.", examples=["Li Na"])
]
Action = Annotated[str, Query(max_length=100, description="Only this operation.", examples=["get_score"])]
Subject = Annotated[str, Query(max_length=500, description="Only what is about this.", examples=["CN-BJ-002"])]
DatasetAsked = Annotated[str, Query(max_length=200, description="Only of this dataset.", examples=["sample-bank"])]
RequestAsked = Annotated[str, Query(max_length=64, description="Only this request.", examples=["4f2c9a1be07d4c55"])]
Since = Annotated[Moment | None, Query(description="Only from this time on.", examples=["2026-03-01T00:00:00Z"])]
Until = Annotated[Moment | None, Query(description="Only before this time.", examples=["2026-04-01T00:00:00Z"])]


async def audit_of(desk: Annotated[Desk, Depends(desk_of)]) -> Audit:
    """Give the audit of the application that is asked."""
    return desk.advisor.audit


async def wanted_entries(
    principal: Principal = "",
    action: Action = "",
    subject: Subject = "",
    dataset: DatasetAsked = "",
    request: RequestAsked = "",
    since: Since = None,
    until: Until = None,
) -> Wanted:
    """Read which entries are asked for."""
    for moment in (since, until):
        if moment is not None and not 1 < moment.year <= LATEST_YEAR:
            raise InvalidError("there is no such time", hint="Give a year of four digits.")
    return Wanted(
        principal=principal,
        action=action,
        subject=subject,
        dataset=dataset,
        request=request,
        since=since,
        until=until,
    )


TheAudit = Annotated[Audit, Depends(audit_of)]
TheWanted = Annotated[Wanted, Depends(wanted_entries)]


@router.get("/audit-events", summary="List the audit, the newest first", operation_id="list_audit_events")
def list_audit_events(
    response: Response, audit: TheAudit, wanted: TheWanted, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> AuditEventPage:
    """List who saw results about people's work, and who changed or tried to change anything. This is itself noted."""
    entries, total = audit.page(wanted, limit=limit + 1, before=_before(cursor))
    shown = entries[:limit]
    answer = AuditEventPage(
        items=[_answer(entry) for entry in shown],
        total=total,
        next_cursor=write_cursor(str(shown[-1].number) if len(entries) > limit else None),
    )
    response.headers["ETag"] = entity_tag("audit-events", answer.model_dump_json())
    return answer


@router.get("/audit-events/verification", summary="Verify the audit", operation_id="verify_audit_events")
def verify_audit_events(response: Response, audit: TheAudit) -> AuditVerdict:
    """Go through the whole chain, compare it with the anchors of the home, and tell where it does not hold."""
    answer = verdict_answer(verified(audit))
    response.headers["ETag"] = entity_tag("audit-verdict", answer.model_dump_json())
    return answer


@router.get(
    "/audit-events/export",
    summary="Export the audit",
    operation_id="export_audit_events",
    response_class=Response,
    responses={200: {"description": "The entries as CSV, the oldest first.", "content": {"text/csv": {}}}},
)
def export_audit_events(audit: TheAudit, wanted: TheWanted) -> Response:
    """Give entries as CSV, with nothing in it that a spreadsheet would run; `loadline audit export` also writes XLSX
    and JSON lines.
    """
    return export_answer(audit, wanted)


def export_answer(audit: Audit, wanted: Wanted) -> Response:
    """Answer with entries as a CSV file, a part in memory at a time."""
    audit.settle()
    tag = entity_tag("audit-export", audit.head().hash, wanted)
    lines = csv_lines(audit.every(wanted))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "ETag": tag}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def verified(audit: Audit) -> Verdict:
    """Go through the chain while somebody waits.

    Raises
    ------
    LoadlineError
        Where it is too long for that.
    """
    if audit.head().number > MOST_VERIFIED:
        what = f"the audit has more than {MOST_VERIFIED:,} entries: nobody would wait for it here"
        raise LoadlineError(what, hint="Run `loadline audit verify`.")
    return audit.verify()


def verdict_answer(verdict: Verdict) -> AuditVerdict:
    """Give a verdict as the API does."""
    return AuditVerdict(
        holds=verdict.holds,
        entries=verdict.entries,
        hash=verdict.last.hash,
        anchors=verdict.anchors,
        found=verdict.found,
        findings=[AuditFinding.model_validate(finding, from_attributes=True) for finding in verdict.findings],
    )


def _before(cursor: str | None) -> int | None:
    after = read_cursor(cursor)
    if after is None:
        return None
    if not (after.isascii() and after.isdecimal() and len(after) <= 18):
        raise InvalidError("the cursor is not one of this service", hint="Begin again without `cursor`.")
    return int(after)


def _answer(entry: Entry) -> AuditEvent:
    fields = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    return AuditEvent(**{**fields, "status": entry.status or None, "detail": detail_of(entry)})
