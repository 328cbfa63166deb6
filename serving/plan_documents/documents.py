"""The use cases of a plan's documents: the book, the letters, and what an edited book would change."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LoadlineError
from serving.console.formats import Language
from serving.directory import Directories
from serving.plan_documents.book import MOST_ROWS, write_book
from serving.plan_documents.difference import SheetDifference, sheet_difference
from serving.plan_documents.facts import PlanFacts, facts_of
from serving.plan_documents.letter import LetterForm, letter, letters
from serving.plan_documents.sheet_rows import sheet_rows
from serving.plans.published import require_seal
from serving.plans.shelf import Filter
from training.progress import Progress, silent

if TYPE_CHECKING:
    from serving.advisor import Advisor

MOST_LETTERS = 500
"""Letters made while somebody waits: a letter takes some 30 ms. The command line makes any number."""


class PlanDocuments:
    """What HR sends out, and gets back.

    Parameters
    ----------
    advisor : Advisor
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._directories = Directories(advisor.snapshot)

    def book(
        self,
        plan: str,
        path: Path,
        *,
        language: Language = "en",
        units: Collection[str] | None = None,
        history: bool = True,
    ) -> PlanFacts:
        """Write a plan as an XLSX book.

        Parameters
        ----------
        plan : str
        path : Path
        language : {"en", "zh"}
        units : collection of str, optional
            Only these.
        history : bool
            Whether it tells who did what, which is about other units as well; signatures are always told.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        LoadlineError
            Where it has more lines than a sheet can hold.
        """
        facts = self._facts(plan, language, Filter(units=units))
        if len(facts.rows) > MOST_ROWS:
            what = f"a sheet holds {MOST_ROWS:,} lines, and the plan has {len(facts.rows):,}"
            raise LoadlineError(what, where=plan, hint="Export a part of the tree.")
        if not history:
            facts = replace(facts, events=(), plan=replace(facts.plan, notes=()))
        totals = self._advisor.plans.summary(plan).totals
        write_book(facts, [total for total in totals if units is None or total.unit in units], path)
        return facts

    def letter(self, plan: str, unit: str, *, language: Language = "en", units: Collection[str] | None = None) -> bytes:
        """Give the letter of a unit as a Word document.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        LoadlineError
            Where it has no target for the unit.
        """
        named = {unit} if units is None else {unit} & set(units)
        form = LetterForm.of(self._advisor.settings.home)
        return letter(self._facts(plan, language, Filter(units=named)), unit, form)

    def letters(
        self,
        plan: str,
        path: Path,
        *,
        language: Language = "en",
        units: Collection[str] | None = None,
        most: int | None = None,
        progress: Progress = silent,
    ) -> int:
        """Write the letters of all units into one zip; give how many there are.

        Parameters
        ----------
        plan : str
        path : Path
        language : {"en", "zh"}
        units : collection of str, optional
            Only of these.
        most : int, optional
            Refuse to make more.
        progress : Progress
        """
        facts = self._facts(plan, language, Filter(units=units), with_target=True)
        count = len(facts.units)
        if most is not None and count > most:
            hint = "Ask for the letters below one unit, or use `loadline plan letters`."
            raise LoadlineError(f"{count:,} letters are more than the {most} made at once", where=plan, hint=hint)
        form, stamp = LetterForm.of(self._advisor.settings.home), (1980, 1, 1, 0, 0, 0)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:  # documents are packed already
            for number, (name, content) in enumerate(letters(facts, form), start=1):
                packed.writestr(zipfile.ZipInfo(name, stamp), content)
                progress("letters", number, count)
        return count

    def difference(self, plan: str, content: bytes) -> SheetDifference:
        """Tell what an edited book or CSV file would change; nothing is changed.

        Raises
        ------
        NotFoundError
            Where there is no such plan.
        InvalidError
            Where it is no sheet of this plan.
        """
        plans = self._advisor.plans
        return sheet_difference(plans.get(plan), plans.lines(plan), sheet_rows(content))

    def _facts(self, plan: str, language: Language, wanted: Filter, *, with_target: bool = False) -> PlanFacts:
        plans = self._advisor.plans
        found = plans.get(plan)
        with self._advisor.database.read() as connection:
            require_seal(connection, found.id, found.digest)
        directory = self._directories.of(self._advisor.store.snapshot(found.data_version))
        lines = [line for line in plans.lines(plan, wanted) if line.target is not None or not with_target]
        return facts_of(found, lines, plans.events(plan), directory, language)
