"""Features of an indicator's own course: growth, momentum, volatility, trend, drawdown, and how much of it is known."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.indicators import Indicator
from features.windows import (
    Known,
    Trailing,
    YearGrid,
    change,
    lagged,
    midpoint_growth,
    over,
    over_positive,
    robust_z,
    rows_since,
    running_maximum,
    trailing_deviation,
    trailing_mean,
)

QUARTER = Fraction(1, 4)
KNOWN_PART = Fraction(3, 4)
"""A year's total or average is given where at least these of its figures are known: one quarter may be missing."""
LEAST_SPREAD = 3
"""Fewest figures that say something about a spread."""
PAST_YEARS = 3
"""Own past against which a figure is held: long enough to cover a cycle of targets, short enough to be relevant."""
PAST_PERIODS = 8
"""On coarse data the own past is at least as many periods, or quartiles mean nothing."""
LEAST_PAST = 6
"""Fewest past figures of which quartiles are taken."""

VOLUMES = Applies(kinds=("flow", "stock"))
INNER_PERSPECTIVES = ("performance", "risk", "compliance", "customer", "people", "social")
INNER = Applies(perspectives=INNER_PERSPECTIVES)
"""What a unit does, as opposed to what happens around it."""


def growth(value: np.ndarray, periods: int, spec: Indicator, size: np.ndarray | None) -> np.ndarray:
    """Give the growth from some periods ago, by the kind of indicator.

    Flows and stocks: the change over the mean of both sizes. Ratios: the change in points. Levels: the change over the
    unit's own usual size.
    """
    if spec.kind == "ratio":
        return change(value, periods)
    if spec.kind == "level":
        return over(change(value, periods), np.zeros(1) if size is None else size)
    return midpoint_growth(value, lagged(value, periods))


@step()
def size(value: np.ndarray, spec: Indicator, per_year: int) -> np.ndarray | None:
    """Give the usual size of a level: its mean absolute value over three years."""
    return trailing_mean(np.abs(value), PAST_YEARS * per_year, least=1) if spec.kind == "level" else None


@step()
def last_growth(value: np.ndarray, spec: Indicator, size: np.ndarray | None) -> np.ndarray:
    """Give the growth from the period before."""
    return growth(value, 1, spec, size)


@step()
def growth_parts(last_growth: np.ndarray) -> Known:
    """Tell known from missing growth, for sums over windows."""
    return Known.of(last_growth)


@step()
def parts(value: np.ndarray) -> Known:
    """Tell known from missing figures, for sums over windows."""
    return Known.of(value)


@feature(
    title=("Level", "水平"),
    unit="own",
    reason=("Where the unit stands.", "单位目前所处的水平。"),
)
def level(value: np.ndarray) -> np.ndarray:
    """Give the figure itself."""
    return value


@feature(
    title=("Growth on the period before", "环比增长"),
    unit="growth",
    reason=("The newest movement.", "最新的变动。"),
    least_per_year=2,
)
def growth_1p(last_growth: np.ndarray) -> np.ndarray:
    """Give the growth from the period before."""
    return last_growth


@feature(
    title=("Growth on a year ago", "同比增长"),
    unit="growth",
    reason=("Growth free of the season; what most targets are stated in.", "剔除季节影响的增长,多数目标以此表述。"),
    lags=(1,),
)
def growth_1y(value: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
    """Give the growth from the same period a year ago."""
    return growth(value, per_year, spec, size)


@feature(
    title=("Growth a year, over three years", "三年年均增长"),
    unit="growth",
    reason=("Growth that lasts, as against one good year.", "区别于单年冲高的持续增长。"),
    lags=(3,),
)
def growth_3y(value: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
    """Give a third of the growth from three years ago."""
    return growth(value, 3 * per_year, spec, size) / 3


@feature(
    title=("Change of the yearly growth in a quarter", "同比增速的季度变化"),
    unit="growth",
    reason=("Tells whether growth is picking up or fading.", "增长在加快还是放缓。"),
    applies=INNER,
    lags=(1, QUARTER),
)
def momentum_1q(growth_1y: np.ndarray, per_year: int) -> np.ndarray:
    """Give the yearly growth less that of a quarter ago."""
    return change(growth_1y, int(QUARTER * per_year))


@feature(
    title=("Change of the yearly growth in a year", "同比增速的年度变化"),
    unit="growth",
    reason=("Acceleration: last year's growth often does not repeat.", "加速度:去年的增速往往难以重复。"),
    lags=(1,),
)
def acceleration(growth_1y: np.ndarray, per_year: int) -> np.ndarray:
    """Give the yearly growth less that of a year ago."""
    return change(growth_1y, per_year)


@feature(
    title=("Last quarter against the yearly pace", "近季对全年速度"),
    unit="growth",
    reason=("A short push against the long pace.", "短期冲量与长期速度之差。"),
    applies=INNER,
    lags=(1, QUARTER),
    least_per_year=4,
)
def short_against_long(
    value: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int, growth_1y: np.ndarray
) -> np.ndarray:
    """Give the growth of the last quarter, times four, less the growth of the year."""
    return 4 * growth(value, int(QUARTER * per_year), spec, size) - growth_1y


@feature(
    title=("Volatility over a year", "一年波动率"),
    unit="growth",
    reason=("Uneven results make a target less certain.", "波动越大,目标越不确定。"),
    lags=(1,),
    least_per_year=4,
)
def volatility_1y(growth_parts: Known, per_year: int) -> np.ndarray:
    """Give the standard deviation of the growth from period to period over a year."""
    return trailing_deviation(growth_parts, per_year, least=LEAST_SPREAD)


@feature(
    title=("Volatility over three years", "三年波动率"),
    unit="growth",
    reason=("The usual unevenness of the unit.", "单位惯常的波动。"),
    lags=(3,),
)
def volatility_3y(growth_parts: Known, per_year: int) -> np.ndarray:
    """Give the standard deviation of the growth from period to period over three years."""
    return trailing_deviation(growth_parts, 3 * per_year, least=LEAST_SPREAD)


@step(lags=(1,))
def year_sums(parts: Known, per_year: int) -> Trailing:
    """Add up the last year."""
    return parts.sums(per_year)


@feature(
    title=("Average over the last year", "近一年平均"),
    unit="own",
    reason=("The level without season and single events.", "剔除季节与偶发因素后的水平。"),
    lags=(1,),
    least_per_year=2,
)
def year_average(year_sums: Trailing, per_year: int) -> np.ndarray:
    """Give the mean of the last year's known figures."""
    return year_sums.mean(ceil(KNOWN_PART * per_year))


@feature(
    title=("Total of the last year", "近一年合计"),
    unit="own",
    reason=("A full year's result at any time of the year.", "任一时点上完整一年的业绩。"),
    applies=Applies(kinds=("flow",)),
    lags=(1,),
    least_per_year=2,
)
def year_total(year_sums: Trailing, per_year: int) -> np.ndarray:
    """Give the sum of the last year; NaN where a figure is missing."""
    return year_sums.whole_total(per_year)


@feature(
    title=("Growth of the yearly average", "年均水平的增长"),
    unit="growth",
    reason=("The trend, from two whole years and so little noise.", "以两个完整年度衡量的趋势,噪声小。"),
    lags=(1,),
    least_per_year=2,
)
def trend(year_average: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
    """Give the growth of the last year's average on the year before."""
    return growth(year_average, per_year, spec, size)


@feature(
    title=("Level against the yearly average", "水平对近一年平均"),
    unit="growth",
    reason=("Tells an unusual month from an ordinary one.", "区分异常月份与正常月份。"),
    lags=(1,),
    least_per_year=2,
)
def gap_to_year(value: np.ndarray, year_average: np.ndarray, spec: Indicator, size: np.ndarray | None) -> np.ndarray:
    """Give how far the figure lies from the last year's average, as growth is stated."""
    if spec.kind == "ratio":
        return value - year_average
    if spec.kind == "level":
        return over(value - year_average, np.zeros(1) if size is None else size)
    return midpoint_growth(value, year_average)


@feature(
    title=("Fall from the own peak", "较自身峰值回落"),
    unit="share",
    reason=("Lost ground may be regained faster than new ground is won.", "失地收复往往快于开拓新增。"),
    applies=Applies(kinds=("flow", "stock"), directions=("higher",)),
)
def drawdown(value: np.ndarray) -> np.ndarray:
    """Give the fall from the highest figure so far, over that figure; NaN where that is not positive."""
    peak = running_maximum(value)
    return over_positive(peak - value, peak)


@step()
def signal(value: np.ndarray, spec: Indicator, per_year: int) -> np.ndarray:
    """Give what is held against the own past: yearly growth for volumes, which drift, else the figure itself."""
    return midpoint_growth(value, lagged(value, per_year)) if spec.kind in ("flow", "stock") else value


@feature(
    title=("Distance from the own past", "偏离自身历史"),
    unit="z",
    reason=("Tells what is unusual for this very unit.", "识别对该单位自身而言的异常。"),
)
def own_z(signal: np.ndarray, grid: YearGrid, per_year: int) -> np.ndarray:
    """Give the robust z of the figure (of the yearly growth, for volumes) against the last three whole years.

    The yardstick holds for a fiscal year: a slow rise within the year is not absorbed by it.
    """
    years = max(PAST_YEARS, -(-PAST_PERIODS // per_year))
    return robust_z(signal, grid.past_quartiles(grid.fold(signal), years, least=max(LEAST_PAST, per_year)))


@feature(
    title=("Years of history", "历史年数"),
    unit="years",
    reason=("Young units grow differently, and less is known of them.", "新单位增长规律不同,且所知有限。"),
    applies=INNER,
)
def age(value: np.ndarray, per_year: int) -> np.ndarray:
    """Give the years since the first figure; NaN before it."""
    begun = np.logical_or.accumulate(np.isfinite(value), axis=0) if len(value) else np.isfinite(value)
    years = (rows_since(~begun) - 1) / per_year
    return np.where(begun, years, np.nan)


@feature(
    title=("Years without a gap", "连续无缺年数"),
    unit="years",
    reason=("Figures after a gap are less certain.", "中断之后的数据较不可靠。"),
    applies=INNER,
)
def unbroken(value: np.ndarray, per_year: int) -> np.ndarray:
    """Give the years of figures since the last missing one."""
    return rows_since(~np.isfinite(value)) / per_year


@feature(
    title=("Share of three years known", "三年数据完整率"),
    unit="share",
    reason=("Tells how far the other features can be trusted.", "衡量其他特征的可信度。"),
    applies=INNER,
    lags=(3,),
)
def known_share(parts: Known, per_year: int) -> np.ndarray:
    """Give the share of the last three years' figures that are known."""
    window = PAST_YEARS * per_year
    return parts.counts(window) / window


STEPS: tuple[Step, ...] = (size, last_growth, growth_parts, parts, year_sums, signal)
FEATURES: tuple[Feature, ...] = (
    level,
    growth_1p,
    growth_1y,
    growth_3y,
    momentum_1q,
    acceleration,
    short_against_long,
    volatility_1y,
    volatility_3y,
    year_average,
    year_total,
    trend,
    gap_to_year,
    drawdown,
    own_z,
    age,
    unbroken,
    known_share,
)
