"""The page of the audit: who saw or changed what, and whether the chain holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from serving.api.audit_events import TheAudit, export_answer, verified
from serving.audit.entry import Entry
from serving.audit.export import detail_of
from serving.audit.reading import Wanted, day_begins
from serving.console.pages import ThePages
from serving.database.tables.base import canonical

ENTRIES_SHOWN = 50
"""Entries on a page: a screen or two."""
LAST_NUMBER = 10**15
LONGEST_DAY = 20

DayAsked = Annotated[str, Query(max_length=LONGEST_DAY)]


async def wanted_days(
    principal: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=100)] = "",
    subject: Annotated[str, Query(max_length=500)] = "",
    since: DayAsked = "",
    until: DayAsked = "",
) -> Wanted:
    """Read which entries are asked for, by days in UTC."""
    return Wanted(
        principal=principal.strip(),
        action=action.strip(),
        subject=subject.strip(),
        since=day_begins(since.strip()),
        until=day_begins(until.strip(), end=True),
    )


TheWantedDays = Annotated[Wanted, Depends(wanted_days)]


def audit_router() -> APIRouter:
    """Give the routes of the audit's page."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/audit", audit_page, methods=["GET"])
    router.add_api_route("/export/audit.csv", export_audit, methods=["GET"])
    return router


def audit_page(
    request: Request,
    audit: TheAudit,
    pages: ThePages,
    wanted: TheWantedDays,
    since: DayAsked = "",
    until: DayAsked = "",
    before: Annotated[int | None, Query(ge=1, le=LAST_NUMBER)] = None,
    verify: bool = False,
) -> Response:
    """List the audit, the newest first; where asked, go through the whole chain."""
    entries, total = audit.page(wanted, limit=ENTRIES_SHOWN + 1, before=before)
    shown = entries[:ENTRIES_SHOWN]
    asked = {"principal": wanted.principal, "action": wanted.action, "subject": wanted.subject}
    return pages.show(
        request.scope,
        "audit.html",
        asked={**asked, "since": since, "until": until},
        rows=[(entry, _kind(entry), _detail(entry)) for entry in shown],
        total=total,
        before=before,
        more=shown[-1].number if len(entries) > ENTRIES_SHOWN else None,
        verdict=verified(audit) if verify else None,
    )


def export_audit(audit: TheAudit, wanted: TheWantedDays) -> Response:
    """Give the entries that the page would list as a file."""
    return export_answer(audit, wanted)


def _kind(entry: Entry) -> str:
    """Tell what became of it, as the wording has it."""
    if entry.status == 0:
        return "done"
    if entry.status in (401, 403, 429):
        return "refused"
    return "answered" if entry.status < 400 else "failed"


def _detail(entry: Entry) -> str:
    found = detail_of(entry)
    return canonical(found) if found else ""
