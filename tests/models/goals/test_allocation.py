from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_problems import RATE, make_indicator, make_problem

from features.errors import LoadlineError
from models.goals.allocation import Constraints, allocate
from models.outcome.baselines import pooled_growth
from models.outcome.distribution import TargetDistribution

PROBLEM = make_problem()
FOUND = pooled_growth(PROBLEM).predict(PROBLEM)
MEDIANS = FOUND.quantile(0.5)
TOTAL = Decimal(str(round(float(MEDIANS.sum()), 2)))
RATES = make_problem("logit")
FOUND_RATES = pooled_growth(RATES).predict(RATES)


def test_the_sum_of_medians_is_asked_with_one_half() -> None:
    allocation = allocate(FOUND, TOTAL)
    assert allocation.probability == pytest.approx(0.5, abs=1e-4)
    np.testing.assert_allclose(allocation.attain, 0.5, atol=1e-3)
    assert sum(allocation.values) == TOTAL


@given(st.integers(-1000, 1000), st.sampled_from([0, 1, 2]))
@settings(max_examples=40, deadline=None)
def test_values_add_up_exactly(basis_points: int, decimals: int) -> None:
    goal = (TOTAL * (10_000 + basis_points) / 10_000).quantize(Decimal(1).scaleb(-decimals))
    indicator = make_indicator(decimals=decimals)
    found = TargetDistribution(
        indicator, *(getattr(FOUND, name) for name in list(FOUND.__dataclass_fields__)[1:])
    )  # the same distribution in other units of account
    allocation = allocate(found, goal)
    assert sum(allocation.values) == goal
    free = allocation.attain
    assert free.max() - free.min() < 0.05 or decimals == 0
    exact = found.value_at(allocation.probability)
    assert (
        max(abs(float(value) - wish) for value, wish in zip(allocation.values, exact, strict=True)) <= 2 * 10**-decimals
    )


@given(st.dictionaries(st.integers(0, 30), st.integers(-5, 5), max_size=6))
@settings(max_examples=25, deadline=None)
def test_pins_are_kept(pinned: dict[int, int]) -> None:
    pins = {FOUND.units[place]: round(float(MEDIANS[place]) * (1 + step / 100), 2) for place, step in pinned.items()}
    allocation = allocate(FOUND, TOTAL, constraints=Constraints(pins=pins))
    assert sum(allocation.values) == TOTAL
    for unit, value in pins.items():
        place = FOUND.units.get_loc(unit)
        assert allocation.values[place] == Decimal(str(value))
        assert allocation.held[place] == "pin"


def test_a_higher_goal_is_harder_for_all() -> None:
    easy, hard = allocate(FOUND, TOTAL - 100), allocate(FOUND, TOTAL + 100)
    assert hard.probability < easy.probability
    assert all(more > less for more, less in zip(hard.values, easy.values, strict=True))


def test_floors_and_caps_hold() -> None:
    floor, cap = round(float(MEDIANS[0]) * 1.1, 2), round(float(MEDIANS[1]) * 0.9, 2)
    limits = Constraints(floors={FOUND.units[0]: floor}, caps={FOUND.units[1]: cap})
    allocation = allocate(FOUND, TOTAL, constraints=limits)
    assert sum(allocation.values) == TOTAL
    assert float(allocation.values[0]) >= floor
    assert float(allocation.values[1]) <= cap
    assert allocation.held[:3] == ("floor", "cap", "")


def test_lower_is_harder_for_a_rate() -> None:
    weights = np.linspace(1, 5, len(RATES.units))
    goal = float(np.average(FOUND_RATES.quantile(0.5), weights=weights))
    usual = allocate(FOUND_RATES, goal, weights=weights)
    hard = allocate(FOUND_RATES, 0.98 * goal, weights=weights)
    for allocation, asked in ((usual, goal), (hard, 0.98 * goal)):
        mean = np.average([float(value) for value in allocation.values], weights=weights)
        assert abs(mean - asked) < FOUND_RATES.indicator.smallest_unit
    assert usual.probability == pytest.approx(0.5, abs=0.01)
    assert hard.probability < usual.probability


@pytest.mark.parametrize(
    ("goal", "constraints", "message"),
    [
        (TOTAL * 100, Constraints(), "beyond what the units can reach: .* CNY m too little"),
        (Decimal(1), Constraints(), "under the least possible"),
        (TOTAL, Constraints(pins={"u000": float(TOTAL) + 50}), "the pins exceed the goal: .* CNY m too much"),
        (TOTAL, Constraints(pins={"nobody": 1.0}), "no unit is called 'nobody'"),
        (TOTAL, Constraints(pins={"u000": 1.001}), "finer than"),
        (TOTAL + Decimal("0.001"), Constraints(), "the goal .* is finer than"),
        (TOTAL, Constraints(floors={"u000": 5.0}, caps={"u000": 4.0}), "above its cap"),
    ],
)
def test_what_cannot_be_says_why_and_by_how_much(goal: Decimal, constraints: Constraints, message: str) -> None:
    with pytest.raises(LoadlineError, match=message):
        allocate(FOUND, goal, constraints=constraints)


def test_the_shortfall_named_is_the_one_that_makes_it_feasible() -> None:
    with pytest.raises(LoadlineError) as caught:
        allocate(FOUND, TOTAL * 100)
    by = Decimal(caught.value.what.split(": ")[1].split(" ")[0])
    assert sum(allocate(FOUND, TOTAL * 100 - by - 1).values) == TOTAL * 100 - by - 1


def test_pins_for_all_must_meet_the_goal() -> None:
    pins = {unit: round(float(value), 2) for unit, value in zip(FOUND.units, MEDIANS, strict=True)}
    goal = sum(Decimal(str(value)) for value in pins.values())
    allocation = allocate(FOUND, goal, constraints=Constraints(pins=pins))
    assert np.isnan(allocation.probability)
    with pytest.raises(
        LoadlineError, match=r"every unit is pinned, and the pins miss the goal: 1\.00 CNY m too little"
    ):
        allocate(FOUND, goal + 1, constraints=Constraints(pins=pins))


def test_weights_are_for_ratios_only() -> None:
    with pytest.raises(LoadlineError, match="without weights"):
        allocate(FOUND, TOTAL, weights=np.ones(len(FOUND.units)))
    with pytest.raises(LoadlineError, match="weights must be"):
        allocate(FOUND_RATES, 1.0, weights=np.zeros(len(RATES.units)))


def without_first_unit() -> TargetDistribution:
    problem = make_problem()
    problem.base[:, 0] = np.nan
    return pooled_growth(problem).predict(problem)


def test_a_unit_without_a_distribution_never_breaks_the_run() -> None:
    found = without_first_unit()
    goal = Decimal(str(round(float(np.nansum(found.quantile(0.5))), 2)))
    left = allocate(found, goal)
    assert left.left_out == ("u000",)
    assert left.values[0] is None
    assert sum(left.values[1:]) == goal
    kept = allocate(found, goal, last=np.where(found.known, np.nan, 10.0))
    assert kept.values[0] == 10
    assert kept.held[0] == "last figure"
    assert sum(kept.values) == goal
    pinned = allocate(found, goal, constraints=Constraints(pins={"u000": 10.0}))
    assert sum(pinned.values) == goal
    assert pinned.held[0] == "pin"


def test_a_plan_without_any_distribution_is_refused() -> None:
    problem = make_problem()
    problem.base[:, 1:] = np.nan
    found = pooled_growth(problem).predict(problem).take(np.arange(1, 6))
    with pytest.raises(LoadlineError, match="no unit has a distribution: u001, u002"):
        allocate(found, 10)


def test_rate_bounds_are_respected() -> None:
    with pytest.raises(LoadlineError, match="outside the bounds"):
        allocate(FOUND_RATES, 2.0, constraints=Constraints(pins={"u000": 101.0}))
    assert RATE["bounds"] == [0, 100]
