"""What a target model must show by itself."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from training.gating.gate import Gate, IndicatorEvidence
from training.gating.rules import GateRules
from training.gating.target_gates import check_evidence


def evidence(**changes) -> IndicatorEvidence:
    usual = {
        "indicator": "D01",
        "origins": 6,
        "outcomes": 180,
        "loss_ratio": 0.94,
        "coverage": 0.81,
        "fallback": False,
        "low_evidence": False,
    }
    return IndicatorEvidence(**{**usual, **changes})


def check_gates(items: Sequence[IndicatorEvidence]) -> tuple[Gate, ...]:
    return check_evidence(GateRules.packaged(), items)


def passed(*items: IndicatorEvidence) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in check_gates(items)}


ALL = {"beats_baseline": True, "coverage": True, "enough_data": True}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({}, None),
        ({"loss_ratio": 1.0}, None),
        ({"loss_ratio": 1.01}, "beats_baseline"),
        ({"loss_ratio": math.nan}, "beats_baseline"),
        ({"loss_ratio": 1.3, "fallback": True}, None),
        ({"coverage": 0.64}, "coverage"),
        ({"coverage": 0.96}, "coverage"),
        ({"coverage": math.nan}, "coverage"),
        ({"coverage": 0.4, "low_evidence": True}, None),
        ({"origins": 2}, "enough_data"),
        ({"outcomes": 29}, "enough_data"),
        ({"origins": 1, "outcomes": 4, "low_evidence": True}, None),
    ],
)
def test_each_gate_fails_for_its_own_reason_only(changes, failing):
    assert passed(evidence(indicator="R01"), evidence(**changes)) == {**ALL, **({failing: False} if failing else {})}


def test_an_unmeasured_challenger_fails_even_when_marked():
    unmeasured = evidence(loss_ratio=math.nan, coverage=math.nan, origins=0, outcomes=0, low_evidence=True)
    assert passed(unmeasured) == {**ALL, "beats_baseline": False}


def test_nothing_modelled_is_not_enough():
    assert passed() == {**ALL, "enough_data": False}


def test_the_worst_figure_is_named_with_its_indicator():
    items = [evidence(indicator="A"), evidence(indicator="B", loss_ratio=1.2, coverage=0.5)]
    baseline, coverage, data = check_gates(items)
    assert (baseline.measured, coverage.measured, data.measured) == (1.2, 0.5, 6.0)
    for gate in (baseline, coverage):
        for language in ("en", "zh"):
            assert "B" in gate.text[language]
            assert "A" not in gate.text[language]


def test_long_lists_are_cut():
    gate = check_gates([evidence(indicator=f"I{number}", loss_ratio=2.0) for number in range(9)])[0]
    assert "I4 (+4)" in gate.text["en"]


def test_results_survive_json():
    for gate in check_gates([evidence(), evidence(loss_ratio=math.nan, coverage=math.nan)]):
        assert Gate.from_dict(json.loads(json.dumps(gate.as_dict(), allow_nan=False))) == gate


def test_a_failure_says_by_how_much() -> None:
    baseline, coverage, _ = check_gates([evidence(loss_ratio=1.234, coverage=0.52)])
    for language in ("en", "zh"):
        assert "1.234" in baseline.text[language]
        assert "52%" in coverage.text[language]


def test_a_home_may_ask_for_more_or_leave_it_to_a_signature(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text(
        "target:\n  beats_baseline: {thresholds: {loss_ratio: 0.9}}\n  enough_data: {effect: sign_off}\n"
    )
    rules = GateRules.read(tmp_path)
    assert passed(evidence(loss_ratio=0.94)) == ALL
    baseline, _, data = check_evidence(rules, [evidence(loss_ratio=0.94, origins=2)])
    assert (baseline.passed, baseline.threshold, baseline.effect) == (False, (0.9,), "block")
    assert (data.passed, data.effect) == (False, "sign_off")
