"""Rounding keeps sums, bounds and averages, whatever comes in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from goal_trees import tree_of
from hypothesis import given, settings
from hypothesis import strategies as st

from models.goals.rounding import round_amounts, round_averages

TREE = tree_of(pd.Index([f"u{number:02d}" for number in range(20)]))
NONE = np.full(len(TREE.units), np.inf)
figures = st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=20).map(np.array)


@given(figures)
@settings(max_examples=50, deadline=None)
def test_children_add_up_and_nothing_moves_by_more_than_a_step(values: np.ndarray) -> None:
    amounts, _ = TREE.add_up(values)
    whole = round_amounts(TREE, amounts, -NONE, NONE)
    np.testing.assert_array_equal(TREE.add_up(whole[: TREE.leaves])[0], whole)
    assert np.abs(whole - amounts).max() <= 1 + 1e-3


@given(figures, st.lists(st.floats(0.01, 100), min_size=20, max_size=20).map(np.array))
@settings(max_examples=50, deadline=None)
def test_an_average_is_met_to_half_a_step(values: np.ndarray, weights: np.ndarray) -> None:
    amounts, _ = TREE.add_up(values * weights)
    total, _ = TREE.add_up(weights)
    asked = np.zeros(len(TREE.units), dtype=bool)
    asked[[-1, TREE.position("R1")]] = True
    end = np.full(20, np.inf)
    whole = round_averages(TREE, values, amounts, weights=weights, asked=asked, low=-end, high=end)
    off = np.abs(TREE.add_up(whole * weights)[0] - amounts)[asked] / total[asked]
    assert off.max() <= 0.5 + 1e-6
    assert np.abs(whole - values).max() <= 1
