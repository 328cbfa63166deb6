"""What every feature must keep to, checked over the whole catalogue, and shown to catch features that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from feature_panels import INDICATORS, make_panel
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.feature import Applies, feature
from features.graph import FeatureGraph
from features.groups import PeerGroups
from features.matrix import FeatureMatrix
from features.panel import Panel
from features.sets import FEATURES, SETS, catalogue
from features.units import UnitTree

FREQUENCIES = ("A", "Q", "M")
PERIODS = {"A": 14, "Q": 24, "M": 50}
FEW = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Each example computes the whole catalogue two or three times; a panel made from a seed cannot be shrunk."""


def differing(one: FeatureMatrix, other: FeatureMatrix, *, tolerance: float = 0.0) -> list[str]:
    """List the columns of two matrices, of which one may have fewer rows, that differ in the rows that both have."""
    assert one.names == other.names
    rows = min(one.cube.shape[1], other.cube.shape[1])
    found = []
    for place, name in enumerate(one.names):
        a, b = one.cube[place, :rows], other.cube[place, :rows]
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
            found.append(name)
    return found


def disturbed(panel: Panel, where: np.ndarray, seed: int) -> Panel:
    """Put arbitrary figures and gaps in place of those that a (P, U) mask marks, in every indicator."""
    rng = np.random.default_rng(seed)
    values = {}
    for code, array in panel.values.items():
        wild = rng.normal(0, 10.0 ** rng.integers(-2, 7), array.shape)
        wild[rng.random(array.shape) < 0.2] = np.nan
        values[code] = np.where(where, wild, array)
    return panel.with_values(values)


def looking_ahead(graph: FeatureGraph, panel: Panel, row: int, seed: int) -> list[str]:
    """List the columns that change at or before a row when what comes after it is cut off or changed."""
    whole = graph.compute(panel)
    cut = graph.compute(panel.up_to(panel.first + row))
    later = np.arange(len(panel.ordinals))[:, None] > row
    changed = graph.compute(disturbed(panel, np.broadcast_to(later, (len(later), len(panel.tree))), seed))
    changed = replace(changed, cube=changed.cube[:, : row + 1])
    return sorted({*differing(whole, cut), *differing(whole, changed)})


def leaking_across(graph: FeatureGraph, panel: Panel, unit: int, seed: int) -> list[str]:
    """List the columns of scope `unit` that change for a unit when all other units change, or in a shard of its own."""
    names = [name for name, each in graph.features.items() if each.scope == "unit"]
    others = np.arange(len(panel.tree)) != unit
    before = graph.compute(panel, features=names)
    after = graph.compute(
        disturbed(panel, np.broadcast_to(others, (len(panel.ordinals), len(others))), seed), features=names
    )
    here = slice(unit, unit + 1)
    shard = graph.compute_columns(panel, here, features=names)
    only = replace(before, cube=before.cube[:, :, here])
    return sorted({*differing(only, replace(after, cube=after.cube[:, :, here])), *differing(only, shard)})


def permuted(panel: Panel, order: np.ndarray) -> Panel:
    """Put the units in another order, in the tree as well as in the figures."""
    tree = panel.tree
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    spells = tree.spells.assign(
        unit=place[tree.spells["unit"]],
        parent=np.where(tree.spells["parent"] >= 0, place[tree.spells["parent"]], -1),
    )
    moved = UnitTree(
        tree.calendar,
        tree.codes[order],
        spells,
        tree.attributes.iloc[order],
        {int(place[unit]): tuple(int(place[heir]) for heir in heirs) for unit, heirs in tree.successors.items()},
    )
    return replace(panel, tree=moved, values={code: array[:, order] for code, array in panel.values.items()})


@pytest.mark.parametrize("frequency", FREQUENCIES)
@FEW
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_no_feature_sees_the_future(frequency, data, seed):
    panel = make_panel(frequency, periods=PERIODS[frequency], seed=seed)
    row = data.draw(st.integers(0, PERIODS[frequency] - 1))
    assert looking_ahead(catalogue(), panel, row, seed) == []


@pytest.mark.parametrize("frequency", FREQUENCIES)
@FEW
@given(unit=st.integers(0, 20), seed=st.integers(0, 10**6))
def test_features_of_scope_unit_need_their_own_column_only(frequency, unit, seed):
    panel = make_panel(frequency, periods=PERIODS[frequency], seed=seed)
    assert leaking_across(catalogue(), panel, unit, seed) == []


@pytest.mark.parametrize("frequency", FREQUENCIES)
@FEW
@given(seed=st.integers(0, 10**6))
def test_the_order_of_units_and_of_indicators_does_not_matter(frequency, seed):
    panel = make_panel(frequency, periods=PERIODS[frequency], seed=seed)
    order = np.random.default_rng(seed).permutation(len(panel.tree))
    before = catalogue().compute(panel)
    moved = permuted(panel, order)
    after = catalogue().compute(moved.only(panel.codes[::-1])).select(before.names)
    assert differing(replace(before, cube=before.cube[:, :, order]), after, tolerance=1e-5) == []


@feature(title=("t", "t"), unit="own", reason=("r", "r"))
def wraps_around(value: np.ndarray) -> np.ndarray:
    return np.roll(value, -1, axis=0)


@feature(title=("t", "t"), unit="own", reason=("r", "r"))
def fills_backwards(value: np.ndarray) -> np.ndarray:
    filled = value.copy()
    for row in range(len(filled) - 2, -1, -1):
        filled[row] = np.where(np.isnan(filled[row]), filled[row + 1], filled[row])
    return filled


@feature(title=("t", "t"), unit="own", reason=("r", "r"))
def against_the_whole_column(value: np.ndarray) -> np.ndarray:
    known = np.isfinite(value)
    return value - np.where(known, value, 0).sum(axis=0) / np.maximum(1, known.sum(axis=0))


@feature(title=("t", "t"), unit="own", reason=("r", "r"))
def against_the_row(value: np.ndarray) -> np.ndarray:
    return value - np.where(np.isfinite(value), value, 0).sum(axis=1, keepdims=True)


@feature(title=("t", "t"), unit="own", reason=("r", "r"), scope="all")
def first_unit(value: np.ndarray, groups: PeerGroups) -> np.ndarray:
    return value - value[:, 5:6]


@pytest.mark.parametrize("leak", [wraps_around, fills_backwards, against_the_whole_column], ids=lambda leak: leak.name)
def test_a_planted_look_ahead_is_caught(leak):
    assert leak.name in {name.split(".")[-1] for name in looking_ahead(FeatureGraph([leak]), make_panel("M"), 30, 1)}


def test_a_planted_leak_across_units_is_caught():
    assert leaking_across(FeatureGraph([against_the_row]), make_panel("M"), 7, 1)


def test_a_feature_that_depends_on_the_order_of_units_is_caught():
    panel = make_panel("M")
    order = np.random.default_rng(0).permutation(len(panel.tree))
    before = FeatureGraph([first_unit]).compute(panel)
    after = FeatureGraph([first_unit]).compute(permuted(panel, order))
    assert differing(replace(before, cube=before.cube[:, :, order]), after, tolerance=1e-5)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("periods", [0, 1, 2])
def test_short_panels_give_features_of_the_same_shape(frequency, periods):
    panel = make_panel(frequency, periods=PERIODS[frequency]).up_to(
        make_panel(frequency, periods=1).first + periods - 1
    )
    matrix = catalogue().compute(panel)
    assert matrix.cube.shape[1:] == (periods, len(panel.tree))


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_empty_columns_give_no_figures_but_what_counts_them(frequency):
    panel = make_panel(frequency, periods=PERIODS[frequency])
    empty = panel.with_values({code: np.full(array.shape, np.nan) for code, array in panel.values.items()})
    matrix = catalogue().compute(empty)
    counting = {"year_share", "new_year_days", "new_year_shift", "unbroken", "known_share"}
    known = {name for name in matrix.names if np.isfinite(matrix.array(name)).any()}
    assert {name.split(".")[-1] for name in known} <= counting


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_nothing_is_infinite_and_every_feature_says_something_somewhere(frequency):
    matrix = catalogue().compute(make_panel(frequency, periods=PERIODS[frequency] + 24, leaves=40))
    assert not np.isinf(matrix.cube).any()
    silent = {name for name in matrix.names if not np.isfinite(matrix.array(name)).any()}
    assert silent == set()


def test_what_a_frequency_cannot_express_is_left_out_and_said():
    graph = catalogue()
    annual = graph.compute(make_panel("A", periods=14))
    assert "NPL.worsening_6m" not in annual
    assert "no whole number of periods" in annual.omitted["NPL.worsening_6m"]
    assert "needs 2 periods a year" in annual.omitted["LOANS.growth_1p"]
    assert "NPL.growth_then_worsening" in annual.omitted
    assert "NPL.growth_last_year_then_worsening" in annual
    monthly = graph.compute(make_panel("M", periods=14))
    assert "NPL.worsening_6m" in monthly
    assert "NPL.worsening_1m" in graph.compute(make_panel("Q", periods=14)).omitted


def test_every_feature_has_titles_reasons_and_a_unit_in_both_languages():
    for each in FEATURES:
        for text in (each.title, each.reason):
            assert len(text.en) > 3
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en)
        assert each.function.__doc__
        for spec in INDICATORS.values():
            if each.applies.to(spec):
                assert each.measure(spec)
    assert len({each.title.en for each in FEATURES}) == len({each.title.zh for each in FEATURES}) == len(FEATURES)


def test_every_feature_is_for_some_indicator():
    for each in FEATURES:
        assert each.applies == Applies() or any(each.applies.to(spec) for spec in INDICATORS.values())


def test_sets_name_features_once():
    known = {each.name for each in FEATURES}
    for name, features in SETS.items():
        assert set(features) <= known, name
        assert len(set(features)) == len(features), name
