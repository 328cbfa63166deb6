"""The gates as data: what a home may change, and what is refused with its line."""

from pathlib import Path

import pytest

from features.errors import LoadlineError
from training.gating.gate import COVERAGE_LIMITS, FEWEST_ORIGINS, FEWEST_OUTCOMES
from training.gating.rules import GateRules


def own(home: Path, text: str) -> GateRules:
    (home / "gates.yaml").write_text(text, encoding="utf-8")
    return GateRules.read(home)


def test_every_gate_has_a_title_and_a_reason_in_both_languages() -> None:
    rules = GateRules.packaged().rules
    assert len({(rule.subject, rule.name) for rule in rules}) == len(rules)
    assert {rule.subject for rule in rules} == {"target", "warning"}
    for rule in rules:
        for text in (rule.title, rule.reason):
            assert text.en.isascii()
            assert not text.zh.isascii()
    assert [rule.name for rule in rules if rule.effect == "sign_off"] == ["stable_explanations", "not_older"] * 2


def test_no_gate_refuses_what_is_not_even_marked_as_thin() -> None:
    rules = GateRules.packaged()
    coverage, data = rules.of("target", "coverage"), rules.of("target", "enough_data")
    assert coverage["lowest"] <= COVERAGE_LIMITS[0]
    assert coverage["highest"] >= COVERAGE_LIMITS[1]
    assert data["origins"] <= FEWEST_ORIGINS
    assert data["outcomes"] <= FEWEST_OUTCOMES


def test_a_home_changes_thresholds_effects_and_people(tmp_path: Path) -> None:
    packaged = GateRules.read(tmp_path)
    assert packaged == GateRules.packaged()
    changed = own(
        tmp_path,
        "two_people: true\ntarget:\n  no_group_worse_off: {effect: sign_off, thresholds: {margin: 0.03}}\n"
        "warning:\n  beats_simple:\n    thresholds: {years: 3}\n",
    )
    assert changed.two_people
    rule = changed.of("target", "no_group_worse_off")
    assert (rule.effect, rule["margin"], rule["confidence"]) == ("sign_off", 0.03, 0.95)
    assert changed.of("warning", "beats_simple")["years"] == 3.0
    assert changed.of("warning", "no_group_worse_off") == packaged.of("warning", "no_group_worse_off")
    assert changed.version != packaged.version
    assert GateRules.packaged() == packaged, "the packaged rules are as before"


def test_the_version_names_the_content(tmp_path: Path) -> None:
    first = own(tmp_path, "target: {stable_explanations: {thresholds: {overlap: 0.8}}}")
    again = own(tmp_path, "# the same\ntarget:\n  stable_explanations:\n    thresholds: {overlap: 0.80}\n")
    assert first.version == again.version
    assert own(tmp_path, "two_people: false\n").version == GateRules.packaged().version
    assert own(tmp_path, "# nothing\n") == GateRules.packaged()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("target:\n  coverge: {effect: block}\n", 2, "no gate 'coverge'"),
        ("targets: {}\n", 1, "no entry 'targets'"),
        ("two_people: 2\n", 1, "neither true nor false"),
        ("two_people: 'true'\n", 1, "neither true nor false"),
        ("target:\n  coverage:\n    effect: warn\n", 3, "'warn'"),
        ("target:\n  coverage:\n    effect: [block]\n", 3, "the effect of coverage"),
        ("target:\n  coverage:\n    thresholds:\n      lowest: .nan\n", 4, "not a number"),
        ("target:\n  coverage:\n    thresholds:\n      lowest: '0.6'\n", 4, "not a number"),
        ("target:\n  coverage:\n    thresholds:\n      lowest: true\n", 4, "not a number"),
        ("target:\n  coverage:\n    thresholds:\n      lowest: 65\n", 4, "out of range"),
        ("target:\n  coverage:\n    thresholds:\n      least: 0.6\n", 4, "no threshold 'least'"),
        ("target:\n  coverage:\n    thresholds: {lowest: 0.9, highest: 0.8}\n", 2, "not below the highest"),
        ("target:\n  coverage:\n    reason: {en: because}\n", 3, "no 'reason'"),
        ("target:\n  coverage: 0.6\n", 2, "expected a mapping"),
        ("target:\n- coverage\n", 1, "expected a mapping"),
        ("- target\n", 1, "expected a mapping"),
        ("target: {coverage: [\n", 0, "YAML"),
        ("target: !!python/object:os.system {}\n", 0, "expected"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(LoadlineError) as refused:
        own(tmp_path, text)
    told = str(refused.value)
    assert what in told
    assert "gates.yaml" in refused.value.where
    if line:
        assert f"line {line}" in refused.value.where
    assert refused.value.hint
