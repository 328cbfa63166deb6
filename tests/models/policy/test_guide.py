"""The guide to policies says what is so: its examples are computed, and nothing that exists is left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from scoring_cases import one_indicator, plain_policy, score_one

from features.indicators import IndicatorSet, library
from features.yaml_loader import parse_yaml
from models.policy.checks.versions import ACCEPTANCES
from models.policy.reading import policy_from
from models.policy.schema import policy_schema
from models.policy.shipped import shipped
from models.policy.validator import CHECKS, check
from models.scoring.points import SCORED

GUIDE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
RULE = re.compile(r"```yaml\n(rule:.*?)```\n\n\| better \|.*?\n\|[-|]+\n(.*?)\n\n", re.DOTALL)
EXAMPLES = [
    (parse_yaml(text)["rule"], [cell.strip() for cell in row.strip("|").split("|")])
    for text, rows in RULE.findall(GUIDE)
    for row in rows.splitlines()
]


DOCUMENT = next(text for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if text.startswith("policy: 1"))


def points(rule: dict[str, Any], better: str, figure: str, given: str) -> float | None:
    """Work an example of the guide out."""
    figures: dict[str, dict[str, float]] = {"actual": {"X": float(figure)}}
    for part in filter(None, given.split(", ")):
        kind, value = part.split("=")
        where = figures.setdefault("actual" if kind == "all_loans" else kind, {})
        where["ALL" if kind == "all_loans" else "X"] = float(value)
    item = {"indicator": "X", "weight": 100, "rule": rule}
    if better.startswith("within"):
        low, high = map(float, re.findall(r"\d+", better))
        x = one_indicator("X", "band", (low, high))
        item |= {"against": "last_year"}
    else:
        x = one_indicator("X", better)
    scores = score_one(plain_policy([item]), IndicatorSet([x, one_indicator("ALL", "higher")]), figures)
    return int(scores.points[0, 0]) / 100 if scores.state[0, 0] == SCORED else None


def test_there_are_examples_of_every_rule() -> None:
    kinds = set(policy_schema()["$defs"]["Item"]["properties"]["rule"]["discriminator"]["mapping"])
    assert {rule["kind"] for rule, _ in EXAMPLES} == kinds
    assert len(EXAMPLES) == GUIDE.count("| higher |") + GUIDE.count("| lower |") + GUIDE.count("| within ")


@pytest.mark.parametrize(("rule", "row"), EXAMPLES, ids=[f"{r['kind']}-{' '.join(c[:3])}" for r, c in EXAMPLES])
def test_an_example_is_computed_as_written(rule: dict[str, Any], row: list[str]) -> None:
    better, figure, given, _, expected = row
    assert points(rule, better, figure, given) == (None if expected == "none" else float(expected))


def test_every_finding_is_in_the_table() -> None:
    table = GUIDE[GUIDE.index("## What the check refuses") : GUIDE.index("## Ready-made policies")]
    codes = {
        code
        for line in table.splitlines()
        if line.startswith("| `")
        for code in re.findall(r"`([a-z-]+)`", line.split(" | ")[0])
    }
    assert codes == {entry.code for entry in (*CHECKS, ACCEPTANCES)}


def test_every_ready_made_policy_and_gate_is_there() -> None:
    gates = set(policy_schema()["properties"]["gates"]["items"]["discriminator"]["mapping"])
    for name in (*shipped(), *gates):
        assert f"| `{name}`" in GUIDE


def test_the_document_in_it_is_a_policy_without_findings() -> None:
    policy = policy_from(parse_yaml(DOCUMENT))
    assert policy.label == "branches@2025"
    assert len(policy.gates) == 4
    assert check(policy, indicators=library()) == ()


def test_the_acceptance_in_it_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(accepted:.*?)```", GUIDE, re.DOTALL)
    (acceptance,) = policy_from(parse_yaml(DOCUMENT + text)).accepted
    assert (acceptance.finding, acceptance.on.isoformat()) == ("risk-weight", "2025-01-10")
