"""An edited sheet against its plan: what it would change, and what is wrong with it. Nothing is changed here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from features.errors import LoadlineError
from features.spreadsheet import FORMULA_STARTS
from serving.errors import InvalidError
from serving.plan_documents.book import COLUMNS, HEAD_ROW, KEY_CELL, KEY_ROW
from serving.plans.curve import chances_of
from serving.plans.plan import LEVELS, Line, Plan
from serving.plans.values import levels_with

MOST_PROBLEMS = 200
"""Problems that are told; the count tells of more."""
PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


@dataclass(frozen=True)
class LineChange:
    """What a sheet changes of a line.

    Attributes
    ----------
    line : Line
        As it is now.
    given : Mapping
        The levels that differ, rounded to the steps in which targets are stated.
    after : Mapping
        All levels and their probabilities, as they would be.
    reason : str
        The row's own; blank where it gives none.
    """

    line: Line
    given: Mapping[str, float | None]
    after: Mapping[str, float | None]
    reason: str


@dataclass(frozen=True)
class SheetProblem:
    """A cell that cannot be taken, or a line that somebody else has changed.

    Attributes
    ----------
    cell : str
    what : str
        In a sentence.
    kind : {"twice", "unknown", "changed", "number", "blank", "refused"}
        Tells the sentences apart, so that they can be told in other languages; `refused` has all its words in `what`.
    about : Mapping
        What the sentence names.
    """

    cell: str
    what: str
    kind: str = "refused"
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SheetDifference:
    """What a sheet would change.

    Attributes
    ----------
    plan : Plan
    changes : tuple of LineChange
    problems : tuple of SheetProblem
        Their lines are not among the changes.
    more_problems : int
        How many are not told.
    rows : int
        Lines of the sheet.
    """

    plan: Plan
    changes: tuple[LineChange, ...]
    problems: tuple[SheetProblem, ...]
    more_problems: int
    rows: int


def sheet_difference(plan: Plan, lines: Sequence[Line], rows: Iterable[Sequence[Any]]) -> SheetDifference:
    """Compare a sheet that was exported and edited with the plan as it is now.

    Parameters
    ----------
    plan : Plan
    lines : sequence of Line
        All of the plan.
    rows : iterable of sequence
        Of the sheet of lines; see `serving.plan_documents.book`.

    Raises
    ------
    InvalidError
        Where it is not a sheet of this plan.
    """
    known = {(line.unit, line.indicator): line for line in lines}
    changes: list[LineChange] = []
    problems: list[SheetProblem] = []
    seen: set[tuple[str, str]] = set()
    exported, count = None, 0
    for number, row in enumerate(rows):
        cells = [*row, *[None] * (len(COLUMNS) - len(row))]
        if number == KEY_ROW:
            exported = _exported(plan, cells)
        if number <= HEAD_ROW or all(cell in (None, "") for cell in cells):
            continue
        count += 1
        key = (_text(cells[PLACES["unit"]]), _text(cells[PLACES["indicator"]]))
        place = f"A{number + 1}"
        if key not in known or key in seen:
            what = "comes twice in the sheet" if key in seen else "is no line of this plan"
            kind, about = "twice" if key in seen else "unknown", {"unit": key[0], "indicator": key[1]}
            problems.append(SheetProblem(place, f"{key[0]} on {key[1]} {what}", kind, about))
            continue
        seen.add(key)
        try:
            change = _change(plan, known[key], cells, number)
        except _CellError as error:
            problems.append(SheetProblem(error.cell, error.what, error.kind))
            continue
        if change is None:
            continue
        if exported is not None and known[key].revision > exported:
            by = known[key].changed_by or "somebody"
            what = f"{key[0]} on {key[1]} was changed by {by} after this sheet was exported"
            about = {"unit": key[0], "indicator": key[1], "person": by}
            problems.append(SheetProblem(place, what, "changed", about))
            continue
        changes.append(change)
    if exported is None:
        raise InvalidError("the file is empty", hint="Export the plan, edit the book, and send that.")
    more = max(0, len(problems) - MOST_PROBLEMS)
    return SheetDifference(plan, tuple(changes), tuple(problems[:MOST_PROBLEMS]), more, count)


def _exported(plan: Plan, cells: Sequence[Any]) -> int:
    """Read of which plan and revision the sheet is."""
    if _text(cells[0]) != KEY_CELL:
        raise InvalidError(
            "the first row does not say which plan this is", hint="Keep the first two rows as they were exported."
        )
    if _text(cells[1]) != plan.id:
        raise InvalidError("the sheet is of another plan", hint="Choose the plan that it was exported from.")
    text = _text(cells[2])
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise InvalidError("the first row does not say which revision this is", hint="Export the plan again.")
    return int(text)


def _change(plan: Plan, line: Line, cells: Sequence[Any], number: int) -> LineChange | None:
    given: dict[str, float | None] = {}
    for level in LEVELS:
        place = PLACES[level]
        cell, now = f"{_letter(place)}{number + 1}", getattr(line, level)
        value = _figure(cells[place], cell, step=float(line.basis["step"]))
        if value is None and now is not None:
            raise _CellError(cell, f"the {level} is blank; a target is changed, never taken away", "blank")
        if value is not None and value != now:
            given[level] = value
    if not given:
        return None
    spec = plan.indicator(line.indicator)
    cell = f"{_letter(PLACES[next(iter(given))])}{number + 1}"
    try:
        levels = levels_with(line, spec, given)
        after = dict(levels) | dict(chances_of(line.basis, spec, levels))
    except LoadlineError as error:
        raise _CellError(cell, error.what) from error
    return LineChange(line, given, after, _text(cells[PLACES["new_reason"]]))


def _figure(value: Any, cell: str, *, step: float) -> float | None:
    """Read a number, as a number or as people write one, and round it to whole steps."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "").replace("，", ""))
        except ValueError:
            raise _CellError(cell, "is no number", "number") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise _CellError(cell, "is no number", "number")
    if math.isnan(value):
        raise _CellError(cell, "is no number", "number")
    if step <= 0:
        return float(value)
    exact, size = Decimal(repr(float(value))), Decimal(repr(step))
    return float((exact / size).to_integral_value(ROUND_HALF_EVEN) * size)


def _text(value: Any) -> str:
    """Read a text, without the apostrophe that kept it from being a formula."""
    if value is None:
        return ""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = text.strip() if not text.startswith(FORMULA_STARTS) else text
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def _letter(place: int) -> str:
    return chr(ord("A") + place)


class _CellError(Exception):
    def __init__(self, cell: str, what: str, kind: str = "refused") -> None:
        super().__init__(what)
        self.cell, self.what, self.kind = cell, what, kind
