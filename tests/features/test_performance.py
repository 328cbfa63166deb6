from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from feature_panels import make_panel

from features.sets import catalogue
from features.windows import IQR_PER_SD, Known, midpoint_growth, trailing_deviation, window_sum


@pytest.fixture(scope="module")
def panel():
    return make_panel("M", periods=72)


@pytest.fixture(scope="module")
def matrix(panel):
    return catalogue().compute(panel)


def same(ours: pd.DataFrame, slow: pd.DataFrame, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(ours.to_numpy(), slow.to_numpy(), rtol=tolerance, atol=tolerance, equal_nan=True)


def midpoint(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    growth = (now - before) / ((now.abs() + before.abs()) / 2)
    return growth.mask((now == 0) & (before == 0), 0.0)


@pytest.mark.parametrize("code", ["LOANS", "PROFIT", "COMPLAINTS"])
def test_growth_of_volumes_is_the_change_over_the_mean_of_both_sizes(panel, matrix, code):
    value = panel[code]
    same(matrix.frame(f"{code}.growth_1p"), midpoint(value, value.shift(1)))
    same(matrix.frame(f"{code}.growth_1y"), midpoint(value, value.shift(12)))
    same(matrix.frame(f"{code}.growth_3y"), midpoint(value, value.shift(36)) / 3)


def test_growth_of_ratios_is_in_points_and_of_levels_over_the_own_size(panel, matrix):
    same(matrix.frame("NPL.growth_1y"), panel["NPL"].diff(12))
    size = panel["NPS"].abs().rolling(36, min_periods=1).mean()
    same(matrix.frame("NPS.growth_1y"), panel["NPS"].diff(12) / size)


def test_midpoint_growth_is_close_to_logarithmic_growth_when_small_and_defined_for_zeros():
    before = np.full(5, 100.0)
    now = np.array([70.0, 90.0, 100.0, 110.0, 140.0])
    np.testing.assert_allclose(midpoint_growth(now, before), np.log(now / before), rtol=0.011)
    np.testing.assert_array_equal(
        midpoint_growth(np.array([0.0, 0.0, 5.0, -5.0]), np.array([0.0, 5.0, 0.0, 5.0])), [0, -2, 2, -2]
    )


def test_volatility_is_the_rolling_standard_deviation(panel, matrix):
    value = panel["LOANS"]
    growth = midpoint(value, value.shift(1))
    same(matrix.frame("LOANS.volatility_1y"), growth.rolling(12, min_periods=3).std())
    same(matrix.frame("LOANS.volatility_3y"), growth.rolling(36, min_periods=3).std())


def test_momentum_acceleration_and_pace(panel, matrix):
    value = panel["LOANS"]
    yearly = midpoint(value, value.shift(12))
    same(matrix.frame("LOANS.momentum_1q"), yearly - yearly.shift(3))
    same(matrix.frame("LOANS.acceleration"), yearly - yearly.shift(12))
    same(matrix.frame("LOANS.short_against_long"), 4 * midpoint(value, value.shift(3)) - yearly)


def test_the_trailing_year(panel, matrix):
    value = panel["PROFIT"]
    average = value.rolling(12, min_periods=9).mean()
    same(matrix.frame("PROFIT.year_average"), average)
    same(matrix.frame("PROFIT.year_total"), value.rolling(12).sum())
    same(matrix.frame("PROFIT.trend"), midpoint(average, average.shift(12)))
    same(matrix.frame("PROFIT.gap_to_year"), midpoint(value, average))
    same(matrix.frame("NPL.gap_to_year"), panel["NPL"] - panel["NPL"].rolling(12, min_periods=9).mean())


def test_drawdown_is_the_fall_from_the_highest_so_far(panel, matrix):
    value = panel["LOANS"]
    same(matrix.frame("LOANS.drawdown"), (value.cummax().ffill() - value) / value.cummax().ffill())


def test_own_z_compares_with_the_last_three_whole_years(panel, matrix):
    value = panel["NPL"]
    ours = matrix.frame("NPL.own_z")
    year = np.array([panel.calendar.year(ordinal) for ordinal in panel.ordinals])
    for unit in value.columns[3:8]:
        for row in range(len(value)):
            past = value[unit].to_numpy()[(year < year[row]) & (year >= year[row] - 3)]
            past = past[np.isfinite(past)]
            if len(past) < 12:
                assert np.isnan(ours[unit].iloc[row])
                continue
            low, middle, high = np.quantile(past, [0.25, 0.5, 0.75])
            expected = (value[unit].iloc[row] - middle) * IQR_PER_SD / (high - low)
            np.testing.assert_allclose(ours[unit].iloc[row], expected, rtol=1e-5, equal_nan=True)


def test_age_and_gaps_count_years(panel, matrix):
    value = panel["LOANS"]
    age_of, unbroken = matrix.frame("LOANS.age"), matrix.frame("LOANS.unbroken")
    for unit in value.columns[3:]:
        known = value[unit].notna().to_numpy()
        first = known.argmax() if known.any() else len(known)
        last_gap = -1
        for row in range(len(known)):
            last_gap = row if not known[row] else last_gap
            age = (row - first) / 12 if row >= first else np.nan
            np.testing.assert_allclose(age_of[unit].iloc[row], age, rtol=1e-6, equal_nan=True)
            np.testing.assert_allclose(unbroken[unit].iloc[row], (row - last_gap) / 12, rtol=1e-6)
    same(matrix.frame("LOANS.known_share"), value.notna().rolling(36, min_periods=1).sum() / 36)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 8, 12, 36])
@pytest.mark.parametrize("length", [1, 2, 5, 12, 50])
def test_window_sums_are_exact_at_any_length(window, length):
    x = np.random.default_rng(window * length).integers(-9, 9, (length, 3)).astype(float)
    np.testing.assert_array_equal(
        window_sum(x, window), pd.DataFrame(x).rolling(window, min_periods=1).sum().to_numpy()
    )


def test_the_deviation_holds_its_precision_after_a_huge_figure_has_left_the_window():
    x = np.full((40, 1), 0.5)
    x[::2] = 0.25
    x[3] = 1e12
    found = trailing_deviation(Known.of(x), 12, least=3)
    np.testing.assert_allclose(found[-1], np.std(x[-12:], ddof=1), rtol=1e-12)
