"""The way of an edited book back into its plan: upload, look at what would change line by line, confirm."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import File, Request, UploadFile
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from features.errors import LoadlineError
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk
from serving.api.plan_desk import plan_in_sight
from serving.console.formats import Reader
from serving.console.name_given import must_be_named, name_before, name_given, remember_name
from serving.console.pages import Pages, TheDesk, ThePages
from serving.console.plan_named import PlanId, Seen, Typed
from serving.console.plan_rows import LineRow, event_rows, levels_after, line_rows
from serving.console.typed import Trouble, TypedError, attempted, reason_typed
from serving.directory import Directory
from serving.errors import TOO_LARGE
from serving.plan_documents.difference import SheetDifference
from serving.plan_schemas import MOST_EDITS, Code, MaybeReason
from serving.plans.plan import LEVELS, Line, Plan, State
from serving.schemas import Number

LONGEST_EDITS = 900_000
"""Characters of the hidden field that carries the changes: a form's field may have a mebibyte."""
CHANGES_SHOWN = 1_000
"""Lines of the difference on the page; all are confirmed, and the page says how many there are."""
Edit = tuple[Code, Code, Number | None, Number | None, Number | None, MaybeReason]
"""Unit, indicator, floor, target, stretch, reason: as the hidden field has them."""
_EDITS: TypeAdapter[list[Edit]] = TypeAdapter(list[Edit])


@dataclass(frozen=True)
class Shown:
    """A line as it is and as it would be.

    Attributes
    ----------
    row : LineRow
    after : Mapping
        The levels and their probabilities; empty where they cannot be taken any more.
    reason : str
    """

    row: LineRow
    after: Mapping[str, float | None]
    reason: str


def plan_import_page(request: Request, desk: TheDesk, pages: ThePages, plan: PlanId) -> Response:
    """Ask for an edited book."""
    return _show(request, desk, pages, plan)


def post_plan_sheet(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    plan: PlanId,
    sheet: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Show what an edited book would change. Nothing is changed."""
    plan_in_sight(desk, plan)
    reader = pages.reader(request.scope)

    def compare() -> tuple[SheetDifference, list[Edit]]:
        content = b"" if sheet is None else sheet.file.read()
        if not content:
            raise TypedError(Trouble(reader.say("import.trouble.none"), field="sheet"))
        found = desk.advisor.plan_documents.difference(plan, content)
        edits: list[Edit] = [
            (
                change.line.unit,
                change.line.indicator,
                change.given.get("floor"),
                change.given.get("target"),
                change.given.get("stretch"),
                change.reason,
            )
            for change in found.changes
        ]
        if len(edits) > MOST_EDITS or len(_written(edits)) > LONGEST_EDITS:
            words = reader.say("import.trouble.many", count=f"{len(edits):,}")
            raise TypedError(Trouble(words, field="sheet", status=TOO_LARGE.status))
        return found, edits

    made = attempted(reader, compare)
    if isinstance(made, Trouble):
        return _show(request, desk, pages, plan, trouble=made)
    return _show(request, desk, pages, plan, edits=made[1], difference=made[0])


def post_plan_changes(
    request: Request,
    desk: TheDesk,
    pages: ThePages,
    plan: PlanId,
    seen: Seen,
    edits: Typed = "",
    reason: Typed = "",
    by: Typed = "",
) -> Response:
    """Make the changes that were looked at, all or none; they are checked like any others."""
    plan_in_sight(desk, plan)
    reader = pages.reader(request.scope)
    asked = attempted(reader, lambda: _read(reader, edits))
    if isinstance(asked, Trouble):
        return _show(request, desk, pages, plan, trouble=asked)

    def change() -> tuple[Plan, str]:
        why, name = reason_typed(reader, reason, needed=True), name_given(reader, by)
        given = [
            (unit, code, {"floor": floor, "target": target, "stretch": stretch}, own)
            for unit, code, floor, target, stretch, own in asked
        ]
        with in_the_name_of(name):
            return desk.advisor.plans.change_lines(plan, given, revision=seen, reason=why), name

    made = attempted(reader, change)
    if isinstance(made, Trouble):
        typed = {"reason": reason, "by": by}
        return _show(request, desk, pages, plan, edits=asked, typed=typed, trouble=made, seen=seen)
    response = RedirectResponse(f"/plan?plan={plan}&done=import", status_code=303)
    remember_name(response, request, made[1])
    return response


def _show(
    request: Request,
    desk: Desk,
    pages: Pages,
    plan: str,
    *,
    edits: Sequence[Edit] | None = None,
    difference: SheetDifference | None = None,
    typed: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
    seen: int | None = None,
) -> Response:
    found = plan_in_sight(desk, plan)
    directory, plans = desk.directory(found.dataset), desk.advisor.plans
    stale = trouble is not None and trouble.stale and seen is not None
    return pages.show(
        request.scope,
        "plan_import.html",
        status=200 if trouble is None else trouble.status,
        directory=directory,
        plan=found,
        possible=found.state is State.DRAFT,
        difference=difference,
        changes=[] if not edits else _shown(found, plans.lines(plan), edits[:CHANGES_SHOWN], directory),
        count=len(edits or ()),
        edits=_written(edits or ()),
        since=event_rows(plans.events(plan), after=seen or 0) if stale else [],
        typed=typed or {"reason": "", "by": ""},
        trouble=trouble,
        needs_name=must_be_named(),
        by=(typed or {}).get("by") or name_before(request),
    )


def _shown(plan: Plan, lines: Iterable[Line], edits: Sequence[Edit], directory: Directory) -> list[Shown]:
    """Lay changes out beside the lines as they are now; those of lines that there are not are left out."""
    known = {(line.unit, line.indicator): line for line in lines}
    mine = [(edit, known[edit[:2]]) for edit in edits if edit[:2] in known]
    rows = line_rows(plan, [line for _, line in mine], directory)
    return [Shown(row, _after(row, edit), edit[-1]) for (edit, _), row in zip(mine, rows, strict=True)]


def _after(row: LineRow, edit: Edit) -> Mapping[str, float | None]:
    try:
        return levels_after(row.line, row.indicator, dict(zip(LEVELS, edit[2:5], strict=True)))
    except LoadlineError:
        return {}


def _written(edits: Sequence[Edit]) -> str:
    return json.dumps(edits, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _read(reader: Reader, text: str) -> list[Edit]:
    """Read the hidden field like anything that comes from outside."""
    try:
        found = _EDITS.validate_json(text, strict=True)
    except ValidationError:
        found = []
    if not found or len(found) > MOST_EDITS:
        raise TypedError(Trouble(reader.say("import.trouble.edits"), field="sheet"))
    return found
