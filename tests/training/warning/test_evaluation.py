"""Measures of a ranking against scikit-learn's, and the working point."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from training.warning.evaluation import (
    auc,
    auc_within,
    average_precision,
    calibration,
    comparison,
    judged,
    reviewed,
)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.15).astype(float)
    score = np.round(rng.normal(y, 1.0), 1)  # with ties
    return score, y, np.repeat(np.arange(6), 100)


def test_auc_and_average_precision_are_those_of_scikit_learn(drawn) -> None:
    score, y, _ = drawn
    assert auc(score, y) == pytest.approx(roc_auc_score(y, score))
    assert average_precision(score, y) == pytest.approx(average_precision_score(y, score))
    assert np.isnan(auc(score, np.zeros(600)))
    assert np.isnan(average_precision(score, np.zeros(600)))


def test_within_a_period_the_level_of_the_year_does_not_help() -> None:
    period = np.repeat([0, 1], 50)
    y = np.r_[np.zeros(45), np.ones(5), np.zeros(5), np.ones(45)]
    year_only = period.astype(float)
    assert auc(year_only, y) == pytest.approx(0.9)
    assert auc_within(year_only, y, period) == (0.5, 2)
    assert auc_within(year_only, np.zeros(100), period)[1] == 0


def test_of_each_period_the_share_that_ranks_highest_is_reviewed(drawn) -> None:
    score, _, period = drawn
    chosen = reviewed(score, period, budget=0.07)
    assert (np.bincount(period[chosen]) == 7).all()
    for one in range(6):
        at = period == one
        assert score[at & chosen].min() >= score[at & ~chosen].max()
    assert reviewed(np.arange(3.0), np.zeros(3, int)).tolist() == [False, False, True]


def test_hits_false_alarms_and_missed_add_up(drawn) -> None:
    score, y, period = drawn
    score[::7] = np.nan
    found = judged("some", score, y, period, budget=0.1)
    assert found.hits + found.false_alarms == 60
    assert found.hits + found.missed == found.positives == int(y.sum())
    assert found.precision == found.hits / 60
    assert found.recall == found.hits / found.positives
    assert np.isnan(found.brier)
    assert np.isfinite(judged("p", 1 / (1 + np.exp(-score)), y, period, probability=True).brier)


def test_rankings_are_compared_on_the_rows_that_the_first_answers() -> None:
    y = np.array([[0.0, 1.0, np.nan], [1.0, 0.0, 0.0]])
    model = np.array([[0.1, 0.9, 0.5], [np.nan, 0.2, 0.3]])
    table = comparison({"model": model, "other": -model}, y, probabilities=frozenset({"model"}))
    assert table["rows"].tolist() == [4, 4]
    assert table["auc_within"].tolist() == [1.0, 0.0]


def test_stated_probabilities_are_held_against_what_happened() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(float)
    table = calibration(p, y)
    np.testing.assert_allclose(table["stated"], table["happened"], atol=0.03)
    assert table["rows"].sum() == 20_000
    assert len(calibration(np.full(5, np.nan), np.zeros(5))) == 0
