"""A target plan's book and letters, and what an edited book would change."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from features.errors import LoadlineError
from serving.access.signature import in_the_name_of
from serving.api.desk import Desk, entity_tag
from serving.api.plan_desk import plan_answer, plan_in_sight, units_in_sight
from serving.api.revisions import IfMatch, asked_revision, revision_tag
from serving.api.target_plans import PlanName, TheDesk
from serving.errors import NotFoundError
from serving.plan_documents.documents import MOST_LETTERS
from serving.plan_schemas import LineEdits, Plan, SheetDifference, SheetEdit, SheetTrouble
from serving.plans.plan import LEVELS
from serving.plans.plan import Plan as Found

router = APIRouter(tags=["target plans"])

Language = Annotated[Literal["en", "zh"], Query(description="In which language.", examples=["zh"])]
Under = Annotated[
    str | None, Query(max_length=200, description="Only this unit and those below it.", examples=["CN-GD"])
]
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "zip": "application/zip",
}
SHEETS = ("text/csv", "application/octet-stream", MEDIA_TYPES["xlsx"])


def _file(form: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": "The file.", "content": {MEDIA_TYPES[form]: {"schema": schema}}}}


@router.get(
    "/target-plans/{plan}/export.xlsx",
    summary="Export a plan as a book",
    operation_id="export_plan",
    response_class=Response,
    responses=_file("xlsx"),
)
def export_plan(plan: PlanName, desk: TheDesk, lang: Language = "en", under: Under = None) -> Response:
    """Give levels, last actuals, growth, quartiles, chances, reasons and signatures; it can be edited and imported."""
    found = plan_in_sight(desk, plan)
    units, history = _units(desk, found, under), units_in_sight(desk, found) is None
    documents = desk.advisor.plan_documents
    return file_answer(
        lambda path: documents.book(plan, path, language=lang, units=units, history=history),
        form="xlsx",
        name=f"targets-{found.year}-v{found.version}",
        tag=(found, lang, sorted(units) if units is not None else None),
    )


@router.get(
    "/target-plans/{plan}/letters.zip",
    summary="Give the target letters",
    operation_id="get_letters",
    response_class=Response,
    responses=_file("zip"),
)
def get_letters(plan: PlanName, desk: TheDesk, lang: Language = "zh", under: Under = None) -> Response:
    """Give the target letter (目标责任书) of every unit, or of those below one, as Word documents in a zip."""
    found = plan_in_sight(desk, plan)
    units = _units(desk, found, under)
    documents = desk.advisor.plan_documents
    return file_answer(
        lambda path: documents.letters(plan, path, language=lang, units=units, most=MOST_LETTERS),
        form="zip",
        name=f"letters-{found.year}-v{found.version}",
        tag=(found, lang, sorted(units) if units is not None else None),
    )


@router.get(
    "/target-plans/{plan}/letters/{unit:path}.docx",
    summary="Give a unit's target letter",
    operation_id="get_letter",
    response_class=Response,
    responses=_file("docx"),
)
def get_letter(
    plan: PlanName,
    unit: Annotated[str, Path(max_length=200, description="Code of the unit.", examples=["CN-BJ"])],
    desk: TheDesk,
    lang: Language = "zh",
) -> Response:
    """Give the target letter (目标责任书) of a unit as a Word document."""
    found = plan_in_sight(desk, plan)
    units = units_in_sight(desk, found)
    documents = desk.advisor.plan_documents
    try:
        content = documents.letter(plan, unit, language=lang, units=units)
    except LoadlineError as error:
        raise NotFoundError(f"the plan has no target for {unit!r}", hint=error.hint) from error
    return file_answer(
        lambda path: path.write_bytes(content),
        form="docx",
        name=f"letter-{found.year}",
        tag=(found, lang, unit),
    )


async def uploaded(request: Request) -> bytes:
    """Give the body as it came."""
    return await request.body()


@router.post(
    "/target-plans/{plan}/import",
    summary="Compare an edited book with its plan",
    operation_id="compare_plan_sheet",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SHEETS},
        }
    },
)
def compare_plan_sheet(plan: PlanName, desk: TheDesk, content: Annotated[bytes, Depends(uploaded)]) -> SheetDifference:
    """Tell what an exported and edited book, or its first sheet as CSV, would change. Nothing is changed.

    To confirm it, send its `edits` to `changes` with the plan's ETag and a reason, for those lines that give none.
    """
    plan_in_sight(desk, plan)
    found = desk.advisor.plan_documents.difference(plan, content)
    return SheetDifference(
        revision=found.plan.revision,
        rows=found.rows,
        edits=[
            SheetEdit(
                unit=change.line.unit,
                indicator=change.line.indicator,
                **{level: change.given.get(level) for level in LEVELS},
                reason=change.reason,
                before=change.line.target,
                p_target=change.after["p_target"],
            )
            for change in found.changes
        ],
        problems=[SheetTrouble(cell=problem.cell, what=problem.what) for problem in found.problems],
        more_problems=found.more_problems,
    )


@router.post("/target-plans/{plan}/changes", summary="Change many lines of a draft", operation_id="change_plan_lines")
def change_plan_lines(
    asked: LineEdits, response: Response, plan: PlanName, desk: TheDesk, if_match: IfMatch = None
) -> Plan:
    """Override levels of many lines in one change, all or none; one `undo` takes it back."""
    seen = asked_revision(if_match)
    plan_in_sight(desk, plan)
    given: list[tuple[str, str, Mapping[str, float | None], str]] = [
        (edit.unit, edit.indicator, {level: getattr(edit, level) for level in LEVELS}, edit.reason)
        for edit in asked.edits
    ]
    with in_the_name_of(asked.signer):
        changed = desk.advisor.plans.change_lines(plan, given, revision=seen, reason=asked.reason)
    response.headers["ETag"] = revision_tag(changed.revision)
    return plan_answer(desk, changed)


def file_answer(write: Callable[[File], object], *, form: str, name: str, tag: tuple[Any, ...]) -> Response:
    """Answer with a file that is written to a path, to be saved under a name."""
    with tempfile.TemporaryDirectory(prefix="loadline-") as folder:
        path = File(folder) / f"file.{form}"
        write(path)
        content = path.read_bytes()
    plan, *rest = tag
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{form}"',
        "ETag": entity_tag("plan-file", form, plan.id, plan.revision, *rest),
    }
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _units(desk: Desk, plan: Found, under: str | None) -> frozenset[str] | None:
    """Give the units whose lines are told: those in sight, and of these the part that is asked for."""
    seen = units_in_sight(desk, plan)
    if under is None:
        return seen
    directory = desk.directory(plan.dataset)
    head = desk.unit(directory, under).code
    below = directory.under(frozenset({head}))
    return below if seen is None else below & seen
