"""Steps of a plan, each confirmed on a page of its own: submit, approve, return, publish, revise, undo, withdraw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from serving.access.authorise import may
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk
from serving.api.plan_desk import plan_in_sight
from serving.console.goal_lines import goals_typed
from serving.console.name_given import must_be_named, name_before, name_given, remember_name
from serving.console.pages import Pages, TheDesk, ThePages
from serving.console.plan_named import PlanId, Seen, StepName, Typed
from serving.console.plan_rows import STEPS, barred, event_rows, totals_shown
from serving.console.plan_summaries import PlanSummaries, Summaries
from serving.console.typed import Trouble, attempted, reason_typed
from serving.plans.editing import last_change
from serving.plans.plan import Plan
from serving.plans.plans import Plans

Step = Annotated[StepName, Query()]
ACTS: Mapping[str, Callable[[Plans], Callable[..., Plan]]] = {
    "submit": lambda plans: plans.submit,
    "approve": lambda plans: plans.approve,
    "publish": lambda plans: plans.publish,
    "return": lambda plans: plans.return_,
    "undo": lambda plans: plans.undo,
    "revise": lambda plans: plans.revise,
    "withdraw": lambda plans: plans.withdraw,
}


def plan_step_page(
    request: Request, desk: TheDesk, pages: ThePages, summaries: Summaries, plan: PlanId, step: Step
) -> Response:
    """Say what a step does, and ask for it to be confirmed."""
    return _show_step(request, desk, pages, summaries, plan, step)


def post_plan_step(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    summaries: Summaries,
    plan: PlanId,
    step: Step,
    seen: Seen,
    reason: Typed = "",
    by: Typed = "",
) -> Response:
    """Take a step."""
    plan_in_sight(desk, plan)
    reader = pages.reader(request.scope)

    def take() -> tuple[Plan, str]:
        why = reason_typed(reader, reason, needed=STEPS[step].needs_reason)
        name = name_given(reader, by)
        with in_the_name_of(name):
            return ACTS[step](desk.advisor.plans)(plan, revision=seen, reason=why), name

    made = attempted(reader, take)
    if isinstance(made, Trouble):
        typed = {"reason": reason, "by": by}
        return _show_step(request, desk, pages, summaries, plan, step, typed=typed, trouble=made, seen=seen)
    return _to_plan(request, made, done=step)


def plan_reallocation_page(request: Request, desk: TheDesk, pages: ThePages, plan: PlanId) -> Response:
    """Ask for goals, new or as they were, to be broken down again over the lines that nobody holds."""
    return _show_reallocation(request, desk, pages, plan)


def post_plan_reallocation(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    plan: PlanId,
    seen: Seen,
    goals: Typed = "",
    reason: Typed = "",
    by: Typed = "",
) -> Response:
    """Break goals down again."""
    found, reader = plan_in_sight(desk, plan), pages.reader(request.scope)
    directory = desk.directory(found.dataset)

    def take() -> tuple[Plan, str]:
        asked, why = goals_typed(reader, goals, directory), reason_typed(reader, reason, needed=False)
        name = name_given(reader, by)
        with in_the_name_of(name):
            made = desk.advisor.plans.reallocate(plan, revision=seen, goals=asked, reason=why, may_fit=False)
            return made, name

    made = attempted(reader, take)
    if isinstance(made, Trouble):
        typed = {"goals": goals, "reason": reason, "by": by}
        return _show_reallocation(request, desk, pages, plan, typed=typed, trouble=made, seen=seen)
    return _to_plan(request, made, done="reallocate")


def _show_step(
    request: Request,
    desk: Desk,
    pages: Pages,
    summaries: PlanSummaries,
    plan: str,
    step: StepName,
    *,
    typed: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
    seen: int | None = None,
) -> Response:
    found, plans = plan_in_sight(desk, plan), desk.advisor.plans
    events = plans.events(plan)
    by = (typed or {}).get("by") or name_before(request)
    last, summary = last_change(events), summaries.of(found)
    possible = found.state in STEPS[step].states and (step != "undo" or last is not None)
    return pages.show(
        request.scope,
        "plan_step.html",
        status=200 if trouble is None else trouble.status,
        directory=desk.directory(found.dataset),
        plan=found,
        step=step,
        possible=possible,
        barred=barred(events, by) if step == "approve" and trouble is None else None,
        summary=summary,
        off=[total for total in totals_shown(summary.totals) if not total.adds_up],
        undone=event_rows([last])[0] if step == "undo" and last is not None else None,
        since=[] if trouble is None or not trouble.stale or seen is None else event_rows(events, after=seen),
        needs_reason=STEPS[step].needs_reason,
        typed=typed or {"reason": "", "by": ""},
        trouble=trouble,
        needs_name=must_be_named(),
        by=by,
    )


def _show_reallocation(
    request: Request,
    desk: Desk,
    pages: Pages,
    plan: str,
    *,
    typed: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
    seen: int | None = None,
) -> Response:
    found = plan_in_sight(desk, plan)
    events = desk.advisor.plans.events(plan) if may("list_plan_events") else []
    return pages.show(
        request.scope,
        "plan_reallocate.html",
        status=200 if trouble is None else trouble.status,
        directory=desk.directory(found.dataset),
        plan=found,
        possible=found.state in STEPS["submit"].states,
        since=[] if trouble is None or not trouble.stale or seen is None else event_rows(events, after=seen),
        typed=typed or {"goals": "", "reason": "", "by": ""},
        trouble=trouble,
        needs_name=must_be_named(),
        by=(typed or {}).get("by") or name_before(request),
    )


def _to_plan(request: Request, made: tuple[Plan, str], *, done: str) -> Response:
    plan, name = made
    response = RedirectResponse(f"/plan?plan={plan.id}&done={done}", status_code=303)
    remember_name(response, request, name)
    return response
