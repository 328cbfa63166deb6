"""Features of the time of year: pace, season, and the Chinese New Year, which moves."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.indicators import Indicator
from features.performance import INNER_PERSPECTIVES
from features.periods import Calendar
from features.windows import YearGrid, change, lagged, midpoint_growth, over, over_positive

FIRST_NEW_YEAR = 1990
_NEW_YEARS = """
0127 0215 0204 0123 0210 0131 0219 0207 0128 0216
0205 0124 0212 0201 0122 0209 0129 0218 0207 0126
0214 0203 0123 0210 0131 0219 0208 0128 0216 0205
0125 0212 0201 0122 0210 0129 0217 0206 0126 0213
0203 0123 0211 0131 0219 0208 0128 0215 0204 0124
0212 0201 0122 0210 0130 0217 0206 0126 0214 0202
0123 0211 0201 0219 0208 0128 0215 0204 0124 0212
0202
"""
"""Month and day of the Chinese New Year from 1990 to 2060: the calendar of Beijing time, GB/T 33661-2017."""
HOLIDAY_DAYS = 7
"""Days from New Year's Day on in which business rests: the length of the public holiday in most years."""
LEAST_YEARS = 2
"""Fewest past years from which a season is learned: one year alone is mostly chance."""

FLOWS = Applies(kinds=("flow",), perspectives=INNER_PERSPECTIVES)
INNER_STOCKS = Applies(kinds=("stock",), perspectives=INNER_PERSPECTIVES)


def new_year(year: int) -> date | None:
    """Give the day of the Chinese New Year in a calendar year; None outside 1990 to 2060.

    >>> new_year(2024)
    datetime.date(2024, 2, 10)
    """
    table = _NEW_YEARS.split()
    place = year - FIRST_NEW_YEAR
    if not 0 <= place < len(table):
        return None
    return date(year, int(table[place][:2]), int(table[place][2:]))


def holiday_days(calendar: Calendar, ordinal: int) -> float:
    """Count the days of the New Year holiday in a period; NaN outside the years of the table."""
    start, end = calendar.start(ordinal), calendar.end(ordinal)
    days = 0
    for year in range(start.year, end.year + 1):
        first = new_year(year)
        if first is None:
            return float("nan")
        last = first + timedelta(days=HOLIDAY_DAYS - 1)
        days += max(0, (min(end, last) - max(start, first)).days + 1)
    return float(days)


@feature(
    title=("Share of the fiscal year gone", "财年已过比例"),
    unit="share",
    reason=("Lets a model tell the opening push from the year's end.", "区分开门红与年末冲刺。"),
    least_per_year=2,
)
def year_share(calendar: Calendar, ordinals: np.ndarray) -> np.ndarray:
    """Give the share of the fiscal year that is over at the end of the period."""
    return ((calendar.position(ordinals) + 1) / calendar.per_year)[:, None].astype(np.float64)


@feature(
    title=("Days of the New Year holiday", "春节假期天数"),
    unit="days",
    reason=("Business rests, and the month in which it does moves.", "假期业务停顿,且所在月份逐年移动。"),
    least_per_year=4,
)
def new_year_days(calendar: Calendar, ordinals: np.ndarray) -> np.ndarray:
    """Count the days of the New Year holiday that fall in the period."""
    return np.array([[holiday_days(calendar, int(ordinal))] for ordinal in ordinals]).reshape(-1, 1)


@feature(
    title=("Holiday days against a year ago", "春节天数较上年同期"),
    unit="days",
    reason=("Growth on a year ago is distorted where the holiday has moved.", "春节错位会扭曲同比。"),
    least_per_year=4,
)
def new_year_shift(calendar: Calendar, ordinals: np.ndarray) -> np.ndarray:
    """Give the days of the New Year holiday in the period less those in the same period a year ago."""
    per_year = calendar.per_year
    now = [holiday_days(calendar, int(ordinal)) for ordinal in ordinals]
    before = [holiday_days(calendar, int(ordinal) - per_year) for ordinal in ordinals]
    return (np.array(now) - np.array(before)).reshape(-1, 1)


@step()
def folded(value: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Lay the figures out by year and position: (years, positions, U)."""
    return grid.fold(value)


@step()
def folded_to_date(folded: np.ndarray) -> np.ndarray:
    """Add up each year so far; NaN from the first gap of the year on."""
    return np.cumsum(folded, axis=1)


@feature(
    title=("Year to date", "年初至今累计"),
    unit="own",
    reason=("What is already in hand.", "已经实现的部分。"),
    applies=FLOWS,
    least_per_year=2,
)
def year_to_date(folded_to_date: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Give the sum of the fiscal year so far; NaN from the first gap of the year on."""
    return grid.unfold(folded_to_date)


@feature(
    title=("Usual share of the year by now", "往年同期完成占比"),
    unit="share",
    reason=("The pace learned from the own past, in place of twelfths.", "由自身历史学得的序时进度,而非按月均分。"),
    applies=FLOWS,
    least_per_year=2,
)
def usual_pace(folded_to_date: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Give the mean share of the year's total done by this position, over the complete past years."""
    whole = folded_to_date[:, -1:]
    done = over_positive(folded_to_date, whole)
    return grid.unfold(grid.past_mean(done, least=LEAST_YEARS))


@feature(
    title=("Year to date against last year's", "累计较上年同期"),
    unit="share",
    reason=("Tells who is ahead of last year's pace.", "是否快于上年进度。"),
    applies=FLOWS,
    lags=(1,),
    least_per_year=2,
)
def pace_attainment(year_to_date: np.ndarray, per_year: int) -> np.ndarray:
    """Give the year to date over last year's at the same position; NaN where that was not positive."""
    return over_positive(year_to_date, lagged(year_to_date, per_year))


@feature(
    title=("Year's total at the usual pace, against last year's", "按惯常进度推算全年较上年"),
    unit="share",
    reason=("A first estimate of the year, free of the season.", "剔除季节因素的全年初步估计。"),
    applies=FLOWS,
    lags=(1,),
    least_per_year=2,
)
def projected_growth(
    year_to_date: np.ndarray, usual_pace: np.ndarray, folded_to_date: np.ndarray, grid: YearGrid
) -> np.ndarray:
    """Give the growth of (year to date over usual share) on the total of the year before."""
    before = np.full(folded_to_date.shape, np.nan)
    before[1:] = folded_to_date[:-1, -1:]
    return midpoint_growth(over(year_to_date, usual_pace), grid.unfold(before))


@feature(
    title=("Growth since the year's opening", "较年初增长"),
    unit="share",
    reason=("What the year has added so far.", "本年以来的新增。"),
    applies=INNER_STOCKS,
    least_per_year=2,
)
def growth_to_date(folded: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Give the growth of a stock since the end of the last fiscal year."""
    opening = np.full(folded.shape, np.nan)
    opening[1:] = folded[:-1, -1:]
    return midpoint_growth(grid.unfold(folded), grid.unfold(opening))


@step()
def folded_season(folded: np.ndarray, spec: Indicator) -> np.ndarray:
    """Give each figure against its year's average: as a multiple for volumes, else in points; complete years only."""
    average = folded.sum(axis=1, keepdims=True) / folded.shape[1]
    if spec.kind in ("flow", "stock"):
        return over_positive(folded, average)
    return folded - average


@feature(
    title=("Usual season", "往年季节指数"),
    unit="multiple",
    reason=("Where the time of year usually puts the unit.", "该时点往年通常的季节位置。"),
    applies=Applies(kinds=("flow", "stock"), perspectives=INNER_PERSPECTIVES),
    least_per_year=4,
)
def season(folded_season: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Give the mean multiple of the year's average at this position, over the complete past years."""
    return grid.unfold(grid.past_mean(folded_season, least=LEAST_YEARS))


@feature(
    title=("Usual season, in points", "往年季节差"),
    unit="own",
    reason=("Where the time of year usually puts the unit.", "该时点往年通常的季节位置。"),
    applies=Applies(kinds=("ratio", "level"), perspectives=INNER_PERSPECTIVES),
    least_per_year=4,
)
def season_points(folded_season: np.ndarray, grid: YearGrid) -> np.ndarray:
    """Give the mean distance from the year's average at this position, over the complete past years."""
    return grid.unfold(grid.past_mean(folded_season, least=LEAST_YEARS))


@feature(
    title=("Change free of the usual season", "剔除季节后的变动"),
    unit="growth",
    reason=("The newest movement that the season does not explain.", "季节无法解释的最新变动。"),
    applies=Applies(kinds=("flow", "stock"), perspectives=INNER_PERSPECTIVES),
    least_per_year=4,
)
def season_surprise(value: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Give the growth from the period before, both figures divided by their usual season."""
    adjusted = over_positive(value, season)
    return midpoint_growth(adjusted, lagged(adjusted, 1))


@feature(
    title=("Change free of the usual season, in points", "剔除季节后的变动(点)"),
    unit="own",
    reason=("The newest movement that the season does not explain.", "季节无法解释的最新变动。"),
    applies=Applies(kinds=("ratio", "level"), perspectives=INNER_PERSPECTIVES),
    least_per_year=4,
)
def season_surprise_points(value: np.ndarray, season_points: np.ndarray) -> np.ndarray:
    """Give the change from the period before, both figures less their usual season."""
    return change(value - season_points, 1)


STEPS: tuple[Step, ...] = (folded, folded_to_date, folded_season)
FEATURES: tuple[Feature, ...] = (
    year_share,
    new_year_days,
    new_year_shift,
    year_to_date,
    usual_pace,
    pace_attainment,
    projected_growth,
    growth_to_date,
    season,
    season_points,
    season_surprise,
    season_surprise_points,
)
