"""Moves under one parent come to zero, for amounts alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from models.in_year.kept_totals import Siblings

COUNT = 12
ROWS = pd.DataFrame(
    {
        "unit": [f"B{number:02d}" for number in range(COUNT)],
        "indicator": ["FEES"] * 8 + ["RATE"] * 4,
        "year": 2024,
        "parent": [f"R{number % 2}" for number in range(COUNT)],
    }
)
SIBLINGS = Siblings(ROWS, np.arange(COUNT) < 8)
moves = st.lists(st.integers(-50, 50), min_size=COUNT, max_size=COUNT).map(
    lambda values: np.array(values, dtype=object)
)


@given(moves)
@settings(max_examples=50, deadline=None)
def test_the_larger_side_is_cut_down_to_the_smaller(steps: np.ndarray) -> None:
    found = SIBLINGS.netted(steps)
    for parent in ("R0", "R1"):
        mine = ((ROWS["parent"] == parent) & (ROWS["indicator"] == "FEES")).to_numpy()
        up, down = (sum(abs(int(s)) for s in steps[mine] if sign * s > 0) for sign in (1, -1))
        assert sum(int(step) for step in found[mine]) == 0
        assert sum(abs(int(step)) for step in found[mine]) == 2 * min(up, down)
    assert all(abs(int(new)) <= abs(int(old)) and new * old >= 0 for new, old in zip(found, steps, strict=True))
    assert list(found[8:]) == list(steps[8:])


def test_a_move_without_a_counterpart_is_not_balanced() -> None:
    steps = np.zeros(COUNT, dtype=object)
    steps[[0, 2, 1, 8]] = [3, -1, 5, 7]
    able = steps != 0
    assert np.flatnonzero(SIBLINGS.balanced(steps, able)).tolist() == [0, 2, 8]


def test_a_pair_goes_by_its_farther() -> None:
    steps = np.zeros(COUNT, dtype=object)
    steps[[0, 2, 1]] = [3, -1, 5]
    assert SIBLINGS.paired(np.array([0, 1, 2]), steps).tolist() == [0, 2, 1]
