"""Who sees which alerts: risk first; the unit's managers only what risk has confirmed and released.

A warning shown to the unit before it is reviewed could lead to its traces being covered (tipping-off).
"""

from __future__ import annotations

from features.errors import LoadlineError
from training.review.case import Case
from training.review.record import Record

REVIEWING = frozenset({"risk", "auditor", "data_scientist", "admin"})
"""Roles that see every alert: those who review, who audit, who train on it, and who run it."""
AFTERWARDS = frozenset({"manager", "hr"})
"""Roles that are near the unit, and see what was confirmed and released."""


def visible_to(role: str, record: Record) -> frozenset[str]:
    """Give the keys of the alerts on record that a role may see. Whose subtree a manager sees is decided elsewhere.

    Raises
    ------
    LoadlineError
        Where the role is not known.
    """
    return frozenset(key for key, case in record.cases.items() if may_see(role, case))


def may_see(role: str, case: Case) -> bool:
    """Tell whether a role may see an alert; what is written on it by reviewers stays with those who review."""
    if role in REVIEWING:
        return True
    if role in AFTERWARDS:
        return case.released is not None
    known = ", ".join(sorted(REVIEWING | AFTERWARDS))
    raise LoadlineError(f"no role is called {role!r}", hint=f"Use one of {known}.")
