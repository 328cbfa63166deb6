"""The checks as data, and what a home may change."""

from __future__ import annotations

import pytest

from features.errors import LoadlineError
from training.monitoring.catalogue import TARGET_CHECKS, WARNING_CHECKS
from training.monitoring.rules import FILE, CheckRules


def test_every_entry_has_a_check_and_every_check_an_entry():
    assert {rule.key for rule in CheckRules.read()} == {*TARGET_CHECKS, *WARNING_CHECKS}
    for rule in CheckRules.read():
        assert rule.reason.en
        assert rule.reason.zh
        assert all(limit > 0 for limit in rule.threshold)


def test_a_home_may_change_thresholds(tmp_path):
    text = "target.coverage: {threshold: [0.6, 0.95], least: 50, level: 0.05}\nwarning.inputs: {threshold: 0.001}\n"
    (tmp_path / FILE).write_text(text + "cool_down_days: 7\n", encoding="utf-8")
    rules = CheckRules.read(tmp_path)
    assert rules["target.coverage"].threshold == (0.6, 0.95)
    assert (rules["target.coverage"].least, rules["target.coverage"].level) == (50, 0.05)
    assert rules["warning.inputs"].threshold == (0.001,)
    assert rules["target.inputs"] == CheckRules.read()["target.inputs"]
    assert rules.cool_down_days == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("target.drift: {threshold: 1}", "no check target.drift"),
        ("target.inputs: {title: x}", "only threshold, least, level"),
        ("target.inputs: {threshold: [0.1, 0.2]}", "one positive number"),
        ("target.inputs: {threshold: yes}", "one positive number"),
        ("target.inputs: {threshold: .nan}", "one positive number"),
        ("target.inputs: {threshold: 5}", "below 1"),
        ("target.coverage: {threshold: [0.7, 92]}", "below 1"),
        ("warning.outcomes: {threshold: 0.5}", "above 1"),
        ("target.inputs: 0.1", "may be changed"),
        ("target.coverage: {threshold: 0.7}", "lowest and the highest"),
        ("target.coverage: {threshold: [0.9, 0.7]}", "rising order"),
        ("target.inputs: {least: 2.5}", "whole number"),
        ("target.coverage: {level: 1.5}", "probability"),
        ("cool_down_days: soon", "whole number of days"),
        ("[a, b]", "map the names"),
        ("a: [", "not YAML"),
    ],
)
def test_what_is_no_threshold_is_refused_in_words(tmp_path, text, told):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(LoadlineError, match=told) as refused:
        CheckRules.read(tmp_path)
    assert FILE in refused.value.where
