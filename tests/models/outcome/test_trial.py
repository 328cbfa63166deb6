from __future__ import annotations

import numpy as np
import pytest
from target_problems import make_problem

import models.outcome.trial
from models.judging.calibration import FEWEST_ORIGINS, NEUTRAL
from models.outcome.trial import TRIAL_ORIGINS, past_trial


def test_too_few_years_leave_nothing_to_test() -> None:
    trial = past_trial(make_problem(years=3), seed=1, shared={})
    assert trial.origins == 0
    assert trial.coverage is None
    assert trial.calibration == NEUTRAL


def test_the_record_counts_origins_and_outcomes() -> None:
    problem = make_problem(units=20, years=11)
    trial = past_trial(problem, seed=1, shared={})
    assert trial.origins == TRIAL_ORIGINS
    assert trial.outcomes == 20 * TRIAL_ORIGINS
    assert trial.coverage is not None
    assert 0.5 < trial.coverage <= 1.0
    assert trial.calibration.origins == TRIAL_ORIGINS
    told = {"blend", "ratios", "expected", "origins", "outcomes", "coverage", "by_origin", "by_group"}
    assert set(trial.as_plain()) == told


def test_each_origin_is_kept_and_agrees_with_the_whole() -> None:
    problem = make_problem(units=20, years=11)
    trial = past_trial(problem, seed=1, shared={})
    assert [row["year"] for row in trial.by_origin] == list(problem.years[-TRIAL_ORIGINS - 1 : -1])
    assert sum(row["outcomes"] for row in trial.by_origin) == trial.outcomes
    ratios = np.log([row["loss_ratio"] for row in trial.by_origin])
    assert np.exp(ratios.mean()) == pytest.approx(trial.choice.ratios[trial.choice.blend.name])
    assert np.mean([row["coverage"] for row in trial.by_origin]) == pytest.approx(trial.coverage)
    for row in trial.by_origin:
        assert row["attained"] == sorted(row["attained"]), "what is promised more surely is attained by more"


def test_thirds_by_size_are_kept_and_add_up() -> None:
    problem = make_problem(units=30, years=11)
    trial = past_trial(problem, seed=1, shared={})
    rows = [row for row in trial.by_group if row["dimension"] == "size"]
    assert [row["group"] for row in rows] == ["high", "low", "middle"]
    assert sum(row["outcomes"] for row in rows) == trial.outcomes
    ratios = [row["loss_ratio"] for row in rows]
    assert min(ratios) <= trial.choice.ratios[trial.choice.blend.name] * 1.05
    assert max(ratios) >= trial.choice.ratios[trial.choice.blend.name] * 0.95
    assert past_trial(make_problem(units=12, years=11), seed=1, shared={}).by_group == (), "too few"


def test_few_origins_change_no_width() -> None:
    trial = past_trial(make_problem(years=FEWEST_ORIGINS + 1), seed=1, shared={})
    assert 0 < trial.origins < FEWEST_ORIGINS
    assert (trial.calibration.whole, trial.calibration.own) == (1.0, 1.0)


def test_a_sample_of_units_gives_nearly_the_same_losses_whatever_their_order(monkeypatch) -> None:
    problem = make_problem(units=300, years=6)
    full = past_trial(problem, seed=1, shared={}).choice.ratios
    monkeypatch.setattr(models.outcome.trial, "TRIAL_UNITS", 150)
    one = past_trial(problem, seed=1, shared={}).choice.ratios
    order = np.random.default_rng(0).permutation(300)
    other = past_trial(problem.take(order), seed=1, shared={}).choice.ratios
    for name in full:
        assert abs(one[name] - full[name]) < 0.05
        assert abs(one[name] - other[name]) < 1e-6
