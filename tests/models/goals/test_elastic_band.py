"""The elastic band holds its target and narrows with evidence."""

from __future__ import annotations

import numpy as np
import pytest
from goal_trees import distribution_of
from hypothesis import given
from hypothesis import strategies as st

from models.goals.elastic_band import HALF_WIDTH, band_half_width, elastic_band


@given(st.integers(0, 40))
def test_it_narrows_with_every_year(years: int) -> None:
    fewer, more = band_half_width(np.array([years, years + 1]))
    assert 0 < more < fewer <= HALF_WIDTH


@pytest.mark.parametrize("kind", ["log", "logit", "hurdle", "asinh"])
@pytest.mark.parametrize("probability", [0.85, 0.6, 0.2])
def test_it_holds_the_target_at_every_level(kind: str, probability: float) -> None:
    found = distribution_of(kind)
    target = found.value_at(probability)
    wide = elastic_band(found, target, own_years=np.zeros(31))
    narrow = elastic_band(found, target, own_years=np.full(31, 10))
    for low, high in (wide, narrow):
        assert np.all((low <= target) & (target <= high))
    assert np.all(narrow[0] >= wide[0])
    assert np.all(narrow[1] <= wide[1])
    assert np.mean(narrow[1] - narrow[0]) < 0.6 * np.mean(wide[1] - wide[0])


def test_it_is_as_wide_in_probability_as_it_says() -> None:
    found = distribution_of()
    low, high = elastic_band(found, found.value_at(0.6), own_years=np.full(31, 6))
    np.testing.assert_allclose(found.attain(low) - 0.6, 0.075, atol=1e-6)
    np.testing.assert_allclose(0.6 - found.attain(high), 0.075, atol=1e-6)


def test_nothing_is_said_without_a_target() -> None:
    found = distribution_of()
    low, high = elastic_band(found, np.full(31, np.nan), own_years=np.zeros(31))
    assert np.isnan(low).all()
    assert np.isnan(high).all()
