"""The record of detectors: right or wrong by episode, against the base rate of the same periods, and how early."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.indicators import Title
from training.warning.labels import NEVER, Labels, Source
from training.warning.track_record import COLUMNS, VERDICTS, onsets, track_record, wilson


def made(y: np.ndarray, *, per_year: int = 1, horizon: tuple[int, int] = (1, 1), source: Source = "given") -> Labels:
    y = y.astype(np.float32)
    return Labels(y, np.where(np.isfinite(y), 0, NEVER), 0, horizon, per_year, source, True, Title(en="n", zh="说"))


def record(fired: np.ndarray, labels: Labels, *, lag: tuple[int, int] = (0, 12)) -> pd.Series:
    table = track_record({"W01": fired}, labels, leaves=np.ones(fired.shape, bool), lags={"W01": lag})
    assert list(table.columns) == list(COLUMNS)
    return table.iloc[0]


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return (np.random.default_rng(4).random((20, 100)) < 0.1).astype(float)


def test_a_detector_that_fires_before_what_happens_holds(truth: np.ndarray) -> None:
    found = record(truth == 1, made(truth))
    assert found["verdict"] == "holds"
    assert found["precision"] == 1
    assert found["lift"] == pytest.approx(1 / found["base_rate"])
    assert found["fired"] == int(truth.sum())
    assert found["units"] == int(truth.any(axis=0).sum())
    assert found["verdict_en"] == VERDICTS["holds"].en
    assert found["verdict_zh"] == VERDICTS["holds"].zh


def test_one_that_fires_at_random_does_not_and_one_that_avoids_it_is_worse(truth: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    assert record(rng.random(truth.shape) < 0.2, made(truth))["verdict"] == "no_better"
    assert record((truth == 0) & (rng.random(truth.shape) < 0.3), made(truth))["verdict"] == "worse"


def test_a_bad_year_does_not_make_a_good_detector() -> None:
    rng = np.random.default_rng(6)
    truth = np.zeros((10, 200))
    truth[4] = rng.random(200) < 0.8
    fired = np.zeros(truth.shape, bool)
    fired[4, ::2] = True
    found = record(fired, made(truth))
    assert found["precision"] > 0.7
    assert found["base_rate"] == pytest.approx(truth[4].mean())
    assert found["verdict"] == "no_better"


def test_what_is_only_slightly_better_is_not_said_to_hold() -> None:
    rng = np.random.default_rng(7)
    truth = (rng.random((40, 400)) < 0.3).astype(float)
    fired = rng.random(truth.shape) < np.where(truth == 1, 0.15, 0.11)
    assert record(fired, made(truth))["verdict"] == "weak"


def test_a_run_of_firing_counts_once_and_unmatured_firings_not_at_all() -> None:
    truth = np.zeros((36, 3))
    truth[-12:] = np.nan
    truth[5:12, 0] = 1
    fired = np.zeros(truth.shape, bool)
    fired[5:9, 0] = fired[11, 0] = True  # two months of silence do not end it
    fired[20, 0] = True
    fired[30, 1] = True
    found = record(fired, made(truth, per_year=12, horizon=(7, 18)))
    assert (found["fired"], found["episodes"], found["matured"], found["hits"]) == (7, 3, 2, 1)
    assert found["verdict"] == "too_few"


def test_lead_is_the_time_from_the_first_firing_to_the_onset() -> None:
    onset, near, far = 30, 7, 18
    truth = np.zeros((60, 2))
    truth[onset - far : onset - near + 6, 0] = 1  # trouble of half a year from the onset on
    labels = made(truth, per_year=12, horizon=(near, far))
    fired = np.zeros(truth.shape, bool)
    fired[onset - 10, 0] = True
    assert record(fired, labels)["lead_months"] == 10
    assert (onsets(labels)[: onset - near + 6, 0] == onset).all()
    assert np.isnan(onsets(labels)[:, 1]).all()


def test_the_onset_of_a_crisis_follows_its_last_positive() -> None:
    truth = np.zeros((10, 1))
    truth[3:5] = 1  # "within two years" of a crisis that starts in 5
    assert onsets(made(truth, horizon=(1, 2)))[4, 0] == 5


def test_a_long_lag_waits_for_later_labels_and_counts_them() -> None:
    truth = np.zeros((12, 30))
    truth[4, :] = 1
    fired = np.zeros(truth.shape, bool)
    fired[2, :] = True
    fired[11, 0] = True
    short, long = record(fired, made(truth)), record(fired, made(truth), lag=(6, 36))
    assert short["hits"] == 0
    assert short["matured"] == 31
    assert long["hits"] == 30
    assert long["matured"] == 30
    assert long["base_rate"] == 1


def test_silence_and_missing_labels_are_said() -> None:
    nothing = np.zeros((5, 5), bool)
    assert record(nothing, made(np.zeros((5, 5))))["verdict"] == "silent"
    unknown = np.full((5, 5), np.nan)
    assert record(~nothing, made(unknown, source="none"))["verdict"] == "unlabelled"


def test_wilson_interval() -> None:
    low, high = wilson(5, 10)
    assert low == pytest.approx(0.269, abs=0.002)
    assert high == pytest.approx(0.731, abs=0.002)
    assert wilson(0, 5)[0] == 0.0
    assert np.isnan(wilson(0, 0)[0])
