"""What reviews teach: decisions as labels for the next training, and how each reviewer has done."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from training.review.case import Case
from training.review.entry import DECISIONS
from training.review.record import Record, read_record

DISPOSITIONS = ("alert", "unit", "period", "decision", "at", "score", "sampled")
LABELS = ("unit", "period", "value", "known_on", "by", "alert", "first", "last", "sampled")
REVIEWERS = (
    *("by", "decided", "confirmed", "dismissed", "watching", "undone", "days"),
    *("proved", "proved_right", "missed", "cried_wolf"),
)


def dispositions(home: str | Path, dataset: str, *, as_of: date | None = None) -> pd.DataFrame:
    """List the decisions that stand, one an alert.

    Parameters
    ----------
    as_of : date, optional
        Leave out what was written after this day.

    Returns
    -------
    pd.DataFrame
        `alert, unit, period, decision, at, score, sampled`: the last period in which the alert had been listed when
        it was decided, the time of the decision, and the score that the reviewer saw.
    """
    rows = []
    for case in read_record(home, dataset).known_on(as_of).cases.values():
        found = case.disposition
        if found is not None:
            rows.append(
                {
                    "alert": case.alert,
                    "unit": case.shown.unit,
                    "period": found.given["period"],
                    "decision": found.action,
                    "at": found.at,
                    "score": found.given["score"],
                    "sampled": case.chance is not None,
                }
            )
    return pd.DataFrame(rows, columns=list(DISPOSITIONS))


def reviewed_labels(home: str | Path, dataset: str, *, as_of: date | None = None) -> pd.DataFrame:
    """Give confirmed and dismissed alerts as labels: 1 and 0. An alert that is being watched is none.

    Parameters
    ----------
    as_of : date, optional
        Leave out what was written after this day, so that training as of a past day learns from no later review.

    Returns
    -------
    pd.DataFrame
        `unit, period, value, known_on, by, alert, first, last, sampled`; `period` is the one in which the alert had
        its highest score, `first` and `last` those in which it was listed, `known_on` the day of the decision.
    """
    rows: list[dict[str, Any]] = []
    for case in read_record(home, dataset).known_on(as_of).cases.values():
        found = case.disposition
        if found is None or case.verdict is None:
            continue
        rows.append(
            {
                "unit": case.shown.unit,
                "period": case.shown.period,
                "value": int(case.verdict),
                "known_on": found.at.date(),
                "by": found.by,
                "alert": case.alert,
                "first": case.shown.first,
                "last": case.shown.last,
                "sampled": case.chance is not None,
            }
        )
    return pd.DataFrame(rows, columns=list(LABELS))


def reviewers(record: Record, outcomes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell how each reviewer has done.

    Parameters
    ----------
    record : Record
    outcomes : pd.DataFrame, optional
        What later happened: `unit, period, value` (0 or 1). A decision is proved by the outcomes of the unit in the
        periods of the alert: right where it was confirmed and one of them is 1, or dismissed and none is.

    Returns
    -------
    pd.DataFrame
        `by`; decisions `decided, confirmed, dismissed, watching` that stand and those `undone`; `days` from the first
        showing to the decision (median); how many are `proved` by outcomes, and of them `proved_right`, `missed`
        (dismissed, and it came) and `cried_wolf` (confirmed, and it did not).
    """
    came = _outcomes(outcomes)
    rows: dict[str, dict[str, Any]] = {}
    waits: dict[str, list[float]] = {}
    for case in record.cases.values():
        standing = {entry.number for entry in case.standing}
        for entry in case.entries:
            if entry.action not in DECISIONS:
                continue
            row = rows.setdefault(entry.by, {"by": entry.by} | dict.fromkeys(REVIEWERS[1:], 0))
            if entry.number not in standing:
                row["undone"] += 1
                continue
            row["decided"] += 1
            row[entry.action] += 1
            waits.setdefault(entry.by, []).append((entry.at - case.raised_at).total_seconds() / 86_400)
            if entry is case.disposition and case.verdict is not None:
                _prove(row, case, came)
    table = pd.DataFrame([rows[name] for name in sorted(rows)], columns=list(REVIEWERS))
    days = [float(pd.Series(waits[name]).median()) if name in waits else float("nan") for name in sorted(rows)]
    return table.assign(days=pd.Series(days, dtype=float).round(1))


def _prove(row: dict[str, Any], case: Case, came: dict[str, list[tuple[str, int]]]) -> None:
    shown = case.shown
    later = [value for period, value in came.get(shown.unit, ()) if shown.first <= period <= shown.last]
    if not later:
        return
    row["proved"] += 1
    happened = any(later)
    if case.verdict == happened:
        row["proved_right"] += 1
    elif happened:
        row["missed"] += 1
    else:
        row["cried_wolf"] += 1


def _outcomes(outcomes: pd.DataFrame | None) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    if outcomes is not None:
        known = outcomes[outcomes["value"].notna()]
        for unit, period, value in zip(known["unit"], known["period"], known["value"], strict=True):
            found.setdefault(str(unit), []).append((str(period), int(value)))
    return found
