"""Fiscal periods against pandas, for every frequency and every fiscal year end."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LoadlineError
from features.periods import EARLIEST_YEAR, LATEST_YEAR, PER_YEAR, Calendar

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
CALENDARS = [Calendar(frequency, month) for frequency in PER_YEAR for month in range(1, 13)]

calendars = st.sampled_from(CALENDARS)
years = st.integers(EARLIEST_YEAR + 1, LATEST_YEAR - 1)
days = st.dates(date(EARLIEST_YEAR + 2, 1, 1), date(LATEST_YEAR - 2, 12, 31))


@st.composite
def calendar_and_ordinal(draw) -> tuple[Calendar, int]:
    calendar = draw(calendars)
    return calendar, draw(years) * calendar.per_year + draw(st.integers(0, calendar.per_year - 1))


def pandas_frequency(calendar: Calendar) -> str:
    month = MONTHS[calendar.fiscal_year_end_month - 1]
    return {"A": f"Y-{month}", "Q": f"Q-{month}", "M": "M"}[calendar.frequency]


@given(calendar_and_ordinal())
def test_what_is_written_is_read_back(case):
    calendar, ordinal = case
    assert calendar.parse(calendar.format(ordinal)) == ordinal
    assert calendar.parse(f"  {calendar.format(ordinal)} ") == ordinal


@given(calendar_and_ordinal())
def test_periods_tile_the_days(case):
    calendar, ordinal = case
    start, end = calendar.start(ordinal), calendar.end(ordinal)
    assert calendar.containing(start) == calendar.containing(end) == ordinal
    assert calendar.start(ordinal + 1) == end + timedelta(days=1)
    assert calendar.last_complete(end) == ordinal
    assert calendar.last_complete(end - timedelta(days=1)) == ordinal - 1
    assert 28 * 12 / calendar.per_year <= (end - start).days + 1 <= 31 * 12 / calendar.per_year


@given(calendars, days)
def test_a_day_lies_within_its_period(calendar, day):
    ordinal = calendar.containing(day)
    assert calendar.start(ordinal) <= day <= calendar.end(ordinal)
    assert calendar.end(calendar.last_complete(day)) <= day < calendar.end(calendar.last_complete(day) + 1)


@given(calendars, days)
def test_periods_are_those_of_pandas(calendar, day):
    theirs = pd.Timestamp(day).to_period(pandas_frequency(calendar))
    ordinal = calendar.containing(day)
    assert calendar.index(np.array([ordinal]))[0] == theirs
    assert calendar.start(ordinal) == theirs.start_time.date()
    assert calendar.end(ordinal) == theirs.end_time.date()


@given(calendars, days)
def test_years_and_positions_are_those_of_pandas(calendar, day):
    ordinal = calendar.containing(day)
    fiscal_year = pd.Timestamp(day).to_period(f"Y-{MONTHS[calendar.fiscal_year_end_month - 1]}")
    first = pd.Timestamp(fiscal_year.start_time).to_period(pandas_frequency(calendar))
    theirs = pd.Timestamp(day).to_period(pandas_frequency(calendar))
    assert calendar.year(ordinal) == fiscal_year.year
    assert calendar.position(ordinal) == theirs.ordinal - first.ordinal
    assert calendar.first_of_year(fiscal_year.year) == ordinal - calendar.position(ordinal)
    assert calendar.last_of_year(fiscal_year.year) == calendar.first_of_year(fiscal_year.year) + calendar.per_year - 1


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda c: f"{c.frequency}{c.fiscal_year_end_month}")
def test_arrays_work_like_numbers(calendar):
    ordinals = np.arange(calendar.first_of_year(2020), calendar.last_of_year(2022) + 1)
    assert calendar.year(ordinals).tolist() == [calendar.year(int(o)) for o in ordinals]
    assert calendar.position(ordinals).tolist() == list(range(calendar.per_year)) * 3


@pytest.mark.parametrize(
    ("frequency", "text"),
    [
        *[("M", text) for text in ("2024", "2024-Q3", "2024-13", "2024-00", "2024-7", "2024/07", "24-07", "")],
        *[("Q", text) for text in ("2024", "2024-07", "2024-Q5", "2024Q3", "Q3 2024")],
        *[("A", text) for text in ("24", "2024-07", "2024-Q3", "FY2024", "nan")],
    ],
)
def test_a_period_of_another_kind_is_refused_with_an_example(frequency, text):
    with pytest.raises(LoadlineError, match="is not a period") as caught:
        Calendar(frequency).parse(text)
    assert "2024" in caught.value.hint


@pytest.mark.parametrize("text", ["0000", "0001", "1799", "2200", "9999"])
def test_a_year_that_cannot_be_meant_is_refused(text):
    with pytest.raises(LoadlineError, match="outside the years"):
        Calendar("A").parse(text)
    assert Calendar("A").end(Calendar("A").parse(str(LATEST_YEAR)) + 24).year == LATEST_YEAR + 24


def test_histories_of_whole_economies_begin_in_the_nineteenth_century():
    calendar = Calendar("A")
    assert calendar.format(calendar.parse("1870")) == "1870"
