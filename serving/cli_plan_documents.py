"""A plan's documents at the command line: the book, the letters, and importing an edited book."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.plan_options import By, PlanAsked, Why, acting_as, tell_plan
from serving.terminal import As, DatasetName, Format, Home, advisor_of, show_table, shown_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.plan_documents.difference import SheetDifference


class Language(StrEnum):
    """In which documents are written."""

    en = "en"
    zh = "zh"


Lang = Annotated[Language, typer.Option("--lang", help="Language of the document.")]
Under = Annotated[str | None, typer.Option("--under", help="Only this unit and those below it.")]


def export(
    plan: PlanAsked,
    out: Annotated[Path, typer.Option(help="The book to write: .xlsx.")],
    lang: Lang = Language.en,
    under: Under = None,
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Write a plan as a book that can be edited and imported again."""
    from serving.tables import write_whole

    advisor = advisor_of(home)
    found, units = advisor.plans.find(plan, dataset=dataset), _units(home, under, dataset)
    documents = advisor.plan_documents
    _check_suffix(out, ".xlsx")
    write_whole(out, lambda path: documents.book(found.id, path, language=lang.value, units=units))
    typer.echo(f"Written to {out}.", err=True)


def letters(
    plan: PlanAsked,
    out: Annotated[Path, typer.Option(help="The file to write: .zip for all units, .docx for the one of --unit.")],
    unit: Annotated[str | None, typer.Option(help="Only the letter of this unit, as .docx.")] = None,
    lang: Lang = Language.zh,
    under: Under = None,
    home: Home = None,
    dataset: DatasetName = None,
) -> None:
    """Write the target letters (目标责任书): one Word document a unit."""
    from serving.tables import write_whole

    advisor = advisor_of(home)
    found, documents = advisor.plans.find(plan, dataset=dataset), advisor.plan_documents
    if unit is not None:
        _check_suffix(out, ".docx")
        content = documents.letter(found.id, unit, language=lang.value)
        write_whole(out, lambda path: path.write_bytes(content))
        typer.echo(f"Written to {out}.", err=True)
        return
    _check_suffix(out, ".zip")
    units = _units(home, under, dataset)
    with shown_progress() as progress:
        write: Callable[[Path], object] = lambda path: documents.letters(  # noqa: E731
            found.id, path, language=lang.value, units=units, progress=progress
        )
        write_whole(out, write)
    typer.echo(f"Written to {out}.", err=True)


def import_(
    plan: PlanAsked,
    file: Annotated[Path, typer.Argument(help="The edited book (.xlsx), or its first sheet as .csv.")],
    by: By = "",
    reason: Why = "",
    yes: Annotated[bool, typer.Option("--yes", help="Take the differences without being asked.")] = False,
    home: Home = None,
    dataset: DatasetName = None,
    form: As = Format.text,
) -> None:
    """Show what an edited book would change, and change it once that is confirmed."""
    from features.errors import LoadlineError

    advisor = advisor_of(home)
    found = advisor.plans.find(plan, dataset=dataset)
    try:
        content = file.read_bytes()
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise LoadlineError(what, where=str(file), hint="Name the edited book.") from error
    difference = advisor.plan_documents.difference(found.id, content)
    _tell(difference, form)
    if not difference.changes:
        return
    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Change {len(difference.changes):,} lines?")):
        raise LoadlineError("nothing was changed", where=str(file), hint="Add --yes to take the differences.")
    given = [(change.line.unit, change.line.indicator, change.given, change.reason) for change in difference.changes]
    with acting_as(home, by) as plans:
        changed = plans.change_lines(found.id, given, revision=difference.plan.revision, reason=reason)
    tell_plan(changed, form)


DOCUMENTS = {"export": export, "letters": letters, "import": import_}
"""The commands by name."""


def _tell(difference: SheetDifference, form: Format) -> None:
    import pandas as pd

    for problem in difference.problems:
        typer.echo(f"Note: {problem.cell}: {problem.what}.", err=True)
    if difference.more_problems:
        typer.echo(f"Note: and {difference.more_problems:,} more.", err=True)
    names = ["unit", "indicator", "before", "after", "p_before", "p_after", "reason"]
    rows = [
        (
            c.line.unit,
            c.line.indicator,
            c.line.target,
            c.after["target"],
            c.line.p_target,
            c.after["p_target"],
            c.reason,
        )
        for c in difference.changes
    ]
    if rows and form is Format.text:
        show_table(pd.DataFrame(rows, columns=names), form=form, title="Differences")
    typer.echo(f"{len(rows):,} of {difference.rows:,} lines differ.", err=True)


def _units(home: Path | None, under: str | None, dataset: str | None) -> frozenset[str] | None:
    """Give the units of a subtree; None for all."""
    if under is None:
        return None
    from serving.directory import Directory

    snapshot = advisor_of(home).snapshot(dataset)
    snapshot.tree.number(under)  # says so where there is none
    return Directory(snapshot).under(frozenset({under}))


def _check_suffix(out: Path, suffix: str) -> None:
    from features.errors import LoadlineError

    if out.suffix.lower() != suffix:
        raise LoadlineError(f"this is written as {suffix}", where="--out", hint=f"Name a file that ends in {suffix}.")
