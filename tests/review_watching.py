"""Alerts as the service computes them, from tables made for a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from review_record import alert, alerts
from serving_home import BRANCHES

from features.errors import LoadlineError
from features.indicators import Title
from training.progress import Progress, silent
from training.review.facts import AlertFacts, Series

PERIOD = "2024"
DATASET = "hostile-bank"


def bank_table(*, period: str = PERIOD, listed: int = 3) -> pd.DataFrame:
    """Give a row for each branch and parent of the hostile bank; the first branches are listed."""
    units = [*BRANCHES, "Europe & Central Asia", "ROOT", "GONE"]
    return pd.DataFrame(
        {
            "unit": units,
            "period": period,
            "probability": float("nan"),
            "score": [0.9 - 0.04 * place for place in range(len(units))],
            "severity": ["red" if place < listed else "" for place in range(len(units))],
            "detectors": ["W01" if place < listed else "" for place in range(len(units))],
            "title": ["Growth then delinquency" if place < listed else "" for place in range(len(units))],
            "title_zh": ["高增后逾期" if place < listed else "" for place in range(len(units))],
            "p_value": 0.01,
            "q_value": 0.15,
            "listed": [place < listed for place in range(len(units))],
        }
    )


def bank_alerts(*, last: str = PERIOD, listed: int = 3) -> pd.DataFrame:
    """Give the open alerts of the first branches, and one that was over years ago."""
    rows = [
        alert(unit, "2023", last, score=0.9 - 0.04 * place, severity="red" if place == 0 else "amber")
        for place, unit in enumerate(BRANCHES[:listed])
    ]
    return alerts(*rows, alert("N07", "2015", "2016", open=False))


@dataclass
class PlainWatching:
    """Gives the tables that it was given, and counts how often it was asked."""

    table: pd.DataFrame = field(default_factory=bank_table)
    alerts: pd.DataFrame = field(default_factory=bank_alerts)
    about: Mapping[str, Any] = field(
        default_factory=lambda: {"dataset": DATASET, "data_version": 1, "as_of": PERIOD, "known_on": "2025-01-10"}
    )
    asked: int = 0

    def watch(
        self, *, last: str | None = None, dataset: str | None = None, progress: Progress = silent
    ) -> PlainWatching:
        """Give the alerts on the list in the newest period, or those of another one as they were then."""
        if dataset != DATASET:
            raise LoadlineError(f"no alerts of {dataset}")
        progress("alerts", 1, 1)
        self.asked += 1
        period = last or str(self.about["as_of"])
        lasting = self.alerts[(self.alerts["first"] <= period) & (self.alerts["last"] >= period)]
        about = {**self.about, "as_of": period}
        return PlainWatching(self.table, lasting.assign(open=True, last=period), about)

    def facts(self, alert: str, *, dataset: str | None = None) -> AlertFacts:
        title = Title(en="Loans", zh="贷款余额")
        series = Series(title, "CNY m", ("2023", "2024"), (1.0, 2.0), (1.0, 1.1))
        name = Title(en="Branch", zh="网点")
        return AlertFacts(alert, alert.split("@")[0], name, PERIOD, 0.9, series=(series,), about=self.about)
