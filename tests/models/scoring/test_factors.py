"""A volume as a product of factors: parts equal to the average over all orders, adding up."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.errors import LoadlineError
from models.scoring.factors import Factor, factors_of, split_factors
from models.scoring.facts import Facts

CHAIN = ("STAFF", "CUSTOMERS", "P08")
VOLUMES = st.integers(2, 5).flatmap(
    lambda count: arrays(float, (2, count, 4), elements=st.floats(0.5, 1e6, allow_subnormal=False))
)


@given(VOLUMES)
def test_parts_are_averages_over_all_orders(volumes):
    now, then = volumes
    split = split_factors([f"V{k}" for k in range(len(now))], now, then)
    expected = np.zeros(now.shape)
    orders = list(permutations(range(len(now))))
    for order in orders:
        factors = split.then.copy()
        for factor in order:
            before = factors.prod(axis=0)
            factors[factor] = split.now[factor]
            expected[factor] += (factors.prod(axis=0) - before) / len(orders)
    scale = np.abs(expected).max() + np.abs(now).max()
    assert np.abs(split.parts - expected).max() <= 1e-9 * scale
    assert np.abs(split.parts.sum(axis=0) - (now[-1] - then[-1])).max() <= 1e-9 * scale


def test_by_hand():
    # 10 staff x 50 customers a head x 0.12 each = 60; 12 x 50 x 0.15 = 90. Staff: 2 x 50 x (0.12 + 0.15) / 2 = 13.5;
    # customers a head did not change; fees a customer: 0.03 x 50 x (10 + 12) / 2 = 16.5
    split = split_factors(CHAIN, np.array([[12.0], [600.0], [90.0]]), np.array([[10.0], [500.0], [60.0]]))
    assert split.factors == (Factor("STAFF", None), Factor("CUSTOMERS", "STAFF"), Factor("P08", "CUSTOMERS"))
    assert split.parts[:, 0] == pytest.approx([13.5, 0, 16.5])
    assert split.parts[1, 0] == 0


def test_a_volume_of_nothing_is_split_where_logarithms_fail():
    split = split_factors(CHAIN, np.array([[12.0], [600.0], [90.0]]), np.array([[10.0], [500.0], [0.0]]))
    assert split.parts.sum() == pytest.approx(90)
    loss = split_factors(CHAIN, np.array([[12.0], [600.0], [-9.0]]), np.array([[10.0], [500.0], [60.0]]))
    assert loss.parts.sum() == pytest.approx(-69)


def test_for_each_of_none_there_is_no_split():
    now = np.array([[12.0, 12.0, 12.0], [600.0, 0.0, np.nan], [90.0, 90.0, 90.0]])
    split = split_factors(CHAIN, now, np.full((3, 3), 10.0))
    assert np.isfinite(split.parts).all(axis=0).tolist() == [True, False, False]


def test_figures_and_what_they_are_compared_with():
    facts = Facts(
        1,
        actual={"STAFF": np.array([12.0]), "P08": np.array([90.0])},
        last_year={"STAFF": np.array([10.0]), "P08": np.array([60.0])},
    )
    split = factors_of(facts, ("STAFF", "P08"), "last_year")
    assert split.now[:, 0].tolist() == [12, 7.5]
    assert split.parts[:, 0] == pytest.approx([2 * 6.75, 1.5 * 11])
    assert np.isnan(factors_of(facts, ("STAFF", "P08"), "peers").parts).all()


def test_too_long_a_chain_is_refused():
    with pytest.raises(LoadlineError, match="at most 10"):
        split_factors([f"V{k}" for k in range(11)], np.ones((11, 1)), np.ones((11, 1)))
