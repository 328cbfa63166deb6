"""Plans in the database: reading them, locking one, and writing a change as one event under one new revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, bindparam, func, insert, select, type_coerce, update

from features.errors import LoadlineError
from serving.database.tables import plans as tables
from serving.database.tables.base import Document, canonical
from serving.errors import NotFoundError, StaleError
from serving.plans.actors import Actor
from serving.plans.plan import CHANGED, Action, Event, Line, Plan, State

BATCH = 1_000
"""Rows written or read at a time."""
FEW = 50
"""Lines that are looked up by themselves: with more, reading the whole plan is faster."""
DOCUMENTS = frozenset(each.name for each in tables.lines.c if isinstance(each.type, Document))
"""Columns of a line that are documents."""
_NOT_SEALED = ("plan", "revision")
"""Of a line, what says nothing of its content."""


def plan_of(connection: Connection, plan: str, *, lock: bool = False) -> Plan:
    """Read a plan.

    Parameters
    ----------
    connection : Connection
    plan : str
    lock : bool
        True to keep everybody else from changing it until the transaction ends.

    Raises
    ------
    NotFoundError
        Where there is none.
    """
    asked = select(tables.plans).where(tables.plans.c.id == plan)
    row = connection.execute(asked.with_for_update() if lock else asked).mappings().one_or_none()
    if row is None:
        raise no_plan(plan)
    return Plan.of(row)


def no_plan(plan: str) -> NotFoundError:
    """Say that there is no such plan."""
    return NotFoundError(f"there is no target plan {plan!r}", hint="See the list of plans.")


def line_of(connection: Connection, plan: str, unit: str, indicator: str) -> Line:
    """Read a line.

    Raises
    ------
    NotFoundError
        Where there is none.
    """
    column = tables.lines.c
    asked = select(tables.lines).where(column.plan == plan, column.unit == unit, column.indicator == indicator)
    row = connection.execute(asked).mappings().one_or_none()
    if row is None:
        raise no_line(unit, indicator)
    return Line.of(row)


def lines_named(connection: Connection, plan: str, keys: Sequence[tuple[str, str]]) -> list[Line]:
    """Read lines by unit and indicator: one by one where they are few, else all of the plan at once.

    Raises
    ------
    NotFoundError
        Where one is not there.
    """
    if len(keys) <= FEW:
        return [line_of(connection, plan, *key) for key in keys]
    asked = select(tables.lines).where(tables.lines.c.plan == plan)
    every = {(line.unit, line.indicator): line for line in lines_of(connection, asked)}
    for key in keys:
        if key not in every:
            raise no_line(*key)
    return [every[key] for key in keys]


def no_line(unit: str, indicator: str) -> NotFoundError:
    """Say that a plan has no line."""
    hint = "See the plan's lines."
    return NotFoundError(f"the plan has no line of {unit!r} on {indicator!r}", hint=hint)


def lines_of(connection: Connection, asked: Select[Any]) -> Iterator[Line]:
    """Read lines, some at a time."""
    found = connection.execute(asked.execution_options(yield_per=BATCH))
    for row in found.mappings():
        yield Line.of(row)


def events_of(connection: Connection, plan: str) -> list[Event]:
    """Read the events of a plan, the oldest first."""
    asked = select(tables.events).where(tables.events.c.plan == plan).order_by(tables.events.c.number)
    return [Event.of(row) for row in connection.execute(asked).mappings()]


def as_kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the documents of a line as the text that they are kept as: that takes longer than all the rest."""
    return {name: canonical(value) if name in DOCUMENTS else value for name, value in row.items()}


def copied_lines(connection: Connection, plan: str) -> list[dict[str, Any]]:
    """Read the lines of a plan as they are kept, for a new plan that begins with them."""
    taken = [_kept(each) for each in tables.lines.c if each.name != "plan"]
    asked = select(*taken).where(tables.lines.c.plan == plan).order_by(tables.lines.c.position)
    return [dict(row) | {"revision": 1} for row in connection.execute(asked).mappings()]


def write_lines(connection: Connection, plan: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the lines of a new plan; their documents are text already, see `as_kept`."""
    kinds = {each.name: Text() if each.name in DOCUMENTS else each.type for each in tables.lines.c}
    writing = insert(tables.lines).values({name: bindparam(name, type_=kind) for name, kind in kinds.items()})
    for begin in range(0, len(rows), BATCH):
        connection.execute(writing, [{"plan": plan, **row} for row in rows[begin : begin + BATCH]])


def write_event(
    connection: Connection,
    plan: str,
    number: int,
    *,
    at: datetime,
    by: Actor,
    action: Action,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append an event; its number is the revision that it makes of the plan."""
    row = {"plan": plan, "number": number, "at": at, "by": by.name, "actor": by.id}
    connection.execute(
        insert(tables.events), [row | {"action": action.value, "reason": reason, "detail": dict(detail or {})}]
    )


def advance(connection: Connection, plan: Plan, **changed: Any) -> int:
    """Give a plan its next revision, and change some of its columns; give the revision.

    Raises
    ------
    StaleError
        Where it was changed since it was read.
    """
    column, revision = tables.plans.c, plan.revision + 1
    change = update(tables.plans).where(column.id == plan.id, column.revision == plan.revision)
    if connection.execute(change.values(revision=revision, **changed)).rowcount != 1:
        raise stale(plan.revision)
    return revision


def rewrite_lines(
    connection: Connection, plan: str, lines: Sequence[tuple[Line, Mapping[str, Any]]], **common: Any
) -> None:
    """Change lines of a plan that is locked.

    Parameters
    ----------
    connection : Connection
    plan : str
    lines : sequence of (Line, mapping)
        Each as it was read, and the columns of `CHANGED` that change.
    **common
        Columns that change in all of them.
    """
    if not lines:
        return
    column = tables.lines.c
    mine = (column.plan == plan, column.unit == bindparam("of_unit"), column.indicator == bindparam("of_indicator"))
    change = update(tables.lines).where(*mine).values({name: bindparam(f"new_{name}") for name in CHANGED} | common)
    rows = [
        {"of_unit": line.unit, "of_indicator": line.indicator}
        | {f"new_{name}": value for name, value in {**line.content, **changed}.items()}
        for line, changed in lines
    ]
    connection.execute(change, rows)


def require_revision(found: int, seen: int) -> None:
    """Refuse a change of what is not any more what the asker saw.

    Raises
    ------
    StaleError
        Where it is not.
    """
    if found != seen:
        raise stale(seen)


def require_state(plan: Plan, *states: State, to: str) -> None:
    """Refuse a step that the state does not allow.

    Raises
    ------
    LoadlineError
        Naming the state, and those that would allow it.
    """
    if plan.state not in states:
        needed = " or ".join(state.value for state in states)
        raise LoadlineError(
            f"version {plan.version} for {plan.year} is {plan.state.value}, so it cannot be {to}",
            where=plan.id,
            hint=f"Only a plan that is {needed} can be.",
        )


def stale(seen: int) -> StaleError:
    """Say that somebody was faster."""
    return StaleError(f"it was changed since revision {seen}", hint="Look at it again, then decide.")


def next_version(connection: Connection, dataset: str, year: int) -> int:
    """Give the number of the next plan of a year."""
    column = tables.plans.c
    asked = select(func.max(column.version)).where(column.dataset == dataset, column.year == year)
    return (connection.execute(asked).scalar() or 0) + 1


def published_id(connection: Connection, dataset: str, year: int, *, lock: bool = False) -> str | None:
    """Name the published plan of a year."""
    column = tables.plans.c
    mine = (column.dataset == dataset, column.year == year, column.state == State.PUBLISHED.value)
    asked = select(column.id).where(*mine)
    return connection.execute(asked.with_for_update() if lock else asked).scalar()


def seal(connection: Connection, plan: str) -> str:
    """Give the SHA-256 over all lines of a plan, in their order, byte for byte as they are kept.

    Documents are taken as the text that they are kept as, figures with all their digits: both databases give the same.
    """
    column = tables.lines.c
    taken = [_kept(each) for each in column if each.name not in _NOT_SEALED]
    asked = select(*taken).where(column.plan == plan).order_by(column.position)
    digest = hashlib.sha256()
    for row in connection.execute(asked.execution_options(yield_per=BATCH)):
        digest.update(json.dumps(list(row), ensure_ascii=False, default=datetime.isoformat).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _kept(column: Any) -> Any:
    """Take a column as it is kept: documents as text."""
    return type_coerce(column, Text).label(column.name) if column.name in DOCUMENTS else column
