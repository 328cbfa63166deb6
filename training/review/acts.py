"""What people do with alerts: decide, assign, note, link, release, undo; each act is an entry of the record."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from training.review.case import Case
from training.review.checks import checked_due, checked_link, checked_name, checked_note, checked_reason, checked_text
from training.review.entry import DECISIONS, Action, Entry
from training.review.record import Clock, Record, append, unnumbered

NEAR = 5
"""Keys offered where one is not known: a line of them."""
LIKENESS = 0.6
"""From 0 to 1, how like a key has to be to be offered: the default of `difflib`."""
NEEDS_REASON = frozenset({"dismissed"})
"""Decisions that end a review without a case to read up: the reason is all that is left."""

Guard = Callable[[Case], Entry | None]
"""Gives what must not stand already, unless the writer says to have seen it."""


@dataclass(frozen=True)
class Desk:
    """Where reviews are recorded, and by which clock.

    Attributes
    ----------
    home : Path
    dataset : str
    clock : callable
        Gives the time, with its zone.
    """

    home: Path
    dataset: str
    clock: Clock


def decide(desk: Desk, alert: str, decision: str, *, by: str, reason: str = "", expected: int | None = None) -> Entry:
    """Confirm an alert, dismiss it with a reason, or keep watching it.

    Saying the same again writes nothing, so that a request may be repeated.

    Parameters
    ----------
    decision : str
        Of `DECISIONS`.
    expected : int, optional
        Number of the last entry on the alert that the reviewer has seen (`Case.version`). Without it the alert must
        be undecided.

    Raises
    ------
    LoadlineError
        Where the alert is not on record, the reason says nothing, or somebody else has written meanwhile.
    """
    if decision not in DECISIONS:
        raise LoadlineError(f"{decision!r} is no decision", hint=f"Use one of {', '.join(DECISIONS)}.")
    check = checked_reason if decision in NEEDS_REASON else checked_text
    text = check(reason, where="--reason")

    def given(case: Case) -> Mapping[str, Any]:
        return {"period": case.shown.last, "score": case.shown.score}

    return _write(
        desk, alert, decision, by=by, text=text, given=given, expected=expected, guards=lambda case: case.disposition
    )


def assign(
    desk: Desk, alert: str, *, to: str, by: str, due: date | None = None, text: str = "", expected: int | None = None
) -> Entry:
    """Give an alert to a person, with a day by which to decide; see `decide`."""
    person = checked_name(to, where="--to")
    today = desk.clock().astimezone(UTC).date()
    day = None if due is None else checked_due(due, today=today, where="--due").isoformat()
    note = checked_text(text, where="--note")
    given = {"to": person, "due": day}
    return _write(
        desk,
        alert,
        "assigned",
        by=by,
        text=note,
        given=lambda _: given,
        expected=expected,
        guards=lambda case: case.assignment,
    )


def note(desk: Desk, alert: str, *, text: str, by: str, expected: int | None = None) -> Entry:
    """Write a note on an alert."""
    words = checked_note(text, where="--text")
    return _write(desk, alert, "note", by=by, text=words, given=lambda _: {}, expected=expected)


def link(desk: Desk, alert: str, *, case: str, by: str, expected: int | None = None) -> Entry:
    """Link an alert to a case elsewhere: an address or a number, kept as text and never asked for."""
    found = checked_link(case, where="--case")
    return _write(desk, alert, "linked", by=by, text="", given=lambda _: {"case": found}, expected=expected)


def release(desk: Desk, alert: str, *, by: str, reason: str = "", expected: int | None = None) -> Entry:
    """Let the unit's managers see a confirmed alert; until then only risk, audit and those who run this do.

    Raises
    ------
    LoadlineError
        Where it is not confirmed.
    """
    text = checked_text(reason, where="--reason")

    def given(case: Case) -> Mapping[str, Any]:
        if case.verdict is not True:
            hint = "Confirm it first; a dismissed or undecided alert is not shown to the unit."
            raise LoadlineError("only a confirmed alert is released", where=alert, hint=hint)
        return {}

    return _write(desk, alert, "released", by=by, text=text, given=given, expected=expected)


def undo(
    desk: Desk, alert: str, *, by: str, reason: str, entry: int | None = None, expected: int | None = None
) -> Entry:
    """Take an entry back: it stays on record and no longer counts, so that the one before it stands again.

    Parameters
    ----------
    entry : int, optional
        Its number; by default the last that stands.

    Raises
    ------
    LoadlineError
        Where there is no such entry on the alert, or it was undone before.
    """
    text = checked_reason(reason, where="--reason")

    def given(case: Case) -> Mapping[str, Any]:
        standing = [found.number for found in case.standing]
        last = case.entries[-1] if case.entries else None
        if last is not None and last.action == "undone" and entry in (None, last.given["entry"]):
            repeated = {"entry": last.given["entry"]}
            if last.says(unnumbered(by.strip(), "undone", alert=alert, text=text, given=repeated)):
                return repeated
        if not standing or (entry is not None and entry not in standing):
            known = f"What stands has the numbers {', '.join(map(str, standing))}." if standing else "Nothing stands."
            what = "there is nothing to undo" if entry is None else f"entry {entry} is not one that stands here"
            raise LoadlineError(what, where=alert, hint=known)
        return {"entry": standing[-1] if entry is None else entry}

    return _write(desk, alert, "undone", by=by, text=text, given=given, expected=expected)


def case_of(record: Record, alert: str) -> Case:
    """Find an alert on record.

    Raises
    ------
    LoadlineError
        Where it is not, with keys that are like it.
    """
    found = record.cases.get(alert)
    if found is None:
        raise unknown_alert(alert, record.cases)
    return found


def unknown_alert(alert: str, known: Mapping[str, object]) -> LoadlineError:
    """Say that an alert is not known, and which keys are like its name."""
    unit = alert.split("@", maxsplit=1)[0]
    own = [key for key in known if key.rsplit("@", maxsplit=1)[0] == unit]
    like = own or difflib.get_close_matches(alert, list(known), n=NEAR, cutoff=LIKENESS)
    hint = f"Did you mean {', '.join(like[-NEAR:])}?" if like else "`loadline review list` shows the alerts."
    return LoadlineError(f"no alert is called {alert!r}", hint=hint)


def _write(
    desk: Desk,
    alert: str,
    action: Action,
    *,
    by: str,
    text: str,
    given: Callable[[Case], Mapping[str, Any]],
    expected: int | None,
    guards: Guard | None = None,
) -> Entry:
    person = checked_name(by, where="--by")

    def make(record: Record) -> Entry:
        case = case_of(record, alert)
        made = unnumbered(person, action, alert=alert, text=text, given=given(case))
        if case.entries and case.entries[-1].says(made):
            return case.entries[-1]
        _require_seen(case, expected, guards)
        return made

    entry = append(desk.home, desk.dataset, clock=desk.clock, make=make)
    assert entry is not None
    return entry


def _require_seen(case: Case, expected: int | None, guards: Guard | None) -> None:
    """Refuse to write over what the writer has not seen."""
    if expected == case.version:
        return
    last = case.entries[-1] if expected is not None and case.entries else None
    if expected is None:
        last = None if guards is None else guards(case)
        if last is None:
            return
    told = "nobody has written on it" if last is None else _told(last)
    hint = f"Look at it with `loadline review show {case.alert}`; if it still holds, repeat it with `--after"
    raise LoadlineError(f"somebody was here before: {told}", where=case.alert, hint=f"{hint} {case.version}`.")


def _told(entry: Entry) -> str:
    done = {"assigned": f"assigned to {entry.given.get('to')}", "note": "a note", "undone": "an entry undone"}
    return f"{done.get(entry.action, entry.action)} by {entry.by} at {entry.at:%Y-%m-%d %H:%M} UTC ({entry.number})"
