"""False-discovery rates and the cut to the budget."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from models.triage.discovery import cut_to_budget, expected_false, q_values


def test_of_one_period_it_is_benjamini_and_hochberg():
    p = np.random.default_rng(0).beta(0.4, 1.0, (1, 80))

    np.testing.assert_allclose(q_values(p, per_year=1)[0], false_discovery_control(p[0]))


def test_a_year_of_periods_is_taken_together():
    p = np.random.default_rng(1).beta(0.4, 1.0, (30, 40))

    q = q_values(p, per_year=12)

    np.testing.assert_allclose(q[20], false_discovery_control(p[9:21].ravel()).reshape(12, 40)[-1])
    np.testing.assert_array_equal(q[:20], q_values(p[:20], per_year=12))


def test_of_what_is_listed_no_more_than_the_level_is_chance():
    rng = np.random.default_rng(2)
    p = rng.random((120, 200))
    wrong = rng.random(p.shape) < 0.05
    p[wrong] = rng.random(wrong.sum()) * 1e-3

    listed = q_values(p, per_year=12) <= 0.2

    assert (~wrong[listed]).mean() <= 0.22
    assert listed[wrong].mean() > 0.9


def test_chance_alone_lists_next_to_nobody():
    p = np.random.default_rng(3).random((240, 100))

    assert (q_values(p, per_year=12) <= 0.2).mean() < 0.001


def test_what_is_not_known_has_no_rate():
    p = np.array([[0.01, np.nan, 0.5], [np.nan, np.nan, np.nan]])

    q = q_values(p, per_year=1)

    assert np.isnan(q[0]).tolist() == [False, True, False]
    assert np.isnan(q[1]).all()


def test_probabilities_tell_what_part_of_a_list_is_false():
    false = expected_false(np.array([[0.9, 0.5, np.nan, 0.1, 0.5]]))[0]

    assert false[0] == pytest.approx(0.1)
    assert false[1] == false[4] == pytest.approx((0.1 + 0.5 + 0.5) / 3)
    assert np.isnan(false[2])
    assert false[3] == pytest.approx(0.5)


def test_no_more_than_the_budget_stays_and_the_highest_do():
    score = np.tile(np.arange(40.0), (2, 1))
    chosen = np.zeros((2, 40), dtype=bool)
    chosen[0, 10:] = True
    chosen[1, 3] = True
    everyone = np.ones((2, 40), dtype=bool)

    listed = cut_to_budget(chosen, score, everyone, budget=0.05)

    assert np.flatnonzero(listed[0]).tolist() == [38, 39]
    assert np.flatnonzero(listed[1]).tolist() == [3]
    assert not cut_to_budget(chosen, score, everyone, budget=0.0).any()


def test_seventeen_units_may_have_one_on_the_list():
    chosen = np.ones((1, 17), dtype=bool)

    assert cut_to_budget(chosen, np.arange(17.0)[None], chosen, budget=0.05).sum() == 1


@pytest.mark.parametrize(("budget", "places"), [(0.29, 29), (0.05, 5), (0.055, 5), (0.001, 1), (0.0, 0)])
def test_the_budget_is_whole_units_and_at_least_one(budget, places):
    every = np.ones((1, 100), dtype=bool)

    assert cut_to_budget(every, np.random.default_rng(4).random((1, 100)), every, budget=budget).sum() == places
