"""Ranks within groups, and how far two orders agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from training.simulation.ranks import SMALLEST_GROUP, rank_agreement, ranked


def test_equal_scores_share_the_better_rank() -> None:
    ranks, sizes = ranked(np.array([900, 800, 800, 700, 600]), np.ones(5, dtype=bool), np.zeros(5, dtype=int))
    assert ranks.tolist() == [1, 2, 2, 4, 5]
    assert sizes.tolist() == [5] * 5


def test_four_scores_are_not_ranked_and_those_without_one_do_not_count() -> None:
    scored = np.array([True] * 4 + [False])
    assert np.isnan(ranked(np.arange(5), scored, np.zeros(5, dtype=int))[0]).all()
    ranks, _ = ranked(np.arange(6), np.array([True] * 5 + [False]), np.zeros(6, dtype=int))
    assert np.isnan(ranks[5])
    assert ranks[:5].tolist() == [5, 4, 3, 2, 1]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=SMALLEST_GROUP, max_size=30))
def test_agreement_in_one_group_is_kendalls_tau_b(pairs: list[tuple[int, int]]) -> None:
    before, after = np.array(pairs).T
    found = rank_agreement(before, after, np.zeros(len(pairs), dtype=int))
    if np.ptp(before) == 0 or np.ptp(after) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(kendalltau(before, after).statistic)


def test_agreement_averages_groups_by_size() -> None:
    first, second = np.arange(5), np.arange(10)
    before = np.concatenate([first, second])
    after = np.concatenate([first, second[::-1]])
    groups = np.repeat([0, 1], [5, 10])
    assert rank_agreement(before, after, groups) == pytest.approx((1 * 5 - 1 * 10) / 15)
