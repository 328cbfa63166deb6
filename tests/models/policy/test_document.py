"""What a policy says of itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from scoring_cases import plain_policy

from models.policy.shipped import shipped

TITLE = {"en": "x", "zh": "项"}
RATIO: dict[str, Any] = {"kind": "ratio"}
ABOVE = {"indicator": "N", "above": 5}


def test_a_changed_policy_says_what_it_says_now() -> None:
    policy = shipped()["retail-line"]
    assert policy.target_policy.version == "retail-line@1"  # asked before it is changed
    changed = policy.model_copy(update={"version": "2", "ratchet_cap": Decimal("0.25")})
    assert (changed.label, changed.target_policy.version) == ("retail-line@2", "retail-line@2")
    assert changed.target_policy.ratchet_cap == 0.25


@pytest.mark.parametrize(
    ("rule", "compares"),
    [
        (RATIO, True),
        (RATIO | {"band": [3, 15]}, False),
        ({"kind": "levels"}, True),
        ({"kind": "efficacy"}, False),
        ({"kind": "two_increase", "all_loans": "Y"}, True),
        ({"kind": "tiers", "tiers": [{"points": 0}, {"from": 90, "points": 100}]}, False),
        ({"kind": "tiers", "of": "attainment", "tiers": [{"points": 0}, {"from": 90, "points": 100}]}, True),
    ],
)
def test_a_rule_looks_at_a_reference_or_not(rule: dict[str, Any], compares: bool) -> None:
    (item,) = plain_policy([{"indicator": "X", "weight": 100, "rule": rule}]).scorecards[0].items
    assert item.compares is compares


def test_gates_look_at_figures_unless_they_always_hold_or_protect() -> None:
    gates = [
        {"kind": "total_cap", "id": "always", "title": TITLE, "at": 120},
        {"kind": "total_cap", "id": "cap", "title": TITLE, "at": 90, "when": ABOVE},
        {"kind": "protection_floor", "id": "new", "title": TITLE, "at": 80, "of": "new_units", "months": 6},
        {"kind": "veto", "id": "veto", "title": TITLE, "when": ABOVE | {"indicator": "V"}},
    ]
    policy = plain_policy([{"indicator": "X", "weight": 100, "rule": RATIO}], gates=gates)
    assert [condition.indicator for condition in policy.gate_conditions] == ["N", "V"]
