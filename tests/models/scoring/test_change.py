"""A change split into data, policy and model: equal to the average over six orders, to the cent."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.scoring.change import SOURCES, change_between, split_change


@given(arrays(np.int64, (8, 3), elements=st.integers(-2_000, 13_000)))
def test_parts_are_averages_over_six_orders_and_add_up(totals):
    split = split_change(totals.astype(float))
    assert (split.data + split.policy + split.model == totals[7] - totals[0]).all()
    for row in range(3):
        values = [Fraction(0)] * 3
        for order in permutations(range(3)):
            state = 0
            for source in order:
                values[source] += Fraction(int(totals[state | 1 << source, row] - totals[state, row]), 6)
                state |= 1 << source
        for name, value in zip(SOURCES, values, strict=True):
            assert abs(int(getattr(split, name)[row]) - value) < 1
            if value == 0:
                assert getattr(split, name)[row] == 0


def test_what_did_not_change_has_no_part():
    def evaluate(data: bool, policy: bool, model: bool) -> np.ndarray:
        return np.array([8000 + 301 * data - 100 * policy + 7 * data * policy])

    split = change_between(evaluate)
    assert split.model.tolist() == [0]
    assert (split.data + split.policy).tolist() == [208]  # 304.5 and -96.5, the half to data
    assert split.data.tolist() == [305]
    assert (split.before.tolist(), split.after.tolist()) == ([8000], [8208])


def test_a_row_without_one_of_the_scores_is_not_split():
    totals = np.full((8, 2), 8000.0)
    totals[7] = 8100
    totals[3, 1] = np.nan
    split = split_change(totals)
    assert split.known.tolist() == [True, False]
    assert (split.data[1], split.policy[1], split.model[1]) == (0, 0, 0)
    assert split.data[0] + split.policy[0] + split.model[0] == 100
