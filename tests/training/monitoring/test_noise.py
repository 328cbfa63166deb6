"""What noise alone does: between years, among units of a region, over many columns at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, t

from training.monitoring.noise import adjusted, average, departure


def test_a_year_is_held_against_how_years_differ():
    past = np.array([0.05, 0.07, 0.06])
    found = departure(0.10, past)
    spread = past.std(ddof=1) * np.sqrt(1 + 1 / 3)
    assert found.usual == pytest.approx(0.06)
    assert found.spread == pytest.approx(spread)
    assert found.p == pytest.approx(2 * t.sf(0.04 / spread, 2))
    assert departure(0.02, past).p == pytest.approx(found.p)
    assert departure(0.02, past, sides=1).p > 0.5 > departure(0.10, past, sides=1).p


def test_years_that_stray_from_those_before_them_make_more_usual():
    rising = np.arange(10) * 0.01
    independent = rising.std(ddof=1) * np.sqrt(1.1)
    assert departure(0.10, rising).spread > independent


def test_few_alike_years_do_not_make_every_other_year_unusual():
    alike = np.array([0.050, 0.0501, 0.0499, 0.05, 0.0501])
    assert departure(0.055, alike).p < 0.001
    assert departure(0.055, alike, least=0.005).p > 0.2


def test_without_years_nothing_is_said():
    assert np.isnan(departure(0.1, np.array([0.1])).p)
    assert np.isnan(departure(float("nan"), np.arange(5.0)).p)
    assert departure(1.0, np.ones(5)).p == 1.0
    assert departure(2.0, np.ones(5)).p == 0.0


def test_independent_years_give_uniform_p_values():
    rng = np.random.default_rng(0)
    p = np.array([departure(float(row[-1]), row[:-1]).p for row in rng.normal(size=(4000, 9))])
    assert (p < 0.05).mean() < 0.055
    assert (p < 0.05).mean() > 0.02  # the larger of two spreads is cautious, but not blind


def test_p_values_are_corrected_as_scipy_does():
    p = np.random.default_rng(1).uniform(size=40) ** 3
    np.testing.assert_allclose(adjusted(p), false_discovery_control(p))
    with_gap = adjusted(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(with_gap[[0, 2]], false_discovery_control([0.01, 0.04]))
    assert np.isnan(with_gap[1])


def test_units_that_go_together_count_as_few():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(10), 50)
    hits = (rng.normal(size=10)[groups] + rng.normal(size=500) > 0).astype(float)
    together = average(hits, groups, least_variance=0.25)
    apart = average(hits, np.arange(500), least_variance=0.25)
    assert together.mean == apart.mean
    assert together.error > 3 * apart.error
    assert (together.degrees, together.count) == (9, 500)
    low, high = together.interval(0.05)
    assert low < together.mean < high


def test_the_error_is_at_least_that_of_independent_units():
    perfect = average(np.ones(40), np.arange(40) // 4, least_variance=0.16)
    assert perfect.error == pytest.approx(np.sqrt(0.16 / 40))
    assert perfect.beyond(0.7, 0.92) == pytest.approx(t.sf((1 - 0.92) / perfect.error, 9))


def test_inside_the_limits_is_no_evidence():
    found = average(np.tile([0.0, 1.0, 1.0, 1.0, 1.0], 20), np.arange(100) // 5, least_variance=0.16)
    assert found.beyond(0.7, 0.92) > 0.5
    assert np.isnan(average(np.full(3, np.nan), np.arange(3), least_variance=0.1).beyond(0.1, 0.2))
