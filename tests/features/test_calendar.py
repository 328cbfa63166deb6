"""The moving New Year against astronomy, and pace and season against slow loops."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from feature_panels import make_panel

from features.calendar import FIRST_NEW_YEAR, LEAST_YEARS, holiday_days, new_year
from features.periods import Calendar
from features.sets import catalogue

JULIAN_DAY_OF_ORDINAL_0 = 1721424.5
BEIJING = 8 / 24
TERRESTRIAL_LEAD = 70 / 86400
"""Terrestrial time runs about 57 to 95 seconds ahead of universal time in these years."""


def new_moon(lunation: int) -> float:
    """Give the Julian day of a new moon, 0 being that of 6 January 2000 (J. Meeus, Astronomical Algorithms, ch. 49)."""
    k, t = lunation, lunation / 1236.85
    day = 2451550.09766 + 29.530588861 * k + 0.00015437 * t**2
    e = 1 - 0.002516 * t
    sun, moon, latitude, node = (
        math.radians(angle)
        for angle in (
            2.5534 + 29.10535670 * k,
            201.5643 + 385.81693528 * k + 0.0107582 * t**2,
            160.7108 + 390.67050284 * k - 0.0016118 * t**2,
            124.7746 - 1.56375588 * k,
        )
    )
    terms = (
        (-0.40720, moon), (0.17241 * e, sun), (0.01608, 2 * moon), (0.01039, 2 * latitude), (0.00739 * e, moon - sun),
        (-0.00514 * e, moon + sun), (0.00208 * e**2, 2 * sun), (-0.00111, moon - 2 * latitude),
        (-0.00057, moon + 2 * latitude), (0.00056 * e, 2 * moon + sun), (-0.00042, 3 * moon),
        (0.00042 * e, sun + 2 * latitude), (0.00038 * e, sun - 2 * latitude), (-0.00024 * e, 2 * moon - sun),
        (-0.00017, node),
    )  # fmt: skip
    return day + sum(size * math.sin(angle) for size, angle in terms)


def sun_longitude(day: float) -> float:
    """Give the sun's apparent longitude in degrees on a Julian day (the same, ch. 25, to 0.01 degrees)."""
    t = (day - 2451545.0) / 36525
    mean = 280.46646 + 36000.76983 * t
    anomaly = math.radians(357.52911 + 35999.05029 * t)
    centre = 1.914602 * math.sin(anomaly) + 0.019993 * math.sin(2 * anomaly) + 0.000289 * math.sin(3 * anomaly)
    return (mean + centre - 0.00569 - 0.00478 * math.sin(math.radians(125.04 - 1934.136 * t))) % 360


def beijing_day(julian: float) -> int:
    """Give the ordinal of the day in Beijing in which a moment falls."""
    return math.floor(julian - TERRESTRIAL_LEAD + BEIJING - JULIAN_DAY_OF_ORDINAL_0)


def sector(day: int) -> int:
    """Give the sector of 30 degrees in which the sun is as a day begins in Beijing."""
    return int(sun_longitude(day + JULIAN_DAY_OF_ORDINAL_0 - BEIJING + TERRESTRIAL_LEAD) // 30)


def astronomical_new_year(year: int) -> date:
    """Find the New Year by the rules of GB/T 33661-2017.

    The month that holds the winter solstice is the eleventh; where thirteen months begin between two of these, the
    first without a principal term is a leap month. The New Year begins the first month.
    """
    first = math.floor((year - 2000.15) * 12.3685) - 2
    moons = [beijing_day(new_moon(first + number)) for number in range(18)]

    def eleventh(of_year: int) -> int:
        day = date(of_year, 12, 10).toordinal()
        while not (sector(day) == 8 and sector(day + 1) == 9):
            day += 1
        return max(number for number, moon in enumerate(moons) if moon <= day)

    start = eleventh(year - 1)
    following = beijing_day(new_moon(first + start + 13))
    solstice = date(year, 12, 10).toordinal()
    while not (sector(solstice) == 8 and sector(solstice + 1) == 9):
        solstice += 1
    place = 2
    if following <= solstice:
        leap = next(
            number for number in range(1, 13) if sector(moons[start + number]) == sector(moons[start + number + 1])
        )
        place = 3 if leap <= 2 else 2
    return date.fromordinal(moons[start + place])


@pytest.mark.parametrize("year", range(1990, 2061))
def test_the_table_agrees_with_astronomy(year):
    assert new_year(year) == astronomical_new_year(year)


def test_years_outside_the_table_are_not_guessed():
    assert new_year(FIRST_NEW_YEAR - 1) is None
    assert new_year(2061) is None
    assert math.isnan(holiday_days(Calendar("M"), 2061 * 12))


def test_holidays_are_split_between_the_months_and_moved():
    monthly, quarterly = Calendar("M"), Calendar("Q")
    assert holiday_days(monthly, monthly.parse("2022-02")) == 7
    assert holiday_days(monthly, monthly.parse("2025-01")) == 3
    assert holiday_days(monthly, monthly.parse("2025-02")) == 4
    assert holiday_days(quarterly, quarterly.parse("2025-Q1")) == 7
    panel = make_panel("M", periods=40)
    matrix = catalogue().compute(panel, features=["year_share", "new_year_days", "new_year_shift"])
    assert matrix.names == ("year_share", "new_year_days", "new_year_shift")
    days = matrix.frame("new_year_days").iloc[:, 0]
    assert days.groupby(days.index.year).sum().loc[2016:2017].tolist() == [7, 7]
    shift = matrix.frame("new_year_shift").iloc[:, 0]
    assert shift["2017-01"] == 4
    assert shift["2017-02"] == -4


def slow_years(panel, values):
    """Give each complete or incomplete fiscal year as a list of figures by position."""
    calendar = panel.calendar
    years: dict[int, list[float]] = {}
    for row, ordinal in enumerate(panel.ordinals):
        year = years.setdefault(int(calendar.year(ordinal)), [np.nan] * calendar.per_year)
        year[int(calendar.position(ordinal))] = values[row]
    return years


@pytest.mark.parametrize(("frequency", "seed"), [("M", 0), ("M", 1), ("Q", 2), ("Q", 3)])
def test_pace_and_season_are_learned_from_past_years(frequency, seed):
    panel = make_panel(frequency, periods=70, seed=seed)
    matrix = catalogue().compute(panel, ["PROFIT"])
    calendar = panel.calendar
    for unit in (3, 5, 9):
        values = panel.array("PROFIT")[:, unit]
        years = slow_years(panel, values)
        for row, ordinal in enumerate(panel.ordinals):
            year, position = int(calendar.year(ordinal)), int(calendar.position(ordinal))
            past = [np.array(figures) for at, figures in years.items() if at < year and np.isfinite(figures).all()]
            to_date = sum(years[year][: position + 1])
            before = sum(years[year - 1][: position + 1]) if year - 1 in years else np.nan
            done = [figures[: position + 1].sum() / figures.sum() for figures in past if figures.sum() > 0]
            season = [figures[position] / figures.mean() for figures in past if figures.mean() > 0]
            expected = {
                "year_to_date": to_date,
                "usual_pace": np.mean(done) if len(done) >= LEAST_YEARS else np.nan,
                "season": np.mean(season) if len(season) >= LEAST_YEARS else np.nan,
                "pace_attainment": to_date / before if before > 0 else np.nan,
            }
            for name, value in expected.items():
                found = matrix.array(f"PROFIT.{name}")[row, unit]
                np.testing.assert_allclose(found, value, rtol=1e-4, equal_nan=True, err_msg=f"{name} {row}")


def test_growth_since_the_opening_of_the_year():
    panel = make_panel("Q", periods=20)
    matrix = catalogue().compute(panel, ["LOANS"])
    value = panel["LOANS"]
    opening = value.loc["2012Q4"]
    now = value.loc["2013Q3"]
    expected = (now - opening) / ((now + opening) / 2)
    np.testing.assert_allclose(matrix.frame("LOANS.growth_to_date").loc["2013Q3"], expected, rtol=1e-5, equal_nan=True)


def test_the_new_year_is_a_new_moon_within_its_season():
    for year in range(1990, 2061):
        day = new_year(year)
        assert day is not None
        assert date(year, 1, 21) <= day <= date(year, 2, 21)
        assert day - timedelta(days=28) > date(year - 1, 12, 21)
