"""Alerts that reviewers confirmed, against their earlier record or what was promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from review_record import BANK, REASON, alert, alerts, open_desk

from features.periods import Calendar
from training.monitoring.rules import CheckRules
from training.monitoring.warning_checks import alert_precision
from training.monitoring.watched_warning import WarningWatch, decisions
from training.review.acts import decide

RULE = CheckRules.read()["warning.alert_precision"]
END = datetime(2024, 12, 31, tzinfo=UTC)


def watch(decided: pd.DataFrame) -> WarningWatch:
    """Look at decisions alone, as of the end of 2024; no model, no figures."""
    calendar = Calendar("M")
    description = SimpleNamespace(calendar=calendar)
    material = SimpleNamespace(snapshot=SimpleNamespace(description=description), last=calendar.parse("2024-12"))
    return WarningWatch("warning-bank", "", None, material, None, np.arange(1), decided)  # pyright: ignore


def decided(confirmed: int, dismissed: int, *, months_ago: float = 1, probability: float = 0.4, listed: bool = True):
    at = END - timedelta(days=30.4 * months_ago)
    rows = ["confirmed"] * confirmed + ["dismissed"] * dismissed
    return pd.DataFrame({"decision": rows, "at": at, "probability": probability, "listed": listed})


def together(*tables: pd.DataFrame) -> WarningWatch:
    return watch(pd.concat(tables, ignore_index=True))


def test_fewer_confirmed_than_on_record_is_a_breach():
    found = alert_precision(together(decided(5, 45), decided(60, 40, months_ago=18)), RULE)
    assert found.state == "breach"
    assert found.measured == pytest.approx(0.5)
    assert found.interval is not None
    assert found.interval[0] < 0.5 < found.interval[1]
    assert "earlier 60 of 100" in found.text.en


def test_as_many_as_on_record_is_in_order():
    assert alert_precision(together(decided(28, 22), decided(60, 40, months_ago=18)), RULE).state == "ok"
    assert alert_precision(together(decided(45, 5), decided(60, 40, months_ago=18)), RULE).state == "ok"


def test_without_a_record_the_probability_shown_is_what_was_promised():
    assert alert_precision(together(decided(2, 48, probability=0.4)), RULE).state == "breach"
    found = alert_precision(together(decided(18, 32, probability=0.4)), RULE)
    assert found.state == "ok"
    assert "40% on average" in found.text.en


def test_a_few_decisions_say_nothing():
    found = alert_precision(together(decided(0, 19)), RULE)
    assert (found.state, found.sample) == ("too little data", 19)
    assert alert_precision(together(decided(0, 19)), replace(RULE, least=19)).state == "breach"


def test_what_was_drawn_from_below_the_line_or_is_being_watched_does_not_count():
    drawn = decided(0, 50, listed=False)
    watching = decided(50, 0).assign(decision="watching")
    assert alert_precision(together(drawn, watching), RULE).state == "too little data"


def test_neither_a_record_nor_a_promise_is_too_little():
    found = alert_precision(together(decided(5, 45, probability=float("nan"))), RULE)
    assert found.state == "too little data"
    assert "neither" in found.text.en


def test_a_false_alarm_is_rare():
    rng = np.random.default_rng(0)
    breaches = 0
    for _ in range(300):
        late, early = rng.binomial(40, 0.5), rng.binomial(80, 0.5)
        table = together(decided(late, 40 - late), decided(early, 80 - early, months_ago=18))
        breaches += alert_precision(table, RULE).state == "breach"
    assert breaches <= 3


def test_decisions_are_read_from_the_record_as_it_stood(tmp_path):
    desk = open_desk(tmp_path, table=alerts(alert("B01"), alert("B02", probability=0.7)))
    decide(desk, "B01@2024-10", "confirmed", by="Li Ming")
    decide(desk, "B02@2024-10", "dismissed", by="Li Ming", reason=REASON)
    found = decisions(tmp_path, BANK, None).set_index("alert")
    assert list(found["decision"]) == ["confirmed", "dismissed"]
    assert list(found["probability"]) == [0.4, 0.7]
    assert found["listed"].all()
    assert decisions(tmp_path, BANK, datetime(2024, 12, 31, tzinfo=UTC).date()).empty
