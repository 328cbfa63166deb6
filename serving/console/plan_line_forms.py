"""The page of one line of a plan with its forms: try levels, set them with a reason, pin, go back to the suggestion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Form, Request
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response

from serving.access.authorise import may
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk
from serving.api.plan_desk import line_in_sight, plan_in_sight
from serving.console.formats import Reader
from serving.console.name_given import must_be_named, name_before, name_given, remember_name
from serving.console.pages import Pages, TheDesk, ThePages
from serving.console.plan_named import Indicator, PlanId, Seen, Typed, Unit
from serving.console.plan_rows import events_of_line, line_told
from serving.console.typed import Trouble, TypedError, attempted, number_typed, reason_typed
from serving.plans.editing import Edited
from serving.plans.plan import LEVELS, Line, Plan, State

LineAct = Annotated[Literal["override", "try", "pin", "unpin", "reset"], Form(alias="action")]


def show_line(
    request: Request,
    desk: Desk,
    pages: Pages,
    plan: Plan,
    line: Line,
    *,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    tried: Mapping[str, float | None] | None = None,
    trouble: Trouble | None = None,
    seen: int | None = None,
) -> Response:
    """Draw the page of a line.

    Parameters
    ----------
    request, desk, pages
    plan : Plan
    line : Line
        In sight.
    done : str
        What has just been done to it.
    typed : mapping, optional
        What stood in the form.
    tried : mapping, optional
        Levels of which the probabilities are told.
    trouble : Trouble, optional
    seen : int, optional
        The revision that the form was made for; what was done since is told.
    """
    directory = desk.directory(plan.dataset)
    events = desk.advisor.plans.events(plan.id) if may("list_plan_events") else []
    telling = line_told(plan, line, directory, tried=tried)
    low, high = telling.row.indicator.limits
    return pages.show(
        request.scope,
        "plan_line.html",
        status=200 if trouble is None else trouble.status,
        directory=directory,
        plan=plan,
        line=line,
        told=telling,
        done=done,
        typed=typed or _as_typed(line),
        trouble=trouble,
        since=[] if seen is None else events_of_line(events, line.unit, line.indicator, after=seen),
        events=events_of_line(events, line.unit, line.indicator),
        open=plan.state is State.DRAFT and may("post_plan_line"),
        needs_name=must_be_named(),
        by=(typed or {}).get("by") or name_before(request),
        bounds=(low, high) if max(abs(low), abs(high)) < float("inf") else None,
    )


def post_plan_line(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    plan: PlanId,
    unit: Unit,
    indicator: Indicator,
    action: LineAct,
    seen: Seen,
    floor: Typed = "",
    target: Typed = "",
    stretch: Typed = "",
    reason: Typed = "",
    by: Typed = "",
) -> Response:
    """Change a line, or tell how likely levels would be that somebody tries."""
    found, reader = plan_in_sight(desk, plan), pages.reader(request.scope)
    line = line_in_sight(desk, found, unit, indicator)
    typed = {"floor": floor, "target": target, "stretch": stretch, "reason": reason, "by": by}
    if action == "try":
        tried = attempted(reader, lambda: _levels(reader, line, typed))
        drawn = (
            tried
            if isinstance(tried, Trouble)
            else attempted(
                reader, lambda: show_line(request, desk, pages, found, line, typed=typed, tried=tried, seen=seen)
            )
        )
        if isinstance(drawn, Trouble):
            return show_line(request, desk, pages, found, line, typed=typed, trouble=drawn, seen=seen)
        return drawn

    def change() -> tuple[Edited, str]:
        why, plans = reason_typed(reader, reason, needed=action == "override"), desk.advisor.plans
        levels = _levels(reader, line, typed) if action == "override" else {}
        name = name_given(reader, by)
        with in_the_name_of(name):
            if action == "override":
                return plans.override(plan, unit, indicator, revision=seen, reason=why, **levels), name
            act = {"pin": plans.pin, "unpin": plans.unpin, "reset": plans.reset}[action]
            return act(plan, unit, indicator, revision=seen, reason=why), name

    made = attempted(reader, change)
    if isinstance(made, Trouble):
        found = plan_in_sight(desk, plan)  # as they are now: somebody else may have been faster
        line = line_in_sight(desk, found, unit, indicator)
        return show_line(request, desk, pages, found, line, typed=typed, trouble=made, seen=seen)
    address = URL("/plan/line").include_query_params(plan=plan, unit=unit, indicator=indicator, done=action)
    response = RedirectResponse(str(address), status_code=303)
    remember_name(response, request, made[1])
    return response


def _levels(reader: Reader, line: Line, typed: Mapping[str, str]) -> dict[str, float | None]:
    """Read the levels that differ from the line's.

    Raises
    ------
    TypedError
        Where one is no number, or nothing differs.
    """
    changed: dict[str, float | None] = {}
    for level in LEVELS:
        value = number_typed(reader, typed[level], field=level)
        if value is not None and value != getattr(line, level):
            changed[level] = value
    if not changed:
        raise TypedError(Trouble(reader.say("plan.trouble.same"), field="target"))
    return changed


def _as_typed(line: Line) -> dict[str, str]:
    """Give a line's levels as the form begins with them."""
    values = {level: getattr(line, level) for level in LEVELS}
    written = {level: "" if value is None else f"{value:.15g}" for level, value in values.items()}
    return written | {"reason": "", "by": ""}
