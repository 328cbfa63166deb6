"""What is shown adds up, and no part strays from its exact value by a whole unit."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.rounding import shares

amount = st.floats(-1e6, 1e6, allow_nan=False)


def shown(values: np.ndarray, decimals: int) -> list[Decimal]:
    return [Decimal(f"{value:.{decimals}f}") for value in values]


@given(st.lists(amount, min_size=1, max_size=12), st.integers(0, 4))
def test_parts_add_up_as_shown_and_stay_within_a_unit(parts: list[float], decimals: int) -> None:
    exact = np.array(parts)
    found = shares(exact, exact.sum(), decimals=decimals)
    total = Decimal(f"{np.round(exact.sum() * 10**decimals) / 10**decimals:.{decimals}f}")
    assert sum(shown(found, decimals)) == total
    assert np.all(np.abs(found - exact) < 10.0**-decimals * (1 + 1e-6))


@given(st.lists(amount, min_size=1, max_size=12), st.integers(-50, 50), st.integers(0, 3))
def test_parts_add_up_to_a_total_that_is_not_their_sum(parts: list[float], total: int, decimals: int) -> None:
    figure = total / 10**decimals
    found = shares(np.array(parts), figure, decimals=decimals)
    assert sum(shown(found, decimals)) == Decimal(f"{figure:.{decimals}f}")


def test_rows_are_rounded_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(50, 7))
    total = parts.sum(axis=1)
    every = shares(parts, total, decimals=2)
    alone = np.array([shares(row, one, decimals=2) for row, one in zip(parts, total, strict=True)])
    np.testing.assert_array_equal(every, alone)


def test_the_largest_remainders_take_what_is_left() -> None:
    np.testing.assert_array_equal(shares(np.array([3.6, 3.3, 3.1]), 10.0, decimals=0), [4, 3, 3])
    np.testing.assert_array_equal(shares(np.array([-3.6, -3.3, -3.1]), -10.0, decimals=0), [-4, -3, -3])
    np.testing.assert_array_equal(shares(np.array([14.0, 17.0, -1.0]), 30.0, decimals=-1), [10, 20, 0])


def test_nothing_is_given_to_what_has_no_part() -> None:
    np.testing.assert_array_equal(shares(np.array([0.0, 0.45, 0.45]), 1.0, decimals=1), [0.0, 0.5, 0.5])
    np.testing.assert_array_equal(shares(np.array([0.0, 1.0]), 2.0, decimals=0), [0.0, 2.0])
    np.testing.assert_array_equal(shares(np.array([0.0, 0.0]), 0.1, decimals=1), [0.1, 0.0])
    assert not np.signbit(shares(np.array([-0.0, -0.01]), -0.01, decimals=1)).any()


def test_what_is_not_known_is_not_shown() -> None:
    found = shares(np.array([[1.0, np.nan], [1.0, 2.0]]), np.array([1.0, 3.0]), decimals=1)
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [1.0, 2.0]])
