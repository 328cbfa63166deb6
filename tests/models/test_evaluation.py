from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from target_problems import make_indicator, make_problem

from models.baselines import BASELINES
from models.evaluation import backtest_origins, rolling_backtest
from models.problem import TargetProblem
from models.target import TargetModel

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


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
