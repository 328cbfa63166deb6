"""The pages that show target plans: the list, one plan with its lines, one line."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from serving.access.authorise import may
from serving.api.plan_desk import line_in_sight, plan_in_sight, plans_in_sight, units_in_sight
from serving.console.name_given import name_before
from serving.console.pages import LONGEST_SEARCH, Dataset, TheDesk, ThePages, stored_directory
from serving.console.plan_draft_pages import plan_draft_page, post_plan_draft
from serving.console.plan_import_pages import plan_import_page, post_plan_changes, post_plan_sheet
from serving.console.plan_line_forms import post_plan_line, show_line
from serving.console.plan_named import Done, Indicator, PlanId, Unit
from serving.console.plan_rows import (
    EVENTS_SHOWN,
    GROUPS_SHOWN,
    barred,
    event_rows,
    fairness_rows,
    line_rows,
    steps_open,
    totals_shown,
    units_found,
)
from serving.console.plan_step_pages import (
    plan_reallocation_page,
    plan_step_page,
    post_plan_reallocation,
    post_plan_step,
)
from serving.console.plan_summaries import Summaries
from serving.plan_documents.documents import MOST_LETTERS
from serving.plans.plan import State
from serving.plans.shelf import Filter

LINES_SHOWN = 50
"""Lines on a page: a screen or two."""
LAST_POSITION = 999_999_999


def plan_router() -> APIRouter:
    """Give the routes of the pages of plans."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/plans", plan_list, methods=["GET"])
    router.add_api_route("/plans/draft", plan_draft_page, methods=["GET"])
    router.add_api_route("/plans/draft", post_plan_draft, methods=["POST"])
    router.add_api_route("/plan", plan_page, methods=["GET"])
    router.add_api_route("/plan/line", plan_line_page, methods=["GET"])
    router.add_api_route("/plan/line", post_plan_line, methods=["POST"])
    router.add_api_route("/plan/step", plan_step_page, methods=["GET"])
    router.add_api_route("/plan/step", post_plan_step, methods=["POST"])
    router.add_api_route("/plan/reallocate", plan_reallocation_page, methods=["GET"])
    router.add_api_route("/plan/reallocate", post_plan_reallocation, methods=["POST"])
    router.add_api_route("/plan/import", plan_import_page, methods=["GET"])
    router.add_api_route("/plan/import", post_plan_sheet, methods=["POST"])
    router.add_api_route("/plan/changes", post_plan_changes, methods=["POST"])
    return router


def plan_list(request: Request, desk: TheDesk, pages: ThePages, dataset: Dataset = None) -> Response:
    """List the plans that may be seen, the newest first."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    found = plans_in_sight(desk, dataset=directory.snapshot.about.dataset, year=None, state=None)
    return pages.show(request.scope, "plans.html", directory=directory, plans=found, year=desk.year(directory))


def plan_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    summaries: Summaries,
    plan: PlanId,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    indicator: Annotated[str, Query(max_length=200)] = "",
    changed: bool = False,
    flagged: bool = False,
    after: Annotated[int, Query(ge=-1, le=LAST_POSITION)] = -1,
    done: Done = "",
) -> Response:
    """Show a plan: where it stands, what it comes to, its lines, who did what, and what may be done next."""
    found, plans = plan_in_sight(desk, plan), desk.advisor.plans
    directory, seen = desk.directory(found.dataset), units_in_sight(desk, found)
    units = units_found(directory, q, seen)
    wanted = Filter(None, indicator or None, changed or None, flagged or None, units)
    lines = plans.lines(plan, wanted, limit=LINES_SHOWN + 1, after=after)
    shown = lines[:LINES_SHOWN]
    events = plans.events(plan) if may("list_plan_events") else []
    summary = summaries.of(found) if may("get_plan_summary") else None
    groups = [] if summary is None else fairness_rows(summary.fairness)
    making = may("post_plan_step")
    return pages.show(
        request.scope,
        "plan.html",
        directory=directory,
        plan=found,
        done=done,
        q=q,
        indicator=indicator,
        indicators={code: found.indicator(code) for code in found.indicators},
        changed=changed,
        flagged=flagged,
        after=after,
        rows=line_rows(found, shown, directory),
        count=plans.count(plan, wanted),
        more=shown[-1].position if len(lines) > LINES_SHOWN else None,
        summary=summary,
        totals=[] if summary is None else totals_shown(summary.totals),
        off=0 if summary is None else sum(not total.adds_up for total in summary.totals),
        fairness=groups[:GROUPS_SHOWN],
        groups_in_all=len(groups),
        events=event_rows(events),
        events_in_all=len(events),
        events_shown=EVENTS_SHOWN,
        steps=steps_open(found, events) if making else [],
        barred=barred(events, name_before(request)) if making and found.state is State.SUBMITTED else None,
        draft=found.state is State.DRAFT,
        many_letters=len(directory.units if seen is None else seen) > MOST_LETTERS,
        letters=MOST_LETTERS,
    )


def plan_line_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    plan: PlanId,
    unit: Unit,
    indicator: Indicator,
    done: Done = "",
) -> Response:
    """Show a line: its levels, how likely they are, how the target comes about; in a draft, the forms to change it."""
    found = plan_in_sight(desk, plan)
    line = line_in_sight(desk, found, unit, indicator)
    return show_line(request, desk, pages, found, line, done=done)
