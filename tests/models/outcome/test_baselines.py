from __future__ import annotations

import numpy as np
import pytest
from target_problems import KINDS, make_problem

from models.outcome.baselines import BASELINES


@pytest.mark.parametrize("name", sorted(BASELINES))
@pytest.mark.parametrize("kind", KINDS)
def test_every_baseline_gives_a_distribution(name: str, kind: str) -> None:
    problem = make_problem(kind)
    found = BASELINES[name](problem, seed=0).predict(problem)
    ratio = problem.indicator.kind == "ratio"
    signed = kind == "asinh"  # shares of a total that changes sign mean nothing, but must not break
    expected = np.zeros(len(problem.units), bool) if name == "market_share" and ratio else np.ones(31, bool)
    if not (name == "market_share" and signed):
        assert found.known.tolist() == expected.tolist()
    quantiles = found.quantile([0.1, 0.5, 0.9])[found.known]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_pooled_growth_has_the_quantiles_of_all_growth() -> None:
    problem = make_problem(units=200, years=12)
    found = BASELINES["pooled_growth"](problem, seed=0).predict(problem).quantile([0.1, 0.5, 0.9])
    growth = np.log(problem.outcome / problem.base)[problem.known]
    predicted = np.log(found / problem.base[-1][:, None]).mean(axis=0)
    np.testing.assert_allclose(predicted, np.quantile(growth, [0.1, 0.5, 0.9]), atol=0.01)


def test_uniform_uplift_repeats_last_year() -> None:
    problem = make_problem()
    found = BASELINES["uniform_uplift"](problem, seed=0).predict(problem).quantile(0.5)
    last = np.median(np.log(problem.base[-1] / problem.base[-2]))
    np.testing.assert_allclose(np.log(found / problem.base[-1]), last, atol=0.01)


def test_market_share_gives_back_the_usual_share() -> None:
    problem = make_problem()
    found = BASELINES["market_share"](problem, seed=0).predict(problem).quantile(0.5)
    share = (problem.base / problem.base.sum(axis=1, keepdims=True)).mean(axis=0)
    assert np.corrcoef(np.log(found), np.log(share))[0, 1] > 0.9999


def test_own_drift_answers_for_units_it_never_saw() -> None:
    problem = make_problem()
    model = BASELINES["own_drift"](problem.take(np.arange(20)), seed=0)
    assert model.predict(problem).known.all()
