"""Outcomes as stated: horizons read from names, what was known on a day, several outcomes of one unit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from feature_panels import make_panel

from features.panel import Panel
from training.warning.given_outcomes import horizon_periods, stated

COLUMNS = ["unit", "period", "outcome", "value", "known_on"]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel("A", periods=10)


def place(panel: Panel, unit: str, period: int) -> tuple[int, int]:
    return period - panel.first, panel.tree.number(unit)


@pytest.mark.parametrize(
    ("name", "per_year", "expected"),
    [
        ("crisis_within_2y", 1, 2),
        ("crisis within 2 years", 4, 8),
        ("failed_4q", 4, 4),
        ("failed_4q", 12, 12),
        ("failed in 18 months", 12, 18),
        ("failed_18m", 1, 2),
        ("npl_6mo", 12, 6),
        ("bad", 4, 4),
        ("type2you", 1, 1),
        ("basel3_quality", 1, 1),
    ],
)
def test_the_horizon_is_read_from_the_name(name: str, per_year: int, expected: int) -> None:
    assert horizon_periods(name, per_year) == expected


def test_undated_outcomes_are_known_once_their_horizon_has_passed(panel: Panel) -> None:
    start = panel.first + 2
    rows = pd.DataFrame([("B000", str(start), "crisis_within_2y", 1.0, "")], columns=COLUMNS)
    y, known_from, horizon, dated = stated(rows, panel, known_by=date(start + 1, 12, 31))
    assert np.isnan(y).all()
    assert horizon == 2
    assert not dated
    y, known_from, *_ = stated(rows, panel, known_by=panel.calendar.end(start + 2))
    assert y[place(panel, "B000", start)] == 1
    assert known_from[place(panel, "B000", start)] == start + 2


def test_of_one_outcome_what_was_known_last_counts_and_nothing_that_came_later(panel: Panel) -> None:
    year = panel.first + 1
    rows = pd.DataFrame(
        [
            ("B001", str(year), "bad", 0.0, f"{year + 1}-06-30"),
            ("B001", str(year), "bad", 1.0, f"{year + 3}-02-01"),
        ],
        columns=COLUMNS,
    )
    early, known_from, _, dated = stated(rows, panel, known_by=date(year + 2, 12, 31))
    assert dated
    at = place(panel, "B001", year)
    assert early[at] == 0
    assert known_from[at] == panel.calendar.containing(date(year + 1, 6, 30))
    late, known_from, *_ = stated(rows, panel, known_by=date.max)
    assert late[at] == 1
    assert known_from[at] == panel.calendar.containing(date(year + 3, 2, 1))
    assert np.isnan(stated(rows, panel, known_by=date(year + 1, 6, 29))[0]).all()


def test_any_of_several_outcomes_counts(panel: Panel) -> None:
    year = panel.first + 1
    rows = pd.DataFrame(
        [
            ("B002", str(year), "a_1y", 0.0, ""),
            ("B002", str(year), "b_2y", 1.0, ""),
            ("B003", str(year), "a_1y", 0.0, ""),
            ("B003", str(year), "b_2y", 0.0, ""),
        ],
        columns=COLUMNS,
    )
    y, known_from, horizon, _ = stated(rows, panel, known_by=date.max)
    assert horizon == 2
    assert y[place(panel, "B002", year)] == 1
    assert y[place(panel, "B003", year)] == 0
    assert known_from[place(panel, "B003", year)] == year + 2, "only then were both known"


def test_outcomes_outside_the_rows_and_no_outcomes_at_all_are_passed_over(panel: Panel) -> None:
    rows = pd.DataFrame([("B000", str(panel.last + 5), "bad", 1.0, "")], columns=COLUMNS)
    assert np.isnan(stated(rows, panel, known_by=date.max)[0]).all()
    assert np.isnan(stated(rows[:0], panel, known_by=date.max)[0]).all()
