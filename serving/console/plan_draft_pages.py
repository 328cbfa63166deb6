"""The page on which a target plan is begun: title, goals pasted or as they came with the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from serving.access.signature import in_the_name_of
from serving.api.desk import Desk
from serving.api.plan_desk import suggestions_at_hand
from serving.console.formats import Reader
from serving.console.goal_lines import goals_typed
from serving.console.name_given import must_be_named, name_before, name_given, remember_name
from serving.console.pages import Dataset, Pages, TheDesk, ThePages, stored_directory
from serving.console.plan_named import Typed
from serving.console.typed import Trouble, TypedError, attempted
from serving.directory import Directory
from serving.plan_schemas import Title
from serving.planning import stored_goals_of
from serving.plans.plan import Plan
from serving.plans.steering import Steering

LONGEST_TITLE = 200
_TITLE: TypeAdapter[str] = TypeAdapter(Title)
NOTHING_TYPED = {"title": "", "goals": "", "by": "", "stored": "", "ratchet": ""}


def plan_draft_page(request: Request, desk: TheDesk, pages: ThePages, dataset: Dataset = None) -> Response:
    """Ask what a plan is to be begun with."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    return _show(request, desk, pages, directory)


def post_plan_draft(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    dataset: Annotated[str | None, Form(max_length=200)] = None,
    title: Typed = "",
    goals: Typed = "",
    stored: Typed = "",
    ratchet: Typed = "",
    by: Typed = "",
) -> Response:
    """Draft a plan."""
    directory, reader = desk.directory(dataset or None), pages.reader(request.scope)

    def draft() -> tuple[Plan, str]:
        called, asked, name = _title(reader, title), goals_typed(reader, goals, directory), name_given(reader, by)
        served = suggestions_at_hand(desk, year=None, dataset=directory.snapshot.about.dataset)
        steering = Steering()
        if stored:
            steering = Steering.of_frames({"goals": stored_goals_of(served.snapshot, served.mark.year)})
        steering = Steering(goals=steering.with_goals(asked).goals, cap_ratchet=bool(ratchet))
        with in_the_name_of(name):
            made = desk.advisor.plans.draft(
                asked=steering, title=called, dataset=served.mark.dataset, served=served, may_fit=False
            )
        return made, name

    made = attempted(reader, draft)
    if isinstance(made, Trouble):
        typed = {"title": title, "goals": goals, "by": by, "stored": stored, "ratchet": ratchet}
        return _show(request, desk, pages, directory, typed=typed, trouble=made)
    plan, name = made
    response = RedirectResponse(f"/plan?plan={plan.id}&done=draft", status_code=303)
    remember_name(response, request, name)
    return response


def _show(
    request: Request,
    desk: Desk,
    pages: Pages,
    directory: Directory,
    *,
    typed: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
) -> Response:
    year, goals = desk.year(directory), directory.snapshot.goals
    return pages.show(
        request.scope,
        "plan_draft.html",
        status=200 if trouble is None else trouble.status,
        directory=directory,
        year=year,
        no_model=not desk.has_model(directory),
        stored=0 if goals is None else int((goals["year"] == year).sum()),
        typed=typed or NOTHING_TYPED,
        trouble=trouble,
        needs_name=must_be_named(),
        by=(typed or {}).get("by") or name_before(request),
        longest_title=LONGEST_TITLE,
        root=next((unit.code for unit in directory.units.values() if unit.parent is None), ""),
        indicators=[entry for entry in directory.snapshot.indicators.values() if entry.is_target],
    )


def _title(reader: Reader, text: str) -> str:
    try:
        return _TITLE.validate_python(text)
    except ValidationError:
        raise TypedError(Trouble(reader.say("plan.trouble.title", most=LONGEST_TITLE), field="title")) from None
