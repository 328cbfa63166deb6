"""The lines of a target plan. A unit's code may hold any character, so it is a parameter and no part of the path."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from serving.access.signature import in_the_name_of
from serving.api.desk import Desk, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.api.plan_desk import line_answer, line_in_sight, plan_in_sight, units_in_sight
from serving.api.revisions import IfMatch, asked_revision, revision_tag
from serving.api.target_plans import PlanName, TheDesk
from serving.errors import InvalidError
from serving.plan_schemas import ChangedLine, LineChange, PlanLine, PlanLinePage, StepAsked
from serving.plans.editing import Edited
from serving.plans.plan import LEVELS
from serving.plans.shelf import Filter

router = APIRouter(tags=["target plans"])

LineUnit = Annotated[str, Query(min_length=1, max_length=200, description="The unit.", examples=["CN-BJ"])]
LineIndicator = Annotated[str, Query(min_length=1, max_length=200, description="The indicator.", examples=["R01"])]


@router.get("/target-plans/{plan}/lines", summary="List the lines of a plan", operation_id="list_plan_lines")
def list_plan_lines(
    response: Response,
    plan: PlanName,
    desk: TheDesk,
    unit: Annotated[str | None, Query(max_length=200, description="Only of this unit.", examples=["CN-BJ"])] = None,
    indicator: Annotated[
        str | None, Query(max_length=200, description="Only on this indicator.", examples=["R01"])
    ] = None,
    changed: Annotated[
        bool | None, Query(description="Only lines that a person holds, or only the others.", examples=[True])
    ] = None,
    flagged: Annotated[
        bool | None, Query(description="Only lines with a ceiling for risk, or only the others.", examples=[True])
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PlanLinePage:
    """List lines by indicator, the highest units first. A manager sees those of the own subtree, once published."""
    found = plan_in_sight(desk, plan)
    wanted = Filter(unit, indicator, changed, flagged, units_in_sight(desk, found))
    lines = desk.advisor.plans.lines(plan, wanted, limit=limit + 1, after=_position(cursor))
    shown, more = lines[:limit], None
    if len(lines) > limit:
        more = write_cursor(str(shown[-1].position))
    directory = desk.directory(found.dataset)
    answer = PlanLinePage(
        items=[line_answer(found, line, directory) for line in shown],
        total=desk.advisor.plans.count(plan, wanted),
        next_cursor=more,
    )
    response.headers["ETag"] = entity_tag("plan-lines", answer.model_dump_json())
    return answer


@router.get("/target-plans/{plan}/line", summary="Look a line up", operation_id="get_plan_line")
def get_plan_line(
    response: Response, plan: PlanName, desk: TheDesk, unit: LineUnit, indicator: LineIndicator
) -> PlanLine:
    """Give one line. Its ETag is what a change of it names in If-Match."""
    found = plan_in_sight(desk, plan)
    line = line_in_sight(desk, found, unit, indicator)
    response.headers["ETag"] = revision_tag(line.revision)
    return line_answer(found, line, desk.directory(found.dataset))


@router.patch("/target-plans/{plan}/line", summary="Change a line of a draft", operation_id="change_plan_line")
def change_plan_line(
    asked: LineChange,
    response: Response,
    plan: PlanName,
    desk: TheDesk,
    unit: LineUnit,
    indicator: LineIndicator,
    if_match: IfMatch = None,
) -> ChangedLine:
    """Override levels with a reason, or pin and unpin a line. Goals that it puts out are told in `notes`."""
    seen, plans = asked_revision(if_match), desk.advisor.plans
    line_in_sight(desk, plan_in_sight(desk, plan), unit, indicator)
    levels = {name: getattr(asked, name) for name in LEVELS}
    given = any(value is not None for value in levels.values())
    if given is (asked.pinned is not None):
        hint = "Send floor, target or stretch with a reason; or `pinned` alone."
        raise InvalidError("a change is either of levels or of whether the line is pinned", hint=hint)
    with in_the_name_of(asked.signer):
        if given:
            edited = plans.override(plan, unit, indicator, revision=seen, reason=asked.reason, **levels)
        else:
            act = plans.pin if asked.pinned else plans.unpin
            edited = act(plan, unit, indicator, revision=seen, reason=asked.reason)
    return _changed(desk, edited, response)


@router.post(
    "/target-plans/{plan}/line/reset", summary="Take a line back to the suggestion", operation_id="reset_plan_line"
)
def reset_plan_line(
    asked: StepAsked,
    response: Response,
    plan: PlanName,
    desk: TheDesk,
    unit: LineUnit,
    indicator: LineIndicator,
    if_match: IfMatch = None,
) -> ChangedLine:
    """Give a line its suggested levels again, neither pinned nor overridden."""
    seen = asked_revision(if_match)
    line_in_sight(desk, plan_in_sight(desk, plan), unit, indicator)
    with in_the_name_of(asked.signer):
        edited = desk.advisor.plans.reset(plan, unit, indicator, revision=seen, reason=asked.reason)
    return _changed(desk, edited, response)


def _changed(desk: Desk, edited: Edited, response: Response) -> ChangedLine:
    response.headers["ETag"] = revision_tag(edited.line.revision)
    line = line_answer(edited.plan, edited.line, desk.directory(edited.plan.dataset))
    notes = edited.notes if units_in_sight(desk, edited.plan) is None else ()  # they name goals of units above
    return ChangedLine(line=line, plan_revision=edited.plan.revision, notes=list(notes))


def _position(cursor: str | None) -> int:
    """Read the position after which a page begins."""
    after = read_cursor(cursor)
    if after is None:
        return -1
    if not (after.isascii() and after.isdigit() and len(after) <= len("999999999")):
        raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
    return int(after)
