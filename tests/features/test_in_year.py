"""A year cut in two: each part by hand, totals over matching leaves, nothing from after the origin."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.in_year import InYear, cut_years, total_in_year
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree
from features.years import total_pairs, year_figures, year_pairs

JUNE = Calendar("M").parse("2024-06")


def indicator(code: str, kind: str, **more: object) -> Indicator:
    fields = {"code": code, "name": {"en": code, "zh": "指标"}, "unit": "x", "direction": "higher", "kind": kind}
    return Indicator.model_validate(fields | {"perspective": "performance"} | more)


@pytest.fixture
def panel() -> Panel:
    """A group with two branches over 30 months, 2022-01 to 2024-06."""
    calendar = Calendar("M")
    units = pd.DataFrame({"unit": ["G", "A", "B"], "parent": ["", "G", "G"], "name": ["g", "a", "b"]})
    rng = np.random.default_rng(5)
    definitions = [
        indicator("FLOW", "flow"),
        indicator("POINT", "stock"),
        indicator("AVERAGE", "stock", averaging="daily"),
        indicator("OF_FLOW", "ratio", denominator="FLOW"),
    ]
    values = {d.code: rng.uniform(10, 20, (30, 3)) for d in definitions}
    for array in values.values():
        array[:, 0] = np.nan
    tree = UnitTree.from_frame(units, calendar)
    return Panel(calendar, tree, IndicatorSet(definitions), calendar.parse("2022-01"), values, date(2024, 6, 30))


def cut(panel: Panel, code: str, *, origin: int = JUNE, year: int = 2024) -> InYear:
    found = cut_years(panel, year_figures(panel, code), code, year=year, origin=origin)
    assert found is not None
    return found


def test_the_parts_of_a_flow_are_at_the_rate_of_a_year(panel: Panel) -> None:
    found, flow = cut(panel, "FLOW"), panel.array("FLOW")[:, 1]
    assert found.years.tolist() == [2022, 2023, 2024]
    assert (found.done, found.left) == (6, 6)
    assert found.so_far.value[1, 1] == pytest.approx(2 * flow[12:18].sum())
    assert found.rest.value[1, 1] == pytest.approx(2 * flow[18:24].sum())
    assert found.trailing.value[2, 1] == pytest.approx(flow[18:30].sum())
    assert found.quarter.value[2, 1] == pytest.approx(4 * flow[27:30].sum())
    assert found.latest.value[2, 1] == pytest.approx(12 * flow[29])
    assert np.isnan(found.rest.value[2]).all()


def test_so_far_and_rest_make_the_year(panel: Panel) -> None:
    for code in ("FLOW", "AVERAGE", "OF_FLOW"):
        found = cut(panel, code, origin=JUNE - 3)
        weights = [found.so_far.weight[1], found.rest.weight[1]]
        values = [found.so_far.value[1], found.rest.value[1]]
        whole = year_figures(panel, code).value[panel.calendar.parse("2023-12") - panel.first]
        made = np.sum(np.multiply(values, weights), axis=0) / np.sum(weights, axis=0)
        np.testing.assert_allclose(made[1:], whole[1:], err_msg=code)


def test_the_weight_left_of_a_ratio_is_that_of_its_denominators(panel: Panel) -> None:
    flow = panel.array("FLOW")[:, 1]
    share = flow[18:24].sum() / flow[12:24].sum()
    assert cut(panel, "OF_FLOW").weight_left[1] == pytest.approx(share)
    assert cut(panel, "FLOW", origin=JUNE - 3).weight_left[1] == pytest.approx(9 / 12)


def test_what_is_taken_at_the_end_of_a_year_is_not_cut(panel: Panel) -> None:
    assert cut_years(panel, year_figures(panel, "POINT"), "POINT", year=2024, origin=JUNE) is None
    assert cut_years(panel, year_figures(panel, "POINT"), "POINT", year=2025, origin=JUNE) is None


@pytest.mark.parametrize("ahead", [12, 18])
def test_before_a_year_nothing_is_in_and_its_rest_is_the_year(panel: Panel, ahead: int) -> None:
    origin = panel.calendar.parse("2023-12") - (ahead - 12)
    for code in ("FLOW", "AVERAGE", "OF_FLOW"):
        figures = year_figures(panel, code)
        found, pairs = cut(panel, code, origin=origin), year_pairs(panel, figures, year=2024, origin=origin)
        assert (found.done, found.left) == (0, ahead)
        assert np.isnan(found.so_far.value).all()
        np.testing.assert_array_equal(found.years, pairs.years)
        np.testing.assert_allclose(found.trailing.value, pairs.base)
        np.testing.assert_allclose(found.rest.value, pairs.outcome)
        np.testing.assert_array_equal(found.weight_left, 1.0)


def test_totals_before_a_year_are_those_of_its_figures(panel: Panel) -> None:
    december = panel.calendar.parse("2023-12")
    flow = panel.array("FLOW").copy()
    flow[3, 2] = np.nan  # B lacks a month of 2022
    holed = panel.with_values({**panel.values, "FLOW": flow})
    for code, averaged in (("FLOW", False), ("AVERAGE", False), ("OF_FLOW", True)):
        pairs = year_pairs(holed, year_figures(holed, code), year=2024, origin=december)
        total = total_pairs(pairs, holed.tree, ordinal=december, averaged=averaged)
        found = total_in_year(cut(holed, code, origin=december), holed.tree, ordinal=december, averaged=averaged)
        np.testing.assert_allclose(found.trailing.value, total.base, err_msg=code)
        np.testing.assert_allclose(found.rest.value, total.outcome, err_msg=code)


def test_a_cut_holds_nothing_from_after_the_origin(panel: Panel) -> None:
    origin = panel.calendar.parse("2023-09")
    changed = {code: array.copy() for code, array in panel.values.items()}
    for array in changed.values():
        array[origin - panel.first + 1 :] = 1e9
    other = panel.with_values(changed)
    for code in ("FLOW", "AVERAGE", "OF_FLOW"):
        before, after = (cut(each, code, origin=origin, year=2023) for each in (panel, other))
        for name, part in before.parts.items():
            np.testing.assert_array_equal(part.value, after.parts[name].value, err_msg=f"{code} {name}")


def test_a_total_is_over_the_leaves_that_have_all_parts(panel: Panel) -> None:
    flow = panel.array("FLOW").copy()
    flow[panel.calendar.parse("2023-08") - panel.first, 2] = np.nan  # B lacks a month of 2023's rest
    holed = panel.with_values({**panel.values, "FLOW": flow})
    leaves = cut(holed, "FLOW")
    found = total_in_year(leaves, holed.tree, ordinal=JUNE, averaged=False)
    assert found.so_far.value[1, 0] == pytest.approx(leaves.so_far.value[1, 1])
    assert found.so_far.value[2, 0] == pytest.approx(leaves.so_far.value[2, 1:].sum())
    whole = total_in_year(cut(panel, "FLOW"), panel.tree, ordinal=JUNE, averaged=False)
    np.testing.assert_allclose(whole.rest.value[1, 0], cut(panel, "FLOW").rest.value[1, 1:].sum())


def test_a_total_of_ratios_is_weighted(panel: Panel) -> None:
    found = total_in_year(cut(panel, "OF_FLOW"), panel.tree, ordinal=JUNE, averaged=True)
    ratio, flow = panel.array("OF_FLOW")[24:30, 1:], panel.array("FLOW")[24:30, 1:]
    assert found.so_far.value[2, 0] == pytest.approx((ratio * flow).sum() / flow.sum())


def test_a_young_unit_is_given_the_year_that_it_cannot_have(panel: Panel) -> None:
    flow = panel.array("FLOW").copy()
    flow[:24, 2] = np.nan  # B opened in January 2024
    found = cut(panel.with_values({**panel.values, "FLOW": flow}), "FLOW")
    usual = found.trailing.value[2, 1] / found.so_far.value[2, 1]
    assert found.trailing.value[2, 2] == pytest.approx(found.so_far.value[2, 2] * usual)
    assert np.isnan(found.trailing.value[1, 2])


def test_where_the_panel_itself_is_too_young_nothing_stands_in(panel: Panel) -> None:
    found = cut(panel, "FLOW")
    assert np.isfinite(found.so_far.value[0, 1:]).all()
    assert np.isnan(found.trailing.value[0]).all()
