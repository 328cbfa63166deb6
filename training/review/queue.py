"""The reviewers' queue: what is open, by severity and score, and how each stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from models.triage.severity import SEVERITIES
from training.review.case import Case
from training.review.entry import DECISIONS, Shown
from training.review.record import Record

COLUMNS = (
    *("alert", "unit", "severity", "score", "probability", "title", "title_zh", "detectors"),
    *("first", "last", "period", "open", "sampled", "status", "assigned_to", "due", "overdue"),
    *("reviewer", "decided_on", "note", "links", "released", "entry"),
)
SUPERSEDED = "superseded"
"""Undecided, no longer among the alerts, and the unit has another: the same case under a new key, after restated
figures or with another model."""
WAITING = frozenset({"new", "assigned", "watching"})
"""States that ask for something."""
STATUSES = ("new", "assigned", *DECISIONS, SUPERSEDED)
"""All that an alert can be."""


@dataclass(frozen=True)
class _Item:
    shown: Shown
    case: Case | None
    status: str


def queue(alerts: pd.DataFrame, record: Record, today: date, *, every: bool = False) -> pd.DataFrame:
    """Put alerts and their reviews together, the most pressing first.

    Parameters
    ----------
    alerts : pd.DataFrame
        As computed now; see `record_raised`.
    record : Record
        What was shown and never decided, and what was drawn from below the line, is taken from here, too.
    today : date
        What is due before is overdue.
    every : bool
        Also what is decided, superseded, or was over before it was ever shown.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: `status` is new, assigned, watching, confirmed, dismissed or superseded; `note` is the last one;
        `reviewer` who decided; `entry` the number of the last entry, to be given when deciding.
    """
    now = {shown.alert: shown for shown in Shown.of_table(alerts)}
    items = [_Item(shown, case := record.cases.get(key), _status(case)) for key, shown in now.items()]
    units = {shown.unit for shown in now.values() if shown.open}
    items += [_gone(case, case.shown.unit in units) for key, case in record.cases.items() if key not in now]
    kept = [item for item in items if every or _waits(item)]
    kept.sort(key=_pressing)
    return pd.DataFrame([_row(item, today) for item in kept], columns=list(COLUMNS))


def _gone(case: Case, replaced: bool) -> _Item:
    """Give an alert on record that is not among those computed now: it is over, or it was drawn from below the line."""
    if case.shown.sampled:
        return _Item(case.shown, case, case.status)
    shown = replace(case.shown, open=False)
    return _Item(shown, case, SUPERSEDED if replaced and case.disposition is None else case.status)


def _status(case: Case | None) -> str:
    return "new" if case is None else case.status


def _waits(item: _Item) -> bool:
    """Keep what is open, and what was shown and never decided: it does not lapse by itself."""
    return item.status in WAITING and (item.shown.open or item.case is not None)


def _pressing(item: _Item) -> tuple[bool, int, float, str]:
    """Order what is still listed by severity and score, then what no longer is."""
    severity = SEVERITIES.index(item.shown.severity) if item.shown.severity in SEVERITIES else 0  # type: ignore[arg-type]
    return (not item.shown.open, -severity, -item.shown.score, item.shown.alert)


def _row(item: _Item, today: date) -> dict[str, object]:
    shown, case = item.shown, item.case
    title = shown.title
    row: dict[str, object] = {
        "alert": shown.alert,
        "unit": shown.unit,
        "severity": shown.severity,
        "score": shown.score,
        "probability": float("nan") if shown.probability is None else shown.probability,
        "title": "" if title is None else title.en,
        "title_zh": "" if title is None else title.zh,
        "detectors": ";".join(shown.detectors),
        "first": shown.first,
        "last": shown.last,
        "period": shown.period,
        "open": shown.open,
        "sampled": shown.sampled,
        "status": item.status,
        "entry": 0 if case is None else case.version,
        "overdue": False,
        "released": case is not None and case.released is not None,
    }
    if case is None:
        return row | dict.fromkeys(("assigned_to", "due", "reviewer", "decided_on", "note", "links"), "")
    given, due, decided = case.assignment, case.due, case.disposition
    return row | {
        "assigned_to": "" if given is None else given.given["to"],
        "due": "" if due is None else due.isoformat(),
        "overdue": due is not None and due < today and item.status in WAITING,
        "reviewer": "" if decided is None else decided.by,
        "decided_on": "" if decided is None else decided.at.date().isoformat(),
        "note": case.notes[-1].text if case.notes else "",
        "links": " ".join(case.links),
    }
