"""What cannot be kept is refused with the smallest change that lets it be: feasible, and minimal to a step."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from goal_trees import distribution_of, tree_of
from hypothesis import given, settings
from hypothesis import strategies as st

from models.goals.allocation import Constraints, InfeasibleError, allocate
from models.goals.relaxation import Relaxation

FOUND = distribution_of(units=14)
TREE = tree_of(FOUND.units, regions=2, areas=2)
MEDIANS = FOUND.quantile(0.5)
SUMS, _ = TREE.add_up(MEDIANS)
SUM_OF = dict(zip(map(str, TREE.units), SUMS, strict=True))
RATES = distribution_of("logit", units=14)
WEIGHTS = np.linspace(1, 4, 14)
STEP = Decimal("0.01")


def relaxation_of(constraints: Constraints) -> Relaxation | None:
    try:
        allocate(FOUND, constraints=constraints, tree=TREE)
    except InfeasibleError as error:
        return error.relaxation
    return None


wild = st.sampled_from([0.4, 0.9, 1.0, 1.1, 2.5])
limits = st.builds(
    lambda goal, region, floor, cap, pins: Constraints(
        pins={"HQ": round(SUM_OF["HQ"] * goal, 2), "R0": round(SUM_OF["R0"] * region, 2)}
        | {str(TREE.units[place]): round(float(MEDIANS[place]) * by, 2) for place, by in pins.items()},
        floors={"R1-A0": round(SUM_OF["R1-A0"] * floor, 2)},
        caps={"R1": round(SUM_OF["R1"] * cap, 2)},
    ),
    wild,
    wild,
    st.sampled_from([0.5, 1.0, 3.0]),
    st.sampled_from([0.5, 1.0, 3.0]),
    st.dictionaries(st.integers(0, 13), wild, max_size=5),
)


@given(limits)
@settings(max_examples=25, deadline=None)
def test_the_changes_named_make_it_feasible_and_no_smaller_ones_do(constraints: Constraints) -> None:
    found = relaxation_of(constraints)
    if found is None:
        return
    assert found.moves
    assert relaxation_of(found.applied(constraints)) is None
    for move in found.moves:  # one step less of any of them is not enough
        less = replace(move, to=move.to - STEP * (1 if move.by > 0 else -1))
        tried = Relaxation(tuple(less if other is move else other for other in found.moves), ())
        if tried.total > 0:
            assert relaxation_of(tried.applied(constraints)) is not None
    for move in found.alternatives:
        assert abs(move.by) >= found.total
        assert relaxation_of(found.applied(constraints, only=move)) is None


def test_moving_a_low_constraint_may_serve_two_goals() -> None:
    """A branch's cap stands in the way of its region's goal and of the group's: raising it alone is cheapest."""
    inside = np.flatnonzero(TREE.below(TREE.position("R0")))
    pins = {str(TREE.units[place]): round(float(MEDIANS[place]), 2) for place in inside}
    others = {
        str(TREE.units[place]): round(float(MEDIANS[place]), 2)
        for place in range(TREE.leaves)
        if place not in inside.tolist()
    }
    fixed = sum(Decimal(str(value)) for value in pins.values())
    rest = sum(Decimal(str(value)) for value in others.values())
    constraints = Constraints(pins=pins | others | {"R0": fixed + 10, "HQ": fixed + rest + 10})
    found = relaxation_of(constraints)
    assert found is not None
    assert found.total == 10
    assert len(found.moves) == 1
    assert found.moves[0].unit in pins
    assert {move.unit for move in found.alternatives} <= set(pins)


def test_the_error_names_what_binds_and_what_would_do() -> None:
    pins = {"HQ": round(SUM_OF["HQ"], 2), "R0": round(SUM_OF["R0"], 2), "R1": round(SUM_OF["R1"] + 400, 2)}
    constraints = Constraints(pins=pins | {"u013": round(float(MEDIANS[13]), 2)})
    with pytest.raises(InfeasibleError, match=r"the pins miss|beyond what|the goal of HQ") as caught:
        allocate(FOUND, constraints=constraints, tree=TREE)
    assert "fixed below it: R0, R1" in caught.value.what or "R1" in caught.value.what
    assert "from" in caught.value.hint
    assert caught.value.relaxation.total > 0


def test_a_ratio_says_in_its_own_unit_how_far_its_goal_is_off() -> None:
    with pytest.raises(InfeasibleError, match=r"under the least possible: .* % too much") as caught:
        allocate(RATES, 0.01, weights=WEIGHTS)
    (move,) = caught.value.relaxation.moves
    assert move.kind == "goal"
    allocate(RATES, move.to, weights=WEIGHTS)
    with pytest.raises(InfeasibleError):
        allocate(RATES, move.to - Decimal("0.02"), weights=WEIGHTS)


def test_a_risk_ceiling_is_named_by_its_reason() -> None:
    caps = {str(unit): round(float(value), 2) for unit, value in zip(FOUND.units, MEDIANS, strict=True)}
    constraints = Constraints(pins={"HQ": round(SUM_OF["HQ"] * 1.05, 2)}).tightened("cap", caps, reason="risk ceiling")
    with pytest.raises(InfeasibleError) as caught:
        allocate(FOUND, constraints=constraints, tree=TREE)
    assert caught.value.relaxation.moves[0].unit == "HQ"
    assert "risk ceiling of u0" in caught.value.hint
