"""What books and letters tell of a plan: each line with names, reasons and what people did to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from features.indicators import Indicator
from serving.console.formats import Language, Reader, decimals_of, read_wording
from serving.directory import Directory, UnitEntry
from serving.plans.plan import LEVELS, Action, Event, Line, Plan
from serving.plans.story import story_of

SIGNED = {Action.SUBMIT: "submitted", Action.APPROVE: "approved", Action.PUBLISH: "published"}
"""Steps that are signatures, and the roles in which people give them."""


@dataclass(frozen=True)
class Row:
    """A line as it is told.

    Attributes
    ----------
    line : Line
    unit : UnitEntry or None
        None where the data version at hand does not know it.
    indicator : Indicator
    decimals : int
        With which its figures are told in full.
    reason : str
        How the target comes about, in a sentence; blank without a target.
    """

    line: Line
    unit: UnitEntry | None
    indicator: Indicator
    decimals: int
    reason: str


@dataclass(frozen=True)
class Signature:
    """A step that somebody stands for with the own name."""

    role: str
    name: str
    day: date


@dataclass(frozen=True)
class PlanFacts:
    """All that the documents of a plan tell.

    Attributes
    ----------
    plan : Plan
    rows : tuple of Row
    events : tuple of Event
    signatures : tuple of Signature
        Of the last submission, its approval and its publication, as far as there are any.
    reader : Reader
        Of the language in which it is told.
    synthetic : bool
        The dataset says of itself that it is made up.
    root : str
        Name of the highest unit, in whose name targets are given.
    """

    plan: Plan
    rows: tuple[Row, ...]
    events: tuple[Event, ...]
    signatures: tuple[Signature, ...]
    reader: Reader
    synthetic: bool
    root: str

    @property
    def units(self) -> tuple[str, ...]:
        """Give the codes of the units, in the order of the lines."""
        return tuple(dict.fromkeys(row.line.unit for row in self.rows))

    def name(self, row: Row) -> str:
        """Name a row's unit."""
        return row.line.unit if row.unit is None else self.reader.name(row.unit.name, row.unit.name_zh)


def facts_of(
    plan: Plan, lines: Sequence[Line], events: Sequence[Event], directory: Directory, language: Language
) -> PlanFacts:
    """Gather what documents tell.

    Parameters
    ----------
    plan : Plan
    lines : sequence of Line
        Those that the reader may see.
    events : sequence of Event
    directory : Directory
        Of the data version that the plan rests on.
    language : {"en", "zh"}
    """
    reader = Reader(language, read_wording())
    indicators = {code: plan.indicator(code) for code in plan.indicators}
    rows = tuple(_row(plan, line, indicators[line.indicator], directory, language) for line in lines)
    roots = [unit for unit in directory.units.values() if unit.parent is None]
    root = reader.name(roots[0].name, roots[0].name_zh) if len(roots) == 1 else ""
    return PlanFacts(
        plan=plan,
        rows=rows,
        events=tuple(events),
        signatures=signatures_of(events),
        reader=reader,
        synthetic=directory.synthetic,
        root=root,
    )


def signatures_of(events: Sequence[Event]) -> tuple[Signature, ...]:
    """Give who stands for the plan as it is: what was signed before it was returned or revised does not count."""
    found: dict[str, Signature] = {}
    for event in events:
        if event.action in (Action.DRAFT, Action.REVISE, Action.RETURN):
            found = {}
        elif event.action in SIGNED:
            role = SIGNED[event.action]
            found[role] = Signature(role, event.by, event.at.date())
    return tuple(found.values())


def _row(plan: Plan, line: Line, indicator: Indicator, directory: Directory, language: Language) -> Row:
    decimals = decimals_of([getattr(line, level) for level in LEVELS])
    story = story_of(plan, line, indicator)
    reason = "" if story is None else story["text"][language]
    return Row(line, directory.units.get(line.unit), indicator, decimals, reason)
