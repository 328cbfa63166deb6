"""Features of slow change: growth over several years, and the average over all units, which is the time all live in."""

from __future__ import annotations

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.indicators import Indicator
from features.performance import growth

SLOW_YEARS = 2
"""Booms that end badly build up over two to five years; over two the change of credit to output foretold crises best.
Source: Bluwstein et al., Credit growth, the yield curve and financial crisis prediction (2023)."""
LONG_YEARS = 5

LEAST_UNITS = 3
"""Fewest units of which an average over all is taken."""

COMPARABLE = Applies(kinds=("ratio", "level"))
"""Indicators whose figures can be averaged over units of any size."""


@feature(
    title=("Growth a year, over two years", "两年年均增长"),
    unit="growth",
    reason=("A build-up that outlasts one year.", "持续一年以上的累积。"),
    lags=(SLOW_YEARS,),
)
def growth_2y(value: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
    """Give half of the growth from two years ago."""
    return growth(value, SLOW_YEARS * per_year, spec, size) / SLOW_YEARS


@feature(
    title=("Growth a year, over five years", "五年年均增长"),
    unit="growth",
    reason=("Excess that builds up slowly.", "缓慢累积的过度扩张。"),
    lags=(LONG_YEARS,),
)
def growth_5y(value: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
    """Give a fifth of the growth from five years ago."""
    return growth(value, LONG_YEARS * per_year, spec, size) / LONG_YEARS


@step(scope="all")
def everyones_level(value: np.ndarray) -> np.ndarray:
    """Give the average of the period over all units (P, 1)."""
    return over_all(value)


@feature(
    title=("Average over all units", "全体平均水平"),
    unit="own",
    reason=("The time that all units live in.", "各单位共同所处的环境。"),
    scope="all",
    applies=COMPARABLE,
)
def common_level(everyones_level: np.ndarray) -> np.ndarray:
    """Give the average of the figure over all units in the period."""
    return everyones_level


@feature(
    title=("Average growth of all units, over two years", "全体两年年均增长"),
    unit="growth",
    reason=("A boom that many share ends worse than one alone.", "普遍的繁荣比个别的繁荣收场更差。"),
    scope="all",
    lags=(SLOW_YEARS,),
)
def common_growth_2y(growth_2y: np.ndarray) -> np.ndarray:
    """Give the average of the two-year growth over all units in the period."""
    return over_all(growth_2y)


@feature(
    title=("Against the average over all units", "较全体平均"),
    unit="own",
    reason=("Where the unit stands once the time is set aside.", "剔除共同环境后单位所处的位置。"),
    scope="all",
    applies=COMPARABLE,
)
def above_common(value: np.ndarray, everyones_level: np.ndarray) -> np.ndarray:
    """Give the figure less its average over all units in the period."""
    return value - everyones_level


def over_all(x: np.ndarray) -> np.ndarray:
    """Give the mean of the known figures of each row (P, 1), NaN where fewer than `LEAST_UNITS` are known."""
    known = np.isfinite(x)
    count = known.sum(axis=1, keepdims=True)
    total = np.where(known, x, 0.0).sum(axis=1, keepdims=True)
    return total / np.where(count < LEAST_UNITS, np.nan, count)


STEPS: tuple[Step, ...] = (everyones_level,)
FEATURES: tuple[Feature, ...] = (growth_2y, growth_5y, common_level, common_growth_2y, above_common)
