from __future__ import annotations

import json
from dataclasses import replace

import lightgbm
import numpy as np
import pandas as pd
import pytest
from target_problems import KINDS, growing_values, make_indicator, make_problem

from features.errors import LoadlineError
from models.judging.calibration import NEUTRAL
from models.judging.evaluation import rolling_backtest
from models.outcome.baselines import BASELINES
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel

QUANTILES = [0.05, 0.2, 0.5, 0.8, 0.95]
SIZES = [*((kind, 31) for kind in KINDS), ("log", 100)]  # only the last has enough years of units for trees


def predicted(problem: TargetProblem) -> np.ndarray:
    return TargetModel.fit(problem, seed=1).predict(problem).quantile(QUANTILES)


@pytest.mark.parametrize(("kind", "units"), SIZES)
def test_parts_make_the_same_model_again(kind: str, units: int) -> None:
    problem = make_problem(kind, units=units)
    model = TargetModel.fit(problem, seed=1)
    parts = model.to_parts()
    assert bool(parts["texts"]) is (units == 100)
    parts["meta"] = json.loads(json.dumps(parts["meta"], allow_nan=False))
    again = TargetModel.from_parts(parts)
    np.testing.assert_array_equal(
        model.predict(problem).quantile(QUANTILES), again.predict(problem).quantile(QUANTILES)
    )
    assert model.predict(problem).evidence.tolist() == again.predict(problem).evidence.tolist()


def test_a_model_corrected_by_past_years_is_the_same_again() -> None:
    problem = make_problem(years=10)
    model = TargetModel.fit(problem, seed=1)
    assert model.calibration.whole != 1.0
    again = TargetModel.from_parts(model.to_parts())
    assert again.calibration == model.calibration
    plain = replace(model, calibration=NEUTRAL).predict(problem).quantile(QUANTILES)
    np.testing.assert_array_equal(
        again.predict(problem).quantile(QUANTILES), model.predict(problem).quantile(QUANTILES)
    )
    assert not np.allclose(plain, again.predict(problem).quantile(QUANTILES))


def test_parts_of_another_format_are_refused() -> None:
    parts = TargetModel.fit(make_problem(), seed=1).to_parts()
    parts["meta"]["format"] = 0
    with pytest.raises(LoadlineError, match="format"):
        TargetModel.from_parts(parts)


@pytest.mark.parametrize(("kind", "units"), SIZES)
def test_order_and_labels_of_units_do_not_matter(kind: str, units: int) -> None:
    problem = make_problem(kind, units=units)
    order = np.random.default_rng(5).permutation(units)
    one, other = predicted(problem), predicted(problem.take(order))
    np.testing.assert_allclose(one[order], other, rtol=1e-6, atol=1e-9)
    renamed = replace(problem, units=pd.Index([f"branch {number}" for number in range(units)]))
    np.testing.assert_array_equal(one, predicted(renamed))


@pytest.mark.parametrize("kind", ["log", "difference", "asinh", "hurdle"])
def test_a_thousandth_of_the_unit_of_measurement_is_a_thousand_times_the_target(kind: str) -> None:
    problem = make_problem(kind)
    scaled = replace(problem, base=1000 * problem.base, outcome=1000 * problem.outcome)
    np.testing.assert_allclose(1000 * predicted(problem), predicted(scaled), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_changes_nothing(kind: str) -> None:
    problem = make_problem(kind)
    changed = replace(problem, base=problem.base.copy(), outcome=problem.outcome.copy())
    changed.base[6:] *= 3
    changed.outcome[5:] *= 3
    np.testing.assert_array_equal(predicted(problem.at(5)), predicted(changed.at(5)))


def test_seeded_fits_are_equal() -> None:
    problem = make_problem(units=100)
    np.testing.assert_array_equal(predicted(problem), predicted(problem))


def test_trees_are_saved_as_text() -> None:
    text = TargetModel.fit(make_problem(units=100), seed=1).to_parts()["texts"]["relative.lgb.txt"]
    assert lightgbm.Booster(model_str=text).num_trees() > 0


def test_units_without_history() -> None:
    problem = make_problem()
    base, outcome = problem.base.copy(), problem.outcome.copy()
    base[:, 0] = np.nan  # never observed
    base[:-1, 1] = np.nan  # joined last year
    base[-1, 2] = np.nan  # last figure a year too old
    base[2:, 3] = np.nan  # long gone
    outcome[:-1] = base[1:]
    problem = replace(problem, base=base, outcome=outcome)
    found = TargetModel.fit(problem, seed=1).predict(problem)
    assert found.known[:5].tolist() == [False, True, True, False, True]
    assert found.low_evidence[:5].tolist() == [True, True, True, True, False]
    assert found.evidence[0] == "none: never observed"
    assert found.evidence[1].startswith("low: 0 own years")
    assert found.evidence[2].startswith("low: last figure 1 year too old")
    assert found.evidence[3].startswith("none: not observed in the last")
    assert found.evidence[4].endswith("7 years, 7 own")
    assert np.isnan(found.quantile(0.5)[[0, 3]]).all()
    assert np.isnan(found.attain(100.0)[[0, 3]]).all()
    assert np.isnan(found.sample(3, seed=0)[:, [0, 3]]).all()
    settled = np.median(found.spread.scale[4:])
    assert found.spread.scale[1] > settled


def test_zero_balances_are_an_event_of_their_own() -> None:
    problem = make_problem("hurdle")
    found = TargetModel.fit(problem, seed=1).predict(problem)
    at_zero = problem.base[-1] == 0
    assert at_zero.any()
    assert found.known.all()
    assert ((found.zero > 0) & (found.zero < 1)).all()
    assert all(text.startswith("low: last figure is zero") for text in found.evidence[at_zero])


def test_a_merger_does_not_widen_the_others() -> None:
    values = growing_values()
    merged = values.copy()
    merged[4:, 0] *= 40
    problem = make_problem()
    plain = TargetProblem.annual(problem.indicator, problem.years - 1, values, units=problem.units)
    jump = TargetProblem.annual(problem.indicator, problem.years - 1, merged, units=problem.units)
    width = [np.diff(np.log(predicted(p)[1:, [1, 3]])).ravel() for p in (plain, jump)]
    assert np.median(width[1] / width[0]) < 1.15


@pytest.mark.parametrize(("years", "units"), [(1, 5), (2, 5), (3, 5), (8, 1), (8, 2), (4, 3)])
def test_tiny_problems_have_answers_or_say_why_not(years: int, units: int) -> None:
    problem = make_problem(units=units, years=years)
    found = TargetModel.fit(problem, seed=1).predict(problem)
    json.dumps(TargetModel.fit(problem, seed=1).to_parts()["meta"], allow_nan=False)
    if years == 1:
        assert set(found.evidence) == {"none: no growth observed yet"}
        assert np.isnan(found.quantile(0.5)).all()
    else:
        low, middle, high = found.quantile([0.1, 0.5, 0.9]).T
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_a_panel_that_never_moves_has_a_certain_outcome() -> None:
    units = pd.Index(list("abcdefgh"))
    problem = TargetProblem.annual(make_indicator(), np.arange(2010, 2016), np.full((6, 8), 7.0), units=units)
    np.testing.assert_allclose(predicted(problem), 7.0, rtol=1e-6)


def test_two_years_are_too_few_to_test_the_recipe() -> None:
    problem = make_problem(years=3)
    model = TargetModel.fit(problem, seed=1)
    assert model.weight == 0
    assert model.test["origins"] == 0
    assert "too few years to test the recipe" in model.predict(problem).evidence[0]


def test_pure_noise_falls_back_to_pooled_growth() -> None:
    rng = np.random.default_rng(4)
    values = np.exp(np.cumsum(0.1 * rng.standard_normal((7, 300)), axis=0) + 5)
    units = pd.Index(np.arange(300).astype(str))
    problem = TargetProblem.annual(make_indicator(), np.arange(2010, 2017), values, units=units)
    model = TargetModel.fit(problem, seed=1)
    assert all(ratio > 0.98 for ratio in model.test["ratios"].values())


def test_beats_pooled_growth_out_of_sample_and_covers_what_it_says() -> None:
    problem = make_problem(units=60, years=12, seed=7, shock=0.01)
    table = rolling_backtest(
        problem, {"target": TargetModel.fit, "pooled": BASELINES["pooled_growth"]}, origins=[5, 8, 10]
    )
    loss = table.groupby("model")["loss"].mean().to_dict()
    coverage = table.groupby("model")["coverage"].mean().to_dict()
    assert loss["target"] < 0.95 * loss["pooled"]
    assert 0.7 < coverage["target"] < 0.92


def test_a_longer_horizon_learns_from_what_was_known_then() -> None:
    annual = make_problem(years=10)
    values = annual.base
    problem = replace(
        annual,
        years=annual.years + 1,
        outcome=np.concatenate([values[2:], np.full((2, values.shape[1]), np.nan)]),
        horizon=2,
    )
    near = TargetModel.fit(annual, seed=1).predict(annual).quantile([0.1, 0.5, 0.9])
    far = TargetModel.fit(problem, seed=1).predict(problem).quantile([0.1, 0.5, 0.9])
    assert np.median(far[:, 1] / near[:, 1]) > 1.02
    assert np.median(np.log(far[:, 2] / far[:, 0])) > np.median(np.log(near[:, 2] / near[:, 0]))
