import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from models.deterioration.judging import (
    area_under_curve,
    area_within,
    average_precision,
    calibration_table,
    log_loss,
    working_point,
)


def drawn(seed: int = 0, rows: int = 600):
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(0, 1, rows), 1)
    y = (rng.random(rows) < 1 / (1 + np.exp(2 - score))).astype(int)
    return y, score, rng.uniform(0.5, 3, rows), rng.integers(0, 6, rows)


def test_areas_and_precision_agree_with_scikit_learn_ties_and_weights_included():
    y, score, weight, _ = drawn()
    assert area_under_curve(y, score, weight) == pytest.approx(roc_auc_score(y, score, sample_weight=weight))
    assert average_precision(y, score, weight) == pytest.approx(average_precision_score(y, score, sample_weight=weight))


def test_an_area_within_periods_does_not_measure_the_period():
    y, _, weight, period = drawn()
    rate = np.bincount(period, y) / np.bincount(period)
    assert area_under_curve(y, rate[period], weight) > 0.5
    assert area_within(y, rate[period], weight, period) == pytest.approx(0.5)


def test_without_positives_there_is_nothing_to_measure():
    y, score, weight, period = drawn()
    assert np.isnan(area_under_curve(0 * y, score, weight))
    assert np.isnan(area_within(0 * y, score, weight, period))
    assert np.isnan(average_precision(0 * y, score, weight))


def test_log_loss_is_lowest_for_the_rate_itself():
    y = np.array([1, 0, 0, 0])
    losses = [log_loss(y, np.full(4, rate), np.ones(4)) for rate in (0.2, 0.25, 0.3)]
    assert min(losses) == losses[1]


def test_the_working_point_counts_the_highest_of_each_period():
    period = np.repeat([0, 1], 40)
    probability = np.tile(np.arange(40) / 40, 2)
    y = np.zeros(80, int)
    y[39] = y[78] = y[0] = 1
    found = working_point(y, probability, np.ones(80), period)
    assert (found["reviewed"], found["hits"], found["false_alarms"]) == (4, 2, 2)
    assert found["precision"] == 0.5
    assert found["recall"] == pytest.approx(2 / 3)


def test_the_calibration_table_holds_every_row_once_and_shows_what_is_off():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.01, 0.4, 20_000)
    y = (rng.random(len(p)) < p).astype(int)
    table = calibration_table(y, p, np.ones(len(p)))
    assert sum(row["rows"] for row in table) == len(p)
    assert max(abs(row["predicted"] - row["observed"]) for row in table) < 0.05
    off = calibration_table(y, p / 2, np.ones(len(p)))
    assert all(row["observed"] > row["predicted"] for row in off)
