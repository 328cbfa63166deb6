"""Drift of columns, where years have luck of their own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from training.monitoring.drift import Column, chance_index, distance, drifts, stability_index


def column(name: str = "GROWTH", *, seed: int = 0, units: int = 2000, years: int = 12, newest: float = 0.0) -> Column:
    """Make growth of units that share a shock in each year; the newest year is moved by some shocks' deviations."""
    rng = np.random.default_rng(seed)
    shock = rng.normal(0, 0.03, years)
    shock[-1] += 0.03 * newest
    return Column(name, shock[:, None] + rng.normal(0, 0.05, (years, units)), np.arange(years) < years - 1)


def test_the_luck_of_a_year_is_no_drift_though_every_test_of_units_rejects():
    rejected = flagged = 0
    for seed in range(60):
        one = column(seed=seed)
        rejected += ks_2samp(one.values[-1], one.values[:-1].ravel()).pvalue < 0.01
        (row,) = drifts([one], least_years=5)
        flagged += row["adjusted_p"] < 0.05
    assert rejected > 50
    assert flagged <= 6


def test_a_year_out_of_all_luck_is_drift():
    rows = drifts([column(newest=8.0), *(column(f"C{k}", seed=k + 1) for k in range(9))], least_years=5)
    assert rows[0]["name"] == "GROWTH"
    assert rows[0]["adjusted_p"] < 0.02
    assert rows[0]["material"]
    assert rows[0]["psi"] > rows[0]["usual_psi"]
    assert all(row["adjusted_p"] > 0.02 for row in rows[1:])


def test_units_that_spread_apart_are_drift_though_their_middle_stays():
    one = column()
    one.values[-1] = np.median(one.values[-1]) + 3 * (one.values[-1] - np.median(one.values[-1]))
    (row,) = drifts([one], least_years=5)
    assert row["adjusted_p"] < 0.01
    assert row["spread"] > 2 * row["usual_spread"]


def test_a_few_units_are_not_taken_for_a_shift():
    flagged = [
        row["adjusted_p"] < 0.02 and row["material"]
        for seed in range(100)
        for row in drifts([column(seed=seed, units=12)], least_years=5)
    ]
    assert sum(flagged) <= 5


@pytest.mark.parametrize(("years", "units"), [(5, 100), (12, 5)])
def test_too_few_years_or_units_say_nothing(years, units):
    (row,) = drifts([column(years=years, units=units)], least_years=5)
    assert np.isnan(row["p"])
    assert not row["material"]


def test_only_years_that_were_learned_from_count():
    one = column(years=12)
    learned = one.learned.copy()
    learned[6:] = False
    (row,) = drifts([Column("A", one.values, learned)], least_years=5)
    assert row["years"] == 6
    one.values[6:11] += 99.0
    (again,) = drifts([Column("A", one.values, learned)], least_years=5)
    assert again == row


def test_missing_figures_do_not_count():
    one = column()
    holed = one.values.copy()
    holed[:, ::3] = np.nan
    (row,) = drifts([Column("A", holed, one.learned)], least_years=5)
    assert row["units"] == int(np.isfinite(holed[-1]).sum())
    assert np.isfinite(row["p"])


def test_a_column_that_never_moves_does_not_drift():
    still = Column("A", np.ones((12, 50)), np.arange(12) < 11)
    (row,) = drifts([still], least_years=5)
    assert row["p"] == 1.0
    still.values[-1] = 2.0
    (moved,) = drifts([still], least_years=5)
    assert moved["p"] == 0.0


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(3)
    first, second = np.sort(rng.normal(size=300)), np.sort(rng.normal(0.3, 1.2, 500))
    assert distance(first, second) == pytest.approx(ks_2samp(first, second).statistic)


def test_chance_alone_gives_the_index_that_is_allowed_for():
    rng = np.random.default_rng(4)
    found = [stability_index(np.sort(rng.normal(size=100)), np.sort(rng.normal(size=1000))) for _ in range(300)]
    assert np.mean(found) == pytest.approx(chance_index(100, 1000), rel=0.15)


def test_a_single_past_year_gives_no_chance_however_low_the_least():
    (row,) = drifts([column(years=2)], least_years=1)
    assert np.isnan(row["p"])
