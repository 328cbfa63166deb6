"""Roll-up by kind of indicator, against a slow recursive oracle, and the check of given parents."""

from __future__ import annotations

import math
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.breaches import Breaches
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.rollup import Mismatch, check_parents, roll_up, rolled_up
from features.unit_file import read_tree
from features.units import UnitTree

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ANNUAL = Calendar("A")
FIRST = 2020
ABOUT = {"unit": "%", "direction": "higher", "perspective": "performance"}


def indicator(code: str, kind: str, **more) -> Indicator:
    return Indicator.model_validate({"code": code, "name": {"en": code, "zh": code}, "kind": kind, **ABOUT, **more})


INDICATORS = IndicatorSet(
    [
        indicator("FLOW", "flow"),
        indicator("STOCK", "stock"),
        indicator("NUM", "flow"),
        indicator("DEN", "stock"),
        indicator("EXACT", "ratio", numerator="NUM", denominator="DEN"),
        indicator("WEIGHED", "ratio", denominator="DEN"),
        indicator("PLAIN", "ratio"),
        indicator("LEVEL", "level"),
    ]
)


def tree_of(rows: list[tuple[str, str, str, str]]) -> UnitTree:
    frame = pd.DataFrame(rows, columns=["unit", "parent", "valid_from", "valid_to"], dtype=object)
    return UnitTree.from_frame(frame.assign(name=frame["unit"]), ANNUAL)


def panel_of(tree: UnitTree, **values) -> Panel:
    arrays = {code: np.asarray(array, dtype=float) for code, array in values.items()}
    return Panel(ANNUAL, tree, INDICATORS, FIRST, arrays, date(2030, 1, 1))


SMALL = tree_of([("T", "", "", ""), ("R", "T", "", ""), ("A", "R", "", ""), ("B", "R", "", ""), ("C", "T", "", "")])
NAN = math.nan


def only_row(code: str, **values) -> tuple[list[float], list[float]]:
    result = roll_up(panel_of(SMALL, **{name: [row] for name, row in values.items()}), code)
    return result.values[0].tolist(), result.coverage[0].tolist()


def test_volumes_are_added_up():
    values, coverage = only_row("FLOW", FLOW=[NAN, NAN, 1, 2, 4])
    assert values == [7, 3, 1, 2, 4]
    assert coverage == [1, 1, 1, 1, 1]


def test_what_is_missing_shows_in_the_coverage():
    values, coverage = only_row("STOCK", STOCK=[NAN, NAN, 1, NAN, 4])
    assert np.array_equal(values, [5, 1, 1, NAN, 4], equal_nan=True)
    assert coverage == [2 / 3, 1 / 2, 1, 0, 1]


def test_a_given_parent_stands_and_is_passed_upwards():
    values, coverage = only_row("STOCK", STOCK=[NAN, 10, 1, NAN, 4])
    assert np.array_equal(values, [14, 10, 1, NAN, 4], equal_nan=True)
    assert coverage == [1, 1, 1, 0, 1]


def test_a_ratio_goes_through_numerator_and_denominator():
    row = {"NUM": [NAN, NAN, 1, 2, 3], "DEN": [NAN, NAN, 100, 50, 100], "EXACT": [NAN, NAN, 1, 4, 3]}
    assert only_row("EXACT", **row)[0] == pytest.approx([2.4, 2, 1, 4, 3])


def test_a_ratio_that_is_not_given_follows_from_its_parts():
    row = {"NUM": [NAN, NAN, 1, 2, 3], "DEN": [NAN, NAN, 100, 50, 100], "EXACT": [NAN] * 5}
    assert only_row("EXACT", **row)[0] == pytest.approx([2.4, 2, 1, 4, 3])


def test_the_parts_of_a_parent_stand_like_a_figure():
    row = {"NUM": [NAN, 6, NAN, NAN, 3], "DEN": [NAN, 200, NAN, NAN, 100], "EXACT": [NAN] * 5}
    values, coverage = only_row("EXACT", **row)
    assert np.array_equal(values, [3, 3, NAN, NAN, 3], equal_nan=True)
    assert coverage == [1, 1, 0, 0, 1]


def test_a_ratio_stands_in_for_a_missing_numerator():
    row = {"NUM": [NAN, NAN, 1, NAN, 3], "DEN": [NAN, NAN, 100, 50, 100], "EXACT": [NAN, NAN, 1, 4, 3]}
    assert only_row("EXACT", **row)[0] == pytest.approx([2.4, 2, 1, 4, 3])


def test_a_numerator_that_was_not_read_changes_nothing():
    """The ratio has no figures of its numerator in this panel: the ratio times the denominator says the same."""
    row = {"DEN": [NAN, NAN, 100, 50, 100], "EXACT": [NAN, NAN, 1, 4, 3]}
    assert only_row("EXACT", **row)[0] == pytest.approx([2.4, 2, 1, 4, 3])


def test_with_a_denominator_alone_each_ratio_counts_by_it():
    row = {"DEN": [NAN, NAN, 100, 50, 50], "WEIGHED": [NAN, NAN, 1, 4, 3]}
    assert only_row("WEIGHED", **row)[0] == pytest.approx([2.25, 2, 1, 4, 3])


@pytest.mark.parametrize("code", ["PLAIN", "LEVEL"])
def test_without_a_denominator_each_leaf_counts_alike(code):
    assert only_row(code, **{code: [NAN, NAN, 1, 4, 4]})[0] == pytest.approx([3, 2.5, 1, 4, 4])
    assert not roll_up(panel_of(SMALL, **{code: [[NAN, NAN, 1, 4, 4]]}), code).weighted
    assert only_row(code, **{code: [NAN, 7, 1, NAN, 4]})[0][0] == pytest.approx((7 * 2 + 4) / 3)


def test_a_given_ratio_is_covered_even_without_a_weight():
    values, coverage = only_row("WEIGHED", DEN=[NAN, NAN, 100, NAN, NAN], WEIGHED=[NAN, NAN, 1, 4, 3])
    assert values == pytest.approx([1, 1, 1, 4, 3])
    assert coverage == pytest.approx([1 / 3, 1 / 2, 1, 1, 1])


def test_a_given_parent_without_any_weight_is_not_passed_upwards():
    values, coverage = only_row("WEIGHED", DEN=[NAN, NAN, NAN, NAN, 100], WEIGHED=[NAN, 50, NAN, NAN, 3])
    assert np.array_equal(values, [3, 50, NAN, NAN, 3], equal_nan=True)
    assert coverage == pytest.approx([1 / 3, 1, 0, 0, 1])


def test_a_ratio_over_zero_is_not_known():
    row = {"NUM": [NAN, NAN, 1, 2, 3], "DEN": [NAN, NAN, 0, 0, 0], "EXACT": [NAN] * 5}
    assert np.isnan(only_row("EXACT", **row)[0]).all()


def test_the_tree_of_the_time_decides():
    rows = [("T", "", "", ""), ("P", "T", "", ""), ("Q", "T", "", "")]
    tree = tree_of([*rows, ("A", "P", "", "2020"), ("A", "Q", "2021", ""), ("B", "P", "", ""), ("C", "Q", "2021", "")])
    volumes = [[NAN, NAN, NAN, 1, 10, NAN], [NAN, NAN, NAN, 2, 20, 200], [NAN, NAN, NAN, 3, 30, 300]]
    result = roll_up(panel_of(tree, FLOW=volumes), "FLOW")
    expected = [[11, 11, NAN], [222, 20, 202], [333, 30, 303]]
    assert np.array_equal(result.values[:, :3], expected, equal_nan=True)


def test_no_rows_roll_up_to_no_rows():
    assert roll_up(panel_of(SMALL, FLOW=np.empty((0, 5))), "FLOW").values.shape == (0, 5)


def test_all_indicators_at_once_do_not_disturb_each_other():
    rows = {"NUM": [[NAN, NAN, 1, 2, 3]], "DEN": [[NAN, NAN, 100, 50, 100]], "EXACT": [[NAN] * 5]}
    panel = panel_of(SMALL, **rows)
    filled = rolled_up(panel)
    for code in panel.codes:
        assert np.array_equal(filled.array(code), roll_up(panel, code).values, equal_nan=True)
        assert np.array_equal(panel.array(code), rows[code], equal_nan=True)


def by_hand(panel: Panel, code: str) -> tuple[np.ndarray, np.ndarray]:
    """Roll up one unit and period at a time, by recursion."""
    about, tree = panel.indicator(code), panel.tree
    values, coverage = np.full(panel.array(code).shape, NAN), np.zeros(panel.array(code).shape)
    ratio = about.kind in ("ratio", "level")
    weight = about.denominator if about.denominator in panel.codes else None
    above = about.numerator if about.numerator in panel.codes and weight else None
    scale = about.ratio_scale if above else 1.0

    def known(array_code: str | None, row: int, unit: int) -> float | None:
        value = panel.array(array_code)[row, unit] if array_code else NAN
        return None if math.isnan(value) else float(value)

    def visit(row: int, unit: int, children: dict[int, list[int]]) -> tuple[float, float, int, int]:
        """Give what a unit passes upwards: top, bottom, known leaves, leaves."""
        parts = [visit(row, child, children) for child in children.get(unit, [])]
        top, bottom, seen, leaves = (sum(p[i] for p in parts) for i in range(4)) if parts else (0.0, 0.0, 0, 1)
        given, own_weight, numerator = known(code, row, unit), known(weight, row, unit), known(above, row, unit)
        own = None
        if not ratio:
            own = None if given is None else (given, 1.0)
        elif weight is None:
            own = None if given is None else (given * leaves, float(leaves))
        elif own_weight is not None and (numerator is not None or given is not None):
            own = (numerator if numerator is not None else given * own_weight / scale, own_weight)
        if own is None and given is not None and seen:
            own = (given * bottom / scale, bottom)
        if own is not None:
            top, bottom, seen = own[0], own[1], leaves
        if given is not None:
            values[row, unit] = given
        elif seen and (not ratio or bottom != 0):
            values[row, unit] = scale * top / bottom if ratio else top
        coverage[row, unit] = 1.0 if given is not None else seen / leaves
        return top, bottom, seen, leaves

    for row, ordinal in enumerate(panel.ordinals):
        parents, alive = tree.parents(int(ordinal)), tree.valid(int(ordinal))
        children: dict[int, list[int]] = {}
        for unit in np.flatnonzero(parents >= 0):
            children.setdefault(int(parents[unit]), []).append(int(unit))
        for unit in np.flatnonzero(alive & (parents < 0)):
            visit(row, int(unit), children)
    return values, coverage


@st.composite
def random_panels(draw) -> tuple[Panel, np.ndarray]:
    count, periods = draw(st.integers(1, 14)), draw(st.integers(1, 4))
    rows = []
    for number in range(count):
        parent = f"u{draw(st.integers(0, number - 1))}" if number and draw(st.booleans()) else ""
        parent = parent or ("u0" if number else "")
        move = draw(st.integers(FIRST, FIRST + periods)) if number > 1 and draw(st.booleans()) else None
        if move is None:
            rows.append((f"u{number}", parent, "", ""))
        else:
            rows.append((f"u{number}", parent, "", str(move - 1)))
            rows.append((f"u{number}", f"u{draw(st.integers(0, number - 1))}", str(move), ""))
    tree = tree_of(rows)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    missing = draw(st.sampled_from([0.0, 0.3, 0.7]))
    inner_missing = draw(st.sampled_from([0.5, 1.0]))
    values = {}
    for code in INDICATORS:
        array = rng.integers(1, 1000, (periods, count)).astype(float)
        array[rng.random(array.shape) < missing] = NAN
        array[:, tree.ever_parent] = np.where(
            rng.random((periods, int(tree.ever_parent.sum()))) < inner_missing, NAN, array[:, tree.ever_parent]
        )
        values[code] = array
    for code in draw(st.sets(st.sampled_from(["NUM", "DEN"]))):
        del values[code]
    return panel_of(tree, **values), tree.valid(FIRST)


@settings(max_examples=50, deadline=None)
@given(random_panels())
def test_it_agrees_with_the_slow_way(case):
    panel, _ = case
    for code in panel.codes:
        ours, (values, coverage) = roll_up(panel, code), by_hand(panel, code)
        np.testing.assert_allclose(ours.values, values, rtol=1e-9, err_msg=code)
        np.testing.assert_allclose(ours.coverage, coverage, rtol=1e-9, err_msg=code)


@settings(max_examples=50, deadline=None)
@given(random_panels())
def test_volumes_of_the_leaves_make_up_the_root(case):
    panel, _ = case
    leaves_only = panel.array("FLOW").copy()
    leaves_only[:, panel.tree.ever_parent] = NAN
    total = roll_up(panel.with_values({"FLOW": leaves_only}), "FLOW").values[:, 0]
    inner = panel.tree.ever_parent[0]
    sums = np.nansum(leaves_only, axis=1) if inner else leaves_only[:, 0]
    np.testing.assert_allclose(np.nan_to_num(total), np.nan_to_num(sums))


def test_a_wrong_parent_is_reported_with_both_figures():
    panel = panel_of(SMALL, FLOW=[[7, 3, 1, 2, 4], [8, 3, 1, 2, 4], [7, 9, 1, 2, 4]])
    assert check_parents(panel, "FLOW") == [
        Mismatch("T", "2021", "FLOW", 8, 7),
        Mismatch("T", "2022", "FLOW", 7, 13),
        Mismatch("R", "2022", "FLOW", 9, 3),
    ]
    assert check_parents(panel, "FLOW", limit=1) == [Mismatch("T", "2021", "FLOW", 8, 7)]


def test_rounding_and_missing_children_are_no_mismatch():
    assert check_parents(panel_of(SMALL, FLOW=[[7.019, 3.014, 1, 2, 4]]), "FLOW") == []
    assert check_parents(panel_of(SMALL, FLOW=[[NAN, 3.016, 1, 2, 4]]), "FLOW") != []
    assert check_parents(panel_of(SMALL, FLOW=[[90, 30, 1, NAN, 4]]), "FLOW") == [
        Mismatch("T", "2020", "FLOW", 90, 34),
    ]


def test_a_ratio_is_checked_through_its_parts():
    parts = {"NUM": [[NAN, NAN, 1, 2, 3]] * 2, "DEN": [[NAN, NAN, 100, 50, 100]] * 2}
    panel = panel_of(SMALL, EXACT=[[2.4, 2.005, 1, 4, 3], [2.4, 2.5, 1, 4, 3]], **parts)
    assert [(m.unit, m.period, m.given, m.rolled_up) for m in check_parents(panel, "EXACT")] == [
        ("T", "2021", 2.4, pytest.approx(100 * (2.5 * 1.5 + 3) / 250)),
        ("R", "2021", 2.5, pytest.approx(2)),
    ]


@pytest.mark.parametrize("code", ["WEIGHED", "PLAIN", "LEVEL"])
def test_what_was_averaged_in_an_unknown_way_is_not_checked(code):
    panel = panel_of(SMALL, DEN=[[NAN, NAN, 1, 1, 1]], **{code: [[99, 99, 1, 4, 3]]})
    assert check_parents(panel, code) == []


def test_eighty_thousand_units_are_quick():
    path = DATA / "us-branches" / "units.csv"
    if not path.exists():
        pytest.skip("the us-branches dataset is not at hand")
    _, tree = read_tree(path, ANNUAL, Breaches())
    assert tree is not None
    rng = np.random.default_rng(0)
    values = np.where(tree.ever_parent, NAN, rng.random((5, len(tree))))
    panel = panel_of(tree, NUM=values, DEN=2 * values, EXACT=np.full_like(values, NAN))
    start = time.perf_counter()
    result = roll_up(panel, "EXACT")
    assert time.perf_counter() - start < 2.0
    np.testing.assert_allclose(result.values[:, tree.number("US")], 50.0)
