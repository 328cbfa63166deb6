import numpy as np
import pytest
from failing_banks import failing_banks

from models.deterioration.sampling import sampled


def test_few_rows_are_kept_as_they_are():
    problem = failing_banks()
    assert sampled(problem, seed=1) is problem


def test_all_positives_stay_and_the_others_stand_for_those_that_go(monkeypatch):
    monkeypatch.setattr("models.deterioration.sampling.MOST_ROWS", 500)
    problem = failing_banks()
    found = sampled(problem, seed=1)
    assert len(found) == 500
    assert found.positives == problem.positives
    assert (found.weight[found.y == 1] == 1).all()
    assert found.base_rate == pytest.approx(problem.base_rate)
    assert np.array_equal(sampled(problem, seed=1).X, found.X, equal_nan=True)


def test_too_many_positives_are_thinned_too(monkeypatch):
    monkeypatch.setattr("models.deterioration.sampling.MOST_ROWS", 100)
    problem = failing_banks()
    found = sampled(problem, seed=1)
    assert found.positives == 40
    assert found.base_rate == pytest.approx(problem.base_rate)


def test_no_period_is_left_with_positives_only(monkeypatch):
    monkeypatch.setattr("models.deterioration.sampling.MOST_ROWS", 1500)
    quarterly = failing_banks()
    monthly = type(quarterly).of(
        quarterly.X, quarterly.names, y=quarterly.y, period=quarterly.period, unit=quarterly.unit, per_year=12
    )
    found = sampled(monthly, seed=1)
    before = np.array([monthly.y[monthly.period == p].mean() for p in np.unique(monthly.period)])
    after = np.array(
        [
            np.average(found.y[found.period == p], weights=found.weight[found.period == p])
            for p in np.unique(monthly.period)
        ]
    )
    assert np.abs(after - before).max() < 0.1
