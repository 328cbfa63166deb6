from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.outcome.spread import PROBABILITIES, Spread, even_probabilities

NORMAL = np.sort(np.random.default_rng(3).standard_normal(200))


def spread(scale: list[float]) -> Spread:
    return Spread(np.linspace(-0.1, 0.2, 41), NORMAL, np.array(scale))


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=6), st.floats(0.001, 0.999))
@settings(max_examples=30, deadline=None)
def test_cdf_undoes_quantile(scale: list[float], probability: float) -> None:
    found = spread(scale)
    value = found.quantile(np.full(len(scale), probability))
    shares = found.cdf(value)
    assert (shares >= probability - 1e-9).all()
    # A unit without any residual has the shock's few points as its only outcomes.
    np.testing.assert_allclose(shares[found.scale > 0.05], probability, atol=1e-6)


def test_quantiles_are_those_of_the_sum() -> None:
    found = spread([0.05, 0.4, 2.0])
    for place, scale in enumerate(found.scale):
        exact = np.quantile((found.shock[:, None] + scale * NORMAL).ravel(), [0.1, 0.5, 0.9])
        mine = [found.quantile(np.full(3, q))[place] for q in (0.1, 0.5, 0.9)]
        np.testing.assert_allclose(mine, exact, atol=0.01 * (exact[-1] - exact[0]))


def test_draws_agree_with_the_quantiles() -> None:
    found = spread([0.1, 1.0])
    rng = np.random.default_rng(0)
    draws = found.draw(rng.standard_normal((20_000, 2)), rng.standard_normal(20_000))
    for q in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(np.mean(draws <= found.quantile(np.full(2, q)), axis=0), q, atol=0.01)


def test_a_unit_without_a_scale_does_not_disturb_the_others() -> None:
    np.testing.assert_array_equal(
        spread([0.1, np.nan, 1.0]).quantile(np.full(3, 0.7))[[0, 2]], spread([0.1, 1.0]).quantile(np.full(2, 0.7))
    )


def test_probabilities_are_symmetric_and_hold_the_median() -> None:
    np.testing.assert_allclose(PROBABILITIES + PROBABILITIES[::-1], 1)
    assert 0.5 in PROBABILITIES
    assert even_probabilities(4).tolist() == [0.125, 0.375, 0.625, 0.875]


@given(st.lists(st.floats(0.01, 5.0), min_size=2, max_size=8), st.floats(0.001, 0.999))
@settings(max_examples=30, deadline=None)
def test_units_taken_out_of_many_keep_their_quantiles(scale: list[float], probability: float) -> None:
    whole = spread(scale)
    columns = np.arange(len(scale))[1::2][::-1]
    part = whole.take(columns)
    asked = np.full(len(scale), probability)
    np.testing.assert_array_equal(part.quantile(asked[columns]), whole.quantile(asked)[columns])
    np.testing.assert_array_equal(part.take(np.array([0])).quantile(asked[:1]), whole.quantile(asked)[columns[:1]])
