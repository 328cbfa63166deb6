"""Other ways to break a goal down come to it exactly, and are shown with what they do to each unit."""

from __future__ import annotations

import numpy as np
import pytest
from goal_trees import distribution_of, tree_of
from target_problems import make_problem

from models.goals.allocation import Constraints, allocate
from models.goals.alternatives import METHODS, Record, compare_methods, summarise_methods

NAMES = ["equal_difficulty", *METHODS]


@pytest.mark.parametrize("kind", ["log", "asinh", "hurdle", "logit", "difference"])
def test_every_method_comes_to_the_goal(kind: str) -> None:
    problem, found = make_problem(kind), distribution_of(kind)
    tree = tree_of(found.units)
    averaged = found.indicator.kind == "ratio"
    weights = np.linspace(1, 4, 31) if averaged else np.ones(31)
    goal = round(float(np.average(found.quantile(0.5), weights=weights) * (1 if averaged else 31)), 2)
    pin = round(float(found.quantile(0.5)[4]), 2)
    constraints = Constraints(pins={"HQ": goal, "u004": pin})
    plan = allocate(found, constraints=constraints, weights=weights if averaged else None, tree=tree)
    record = Record.of(problem.base, weights=weights, transform=found.transform)
    table = compare_methods(found, plan, constraints, record)
    assert (table["goal_unit"] == "HQ").all()
    for name in NAMES:
        value = table[f"value_{name}"].to_numpy()
        reached = np.average(value, weights=weights) if averaged else value.sum()
        assert reached == pytest.approx(goal, abs=0.0051 if averaged else 1e-6)
        assert value[4] == pin
        np.testing.assert_allclose(table[f"p_{name}"], found.attain(value))
    low, high = found.indicator.limits
    assert table.filter(like="value_").to_numpy().min() >= low
    assert table.filter(like="value_").to_numpy().max() <= high


def test_the_rules_are_what_they_are_called() -> None:
    problem, found = make_problem(), distribution_of()
    tree = tree_of(found.units)
    constraints = Constraints(pins={"HQ": round(float(found.quantile(0.5).sum()), 2)})
    plan = allocate(found, constraints=constraints, tree=tree)
    record = Record.of(problem.base, weights=np.ones(31), transform=found.transform)
    table = compare_methods(found, plan, constraints, record)
    uplift = table["value_uniform_uplift"] / table["last_actual"]
    assert np.ptp(uplift) < 1e-2
    trend = np.log(table["value_own_trend"] / table["last_actual"])
    assert np.corrcoef(trend, table["growth"])[0, 1] > 0.999
    share = (problem.base / problem.base.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(table["value_market_share"] / table["value_market_share"].sum(), share, atol=1e-5)


def test_own_trend_asks_most_of_those_that_grew_most() -> None:
    problem, found = make_problem(), distribution_of()
    constraints = Constraints(pins={"HQ": round(float(found.quantile(0.5).sum()), 2)})
    plan = allocate(found, constraints=constraints, tree=tree_of(found.units))
    record = Record.of(problem.base, weights=np.ones(31), transform=found.transform)
    summary = summarise_methods(compare_methods(found, plan, constraints, record), direction="higher")
    summary = summary.set_index("method")
    assert abs(summary.loc["equal_difficulty", "growth_gap"]) < 0.01
    assert summary.loc["own_trend", "growth_gap"] > 0.1
    assert summary.loc["equal_difficulty", "spread"] < 0.01 < summary.loc["own_trend", "spread"]
    assert list(summary.index) == NAMES


def test_goals_further_down_belong_to_the_highest() -> None:
    problem, found = make_problem(), distribution_of()
    tree = tree_of(found.units)
    sums, _ = tree.add_up(found.quantile(0.5))
    pins = {unit: round(float(sums[tree.position(unit)]), 2) for unit in ("R0", "R1-A0")}
    constraints = Constraints(pins=pins)
    plan = allocate(found, constraints=constraints, tree=tree)
    record = Record.of(problem.base, weights=np.ones(31), transform=found.transform)
    table = compare_methods(found, plan, constraints, record)
    assert set(table["goal_unit"]) == {"R0", "R1-A0"}
    for unit, goal in pins.items():
        part = table[table["goal_unit"] == unit]
        for name in NAMES:
            assert part[f"value_{name}"].sum() == pytest.approx(goal, abs=1e-6)
