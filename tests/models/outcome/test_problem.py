from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from target_problems import make_indicator, make_problem

from features.errors import LoadlineError
from models.outcome.problem import TargetProblem


def test_annual_pairs_each_year_with_the_next() -> None:
    problem = make_problem()
    assert problem.asked == 2018
    np.testing.assert_array_equal(problem.outcome[:-1], problem.base[1:])
    assert np.isnan(problem.outcome[-1]).all()
    assert not problem.known[-1].any()


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_an_earlier_origin_knows_only_outcomes_of_its_time(horizon: int) -> None:
    problem = replace(make_problem(), horizon=horizon)
    past = problem.at(5)
    assert past.asked == problem.years[5]
    known_years = past.years[past.known.any(axis=1)]
    assert known_years.max() == past.asked - horizon


def test_take_keeps_labels_with_figures() -> None:
    problem = make_problem()
    taken = problem.take(np.array([4, 2]))
    assert list(taken.units) == ["u004", "u002"]
    np.testing.assert_array_equal(taken.base, problem.base[:, [4, 2]])
    assert taken.peers is not None
    assert taken.peers.tolist() == [1, 2]
    assert len(problem.last(3).years) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": np.zeros((1, 2))}, "base has shape"),
        ({"peers": np.zeros(3)}, "peers has shape"),
        ({"units": pd.Index(["a", "a"])}, "twice"),
        ({"years": np.array([2001, 2003])}, "consecutive"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, message: str) -> None:
    fields = {
        "indicator": make_indicator(),
        "units": pd.Index(["a", "b"]),
        "years": np.array([2001, 2002]),
        "base": np.ones((2, 2)),
        "outcome": np.ones((2, 2)),
    }
    with pytest.raises(LoadlineError, match=message):
        TargetProblem(**(fields | changes))
