"""Goals over a tree of any depth: sums at every level, goals at several depths, floors, caps, order, scale, bands."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from goal_trees import distribution_of, tree_of
from hypothesis import given, settings
from hypothesis import strategies as st
from target_problems import make_indicator, make_problem

from features.errors import LoadlineError
from models.goals.allocation import Allocation, Constraints, InfeasibleError, allocate
from models.goals.goal_tree import GoalTree
from models.outcome.baselines import pooled_growth
from models.outcome.problem import TargetProblem

FOUND = distribution_of()
TREE = tree_of(FOUND.units)
MEDIANS = FOUND.quantile(0.5)
SUMS, _ = TREE.add_up(MEDIANS)
AT = {unit: place for place, unit in enumerate(TREE.units)}
RATES = distribution_of("logit")
RATE_TREE = tree_of(RATES.units)
WEIGHTS = np.random.default_rng(7).lognormal(0, 1.5, len(RATES.units))
RATE_MEDIANS = RATES.quantile(0.5)
RATE_WEIGHT, _ = RATE_TREE.add_up(WEIGHTS)
RATE_MEANS = RATE_TREE.add_up(RATE_MEDIANS * WEIGHTS)[0] / RATE_WEIGHT


def total(unit: str, factor: float = 1.0) -> Decimal:
    return Decimal(str(round(float(SUMS[AT[unit]]) * factor, 2)))


def exact_sums(found: Allocation) -> dict[str, Decimal]:
    sums = dict.fromkeys(map(str, found.tree.units), Decimal(0))
    for place, value in enumerate(found.values):
        at = place
        while at >= 0:
            sums[str(found.tree.units[at])] += value or Decimal(0)
            at = int(found.tree.parent[at])
    return sums


factors = st.floats(0.97, 1.04)


@given(factors, factors, factors, st.dictionaries(st.integers(0, 29), factors, max_size=4))
@settings(max_examples=30, deadline=None)
def test_goals_at_several_depths_and_pins_all_hold(
    group: float, region: float, area: float, pinned: dict[int, float]
) -> None:
    pins = {"HQ": total("HQ", group), "R1": total("R1", region), "R2-A0": total("R2-A0", area)}
    pins |= {str(TREE.units[place]): round(float(MEDIANS[place]) * by, 2) for place, by in pinned.items()}
    found = allocate(FOUND, constraints=Constraints(pins=pins), tree=TREE)
    sums = exact_sums(found)
    for unit, value in pins.items():
        assert sums[unit] == Decimal(str(value))
    np.testing.assert_allclose(found.totals, [float(sums[str(unit)]) for unit in TREE.units], rtol=1e-12)
    free = np.array(found.held) == ""
    for place in np.unique(found.nearest_asked[free]):  # those that share a goal share its probability
        shared = found.attain[free & (found.nearest_asked == place)]
        assert np.ptp(shared) < 0.02


@given(factors, st.floats(0.9, 1.1), st.floats(0.9, 1.1), st.integers(0, 29))
@settings(max_examples=30, deadline=None)
def test_floors_and_caps_hold_above_the_leaves_too(goal: float, floor: float, cap: float, place: int) -> None:
    limits = Constraints(
        pins={"HQ": total("HQ", goal)},
        floors={"R0": total("R0", floor)},
        caps={"R2-A1": total("R2-A1", cap), str(TREE.units[place]): round(float(MEDIANS[place]) * cap, 2)},
    )
    try:
        found = allocate(FOUND, constraints=limits, tree=TREE)
    except InfeasibleError as error:
        found = allocate(FOUND, constraints=error.relaxation.applied(limits), tree=TREE)
        limits = error.relaxation.applied(limits)
    sums = exact_sums(found)
    assert sums["HQ"] == limits.pins["HQ"]
    assert all(sums[unit] >= Decimal(str(value)) for unit, value in limits.floors.items())
    assert all(sums[unit] <= Decimal(str(value)) for unit, value in limits.caps.items())


def test_a_held_region_leaves_its_gap_to_the_others() -> None:
    free = allocate(FOUND, constraints=Constraints(pins={"HQ": total("HQ")}), tree=TREE)
    capped = Constraints(pins={"HQ": total("HQ")}, caps={"R1": total("R1", 0.98)})
    held = allocate(FOUND, constraints=capped, tree=TREE)
    assert exact_sums(held)["R1"] == total("R1", 0.98)
    assert held.probability < free.probability == pytest.approx(0.5, abs=1e-3)
    assert held.probability_of(AT["R1"]) > 0.5
    assert np.isnan(held.probability_of(AT["R0"]))  # nothing is asked of R0 itself


def test_a_goal_further_down_is_met_before_rounding() -> None:
    """Units of unlike spread: those below a region are solved apart from the others, and from the same distribution."""
    spread = replace(FOUND.spread, scale=np.linspace(0.02, 0.4, len(FOUND.units)))
    unlike = replace(FOUND, spread=spread)
    middle = unlike.quantile(0.4)
    region = TREE.below(AT["R1"])
    pins = {"R1": round(float(middle[region].sum()), 2)}
    capped = str(TREE.units[np.flatnonzero(region)[0]])
    caps = {capped: round(float(middle[region][0]) * 0.9, 2)}
    free = allocate(unlike, constraints=Constraints(pins=pins), tree=TREE)
    np.testing.assert_allclose(free.figures[region], middle[region], atol=0.011)
    held = allocate(unlike, constraints=Constraints(pins=pins, caps=caps), tree=TREE)
    assert held.held[AT[capped]] == "cap"
    assert held.figures[AT[capped]] == caps[capped]


def test_the_nested_solution_is_the_slow_one() -> None:
    """Bisect by hand: R0 at its cap, the rest of the group at one quantile level."""
    limits = Constraints(pins={"HQ": total("HQ", 1.01)}, caps={"R0": total("R0", 0.99)})
    found = allocate(FOUND, constraints=limits, tree=TREE)
    inside = TREE.below(AT["R0"])
    for members, goal in ((inside, limits.caps["R0"]), (~inside, limits.pins["HQ"] - limits.caps["R0"])):
        low, high = 0.001, 0.999
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if FOUND.quantile(middle)[members].sum() > float(goal) else (middle, high)
        slow = FOUND.quantile(low)[members]
        np.testing.assert_allclose(found.figures[members], slow, atol=0.0101)
        np.testing.assert_allclose(found.common[members], 1 - low, atol=1e-6)


@given(st.permutations(range(len(FOUND.units))))
@settings(max_examples=15, deadline=None)
def test_the_order_of_units_changes_nothing(order: list[int]) -> None:
    limits = Constraints(pins={"HQ": total("HQ", 1.01), "R1": total("R1")}, caps={"u003": round(MEDIANS[3] * 0.99, 2)})
    found = allocate(FOUND, constraints=limits, tree=TREE)
    turned = np.array(order)
    place = np.concatenate([np.argsort(turned), np.arange(TREE.leaves, len(TREE.units))])
    labels = np.concatenate([turned, np.arange(TREE.leaves, len(TREE.units))])
    parent = TREE.parent[labels]
    other = GoalTree(TREE.units[labels], np.where(parent >= 0, place[parent], -1), TREE.leaves)
    again = allocate(FOUND.take(turned), constraints=limits, tree=other)
    assert dict(zip(again.units, again.values, strict=True)) == dict(zip(found.units, found.values, strict=True))


def test_the_names_of_units_change_nothing() -> None:
    limits = Constraints(pins={"HQ": total("HQ", 1.01), "R1": total("R1")})
    found = allocate(FOUND, constraints=limits, tree=TREE)
    named = pd.Index([f"z{99 - place}" for place in range(TREE.leaves)])
    other = replace(TREE, units=pd.Index([*named, *TREE.units[TREE.leaves :]], dtype=object))
    again = allocate(replace(FOUND, units=named), constraints=limits, tree=other)
    assert again.values == found.values


@given(st.floats(0.98, 1.02), st.sampled_from([2, 10, 1000]))
@settings(max_examples=15, deadline=None)
def test_scaling_an_indicator_scales_its_targets(factor: float, scale: int) -> None:
    problem = make_problem()
    scaled = replace(problem, base=problem.base * scale, outcome=problem.outcome * scale)
    goal = float(total("HQ", factor))
    found = allocate(FOUND, goal)
    again = allocate(pooled_growth(scaled).predict(scaled), round(goal * scale, 2))
    assert again.probability == pytest.approx(found.probability, abs=1e-6)
    np.testing.assert_allclose(again.figures, found.figures * scale, atol=0.011 * scale)


@given(st.floats(0.96, 1.04), st.floats(0.001, 0.02))
@settings(max_examples=20, deadline=None)
def test_probability_falls_as_the_goal_gets_harder(factor: float, more: float) -> None:
    easy, hard = (allocate(FOUND, total("HQ", by)) for by in (factor, factor + more))
    assert hard.probability < easy.probability
    low, less = (allocate(RATES, RATE_MEANS[-1] * by, weights=WEIGHTS) for by in (factor, factor - more))
    assert less.probability < low.probability


@given(factors, factors, st.dictionaries(st.integers(0, 29), factors, max_size=4))
@settings(max_examples=30, deadline=None)
def test_ratios_come_to_their_goals_as_displayed(group: float, region: float, pinned: dict[int, float]) -> None:
    pins = {"HQ": round(RATE_MEANS[-1] * group, 2), "R0": round(RATE_MEANS[AT["R0"]] * region, 2)}
    pins |= {str(RATE_TREE.units[place]): round(RATE_MEDIANS[place] * by, 2) for place, by in pinned.items()}
    try:
        found = allocate(RATES, constraints=Constraints(pins=pins), weights=WEIGHTS, tree=RATE_TREE)
    except InfeasibleError:  # a heavy pinned unit may leave no room
        return
    means = RATE_TREE.add_up(found.figures * WEIGHTS)[0] / RATE_WEIGHT
    for unit, value in pins.items():
        assert abs(means[AT[unit]] - value) <= 0.005 + 1e-9
    np.testing.assert_allclose(found.totals, means, rtol=1e-9)
    np.testing.assert_allclose(found.figures, np.round(found.figures, 2), atol=1e-12)


def test_medians_come_with_one_half_on_every_scale() -> None:
    for kind in ("log", "asinh", "difference", "logit"):
        found = distribution_of(kind)
        middle = float(found.quantile(0.5).sum())
        if found.indicator.kind in ("ratio", "level"):
            middle /= len(found.units)
        assert allocate(found, round(middle, 2)).probability == pytest.approx(0.5, abs=0.02)


def test_a_goal_between_zero_and_the_least_positive_value_is_met() -> None:
    found = distribution_of("hurdle", units=12)
    goal = Decimal(str(round(float(found.quantile(0.3).sum()), 2)))
    assert sum(allocate(found, goal).values) == goal


BAND = make_indicator(code="LDR", kind="ratio", unit="%", direction="band", band=[60, 75], bounds=[0, 200])


def test_a_band_moves_nobody_away_from_it() -> None:
    values = np.random.default_rng(3).normal(0, 1, (8, 30)).cumsum(axis=0) + np.linspace(50, 90, 30)
    units = pd.Index([f"u{number:03d}" for number in range(30)])
    problem = TargetProblem.annual(BAND, np.arange(2010, 2018), values, units=units)
    found = pooled_growth(problem).predict(problem)
    medians = found.quantile(0.5)
    same = allocate(found, float(medians.mean()))
    assert same.probability == pytest.approx(0.5, abs=0.01)
    lower = allocate(found, round(float(medians.mean()) - 1, 2))
    assert lower.figures.mean() == pytest.approx(medians.mean() - 1, abs=0.011)
    under = medians < 60
    np.testing.assert_allclose(lower.figures[under], medians[under], atol=0.011)
    assert np.all(lower.figures[~under] >= 59.99)
    assert lower.probability < 0.5
    least = round(float(np.maximum(found.quantile(0.001), np.minimum(medians, 60)).mean()) - 0.1, 2)
    beyond = allocate(found, least)  # only by leaving the band: then all move alike
    assert beyond.figures.mean() == pytest.approx(least, abs=0.011)
    assert np.all(beyond.figures[under] < medians[under])


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(pins={"HQ": 10.0, "R9": 1.0}), "no unit is called 'R9'"),
        (Constraints(pins={"u001": 5.0}, floors={"u001": 6.0}), "pin of u001, 5.00, and its floor, 6.00, contradict"),
        (Constraints(pins={"u001": 5.0}, caps={"u001": 4.0}), "pin of u001, 5.00, and its cap, 4.00, contradict"),
        (Constraints(floors={"R1": 6.0}, caps={"R1": 5.0}), "the floor of R1, 6.00, is above its cap, 5.00"),
        (Constraints(pins={"HQ": float("nan")}), "the pin of HQ is no finite number|no finite number"),
        (Constraints(pins={"HQ": 1e16}), "too large to be exact"),
    ],
)
def test_contradictions_name_both_sides(constraints: Constraints, message: str) -> None:
    with pytest.raises(LoadlineError, match=message):
        allocate(FOUND, constraints=constraints, tree=TREE)


def test_a_goal_above_units_that_are_all_unknown_is_refused() -> None:
    place = np.flatnonzero(TREE.below(AT["R0-A0"]))
    gone = FOUND.location.copy()
    gone[place] = np.nan
    found = replace(FOUND, location=gone)
    with pytest.raises(LoadlineError, match="no unit below R0-A0 has figures"):
        allocate(found, constraints=Constraints(pins={"R0-A0": 5.0}), tree=TREE)
    rest = allocate(found, constraints=Constraints(pins={"HQ": total("HQ", 0.8)}), tree=TREE)
    assert len(rest.left_out) == len(place)
    assert np.isnan(rest.totals[AT["R0-A0"]])
