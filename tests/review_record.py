"""Alerts and a record of their review, for the tests of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from training.review.acts import Desk
from training.review.raising import record_raised

BANK = "sample-bank"
MORNING = datetime(2025, 1, 15, 8, 30, tzinfo=UTC)
ABOUT = {
    "dataset": BANK,
    "data_version": 3,
    "fingerprint": "f" * 64,
    "model_version": "warning-1",
    "policy_version": "none",
    "as_of": "2024-12",
    "known_on": "2025-01-10",
    "labels": "derived",
}
REASON = "merged with B02, figures explained"


class Clock:
    """A clock that goes on an hour with every look."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(hours=1)
        return self.at


def alert(unit: str, first: str = "2024-10", last: str = "2024-12", **changes: Any) -> dict[str, Any]:
    """Give a row of the table of alerts."""
    return {
        "alert": f"{unit}@{first}",
        "unit": unit,
        "first": first,
        "last": last,
        "period": last,
        "score": 0.9,
        "probability": 0.4,
        "severity": "amber",
        "detectors": "W01;W03",
        "title": "Growth then delinquency",
        "title_zh": "高增后逾期",
        "open": True,
        "sampled": False,
    } | changes


def alerts(*rows: dict[str, Any]) -> pd.DataFrame:
    """Give a table of alerts; three by default."""
    return pd.DataFrame(list(rows) or [alert("B01", severity="red"), alert("B02", score=0.8), alert("B03", score=0.7)])


def standings(units: int = 40, *, listed: int = 0, period: str = "2024-12") -> pd.DataFrame:
    """Give a table of units, `U00` with the highest score; the first ones are listed."""
    codes = [f"U{number:02d}" for number in range(units)]
    return pd.DataFrame(
        {
            "unit": codes,
            "period": period,
            "score": [1 - number / units for number in range(units)],
            "probability": float("nan"),
            "listed": [number < listed for number in range(units)],
            "severity": "",
            "detectors": "",
            "title": "",
            "title_zh": "",
            "p_value": 0.5,
            "q_value": 0.9,
        }
    )


def open_desk(home: Path, *, table: pd.DataFrame | None = None, clock: Clock | None = None) -> Desk:
    """Put alerts on record, and give the desk at which they are reviewed."""
    desk = Desk(home, BANK, clock or Clock())
    record_raised(home, BANK, alerts() if table is None else table, ABOUT, desk.clock)
    return desk
