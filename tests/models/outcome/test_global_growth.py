from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
from target_problems import make_indicator, make_problem

from models.outcome.global_growth import GlobalGrowth, rolling_growth
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel

QUANTILES = [0.05, 0.5, 0.95]


def reverting(code: str, *, seed: int, units: int = 60, years: int = 9) -> TargetProblem:
    """Make an indicator whose units fall back to their level: something to be learned across indicators."""
    rng = np.random.default_rng(seed)
    level = rng.normal(3, 1, units)
    values = np.exp(level + 0.2 * rng.standard_normal((years, units)))
    one = make_problem(units=units)
    return TargetProblem.annual(make_indicator(code=code), np.arange(2010, 2010 + years), values, units=one.units)


PROBLEMS = [reverting(code, seed=seed) for seed, code in enumerate(("A", "B", "C"))]


def test_one_indicator_has_nothing_to_share() -> None:
    assert GlobalGrowth.fit(PROBLEMS[:1], seed=1) is None
    assert rolling_growth(PROBLEMS[:1], origins=3, seed=1) == {}


def test_too_few_rows_are_left_alone() -> None:
    assert GlobalGrowth.fit([make_problem(units=5), make_problem("logit", units=5)], seed=1) is None


def test_the_order_of_indicators_does_not_matter_and_the_trees_are_text() -> None:
    one, other = GlobalGrowth.fit(PROBLEMS, seed=1), GlobalGrowth.fit(PROBLEMS[::-1], seed=1)
    assert one is not None
    assert one == other
    assert lightgbm.Booster(model_str=one.trees).num_trees() > 0


def test_the_unit_of_measurement_of_one_indicator_changes_nothing() -> None:
    scaled = [replace(PROBLEMS[0], base=1000 * PROBLEMS[0].base, outcome=1000 * PROBLEMS[0].outcome), *PROBLEMS[1:]]
    one = TargetModel.fit(PROBLEMS[1], seed=1, shared=rolling_growth(PROBLEMS, origins=3, seed=1))
    other = TargetModel.fit(PROBLEMS[1], seed=1, shared=rolling_growth(scaled, origins=3, seed=1))
    np.testing.assert_allclose(
        one.predict(PROBLEMS[1]).quantile(QUANTILES), other.predict(PROBLEMS[1]).quantile(QUANTILES), rtol=1e-6
    )


def test_each_origin_sees_only_what_was_known_then() -> None:
    found = rolling_growth(PROBLEMS, origins=3, seed=1)
    last = PROBLEMS[0].asked
    assert sorted(found) == [last - 3, last - 2, last - 1, last]
    changed = []
    for problem in PROBLEMS:
        base, outcome = problem.base.copy(), problem.outcome.copy()
        # the figure of the last year, which is also the outcome of the row before; not of all alike, or none has moved
        base[-1, ::2] *= 3
        outcome[-2, ::2] *= 3
        changed.append(replace(problem, base=base, outcome=outcome))
    later = rolling_growth(changed, origins=3, seed=1)
    assert later[last - 1] == found[last - 1]
    assert later[last] != found[last]


def test_it_learns_what_the_indicators_have_in_common() -> None:
    shared = GlobalGrowth.fit(PROBLEMS, seed=1)
    assert shared is not None
    model = TargetModel.fit(PROBLEMS[0], seed=1, shared=rolling_growth(PROBLEMS, origins=3, seed=1))
    assert "recipe with global trees" in model.test["ratios"]
    assert model.test["ratios"]["recipe with global trees"] < 0.9
    again = TargetModel.from_parts(replace(model, shared=shared).to_parts())
    assert again.shared == shared
