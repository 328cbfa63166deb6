from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from target_problems import KINDS, make_problem

from models.outcome.baselines import BASELINES
from models.outcome.series_baselines import FEWEST_FIGURES, SeriesBaseline, SeriesBudget, series_baselines

SMALL = SeriesBudget(ets=40, arima=4)


@pytest.mark.parametrize("kind", KINDS)
def test_ets_answers_for_every_unit_of_any_kind(kind: str) -> None:
    problem = make_problem(kind, years=10)
    found = series_baselines(SMALL)["auto_ets"](problem, seed=0).predict(problem)
    assert found.known.all()
    assert (np.diff(found.quantile([0.1, 0.5, 0.9]), axis=1) >= 0).all()


def test_arima_keeps_to_its_budget_and_says_of_whom_it_is_silent() -> None:
    problem = make_problem(years=9)
    found = series_baselines(SMALL)["auto_arima"](problem, seed=3).predict(problem)
    assert found.known.sum() == 4
    silent = found.evidence[~found.known]
    assert (silent == "none: not in the sample for AutoARIMA").all()


def test_the_sample_depends_on_labels_and_seed_not_on_order() -> None:
    problem = make_problem(years=9)
    order = np.random.default_rng(0).permutation(len(problem.units))

    def chosen(asked, seed: int) -> set[str]:
        found = series_baselines(SeriesBudget(ets=7, arima=1))["auto_ets"](asked, seed=seed).predict(asked)
        return set(found.units[found.known])

    assert chosen(problem, 1) == chosen(problem.take(order), 1)
    assert chosen(problem, 1) != chosen(problem, 2)


def test_a_steady_trend_is_continued_more_surely_than_by_pooled_growth() -> None:
    problem = make_problem(years=14)
    years = np.arange(14.0)[:, None]
    rng = np.random.default_rng(5)
    slopes = np.linspace(-0.1, 0.3, len(problem.units))
    values = np.exp(5 + years * slopes + 0.01 * rng.standard_normal(problem.base.shape))
    problem = replace(problem, base=values, outcome=np.vstack([values[1:], np.full((1, values.shape[1]), np.nan)]))
    ets = series_baselines(SMALL)["auto_ets"](problem, seed=0).predict(problem)
    pooled = BASELINES["pooled_growth"](problem, seed=0).predict(problem)
    truth = np.exp(5 + 14 * slopes)
    assert np.abs(np.log(ets.quantile(0.5) / truth)).mean() < 0.1 * np.abs(np.log(pooled.quantile(0.5) / truth)).mean()


def test_short_and_broken_series_fall_back_to_own_drift_and_say_so() -> None:
    problem = make_problem(years=9)
    base, outcome = problem.base.copy(), problem.outcome.copy()
    base[: -(FEWEST_FIGURES - 1), 0] = outcome[: -(FEWEST_FIGURES - 1), 0] = np.nan
    base[-1, 1] = np.nan
    problem = replace(problem, base=base, outcome=outcome)
    model = series_baselines(SMALL)["auto_ets"](problem, seed=0)
    assert isinstance(model, SeriesBaseline)
    found, drift = model.predict(problem), model.drift.predict(problem)
    assert list(found.evidence[:2]) == ["own drift, as AutoETS could not be fitted"] * 2
    assert found.quantile(0.5)[:2] == pytest.approx(drift.quantile(0.5)[:2])
    assert found.quantile(0.9)[:2] == pytest.approx(drift.quantile(0.9)[:2], rel=0.01)
    assert str(found.evidence[5]).startswith("AutoETS")


def test_scaling_an_amount_scales_the_forecast() -> None:
    problem = make_problem(years=10)
    scaled = replace(problem, base=1000 * problem.base, outcome=1000 * problem.outcome)
    ask = series_baselines(SMALL)["auto_ets"]
    np.testing.assert_allclose(
        ask(scaled, seed=0).predict(scaled).quantile(0.7),
        1000 * ask(problem, seed=0).predict(problem).quantile(0.7),
        rtol=1e-3,
    )


def test_a_failing_forecaster_breaks_nothing() -> None:
    def fails(series: np.ndarray, horizon: int) -> tuple[float, float]:
        raise RuntimeError("no convergence")

    problem = make_problem()
    model = series_baselines(SMALL)["auto_ets"](problem, seed=0)
    assert isinstance(model, SeriesBaseline)
    model = replace(model, forecaster=fails)
    found = model.predict(problem)
    assert found.known.all()
    assert (found.evidence == "own drift, as AutoETS could not be fitted").all()
