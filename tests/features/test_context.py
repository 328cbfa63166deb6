from __future__ import annotations

import numpy as np
from feature_panels import make_panel

from features.context import handed_down
from features.sets import catalogue


def test_a_figure_of_the_nearest_unit_above_is_handed_down_where_there_is_none():
    panel = make_panel("Q", periods=12, leaves=6)
    gdp = np.full_like(panel.array("GDP"), np.nan)
    gdp[:, 0], gdp[:, 1], gdp[3, 4] = 100, 50, 7
    below = handed_down(panel.with_values({**panel.values, "GDP": gdp}))
    parents = panel.tree.parents(panel.first)
    expected = np.where(parents == 1, 50.0, 100.0)
    expected[1] = 50
    assert (below.array("GDP")[0] == expected).all()
    assert below.array("GDP")[3, 4] == 7
    np.testing.assert_array_equal(below.array("LOANS"), panel.array("LOANS"))


def test_nothing_is_handed_down_without_context():
    panel = make_panel("A", periods=5).only(["LOANS"])
    assert handed_down(panel) is panel


def test_own_growth_is_held_against_the_economy():
    panel = make_panel("Q", periods=30)
    matrix = catalogue().compute(panel)
    gdp = panel["GDP"]
    economy = (gdp - gdp.shift(4)) / ((gdp + gdp.shift(4)) / 2)
    expected = matrix.frame("LOANS.growth_1y") - economy
    np.testing.assert_allclose(
        matrix.frame("LOANS.growth_above_context"), expected, rtol=1e-4, atol=1e-6, equal_nan=True
    )
    rate = panel["RATE"]
    deviation = rate - rate.rolling(12, min_periods=2).mean()
    np.testing.assert_allclose(matrix.frame("RATE.context_deviation"), deviation, rtol=1e-4, atol=1e-5, equal_nan=True)
    assert "GDP.peer_rank" not in matrix
    assert "no context" in catalogue().compute(panel.only(["LOANS"])).omitted["LOANS.growth_above_context"]
