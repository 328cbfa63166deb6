from __future__ import annotations

import numpy as np
import pytest
from target_problems import make_problem

from models.outcome.baselines import Learned
from models.outcome.entry import start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.opinions import ETS, ETS_UNITS, ETS_YEARS, GLOBAL, LEARNERS, POOLED, RECIPE, STEADY, Asked
from models.outcome.problem import TargetProblem
from models.outcome.recipe import Recipe


def asked(problem: TargetProblem, *, shared: GlobalGrowth | None = None) -> Asked:
    learned = Learned.of(problem)
    begin = start(problem, learned.transform, learned.zero, deviation=learned.history.deviation)
    return Asked(problem, begin, Recipe.fit(learned, seed=1), shared)


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("kind", ["log", "logit", "difference", "hurdle"])
def test_every_opinion_is_a_location_and_a_scale(name: str, kind: str) -> None:
    problem = make_problem(kind)
    shared = GlobalGrowth.fit([problem, make_problem("asinh", units=80)], seed=1)
    assert shared is not None
    opinion = LEARNERS[name](asked(problem, shared=shared))
    if name == ETS:
        assert opinion is None  # eight years are too few for it
        return
    assert opinion is not None
    assert opinion.growth.shape == opinion.scale.shape == (len(problem.units),)
    assert np.isfinite(opinion.growth).all()
    assert (opinion.scale > 0).all()
    assert (np.diff(opinion.shock) >= 0).all()
    assert (np.diff(opinion.residual) >= 0).all()


def test_what_sets_the_learners_apart() -> None:
    one = asked(make_problem())
    pooled, recipe, steady = LEARNERS[POOLED](one), LEARNERS[RECIPE](one), LEARNERS[STEADY](one)
    assert pooled is not None
    assert recipe is not None
    assert steady is not None
    assert not pooled.growth.any()
    np.testing.assert_array_equal(steady.growth, recipe.growth)
    np.testing.assert_array_equal(steady.shock, pooled.shock)
    assert LEARNERS[GLOBAL](one) is None


def test_auto_ets_follows_a_trend_where_history_is_long() -> None:
    problem = make_problem(units=8, years=ETS_YEARS + 3, shock=0.01)
    values = problem.base.copy()
    values[:, 0] *= np.exp(0.3 * np.arange(len(values)))  # grows far faster than the others, steadily
    trending = TargetProblem.annual(problem.indicator, problem.years - 1, values, units=problem.units)
    found = LEARNERS[ETS](asked(trending))
    assert found is not None
    assert found.growth[0] > np.median(found.growth) + 0.1
    assert LEARNERS[ETS](asked(make_problem(units=ETS_UNITS + 1, years=ETS_YEARS))) is None
