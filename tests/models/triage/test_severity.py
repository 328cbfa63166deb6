"""Amber and red, and which patterns stand behind them."""

import numpy as np

from models.detectors.detector import Family, Finding
from models.triage.severity import AMBER, RED, patterns_at, recently_met, severities

FAMILIES: dict[str, Family] = {"W01": "growth", "W02": "growth", "W03": "recognition", "G01": "generic"}


def _finding(met: list[list[bool]], p: float) -> Finding:
    array = np.array(met)
    return Finding(None, np.full(array.shape, p), array, ())


def _findings(**met) -> dict[str, Finding]:
    return {code: _finding(where, p) for (code, where), p in zip(met.items(), (0.02, 0.01, 0.03, 0.001), strict=False)}


def test_red_takes_two_independent_families():
    recent = {
        "W01": np.array([[1, 1, 1, 0, 1]], dtype=bool),
        "W02": np.array([[0, 1, 0, 0, 0]], dtype=bool),
        "W03": np.array([[0, 0, 1, 0, 0]], dtype=bool),
        "G01": np.array([[0, 0, 0, 0, 1]], dtype=bool),
    }

    found = severities(recent, np.ones((1, 5), dtype=bool), families=FAMILIES)

    assert found[0].tolist() == [AMBER, AMBER, RED, AMBER, AMBER]


def test_a_high_probability_is_red_by_itself_and_an_unknown_one_is_not():
    found = severities(
        {}, np.ones((1, 3), dtype=bool), families={}, probability=np.array([[0.7, 0.3, np.nan]]), red_probability=0.6
    )

    assert found[0].tolist() == [RED, AMBER, AMBER]


def test_what_is_not_listed_has_no_severity():
    recent = {"W01": np.ones((1, 1), dtype=bool), "W03": np.ones((1, 1), dtype=bool)}

    assert severities(recent, np.zeros((1, 1), dtype=bool), families=FAMILIES)[0, 0] == 0


def test_a_pattern_counts_for_a_quarter():
    findings = {"W01": _finding([[True], [False], [False], [False]], 0.01)}

    assert recently_met(findings, per_year=12)["W01"][:, 0].tolist() == [True, True, True, False]
    assert recently_met(findings, per_year=4)["W01"][:, 0].tolist() == [True, False, False, False]
    assert recently_met(findings, per_year=1)["W01"][:, 0].tolist() == [True, False, False, False]


def test_a_pattern_is_as_strong_as_when_it_was_last_met():
    findings = {"W01": _finding([[True], [False]], 0.01), "W02": _finding([[True], [True]], 0.2)}
    findings["W01"].risk[1, 0] = 0.9

    named = patterns_at(
        findings,
        recently_met(findings, per_year=12),
        np.array([1]),
        np.array([0]),
        families={"W01": "growth", "W02": "growth"},
    )

    assert named == [("W01", "W02")]


def test_patterns_that_are_met_are_named_the_strongest_first_and_generic_ones_last():
    met = [[True, False, False]]
    findings = _findings(W01=met, W02=met, G01=met, W03=[[False, False, False]])
    findings["G01"].risk[0, 0] = 0.0
    for finding in findings.values():
        finding.risk[0, 2] = np.nan
    recent = recently_met(findings, per_year=12)
    families: dict[str, Family] = {"W01": "growth", "W02": "growth", "W03": "recognition", "G01": "generic"}

    named = patterns_at(findings, recent, np.zeros(3, dtype=int), np.arange(3), families=families)

    assert named == [("W02", "W01", "G01"), (), ()]
    assert patterns_at({}, {}, np.array([0]), np.array([0]), families={}) == [()]
