"""What is usual, learned from the bulk of the past."""

import numpy as np
import pytest
from scipy.special import ndtr

from models.triage.empirical_null import LEAST_POOL, against_usual


def _everyone(x: np.ndarray) -> np.ndarray:
    return np.ones(x.shape, dtype=bool)


def test_centre_and_scale_of_the_bulk_are_taken_out():
    x = 7.0 + 3.0 * np.random.default_rng(1).standard_normal((40, 300))

    z = against_usual(x, _everyone(x), per_year=12)

    assert np.nanmean(z) == pytest.approx(0.0, abs=0.05)
    assert (ndtr(-z[12:]) < 0.01).mean() == pytest.approx(0.01, abs=0.004)


def test_a_few_that_stand_out_do_not_widen_what_is_usual():
    x = np.random.default_rng(2).standard_normal((36, 400))
    crowded = x.copy()
    crowded[:, :12] += 8.0  # three in a hundred

    z, quiet = against_usual(crowded, _everyone(x), per_year=12), against_usual(x, _everyone(x), per_year=12)

    assert np.nanmean(z[:, :12]) > 6.0
    assert np.nanmax(np.abs(z[3:, 12:] - quiet[3:, 12:])) < 0.5


@pytest.mark.parametrize("units", [60, 5000])
def test_later_rows_do_not_change_earlier_ones(units):
    x = np.random.default_rng(3).standard_normal((40, units))

    whole, cut = against_usual(x, _everyone(x), per_year=12), against_usual(x[:20], _everyone(x[:20]), per_year=12)

    np.testing.assert_array_equal(whole[:20], cut)


def test_nothing_is_said_before_there_is_enough_to_compare_with():
    few = np.random.default_rng(4).standard_normal((6, 10))

    assert np.isnan(against_usual(few, _everyone(few), per_year=1)).all()
    many = np.random.default_rng(5).standard_normal((5, LEAST_POOL))
    said = np.isfinite(against_usual(many, _everyone(many), per_year=12)).any(axis=1)
    assert said.tolist() == [False, False, True, True, True]  # a quarter of a year first


def test_small_datasets_reach_back_as_far_as_they_can():
    x = np.random.default_rng(6).standard_normal((40, 17))

    assert np.isfinite(against_usual(x, _everyone(x), per_year=1)[-1]).all()


def test_only_candidates_are_judged_and_compared_with():
    x = np.random.default_rng(7).standard_normal((20, 200))
    x[:, 100:] += 50.0
    leaf = _everyone(x)
    leaf[:, 100:] = False

    z = against_usual(x, leaf, per_year=4)

    assert np.isnan(z[:, 100:]).all()
    assert np.nanmean(z[:, :100]) == pytest.approx(0.0, abs=0.1)


def test_figures_that_never_move_say_nothing():
    assert np.isnan(against_usual(np.zeros((10, 200)), np.ones((10, 200), dtype=bool), per_year=4)).all()


def test_large_banks_are_sampled_without_losing_the_scale():
    x = np.random.default_rng(8).standard_normal((36, 9000))

    z = against_usual(x, _everyone(x), per_year=12)

    np.testing.assert_allclose(z[-1], x[-1], atol=0.15)


def test_units_that_come_later_change_nothing_of_what_was_before():
    x = np.random.default_rng(8).normal(size=(60, 2_100))
    later = np.arange(x.shape[1]) % 21 == 0
    there = np.broadcast_to(~later | (np.arange(60) >= 50)[:, None], x.shape)

    whole = against_usual(x, there, per_year=12)
    before = against_usual(x[:50, ~later], there[:50, ~later], per_year=12)

    np.testing.assert_array_equal(whole[:50, ~later], before)
