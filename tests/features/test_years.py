"""Figures of a year: by kind of indicator, complete years only, and totals over matching leaves."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree
from features.years import total_pairs, trailing_sum, year_figures, year_pairs


def indicator(code: str, kind: str, **more: object) -> Indicator:
    fields = {"code": code, "name": {"en": code, "zh": "指标"}, "unit": "x", "direction": "higher", "kind": kind}
    return Indicator.model_validate(fields | {"perspective": "performance"} | more)


@pytest.fixture
def panel() -> Panel:
    """A group with two branches over 30 months, 2022-01 to 2024-06."""
    calendar = Calendar("M")
    units = pd.DataFrame({"unit": ["G", "A", "B"], "parent": ["", "G", "G"], "name": ["g", "a", "b"]})
    rng = np.random.default_rng(5)
    length = 30

    def leaf(low: float, high: float) -> np.ndarray:
        array = rng.uniform(low, high, (length, 3))
        array[:, 0] = np.nan
        return array

    definitions = [
        indicator("FLOW", "flow"),
        indicator("POINT", "stock"),
        indicator("AVERAGE", "stock", averaging="daily"),
        indicator("OF_FLOW", "ratio", denominator="FLOW"),
        indicator("OF_STOCK", "ratio", denominator="POINT"),
        indicator("ALONE", "ratio"),
        indicator("RATE", "ratio", denominator="POINT", averaging="daily"),
    ]
    values = {d.code: leaf(10, 20) for d in definitions}
    return Panel(
        calendar,
        UnitTree.from_frame(units, calendar),
        IndicatorSet(definitions),
        calendar.parse("2022-01"),
        values,
        date(2024, 6, 30),
    )


def test_each_kind_is_taken_over_the_year_in_its_own_way(panel: Panel) -> None:
    row = panel.calendar.parse("2023-12") - panel.first
    year = slice(row - 11, row + 1)
    flow, average = panel.array("FLOW"), panel.array("AVERAGE")
    assert year_figures(panel, "FLOW").value[row, 1] == pytest.approx(flow[year, 1].sum())
    assert year_figures(panel, "POINT").value[row, 1] == panel.array("POINT")[row, 1]
    assert year_figures(panel, "AVERAGE").value[row, 1] == pytest.approx(average[year, 1].mean())
    ratio = panel.array("OF_FLOW")
    expected = (ratio[year, 1] * flow[year, 1]).sum() / flow[year, 1].sum()
    assert year_figures(panel, "OF_FLOW").value[row, 1] == pytest.approx(expected)
    assert year_figures(panel, "OF_STOCK").value[row, 1] == panel.array("OF_STOCK")[row, 1]
    assert year_figures(panel, "ALONE").weighted is False
    rate, weight = panel.array("RATE")[year, 1], panel.array("POINT")[year, 1]
    assert year_figures(panel, "RATE").value[row, 1] == pytest.approx((rate * weight).sum() / weight.sum())


def test_a_year_with_a_missing_month_has_no_figure(panel: Panel) -> None:
    flow = panel.array("FLOW").copy()
    row = panel.calendar.parse("2023-05") - panel.first
    flow[row, 1] = np.nan
    holed = panel.with_values({**panel.values, "FLOW": flow})
    found = year_figures(holed, "FLOW").value[:, 1]
    assert np.isnan(found[row : row + 12]).all()
    assert np.isfinite(found[row - 1])
    assert np.isfinite(found[row + 12])


def test_trailing_sum_equals_pandas() -> None:
    rng = np.random.default_rng(1)
    array = np.where(rng.random((40, 7)) < 0.1, np.nan, rng.normal(size=(40, 7)))
    expected = pd.DataFrame(array).rolling(12, min_periods=12).sum().to_numpy()
    np.testing.assert_allclose(trailing_sum(array, 12), expected)


def test_pairs_put_the_origin_at_the_same_place_of_every_year(panel: Panel) -> None:
    origin = panel.calendar.parse("2024-06")
    figures = year_figures(panel, "FLOW")
    pairs = year_pairs(panel, figures, year=2024, origin=origin)
    assert pairs.years.tolist() == [2022, 2023, 2024]
    june = panel.calendar.parse("2023-06") - panel.first
    december = panel.calendar.parse("2023-12") - panel.first
    assert pairs.base[1, 1] == figures.value[june, 1]
    assert pairs.outcome[1, 1] == figures.value[december, 1]
    assert np.isnan(pairs.outcome[2]).all()


def test_pairs_hold_nothing_from_after_the_origin(panel: Panel) -> None:
    origin = panel.calendar.parse("2023-06")
    changed = {code: array.copy() for code, array in panel.values.items()}
    for array in changed.values():
        array[origin - panel.first + 1 :] = 1e9
    for code in panel.codes:
        before = year_pairs(panel, year_figures(panel, code), year=2023, origin=origin)
        after = panel.with_values(changed)
        again = year_pairs(after, year_figures(after, code), year=2023, origin=origin)
        np.testing.assert_array_equal(before.base, again.base)
        np.testing.assert_array_equal(before.outcome, again.outcome)


def test_a_total_grows_by_the_leaves_that_it_had_at_both_times(panel: Panel) -> None:
    origin = panel.calendar.parse("2024-06")
    flow = panel.array("FLOW").copy()
    flow[: panel.calendar.parse("2023-01") - panel.first, 2] = np.nan  # B comes into view in 2023
    late = panel.with_values({**panel.values, "FLOW": flow})
    figures = year_figures(late, "FLOW")
    pairs = year_pairs(late, figures, year=2024, origin=origin)
    totals = total_pairs(pairs, late.tree, ordinal=origin, averaged=False)
    assert totals.outcome[1, 0] == pairs.outcome[1, 1]  # 2023: only A had a base in mid-2023
    assert totals.base[1, 0] == pairs.base[1, 1]
    assert totals.base[2, 0] == pytest.approx(pairs.base[2, 1] + pairs.base[2, 2])


def test_a_total_of_ratios_is_weighted(panel: Panel) -> None:
    origin = panel.calendar.parse("2024-06")
    figures = year_figures(panel, "OF_STOCK")
    pairs = year_pairs(panel, figures, year=2024, origin=origin)
    totals = total_pairs(pairs, panel.tree, ordinal=origin, averaged=True)
    weight = panel.array("POINT")[-1]
    ratio = panel.array("OF_STOCK")[-1]
    assert totals.base[-1, 0] == pytest.approx((weight[1] * ratio[1] + weight[2] * ratio[2]) / (weight[1] + weight[2]))
