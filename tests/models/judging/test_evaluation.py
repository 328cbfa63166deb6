from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from target_problems import make_indicator, make_problem

from models.judging.evaluation import against, answers_at, backtest_origins, rolling_backtest
from models.outcome.baselines import BASELINES
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def test_origins_have_enough_years_behind_them() -> None:
    problem = make_problem(years=8)
    assert backtest_origins(problem) == [3, 4, 5, 6]
    assert backtest_origins(problem, fewest=6) == [6]


def test_the_table_is_tidy() -> None:
    problem = make_problem()
    table = rolling_backtest(problem, BASELINES, origins=[4, 6])
    assert len(table) == 2 * len(BASELINES)
    assert set(table.year) == {int(problem.years[4]), int(problem.years[6])}
    assert (table.n == len(problem.units)).all()
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)


def test_what_comes_after_an_origin_does_not_change_its_row() -> None:
    problem = make_problem()
    table = rolling_backtest(problem, BASELINES, origins=[4])
    shorter = rolling_backtest(problem.at(5), BASELINES, origins=[4])
    metrics = ["coverage", "pit", "attained_target"]
    np.testing.assert_allclose(table[metrics], shorter[metrics])


def test_a_model_that_answers_for_some_is_compared_on_those_alone() -> None:
    problem = make_problem()

    def pooled_for_some(past: TargetProblem, *, seed: int):
        class Some:
            def predict(self, asked: TargetProblem):
                found = BASELINES["pooled_growth"](past, seed=seed).predict(asked)
                return replace(found, location=np.where(np.arange(31) < 7, found.location, np.nan))

        return Some()

    models = {"all": BASELINES["pooled_growth"], "some": pooled_for_some}
    answers = answers_at(problem, models, row=6)
    compared = against(answers["some"].units, answers["all"].units)
    assert compared == {"common": 7, "loss_ratio": 1.0, "relative_loss_ratio": 1.0}
    assert answers["some"].units.mean()["loss"] != answers["all"].units.mean()["loss"]
    nothing = against(answers["some"].units, answers["all"].units, np.arange(31) > 20)
    assert nothing["common"] == 0
    assert np.isnan(nothing["loss_ratio"])


def test_averages_over_chosen_units_are_those_of_the_units() -> None:
    problem = make_problem()
    scores = answers_at(problem, {"own": BASELINES["own_drift"]}, row=6)["own"].units
    chosen = np.arange(31) % 2 == 0
    assert scores.mean(chosen)["n"] == 16
    assert scores.mean(chosen)["loss"] == pytest.approx(scores.scores["loss"][chosen].mean())
    assert scores.mean(np.zeros(31, dtype=bool)) == {"n": 0}


@pytest.mark.parametrize("window", [(2003, 2008), (2011, 2016)])
def test_six_years_of_real_lending(window: tuple[int, int]) -> None:
    folder = DATA / "us-state-lending"
    if not folder.exists():
        pytest.skip("the us-state-lending dataset is not beside the project")
    seen = pd.read_csv(folder / "observations.csv.gz")
    seen = seen[(seen.indicator == "AUTO_BALANCE") & seen.period.between(window[0], window[1] + 1)]
    wide = seen.pivot_table(index="period", columns="unit", values="value")
    problem = TargetProblem.annual(make_indicator(), wide.index.to_numpy(), wide.to_numpy(), units=wide.columns)
    models = {"target": TargetModel.fit, "pooled": BASELINES["pooled_growth"]}
    table = rolling_backtest(problem, models, origins=[5]).set_index("model")
    assert table.loc["target", "n"] == 51
    assert table.loc["target", "loss"] < table.loc["pooled", "loss"]
