"""Changing a draft line by line: override with a reason, pin, take back to the suggestion, undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from features.errors import LoadlineError
from serving.plans import records
from serving.plans.actors import acting_now
from serving.plans.curve import chances_of
from serving.plans.plan import CHANGES, LEVELS, Action, Event, Line, Plan, State
from serving.plans.shelf import Shelf
from serving.plans.summary import totals_of
from serving.plans.values import levels_with, required

BY_HAND = "set by a person"
"""Evidence of a line that was overridden; the suggestion's own stays before it."""
Change = tuple[Line, Mapping[str, Any]]
"""A line as it was read, and the columns that change."""


@dataclass(frozen=True)
class Edited:
    """A line after its change.

    Attributes
    ----------
    plan : Plan
    line : Line
    notes : tuple of str
        Goals above it that the units below do not come to any more, or not yet.
    """

    plan: Plan
    line: Line
    notes: tuple[str, ...]


class Edits(Shelf):
    """Changes drafts. Each change is one event; whoever read an older revision is refused."""

    def override(
        self,
        plan: str,
        unit: str,
        indicator: str,
        *,
        revision: int,
        reason: str,
        target: float | None = None,
        floor: float | None = None,
        stretch: float | None = None,
    ) -> Edited:
        """Set levels of a line by hand; their probabilities are told from the line's curve.

        Parameters
        ----------
        plan, unit, indicator : str
        revision : int
            Of the line, as it was seen.
        reason : str
        target, floor, stretch : float, optional
            Floor and stretch follow where the target crosses them.

        Raises
        ------
        InvalidError
            Where a value cannot be a target, or the levels are out of order.
        StaleError
            Where the line was changed since.
        LoadlineError
            Where no reason is given, or the plan is no draft.
        """
        why = required(reason)
        given = {"floor": floor, "target": target, "stretch": stretch}

        def change(held: Plan, line: Line) -> Mapping[str, Any]:
            spec = held.indicator(indicator)
            levels = levels_with(line, spec, given)
            told = f"{line.suggested_evidence}; {BY_HAND}"
            return levels | chances_of(line.basis, spec, levels) | _by_hand(told, why)

        return self._edit(plan, unit, indicator, revision=revision, action=Action.OVERRIDE, reason=why, change=change)

    def pin(self, plan: str, unit: str, indicator: str, *, revision: int, reason: str = "") -> Edited:
        """Keep a line as it is when the rest is allocated again; see `override` for what is raised."""

        def change(_: Plan, line: Line) -> Mapping[str, Any]:
            if line.target is None:
                raise LoadlineError("a line without a target cannot be pinned", hint="Override it first.")
            return {"pinned": True}

        return self._edit(plan, unit, indicator, revision=revision, action=Action.PIN, reason=reason, change=change)

    def unpin(self, plan: str, unit: str, indicator: str, *, revision: int, reason: str = "") -> Edited:
        """Let a line be allocated again with the rest, unless it is overridden; see `override` for what is raised."""
        return self._edit(
            plan,
            unit,
            indicator,
            revision=revision,
            action=Action.UNPIN,
            reason=reason,
            change=lambda *_: {"pinned": False},
        )

    def reset(self, plan: str, unit: str, indicator: str, *, revision: int, reason: str = "") -> Edited:
        """Take a line back to the suggestion, neither pinned nor overridden; see `override` for what is raised."""

        def change(_: Plan, line: Line) -> Mapping[str, Any]:
            taken = {name: line.suggested[name] for level in LEVELS for name in (level, f"p_{level}")}
            return taken | {"evidence": line.suggested_evidence, "pinned": False, "overridden": False, "reason": ""}

        return self._edit(plan, unit, indicator, revision=revision, action=Action.RESET, reason=reason, change=change)

    def undo(self, plan: str, *, revision: int, reason: str = "") -> Plan:
        """Take back the last change that is not taken back yet, since the plan last became a draft.

        Parameters
        ----------
        plan : str
        revision : int
            Of the plan, as it was seen.
        reason : str

        Raises
        ------
        LoadlineError
            Where there is nothing to take back, or the plan is no draft.
        """
        with self._advisor.database.write() as connection:
            held = records.plan_of(connection, plan, lock=True)
            records.require_revision(held.revision, revision)
            records.require_state(held, State.DRAFT, to="changed")
            last = last_change(records.events_of(connection, plan))
            if last is None:
                raise LoadlineError("there is no change to take back", where=plan, hint="See the plan's events.")
            keys = [(row["unit"], row["indicator"]) for row in last.detail["lines"]]
            lines = records.lines_named(connection, plan, keys)
            changes = [(line, row["before"]) for line, row in zip(lines, last.detail["lines"], strict=True)]
            asked = {**held.asked, "goals": last.detail["goals"]} if "goals" in last.detail else None
            return self._changed(
                connection, held, changes, action=Action.UNDO, reason=reason, extra={"of": last.number}, asked=asked
            )

    def change_lines(
        self,
        plan: str,
        given: Sequence[tuple[str, str, Mapping[str, float | None], str]],
        *,
        revision: int,
        reason: str,
    ) -> Plan:
        """Override many lines in one change, as an edited sheet asks: all or none.

        Parameters
        ----------
        plan : str
        given : sequence of (unit, indicator, levels, reason)
            A blank reason stands for that of the whole.
        revision : int
            Of the plan, as it was seen.
        reason : str

        Raises
        ------
        LoadlineError
            As `override`; naming the line.
        """
        why = required(reason)
        with self._advisor.database.write() as connection:
            held = records.plan_of(connection, plan, lock=True)
            records.require_revision(held.revision, revision)
            records.require_state(held, State.DRAFT, to="changed")
            changes: list[Change] = []
            for unit, code, levels, own in given:
                line, spec = records.line_of(connection, plan, unit, code), held.indicator(code)
                try:
                    new = levels_with(line, spec, levels)
                except LoadlineError as error:
                    raise type(error)(f"{unit} on {code}: {error.what}", hint=error.hint) from error
                told = f"{line.suggested_evidence}; {BY_HAND}"
                changes.append((line, new | chances_of(line.basis, spec, new) | _by_hand(told, own.strip() or why)))
            return self._changed(connection, held, changes, action=Action.IMPORT, reason=why)

    def _edit(
        self,
        plan: str,
        unit: str,
        indicator: str,
        *,
        revision: int,
        action: Action,
        reason: str,
        change: Callable[[Plan, Line], Mapping[str, Any]],
    ) -> Edited:
        with self._advisor.database.write() as connection:
            held = records.plan_of(connection, plan, lock=True)
            records.require_state(held, State.DRAFT, to="changed")
            line = records.line_of(connection, plan, unit, indicator)
            records.require_revision(line.revision, revision)
            after = self._changed(connection, held, [(line, change(held, line))], action=action, reason=reason.strip())
        with self._advisor.database.read() as connection:
            found = records.line_of(connection, plan, unit, indicator)
            around = {unit, *found.above}
            off = [total for total in totals_of(connection, after, [indicator]) if total.unit in around]
        return Edited(after, found, tuple(total.told() for total in off if not total.adds_up))

    def _changed(
        self,
        connection: Connection,
        plan: Plan,
        changes: Sequence[Change],
        *,
        action: Action,
        reason: str,
        extra: Mapping[str, Any] | None = None,
        asked: Mapping[str, Any] | None = None,
    ) -> Plan:
        """Write changed lines as one event under one revision; the plan's row is locked by now."""
        by, at = acting_now(), self._advisor.now()
        kept = {} if asked is None else {"asked": asked}
        number = records.advance(connection, plan, **kept)
        told = []
        for line, changed in changes:
            before = {name: line.content[name] for name in changed}
            changed = {name: value for name, value in changed.items() if value != before[name]}
            before = {name: before[name] for name in changed}
            told.append({"unit": line.unit, "indicator": line.indicator, "before": before, "after": dict(changed)})
        detail = {"lines": told} | ({} if asked is None else {"goals": plan.asked["goals"]}) | dict(extra or {})
        records.rewrite_lines(connection, plan.id, changes, revision=number, changed_by=by.name, changed_at=at)
        records.write_event(connection, plan.id, number, at=at, by=by, action=action, reason=reason, detail=detail)
        found = records.plan_of(connection, plan.id)
        which = {name: told[0][name] for name in ("unit", "indicator")} if len(told) == 1 else {"lines": len(told)}
        self._advisor.audit.write(
            connection,
            f"plan.{action.value}",
            subject=plan.id,
            dataset=plan.dataset,
            detail={"revision": number} | which,
        )
        return found


def last_change(events: Sequence[Event]) -> Event | None:
    """Give the last change that is not taken back, since the plan last became a draft; None where there is none."""
    undone: set[int] = set()
    for event in reversed(events):
        if event.action in (Action.DRAFT, Action.REVISE, Action.RETURN):
            return None
        if event.action is Action.UNDO:
            undone.add(event.detail["of"])
        elif event.action in CHANGES and event.number not in undone:
            return event
    return None


def _by_hand(evidence: str, reason: str) -> dict[str, Any]:
    return {"evidence": evidence, "overridden": True, "reason": reason}
