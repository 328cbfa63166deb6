from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from feature_panels import make_panel

from features.errors import LoadlineError
from features.feature import Applies, feature, step
from features.graph import FeatureGraph
from features.matrix import column_name, parse_column
from features.sets import SETS, catalogue, feature_set

TEXT = {"title": ("t", "标"), "unit": "own", "reason": ("r", "因")}


@feature(**TEXT)
def doubled(value: np.ndarray) -> np.ndarray:
    return 2 * value


@feature(**TEXT, applies=Applies(kinds=("flow",)))
def quadrupled(doubled: np.ndarray) -> np.ndarray:
    return 2 * doubled


@pytest.fixture(scope="module")
def panel():
    return make_panel("Q", periods=12)


def test_features_rest_on_features_whatever_their_order(panel):
    matrix = FeatureGraph([quadrupled, doubled]).compute(panel, ["PROFIT", "LOANS"])
    assert matrix.names == ("PROFIT.quadrupled", "PROFIT.doubled", "LOANS.doubled")
    np.testing.assert_allclose(matrix.array("PROFIT.quadrupled"), 4 * panel.array("PROFIT"), rtol=1e-6)
    assert matrix.cube.dtype == np.float32
    assert matrix.titles["PROFIT.doubled"].en == "Profit: t"
    assert matrix.titles["PROFIT.doubled"].zh == "指标PROFIT:标"
    assert matrix.units_of_measure["PROFIT.doubled"] == "CNY m"


def test_each_step_runs_once_for_an_indicator(panel):
    calls = []

    @step()
    def slow(value: np.ndarray) -> np.ndarray:
        calls.append(value.shape)
        return value

    @feature(**TEXT)
    def one(slow: np.ndarray) -> np.ndarray:
        return slow + 1

    @feature(**TEXT)
    def two(slow: np.ndarray, one: np.ndarray) -> np.ndarray:
        return slow + one

    FeatureGraph([one, two, slow]).compute(panel, ["LOANS", "NPL"])
    assert len(calls) == 2


def test_a_circle_is_named():
    @step()
    def hen(egg: np.ndarray) -> np.ndarray:
        return egg

    @step()
    def egg(hen: np.ndarray) -> np.ndarray:
        return hen

    with pytest.raises(LoadlineError, match="circle: hen -> egg -> hen"):
        FeatureGraph([hen, egg])


def test_what_cannot_be_a_graph_is_refused():
    @feature(**TEXT)
    def lost(nowhere: np.ndarray) -> np.ndarray:
        return nowhere

    @feature(**TEXT)
    def narrow(value: np.ndarray, groups: object) -> np.ndarray:
        return value

    with pytest.raises(LoadlineError, match="'nowhere', which nothing gives"):
        FeatureGraph([lost])
    with pytest.raises(LoadlineError, match="scope 'unit' but needs 'groups'"):
        FeatureGraph([narrow])
    with pytest.raises(LoadlineError, match="two features are called 'doubled'"):
        FeatureGraph([doubled, doubled])
    with pytest.raises(LoadlineError, match="cannot name a feature"):
        FeatureGraph([feature(**TEXT, name="a.b")(lambda value: value)])
    with pytest.raises(LoadlineError, match="cannot name a feature"):
        FeatureGraph([feature(**TEXT, name="spec")(lambda value: value)])


def test_a_lag_that_the_frequency_cannot_express_gives_no_feature(panel):
    @feature(**TEXT, lags=(Fraction(1, 12),))
    def monthly(value: np.ndarray) -> np.ndarray:
        return value

    @feature(**TEXT)
    def rests_on_it(monthly: np.ndarray) -> np.ndarray:
        return monthly

    matrix = FeatureGraph([doubled, monthly, rests_on_it]).compute(panel, ["LOANS"])
    assert matrix.names == ("LOANS.doubled",)
    assert matrix.omitted["LOANS.rests_on_it"] == "1/12 years is no whole number of periods at frequency Q"
    with pytest.raises(LoadlineError, match="no feature column") as caught:
        matrix.array("LOANS.monthly")
    assert "no whole number" in caught.value.hint


def test_unknown_names_are_refused(panel):
    graph = FeatureGraph([doubled])
    with pytest.raises(LoadlineError, match="no feature 'tripled'"):
        graph.compute(panel, features=["tripled"])
    with pytest.raises(LoadlineError, match="no indicator 'NOTHING'"):
        graph.compute(panel, ["NOTHING"])
    with pytest.raises(LoadlineError, match="no feature set 'best'"):
        feature_set("best")
    with pytest.raises(LoadlineError, match="needs the peers"):
        catalogue().compute_columns(panel, slice(0, 2), features=["peer_rank"])


def test_a_feature_of_the_wrong_shape_is_named(panel):
    @feature(**TEXT)
    def too_short(value: np.ndarray) -> np.ndarray:
        return value[1:]

    with pytest.raises(LoadlineError, match="'too_short' gave"):
        FeatureGraph([too_short]).compute(panel)


def test_too_large_for_single_precision_is_not_known(panel):
    @feature(**TEXT)
    def huge(value: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(value), 1e300, np.nan)

    assert np.isnan(FeatureGraph([huge]).compute(panel).cube).all()


def test_threads_and_blocks_change_nothing():
    panel = make_panel("M", periods=30, leaves=1100)
    graph = catalogue()
    one, two = graph.compute(panel, ["NPL", "PROFIT"]), graph.compute(panel, ["NPL", "PROFIT"], threads=2)
    np.testing.assert_array_equal(one.cube, two.cube)
    part = graph.compute_columns(panel, slice(500, 700), indicators=["PROFIT"])
    np.testing.assert_array_equal(part.cube, one.select(part.names).cube[:, :, 500:700])
    assert list(part.units) == list(panel.units[500:700])


def test_rows_for_a_model_follow_their_index(panel):
    matrix = FeatureGraph([doubled]).compute(panel, ["LOANS", "NPL"])
    mask = np.isfinite(panel.array("LOANS"))
    rows = matrix.rows(mask)
    ordinals, units = matrix.index(mask)
    assert rows.shape == (mask.sum(), 2)
    np.testing.assert_array_equal(rows[:, 1], matrix.array("NPL.doubled")[ordinals - panel.first, units])
    of_periods = matrix.rows([panel.last, panel.first])
    assert of_periods.shape == (2 * len(panel.tree), 2)
    np.testing.assert_array_equal(of_periods[: len(panel.tree), 0], matrix.array("LOANS.doubled")[0])
    with pytest.raises(LoadlineError, match="periods asked for"):
        matrix.rows([panel.last + 1])
    with pytest.raises(LoadlineError, match="a mask of shape"):
        matrix.rows(mask[1:])


def test_columns_are_named_and_read_in_one_way():
    assert parse_column(column_name("growth_1y", "LOANS")) == ("growth_1y", "LOANS")
    assert parse_column(column_name("year_share")) == ("year_share", None)


def test_named_sets_compute(panel):
    for name in SETS:
        assert catalogue().compute(panel, ["NPL"], features=feature_set(name)).names
