"""Joint probabilities of goals, and of targets once a goal is attained."""

from __future__ import annotations

import numpy as np
import pytest
from goal_trees import distribution_of, tree_of

from models.goals.allocation import Constraints, allocate
from models.goals.group_outcome import group_outcome

FOUND = distribution_of()
TREE = tree_of(FOUND.units)
DRAWN = FOUND.sample(4000, seed=11)


def test_it_agrees_with_counting() -> None:
    goal = round(float(np.quantile(DRAWN.sum(axis=1), 0.4)), 2)
    region = TREE.position("R1")
    own = round(float(np.quantile(DRAWN[:, TREE.below(region)].sum(axis=1), 0.3)), 2)
    constraints = Constraints(pins={"HQ": goal, "R1": own})
    plan = allocate(FOUND, constraints=constraints, tree=TREE)
    found = group_outcome(FOUND, plan, constraints, seed=3)
    assert found.attain[-1] == pytest.approx(0.6, abs=0.05)
    assert found.attain[region] == pytest.approx(0.7, abs=0.05)
    assert np.isnan(found.attain[TREE.position("R0")])
    met = DRAWN.sum(axis=1) >= goal
    counted = (DRAWN[met] >= plan.figures).mean(axis=0)
    assert np.abs(found.given_goal - counted).max() < 0.08
    # The shock is shared: a year in which the group attains is one in which more of its units do.
    assert found.given_goal.mean() > plan.attain.mean() + 0.05


def test_a_harder_goal_is_less_likely() -> None:
    chances = []
    for factor in (0.98, 1.0, 1.02):
        constraints = Constraints(pins={"HQ": round(float(FOUND.quantile(0.5).sum()) * factor, 2)})
        plan = allocate(FOUND, constraints=constraints, tree=TREE)
        chances.append(group_outcome(FOUND, plan, constraints, seed=3).attain[-1])
    assert chances[0] > chances[1] > chances[2]


def test_the_order_of_draws_and_chunks_follow_from_the_seed() -> None:
    constraints = Constraints(pins={"HQ": round(float(FOUND.quantile(0.5).sum()), 2)})
    plan = allocate(FOUND, constraints=constraints, tree=TREE)
    first, again = (group_outcome(FOUND, plan, constraints, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.given_goal, again.given_goal)


def test_without_goals_nothing_is_said() -> None:
    plan = allocate(FOUND, tree=TREE)
    found = group_outcome(FOUND, plan, Constraints(), seed=3)
    assert np.isnan(found.attain).all()
    assert np.isnan(found.given_goal).all()


def test_ratios_are_averaged_by_weight() -> None:
    rates = distribution_of("logit")
    weights = np.linspace(1, 9, 31)
    drawn = rates.sample(4000, seed=5) @ weights / weights.sum()
    goal = round(float(np.quantile(drawn, 0.3)), 3)
    constraints = Constraints(pins={"HQ": goal})
    plan = allocate(rates, constraints=constraints, weights=weights, tree=tree_of(rates.units))
    assert group_outcome(rates, plan, constraints, seed=1).attain[-1] == pytest.approx(0.3, abs=0.05)


def test_a_goal_is_as_likely_as_its_own_figures_say_in_the_years_that_are_best() -> None:
    goal = round(float(np.quantile(DRAWN.sum(axis=1), 0.4)), 2)
    constraints = Constraints(pins={"HQ": goal})
    plan = allocate(FOUND, constraints=constraints, tree=TREE)
    counted = group_outcome(FOUND, plan, constraints, seed=3)
    share = float(counted.attain[-1])
    same = group_outcome(FOUND, plan, constraints, seed=3, learned={"HQ": share, "R0": 0.1})
    np.testing.assert_array_equal(same.given_goal, counted.given_goal)
    assert np.isnan(same.attain[TREE.position("R0")])
    seldom = group_outcome(FOUND, plan, constraints, seed=3, learned={"HQ": 0.2})
    assert seldom.attain[-1] == 0.2
    assert (seldom.given_goal > counted.given_goal).mean() > 0.8  # the best years only


def test_the_best_years_of_a_rate_are_the_lowest() -> None:
    rates = distribution_of("logit")
    weights = np.linspace(1, 9, 31)
    constraints = Constraints(pins={"HQ": round(float(rates.quantile(0.5) @ weights / weights.sum()), 3)})
    plan = allocate(rates, constraints=constraints, weights=weights, tree=tree_of(rates.units))
    found = [group_outcome(rates, plan, constraints, seed=1, learned={"HQ": p}).given_goal.mean() for p in (0.2, 0.9)]
    assert found[0] > found[1] + 0.02
