"""Target plans: drafted from suggestions, submitted, approved by a second person, published, revised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status
from starlette.responses import Response

from serving.access.signature import in_the_name_of
from serving.api.desk import Desk, desk_of, entity_tag, finite
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.plan_desk import (
    event_answer,
    plan_answer,
    plan_in_sight,
    plans_in_sight,
    suggestions_at_hand,
)
from serving.api.revisions import IfMatch, asked_revision, revision_tag
from serving.api.units import DatasetName
from serving.errors import InvalidError
from serving.plan_schemas import (
    DraftAsked,
    Plan,
    PlanEventPage,
    PlanFairness,
    PlanPage,
    PlanState,
    PlanSummary,
    PlanTotal,
    ReallocationAsked,
    ReturnAsked,
    RevisionAsked,
    StepAsked,
)
from serving.plans.plan import Plan as Found
from serving.plans.plan import State
from serving.plans.steering import Asked, Steering
from serving.request_schemas import FIRST_YEAR, LAST_YEAR

router = APIRouter(tags=["target plans"])

PlanName = Annotated[
    str,
    Path(
        max_length=32,
        pattern="^[0-9a-f]{32}$",
        description="The plan's id.",
        examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"],
    ),
]
TheDesk = Annotated[Desk, Depends(desk_of)]
MADE = {
    201: {
        "description": "It is made.",
        "headers": {"Location": {"description": "Where it is found.", "schema": {"type": "string"}}},
    }
}


@router.get("/target-plans", summary="List the target plans", operation_id="list_plans")
def list_plans(
    response: Response,
    desk: TheDesk,
    year: Annotated[
        int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="Only of this year.", examples=[2025])
    ] = None,
    state: Annotated[PlanState | None, Query(description="Only those that stand so.", examples=["published"])] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    dataset: DatasetName = None,
) -> PlanPage:
    """List the versions of all years, the newest first. Managers see what was published."""
    name = None if dataset is None else desk.directory(dataset).snapshot.about.dataset
    found = plans_in_sight(desk, dataset=name, year=year, state=None if state is None else State(state))
    begin, after = 0, read_cursor(cursor)
    if after is not None:
        names = [plan.id for plan in found]
        if after not in names:
            raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
        begin = names.index(after) + 1
    shown = found[begin : begin + limit]
    more = write_cursor(shown[-1].id) if begin + limit < len(found) else None
    answer = PlanPage(items=[plan_answer(desk, plan) for plan in shown], total=len(found), next_cursor=more)
    response.headers["ETag"] = entity_tag("plans", answer.model_dump_json())
    return answer


@router.post(
    "/target-plans",
    summary="Draft a target plan",
    operation_id="draft_plan",
    status_code=status.HTTP_201_CREATED,
    responses=MADE,  # type: ignore[arg-type]
)
def draft_plan(asked: DraftAsked, response: Response, desk: TheDesk) -> Plan:
    """Draft the targets of the year that suggestions are served for, with goals broken down within what is fixed."""
    name = desk.directory(asked.dataset).snapshot.about.dataset
    served = suggestions_at_hand(desk, year=asked.year, dataset=name)
    steering = Steering(
        goals=_values(asked.goals),
        pins=_values(asked.pins),
        floors=_values(asked.floors),
        caps=_values(asked.caps),
        flagged=tuple(Asked(row.unit, row.indicator or "", row.growth) for row in asked.flagged),
        cap_ratchet=asked.cap_ratchet,
    )
    with in_the_name_of(asked.signer):
        plan = desk.advisor.plans.draft(asked=steering, title=asked.title, dataset=name, served=served, may_fit=False)
    response.headers["Location"] = f"/api/v1/target-plans/{plan.id}"
    return _told(desk, plan, response)


@router.get("/target-plans/{plan}", summary="Look a target plan up", operation_id="get_plan")
def get_plan(response: Response, plan: PlanName, desk: TheDesk) -> Plan:
    """Give a plan as it stands. Its ETag is what a step names in If-Match."""
    return _told(desk, plan_in_sight(desk, plan), response)


@router.get("/target-plans/{plan}/summary", summary="Sum a target plan up", operation_id="get_plan_summary")
def get_plan_summary(response: Response, plan: PlanName, desk: TheDesk) -> PlanSummary:
    """Give totals against goals, what people changed, and how even the chances of groups of units are."""
    found = desk.advisor.plans.summary(plan)
    rows = found.fairness.assign(versus_others=found.fairness["versus_others"].map(finite).astype(object))
    rows = rows.astype(object).where(rows.notna(), None)
    fairness = [PlanFairness.model_validate(row) for row in rows.to_dict("records")]
    counts = {name: getattr(found, name) for name in ("lines", "pinned", "overridden", "flagged", "without")}
    totals = [PlanTotal(**{name: getattr(total, name) for name in PlanTotal.model_fields}) for total in found.totals]
    answer = PlanSummary(**counts, totals=totals, fairness=fairness)
    response.headers["ETag"] = entity_tag("plan-summary", answer.model_dump_json())
    return answer


@router.get("/target-plans/{plan}/events", summary="Tell what was done to a plan", operation_id="list_plan_events")
def list_plan_events(
    response: Response, plan: PlanName, desk: TheDesk, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PlanEventPage:
    """List who did what, when and why, the oldest first."""
    every, after = desk.advisor.plans.events(plan), read_cursor(cursor)
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= len("999999999")):
        raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
    rest = [event for event in every if after is None or event.number > int(after)]
    shown = rest[:limit]
    more = write_cursor(str(shown[-1].number)) if len(rest) > limit else None
    answer = PlanEventPage(items=[event_answer(event) for event in shown], total=len(every), next_cursor=more)
    response.headers["ETag"] = entity_tag("plan-events", answer.model_dump_json())
    return answer


@router.post("/target-plans/{plan}/reallocate", summary="Allocate the rest again", operation_id="reallocate_plan")
def reallocate_plan(
    asked: ReallocationAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Break the goals down again over the lines that nobody holds."""
    return _step(
        desk,
        response,
        asked.signer,
        lambda seen: desk.advisor.plans.reallocate(
            plan, revision=seen, goals=_values(asked.goals), reason=asked.reason, may_fit=False
        ),
        if_match,
    )


@router.post("/target-plans/{plan}/undo", summary="Take the last change back", operation_id="undo_plan_change")
def undo_plan_change(
    asked: StepAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Take back the last change of a draft that is not taken back yet."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.undo(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post("/target-plans/{plan}/submit", summary="Submit a draft", operation_id="submit_plan")
def submit_plan(asked: StepAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None) -> Plan:
    """Put a draft forward for approval. From here its lines stand still."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.submit(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post("/target-plans/{plan}/approve", summary="Approve a plan", operation_id="approve_plan")
def approve_plan(asked: StepAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None) -> Plan:
    """Approve what was submitted. Who submitted it or changed its lines cannot."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.approve(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post("/target-plans/{plan}/return", summary="Return a plan", operation_id="return_plan")
def return_plan(
    asked: ReturnAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Give a plan back to be changed, with a reason."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.return_(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post("/target-plans/{plan}/publish", summary="Publish a plan", operation_id="publish_plan")
def publish_plan(asked: StepAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None) -> Plan:
    """Publish what was approved, byte for byte; the version published before is superseded in the same moment."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.publish(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post("/target-plans/{plan}/withdraw", summary="Withdraw a plan", operation_id="withdraw_plan")
def withdraw_plan(
    asked: StepAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Give up a plan that is not published."""
    plans = desk.advisor.plans
    return _step(
        desk, response, asked.signer, lambda seen: plans.withdraw(plan, revision=seen, reason=asked.reason), if_match
    )


@router.post(
    "/target-plans/{plan}/revise",
    summary="Revise the published plan",
    operation_id="revise_plan",
    status_code=status.HTTP_201_CREATED,
    responses=MADE,  # type: ignore[arg-type]
)
def revise_plan(
    asked: RevisionAsked, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Begin a new version with the lines of the published one."""
    seen = asked_revision(if_match)
    with in_the_name_of(asked.signer):
        found = desk.advisor.plans.revise(plan, revision=seen, reason=asked.reason, title=asked.title)
    response.headers["Location"] = f"/api/v1/target-plans/{found.id}"
    return _told(desk, found, response)


def _step(desk: Desk, response: Response, signer: str, step: Callable[[int], Found], if_match: str | None) -> Plan:
    seen = asked_revision(if_match)
    with in_the_name_of(signer):
        return _told(desk, step(seen), response)


def _told(desk: Desk, plan: Found, response: Response) -> Plan:
    response.headers["ETag"] = revision_tag(plan.revision)
    return plan_answer(desk, plan)


def _values(rows) -> tuple[Asked, ...]:
    return tuple(Asked(row.unit, row.indicator, row.value) for row in rows)
