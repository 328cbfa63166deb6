"""The forms of an alert's page: decide, release, assign, note, link, take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from fastapi import APIRouter, Form, Request
from starlette.datastructures import URL
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.api.alert_desk import AlertDesk
from serving.console.alert_pages import Behind, Key, TheAlerts, show_alert
from serving.console.formats import Reader
from serving.console.name_given import name_given, remember_name
from serving.console.pages import Dataset, TheDesk, ThePages
from serving.console.typed import Trouble, TypedError, as_written, attempted
from serving.errors import STALE

if TYPE_CHECKING:
    from serving.reviewing import Reviewing
    from training.review.entry import Entry

Act = Literal["decide", "release", "assign", "note", "link", "undo"]
Decision = Literal["confirmed", "dismissed", "watching"]
FIELDS = ("reason", "to", "due", "text", "case", "by")
"""Names of the options of the use cases that are fields here: errors begin with them."""
Typed = Annotated[str, Form()]


def alert_form_router() -> APIRouter:
    """Give the route of the forms."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/alert/review", post_alert_act, methods=["POST"])
    return router


def post_alert_act(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    alerts: TheAlerts,
    background: Behind,
    key: Key,
    action: Annotated[Act, Form()],
    expected: Annotated[int, Form(ge=0, le=1_000_000_000)],
    dataset: Dataset = None,
    decision: Typed = "",
    reason: Typed = "",
    to: Typed = "",
    due: Typed = "",
    text: Typed = "",
    case: Typed = "",
    entry: Annotated[int | None, Form(ge=1, le=1_000_000_000)] = None,
    by: Typed = "",
) -> Response:
    """Write on an alert."""
    reader = pages.reader(request.scope)
    typed = {"action": action, "decision": decision, "reason": reason, "to": to, "due": due, "text": text}
    typed |= {"case": case, "entry": "" if entry is None else str(entry), "by": by}

    def write() -> str:
        name = name_given(reader, by)
        asked = _asked(reader, action, typed)
        alerts.act(
            key,
            lambda found: _written(
                desk.advisor.reviewing, action, key, asked=asked, entry=entry, by=name, expected=expected, dataset=found
            ),
            dataset=dataset,
        )
        return name

    made = attempted(reader, write)
    if isinstance(made, Trouble):
        trouble = _told(reader, made, alerts, key=key, expected=expected, dataset=dataset)
        return show_alert(
            request, desk, pages, alerts, background, key=key, dataset=dataset, typed=typed, trouble=trouble
        )
    named = {"key": key, "done": action} | ({"dataset": dataset} if dataset else {})
    response = RedirectResponse(str(URL("/alert").include_query_params(**named)), status_code=303)
    remember_name(response, request, made)
    return response


def _asked(reader: Reader, action: Act, typed: Mapping[str, str]) -> dict[str, str]:
    """Give what was typed as the use cases take it.

    Raises
    ------
    TypedError
        Where no decision was chosen, or the day is none.
    """
    if action == "decide" and typed["decision"] not in get_args(Decision):
        raise TypedError(Trouble(reader.say("form.trouble.decision"), field="decision"))
    if action == "assign" and typed["due"]:
        try:
            date.fromisoformat(typed["due"])
        except ValueError:
            raise TypedError(Trouble(reader.say("form.trouble.day"), field="due")) from None
    return {name: as_written(value) for name, value in typed.items()}


def _written(
    reviewing: Reviewing,
    action: Act,
    key: str,
    *,
    asked: Mapping[str, str],
    entry: int | None,
    by: str,
    expected: int,
    dataset: str,
) -> Entry:
    """Have it written by the use case."""
    if action == "decide":
        decision, reason = asked["decision"], asked["reason"]
        return reviewing.decide(key, decision, by=by, reason=reason, expected=expected, dataset=dataset)
    if action == "release":
        return reviewing.release(key, by=by, reason=asked["reason"], expected=expected, dataset=dataset)
    if action == "assign":
        due = date.fromisoformat(asked["due"]) if asked["due"] else None
        to, text = asked["to"], asked["text"]
        return reviewing.assign(key, to=to, by=by, due=due, text=text, expected=expected, dataset=dataset)
    if action == "note":
        return reviewing.note(key, text=asked["text"], by=by, expected=expected, dataset=dataset)
    if action == "link":
        return reviewing.link(key, case=asked["case"], by=by, expected=expected, dataset=dataset)
    return reviewing.undo(key, by=by, reason=asked["reason"], entry=entry, expected=expected, dataset=dataset)


def _told(
    reader: Reader, trouble: Trouble, alerts: AlertDesk, *, key: str, expected: int, dataset: str | None
) -> Trouble:
    """Tell a refusal beside its field, and whether somebody else has written meanwhile."""
    field, colon, rest = trouble.detail.partition(": ")
    if colon and field in FIELDS:
        return replace(trouble, words=reader.say(f"alert.trouble.{field}"), field=field, detail=rest)
    if trouble.field:
        return trouble
    name = alerts.desk.directory(dataset).snapshot.about.dataset
    case = alerts.desk.advisor.reviewing.record(dataset=name).cases.get(key)
    if case is not None and case.version != expected:
        return replace(trouble, words=reader.say("alert.trouble.stale"), hint="", status=STALE.status)
    return trouble
