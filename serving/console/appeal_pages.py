"""The pages of appeals: those raised, one with its frozen figure and its steps, and the forms to raise and decide."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.principal import who
from serving.access.reach import reach
from serving.access.signature import in_the_name_of, signed
from serving.api.appeals import answer_of, frozen_or_trouble, raised, seen
from serving.api.time_cursor import read_time_cursor, write_time_cursor
from serving.appeal_schemas import AppealAsked, AppealState
from serving.appeals.appeals import LONGEST_WORDS, STEPS, identity
from serving.appeals.ledger import Appeal
from serving.console.pages import Dataset, TheDesk, ThePages, stored_directory
from serving.errors import InvalidError

APPEALS_SHOWN = 50
"""Appeals on a page: a screen or two."""
NAME_PATTERN = "^[0-9a-f]{1,32}$"

Name = Annotated[str, Form(max_length=32, pattern=NAME_PATTERN)]
Words = Annotated[str, Form(max_length=LONGEST_WORDS)]
By = Annotated[str | None, Form(max_length=200)]


def appeal_router() -> APIRouter:
    """Give the routes of the appeal pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/appeals", appeal_list, methods=["GET"])
    router.add_api_route("/appeal", appeal_page, methods=["GET"])
    router.add_api_route("/appeals/raise", post_appeal, methods=["POST"])
    router.add_api_route("/appeal/answer", post_answer, methods=["POST"])
    router.add_api_route("/appeal/withdraw", post_withdrawal, methods=["POST"])
    router.add_api_route("/appeal/reproduce", post_reproduction, methods=["POST"])
    return router


def appeal_list(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    dataset: Dataset = None,
    state: AppealState | Literal[""] = "",
    after: str | None = None,
) -> Response:
    """List the appeals on units that may be seen, the newest first."""
    directory = stored_directory(desk, dataset)
    if directory is None:
        return pages.show(request.scope, "empty.html")
    found, total = desk.advisor.appeals.listed(
        units=None if reach().heads is None else frozenset(directory.units),
        dataset=directory.snapshot.about.dataset,
        state=state or None,
        after=read_time_cursor(after or None),
        limit=APPEALS_SHOWN + 1,
    )
    shown = found[:APPEALS_SHOWN]
    more = write_time_cursor(shown[-1].raised_at, shown[-1].id) if len(found) > APPEALS_SHOWN else None
    return pages.show(
        request.scope,
        "appeals.html",
        directory=directory,
        rows=[(appeal, directory.units.get(appeal.unit)) for appeal in shown],
        total=total,
        state=state,
        states=("open", "under_review", "upheld", "rejected", "withdrawn"),
        more=more,
    )


def appeal_page(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    name: Annotated[str, Query(max_length=32, pattern=NAME_PATTERN)],
) -> Response:
    """Show an appeal: the figure as it was told, what it rests on, its steps, and what may be done next."""
    found = seen(desk, name)
    directory = desk.directory(found.dataset)
    frozen, trouble = frozen_or_trouble(desk, name)
    content = None if frozen is None else frozen.content
    told = None if content is None else content["told"]
    if told is not None and found.kind == "target":
        told = told["explanation"]
    return pages.show(
        request.scope,
        "appeal.html",
        directory=directory,
        appeal=found,
        unit=directory.units.get(found.unit),
        frozen=content,
        told=told,
        trouble=trouble,
        answer=answer_of(desk, found),
        events=desk.advisor.appeals.events(name),
        steps=_steps(found),
        longest=LONGEST_WORDS,
    )


def post_appeal(
    request: Request,
    desk: TheDesk,
    unit: Annotated[str, Form(max_length=200)],
    period: Annotated[str, Form(max_length=10)],
    words: Words,
    dataset: Annotated[str | None, Form(max_length=64)] = None,
    by: By = None,
) -> Response:
    """Raise an appeal against a score."""
    try:
        asked = AppealAsked(unit=unit, period=period, words=words, dataset=dataset or None, by=by or None)
    except ValidationError as error:
        hint = f"Write {LONGEST_WORDS:,} characters at most."
        raise InvalidError("an appeal needs its reason in words", hint=hint) from error
    return _to(raised(desk, asked)[0])


def post_answer(
    request: Request,
    desk: TheDesk,
    name: Name,
    action: Annotated[Literal["review", "uphold", "reject"], Form()],
    revision: Annotated[int, Form(ge=0)],
    words: Words = "",
    by: By = None,
) -> Response:
    """Take an appeal up, or answer it."""
    seen(desk, name)
    with in_the_name_of(signed(by or None)):
        return _to(desk.advisor.appeals.decide(name, action, revision=revision, words=words))


def post_withdrawal(
    request: Request, desk: TheDesk, name: Name, revision: Annotated[int, Form(ge=0)], words: Words = "", by: By = None
) -> Response:
    """Withdraw an appeal that was raised by whoever asks."""
    seen(desk, name)
    with in_the_name_of(signed(by or None)):
        return _to(desk.advisor.appeals.decide(name, "withdraw", revision=revision, words=words))


def post_reproduction(request: Request, desk: TheDesk, name: Name, by: By = None) -> Response:
    """Tell the figure once more; what came of it is shown among the steps."""
    found = seen(desk, name)
    with in_the_name_of(signed(by or None)):
        desk.advisor.appeals.reproduce(name)
    return _to(found)


def _steps(appeal: Appeal) -> list[str]:
    """List the steps that may come next for whoever looks; the addresses' own rules apply besides."""
    principal = who()
    mine = identity(principal) == appeal.raised_by_id
    local = principal.kind == "local"  # it says its name with each step
    return [name for name, step in STEPS.items() if appeal.state in step.before and (local or step.own is mine)]


def _to(appeal: Appeal) -> Response:
    return RedirectResponse(f"/appeal?name={appeal.id}", status_code=303)
