"""What the pages of plans show, row by row: lines, totals, groups, what was done and what may be done next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.indicators import Indicator
from models.judging.fairness import GAP, SLOPE
from serving.access.principal import LOCAL, who
from serving.console.chart import Chart, draw
from serving.console.formats import decimals_of
from serving.directory import Directory, UnitEntry
from serving.plans.actors import acting_now, local_actor
from serving.plans.curve import chances_of
from serving.plans.editing import last_change
from serving.plans.plan import LEVELS, Event, Line, Plan, State
from serving.plans.steps import own_part
from serving.plans.story import story_of
from serving.plans.summary import Total
from serving.plans.values import levels_with

TOTALS_SHOWN = 20
"""Those that do not add up come first, then goals; the book has all."""
GROUPS_SHOWN = 30
"""Groups of units: a screen of those that are asked for most."""
EVENTS_SHOWN = 40
"""The newest; the book has all."""
LINES_TOLD = 5
"""Changed lines that an event names; of more, it tells the number."""


@dataclass(frozen=True)
class StepForm:
    """A step that may come next: in which states, and whether it needs a reason."""

    states: frozenset[State]
    needs_reason: bool = False


STEPS: Mapping[str, StepForm] = {
    "submit": StepForm(frozenset({State.DRAFT})),
    "approve": StepForm(frozenset({State.SUBMITTED})),
    "publish": StepForm(frozenset({State.APPROVED})),
    "return": StepForm(frozenset({State.SUBMITTED, State.APPROVED}), needs_reason=True),
    "undo": StepForm(frozenset({State.DRAFT})),
    "revise": StepForm(frozenset({State.PUBLISHED}), needs_reason=True),
    "withdraw": StepForm(frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})),
}
"""In the order in which they are offered."""


@dataclass(frozen=True)
class LineRow:
    """A line as the list shows it."""

    line: Line
    unit: UnitEntry | None
    indicator: Indicator
    decimals: int


@dataclass(frozen=True)
class EventRow:
    """Something done, with the lines that it changed as far as they are named: (unit, indicator, before, after)."""

    event: Event
    lines: int
    named: tuple[tuple[str, str, float | None, float | None], ...]


def line_rows(plan: Plan, lines: Iterable[Line], directory: Directory) -> list[LineRow]:
    """Lay lines out."""
    indicators = {code: plan.indicator(code) for code in plan.indicators}
    return [
        LineRow(line, directory.units.get(line.unit), indicators[line.indicator], decimals_shown(line))
        for line in lines
    ]


def decimals_shown(line: Line) -> int:
    """Give the decimals in which a line's figures are told in full."""
    return decimals_of([getattr(line, level) for level in LEVELS])


def steps_open(plan: Plan, events: Sequence[Event]) -> list[str]:
    """List the steps that a plan's state allows."""
    undoable = last_change(events) is not None
    return [name for name, step in STEPS.items() if plan.state in step.states and (name != "undo" or undoable)]


def barred(events: Sequence[Event], name: str) -> Event | None:
    """Give what keeps whoever looks from approving; the name is the one last typed by whoever must say it."""
    if who().kind == LOCAL.kind:
        return own_part(events, local_actor(name)) if name else None
    return own_part(events, acting_now())


def event_rows(events: Sequence[Event], *, after: int = 0, most: int = EVENTS_SHOWN) -> list[EventRow]:
    """Lay out what was done after a revision, the newest first."""
    return [_event_row(event) for event in reversed(events) if event.number > after][:most]


def events_of_line(events: Sequence[Event], unit: str, indicator: str, *, after: int = 0) -> list[EventRow]:
    """Lay out what was done to a line, the newest first, each told of this line alone."""
    found = []
    for event in reversed(events):
        mine = [row for row in event.detail.get("lines", ()) if (row["unit"], row["indicator"]) == (unit, indicator)]
        if mine and event.number > after:
            found.append(EventRow(event, len(event.detail["lines"]), tuple(map(_changed, mine))))
    return found


def _event_row(event: Event) -> EventRow:
    rows = event.detail.get("lines", ())
    named = tuple(map(_changed, rows)) if len(rows) <= LINES_TOLD else ()
    return EventRow(event, len(rows), named)


def _changed(row: Mapping[str, Any]) -> tuple[str, str, float | None, float | None]:
    return row["unit"], row["indicator"], row["before"].get("target"), row["after"].get("target")


def totals_shown(totals: Iterable[Total]) -> list[Total]:
    """Give the totals that do not add up, then the goals, as many as a page holds."""
    told = [total for total in totals if not total.adds_up or total.role == "goal"]
    return sorted(told, key=lambda total: total.adds_up)[:TOTALS_SHOWN]


def fairness_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the groups of units, those furthest below the others first, without the rows that only compare them."""
    groups = table[~table["group"].isin([GAP, SLOPE])].sort_values("versus_others", kind="stable")
    return groups.astype(object).where(groups.notna(), None).to_dict("records")  # type: ignore[return-value]


@dataclass(frozen=True)
class LineTold:
    """A line as its own page shows it.

    Attributes
    ----------
    row : LineRow
    above : UnitEntry or None
    chart : Chart or None
        Past years, and the levels shown.
    levels : Mapping
        Of the line, or those that were tried: `floor`, `target`, `stretch` and `p_` of each.
    tried : bool
        The levels are not the line's own.
    story : Mapping or None
        How the target comes about, in both languages.
    """

    row: LineRow
    above: UnitEntry | None
    chart: Chart | None
    levels: Mapping[str, float | None]
    tried: bool
    story: Mapping[str, str] | None


def line_told(
    plan: Plan, line: Line, directory: Directory, *, tried: Mapping[str, float | None] | None = None
) -> LineTold:
    """Lay a line out, with its own levels or with others that somebody tries.

    Raises
    ------
    InvalidError
        Where the levels that are tried cannot be a line's.
    """
    (row,) = line_rows(plan, [line], directory)
    levels: dict[str, float | None] = {name: getattr(line, name) for level in LEVELS for name in (level, f"p_{level}")}
    if tried is not None:
        levels = levels_after(line, row.indicator, tried)
    story = story_of(plan, line, row.indicator)
    parents = [directory.units[code] for code in line.above[:1] if code in directory.units]
    return LineTold(
        row=row,
        above=parents[0] if parents else None,
        chart=draw(_past(directory, line), {level: levels[level] for level in LEVELS}, year=plan.year),
        levels=levels,
        tried=tried is not None,
        story=None if story is None else story["text"],
    )


def levels_after(line: Line, indicator: Indicator, given: Mapping[str, float | None]) -> dict[str, float | None]:
    """Give the levels as a change would leave them, with their probabilities; see `serving.plans.values`."""
    levels = levels_with(line, indicator, given)
    return levels | chances_of(line.basis, indicator, levels)


def units_found(directory: Directory, text: str, seen: Collection[str] | None) -> frozenset[str] | None:
    """Give the units in sight that a text fits; None for all."""
    wanted = text.strip().casefold()
    if not wanted:
        return None if seen is None else frozenset(seen)
    found = frozenset(code for code, unit in directory.units.items() if unit.matches(wanted))
    return found if seen is None else found & frozenset(seen)


def _past(directory: Directory, line: Line) -> list[tuple[int, float]]:
    """Give past years; none of a unit that the data version at hand does not know."""
    if line.unit not in directory.units:
        return []
    return directory.history(line.unit, [line.indicator]).get(line.indicator, [])
