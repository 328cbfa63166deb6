from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from features.errors import LoadlineError
from features.indicators import library
from models.policy.document import Item, Policy
from models.policy.reading import read_policy
from models.policy.rules import Efficacy, Ratio, Tiers, TwoIncrease
from models.policy.shipped import shipped, shipped_text
from models.policy.validator import check
from models.scoring.engine import score
from models.scoring.facts import Facts

RISK_IS_NOT_HEAVIEST = {"corporate-line", "retail-line", "support-departments", "technology-line"}
"""Whose published weights leave risk and compliance behind another class; their notes say so."""
ALL = sorted(shipped())
FIGURE = 5.0


@pytest.fixture(params=ALL)
def policy(request: pytest.FixtureRequest) -> Policy:
    return shipped()[request.param]


def test_what_was_promised_is_there() -> None:
    assert ALL == [
        "asset-management-line",
        "branch-peers",
        "corporate-line",
        "owner-evaluation",
        "retail-line",
        "support-departments",
        "technology-line",
    ]


def test_no_errors_are_found_and_only_the_warnings_that_the_notes_speak_of(policy: Policy) -> None:
    expected = ["risk-weight"] if policy.id in RISK_IS_NOT_HEAVIEST else []
    assert [finding.code for finding in check(policy, indicators=library())] == expected
    assert ("the check warns of it" in " ".join(policy.source.split())) is (policy.id in RISK_IS_NOT_HEAVIEST)


def test_nobody_is_named_as_having_accepted_anything(policy: Policy) -> None:
    assert policy.accepted == ()


def test_its_text_reads_as_the_policy(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "copy.yaml"
    path.write_text(shipped_text(policy.id), encoding="utf-8")
    assert read_policy(path) == policy
    assert shipped_text(policy.id).startswith("# ")


def test_an_unknown_name_says_what_is_shipped() -> None:
    with pytest.raises(LoadlineError, match="retail-line"):
        shipped_text("retail")


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("retail-line", {"P06": 30, "U01": 25, "C01": 20, "U03": 15, "U06": 10}),
        (
            "corporate-line",
            {"P04": 25, "KEY_SECTOR_COVERAGE": 20, "P10": 25, "CREDIT_RATING": 20, "GREEN_TECH_TASKS": 10},
        ),
        ("technology-line", {"REQUEST_TURNAROUND": 25, "SYSTEM_AVAILABILITY": 20, "DIGITAL_COVERAGE": 30}),
        ("asset-management-line", {"MANAGED_AUM_GROWTH": 25, "HOLDER_REINVESTMENT": 20, "COMPLIANT_OPERATION": 25}),
        ("branch-peers", {"RISK_PREVENTION": 25, "INTERNATIONAL_COMPETITION": 6}),
        ("owner-evaluation", {"STATE_CAPITAL_PRESERVATION": 10, "P13": 8, "DIVIDEND_PAYOUT": 7, "P16": 7, "S01": 7}),
    ],
)
def test_published_weights_are_kept(name: str, weights: dict[str, int]) -> None:
    found = {item.indicator: item.weight for item in shipped()[name].scorecards[0].items}
    assert {code: found[code] for code in weights} == weights


@pytest.mark.parametrize("name", ["asset-management-line", "technology-line"])
def test_schemes_that_summed_to_115_say_what_was_changed(name: str) -> None:
    source = " ".join(shipped()[name].source.split())
    assert "sum to 115" in source
    assert "Nothing was scaled." in source


def test_owner_evaluation_has_four_classes_of_25() -> None:
    sums: dict[str, Decimal] = {}
    for item in shipped()["owner-evaluation"].scorecards[0].items:
        assert item.block is not None
        sums[item.block] = sums.get(item.block, Decimal(0)) + item.weight
    assert list(sums.values()) == [25, 25, 25, 25]


def test_support_is_split_60_to_40() -> None:
    items = shipped()["support-departments"].scorecards[0].items
    assert sum(i.weight for i in items if i.block == "efficiency") == 60
    assert sum(i.weight for i in items if i.block == "expertise") == 40


def test_branches_are_compared_within_their_peer_group_only() -> None:
    groups = [card.applies_to.peer_group for card in shipped()["branch-peers"].scorecards]
    assert groups == [("county",), ("city-2",), ("city-1",)]
    items = shipped()["branch-peers"].scorecards[0].items
    real_economy = sum((item.weight for item in items[:8]), Decimal(0))
    assert real_economy == Decimal("6.5")


def full_mark(item: Item) -> float:
    """Give a figure that just earns 100 points where references and the best standards are `FIGURE`."""
    rule = item.rule
    if isinstance(rule, Tiers):
        best = max(rule.tiers, key=lambda tier: tier.points)
        return 0.0 if best.start is None else float(best.start)
    if isinstance(rule, Ratio) and rule.band is not None:
        return float(rule.band[0])
    return FIGURE if item.value is None else float(item.value)


def test_who_meets_every_reference_has_exactly_100(policy: Policy) -> None:
    known = library()
    for number, card in enumerate(policy.scorecards):
        actual, target, standards = {}, {}, {}
        for item in card.items:
            code, rule = item.indicator, item.rule
            actual[code], target[code] = np.array([full_mark(item)]), np.array([FIGURE])
            if isinstance(rule, Efficacy):
                steps = np.arange(4, -1, -1.0)
                worse = steps if known[code].direction == "lower" else -steps
                standards[code, tuple(map(float, rule.quantiles))] = (FIGURE + worse)[:, None]
            if isinstance(rule, TwoIncrease):
                actual[rule.all_loans] = np.array([FIGURE])
        facts = Facts(1, actual=actual, target=target, standards=standards)
        (scores,) = score(policy, facts, np.array([number]), known)
        assert scores.points[:, 0].tolist() == [100_00] * len(card.items)
        assert scores.tenths.tolist() == [1000]
