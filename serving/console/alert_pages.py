"""The pages of alerts: what is to be reviewed, one alert with what stands behind it, and both as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from features.errors import LoadlineError
from models.scoring.story import period_text
from serving.access.authorise import may
from serving.alert_schemas import AlertExplanation
from serving.api.alert_answers import case_answer, record_answer, versions_answer
from serving.api.alert_desk import AlertDesk, FoundAlert, alerts_of
from serving.api.desk import Desk, entity_tag
from serving.console.alert_rows import (
    counted,
    exported,
    fitting,
    judged,
    shown_drivers,
    shown_figures,
    ways_to_write,
)
from serving.console.background import Background
from serving.console.export import table_file, written_file
from serving.console.formats import Reader
from serving.console.name_given import must_be_named, name_before
from serving.console.pages import AGAIN_SECONDS, LONGEST_SEARCH, Dataset, Pages, TheDesk, ThePages, stored_directory
from serving.console.typed import Trouble
from serving.directory import Directory
from serving.errors import NotFoundError
from serving.review_schemas import Status

ALERTS_SHOWN = 50
"""Alerts on a page: a screen or two."""
PERIODS_OFFERED = 24
"""Periods to choose from: two years of months."""
LAST_PAGE = 100_000
LONGEST_KEY = 500
MOMENTS_SHOWN = 12
"""Past periods of one unit: a year of months."""

TheAlerts = Annotated[AlertDesk, Depends(alerts_of)]
Period = Annotated[str | None, Query(max_length=10)]
Severity = Literal["", "red", "amber", "sampled"]
Key = Annotated[str, Query(max_length=LONGEST_KEY)]
Done = Literal["", "decide", "assign", "note", "link", "release", "undo"]
"""What has just been written on the alert, told at the top of the page that follows."""


async def background_of(request: Request) -> Background:
    """Give what works for the pages of the application that is asked."""
    return request.app.state.background


Behind = Annotated[Background, Depends(background_of)]


def alert_router() -> APIRouter:
    """Give the routes of the alert pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/alerts", alert_list, methods=["GET"])
    router.add_api_route("/alert", alert_page, methods=["GET"])
    router.add_api_route("/export/alerts.{form}", export_alerts, methods=["GET"])
    router.add_api_route("/export/alert.{form}", export_pack, methods=["GET"])
    return router


def alert_list(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    alerts: TheAlerts,
    background: Behind,
    dataset: Dataset = None,
    period: Period = None,
    severity: Severity = "",
    status: Status | Literal[""] = "",
    every: Annotated[bool, Query(alias="all")] = False,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    """List what is to be reviewed, the most pressing first, and how the detectors have done."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    whole, trouble, found = every or bool(status), None, None
    try:
        found = background.soon(
            ("alerts", *directory.identity, period or "", whole),
            lambda: alerts.alerts(period, every=whole, dataset=directory.snapshot.about.dataset),
        )
    except NotFoundError:
        raise
    except LoadlineError as error:
        trouble = error
    if found is None and trouble is None:
        return _wait(request, pages, directory)
    reader = pages.reader(request.scope)
    shown = [] if found is None else fitting(found, severity=severity, status=status, text=q)
    record = None
    if found is not None and may("get_alert_record"):
        record = record_answer(found, alerts.recall(directory))
    asked = period if found is None else found.period
    return pages.show(
        request.scope,
        "alerts.html",
        directory=directory,
        found=found,
        trouble=trouble,
        period=asked,
        shown_period=_shown_period(asked, reader),
        periods=_periods(directory),
        severity=severity,
        stands=status,
        every=every,
        q=q,
        narrowed=bool(severity or status or q),
        rows=shown[(page - 1) * ALERTS_SHOWN : page * ALERTS_SHOWN],
        counts=counted(shown),
        page=page,
        more=len(shown) > page * ALERTS_SHOWN,
        record=record,
        detectors=[] if record is None else judged(record.items),
        versions_of=None if found is None else versions_answer(found.watched.about),
    )


def alert_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    alerts: TheAlerts,
    background: Behind,
    key: Key,
    dataset: Dataset = None,
    period: Period = None,
    done: Done = "",
) -> Response:
    """Show an alert: what stands behind it, how its review stands, and how a decision is recorded."""
    return show_alert(request, desk, pages, alerts, background, key=key, dataset=dataset, period=period, done=done)


def show_alert(
    request: Request,
    desk: Desk,
    pages: Pages,
    alerts: AlertDesk,
    background: Background,
    *,
    key: str,
    dataset: str | None = None,
    period: str | None = None,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
) -> Response:
    """Draw the page of an alert, with what was typed into its forms and why it was not taken."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    name = directory.snapshot.about.dataset

    def look() -> tuple[FoundAlert, AlertExplanation | LoadlineError]:
        found = alerts.find(key, period=period, dataset=name)
        try:
            return found, alerts.explain(found)
        except LoadlineError as error:
            return found, error

    looked = background.soon(("alert", *directory.identity, key, period or ""), look)
    if looked is None:
        return _wait(request, pages, directory)
    found, told = looked
    untold, told = (told, None) if isinstance(told, LoadlineError) else (None, told)
    alert = case_answer(found)
    reviewing = may("decide_alert") and found.alerts.is_reviewed(alert.unit)
    return pages.show(
        request.scope,
        "alert.html",
        status=200 if trouble is None else trouble.status,
        directory=directory,
        alert=alert,
        period=period,
        told=told,
        trouble=untold,
        figures=[] if told is None else shown_figures(told),
        drivers=None if told is None else shown_drivers(told),
        moments=[] if told is None else told.history[: -MOMENTS_SHOWN - 1 : -1],
        ways=ways_to_write(alert, name) if may("decide_alert") else None,
        reviewing=reviewing,
        standing=[entry for entry in alert.history if entry.action not in ("raised", "undone") and not entry.undone],
        done=done,
        typed=typed or {},
        refused=trouble,
        needs_name=must_be_named(),
        by=(typed or {}).get("by") or name_before(request),
        today=desk.advisor.now().date(),
    )


def export_alerts(
    request: Request,
    pages: ThePages,
    alerts: TheAlerts,
    form: Literal["csv", "xlsx"],
    dataset: Dataset = None,
    period: Period = None,
    severity: Severity = "",
    status: Status | Literal[""] = "",
    every: Annotated[bool, Query(alias="all")] = False,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
) -> Response:
    """Give the alerts that fit as a file."""
    found = alerts.alerts(period or None, every=every or bool(status), dataset=dataset or None)
    reader = pages.reader(request.scope)
    shown = fitting(found, severity=severity, status=status, text=q)
    name = f"alerts-{found.period}{'-synthetic' if found.directory.synthetic else ''}"
    response = table_file(exported(found, shown, reader), form=form, name=name, full=name)
    told = (alert.model_dump_json() for alert in shown)
    response.headers["ETag"] = entity_tag("alert-file", found.period, *told, reader.language, form)
    return response


def export_pack(
    request: Request,
    desk: TheDesk,
    alerts: TheAlerts,
    form: Literal["xlsx", "html"],
    key: Key,
    dataset: Dataset = None,
) -> Response:
    """Give the evidence pack of an alert for the committee, in both languages."""
    directory = desk.directory(dataset or None)
    name = directory.snapshot.about.dataset
    found = alerts.find(key, dataset=name)
    full = f"alert-{found.row['alert']}{'-synthetic' if directory.synthetic else ''}"
    pack = desk.advisor.reviewing.pack
    return written_file(lambda path: pack(key, path, dataset=name), form=form, name="alert", full=full)


def _wait(request: Request, pages: Pages, directory: Directory) -> Response:
    """Say that it is being computed, and ask again in a while."""
    response = pages.show(request.scope, "alerts_wait.html", directory=directory, seconds=AGAIN_SECONDS)
    response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response


def _periods(directory: Directory) -> list[str]:
    first, last = directory.snapshot.span
    calendar = directory.snapshot.description.calendar
    return [calendar.format(ordinal) for ordinal in range(last, max(first, last - PERIODS_OFFERED + 1) - 1, -1)]


def _shown_period(period: str | None, reader: Reader) -> str:
    return "" if period is None else period_text(period)[reader.language]
