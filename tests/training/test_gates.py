"""The gates before a promotion."""

import json
import math

import pytest

from training.gates import Gate, IndicatorEvidence, check_gates


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
