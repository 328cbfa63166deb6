from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scoring.exact import BEYOND, as_fractions, half_up, quotient, quotient_divisor, rounded, scale_of

DECIMALS = st.integers(-(10**9), 10**9).map(lambda x: x / 10**3)


@pytest.mark.parametrize(
    ("value", "whole"),
    [("0", 0), ("0.5", 1), ("-0.5", -1), ("0.499999999999999999999", 0), ("1.5", 2), ("-2.5", -3), ("-2.4", -2)],
)
def test_halves_go_away_from_zero(value, whole):
    assert half_up(Fraction(value)) == whole


def test_figures_are_the_decimals_that_they_are_written_as():
    found = as_fractions(np.array([0.1, -2.675, 1e12, np.nan, np.inf]))
    assert found.tolist() == [Fraction(1, 10), Fraction(-2675, 1000), Fraction(10**12), 0, 0]


@pytest.mark.parametrize(
    ("figure", "scale"),
    [
        *((0.0, 1), (3.0, 1), (-0.5, 10), (92.345, 1000), (1e-6, 1e6), (1e-7, np.inf), (1e12, 1), (1e12 + 0.5, 10)),
        *((1e15, np.inf), (123456789.123456, 1e6), (1234567890.123456, np.inf), (np.nan, np.inf)),
    ],
)
def test_decimals_of_a_figure(figure, scale):
    assert scale_of(np.array([figure]))[0] == scale


@given(DECIMALS, DECIMALS.filter(bool))
def test_the_denominator_of_a_quotient_is_bounded(above, below):
    exact = Fraction(str(above)) / Fraction(str(below))
    assert exact.denominator <= quotient_divisor(np.array([above]), np.array([below]))[0]


def test_dividing_by_nothing_is_beyond_any_limit():
    with np.errstate(divide="ignore"):
        assert quotient(1.0, np.array([0.0, 2.0]), float).tolist() == [np.inf, 0.5]
    assert quotient(Fraction(1), as_fractions(np.array([0.0, 2.0])), Fraction).tolist() == [BEYOND, Fraction(1, 2)]


def in_stages(value: float, error: float, divisor: float, exact: str) -> tuple[int, bool]:
    """Round one value; tells also whether fractions were asked."""
    asked = []

    def exactly(rows):
        asked.append(rows)
        return np.array([Fraction(exact)], dtype=object)

    values = np.array([value])
    found = rounded(values, error, divisor=lambda rows: np.full(len(rows), divisor), exactly=exactly)
    return int(found[0]), bool(asked)


def test_rounding_asks_only_where_it_must():
    # Far from a half: nothing is asked, so what the fraction would say is not seen.
    assert in_stages(92.344, 1e-9, np.inf, "0") == (9234, False)
    # Next to a half, and no other ratio of so small a denominator is near: it is the half.
    assert in_stages(92.345 - 1e-11, 1e-10, 1000, "0") == (9235, False)
    assert in_stages(-92.345 + 1e-11, 1e-10, 1000, "0") == (-9235, False)
    # Next to a half, and other ratios may be nearer than the error.
    assert in_stages(92.345, 1e-10, 1e9, "92.3449999999") == (9234, True)
    assert in_stages(92.345, 1e-10, np.inf, "92.345") == (9235, True)
    assert in_stages(-92.345, 1e-10, np.nan, "-92.345") == (-9235, True)
    # Nothing known of the error.
    assert in_stages(50.0, np.inf, 1, "12.3") == (1230, True)
    assert in_stages(50.0, np.nan, 1, "12.3") == (1230, True)
