from __future__ import annotations

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
import pytest

from features.indicators import Indicator, IndicatorSet, library
from models.policy.checks.versions import ACCEPTANCES
from models.policy.document import Policy
from models.policy.reading import policy_from
from models.policy.validator import CHECKS, Finding, PolicyError, check, raise_if_errors

TITLE = {"en": "x", "zh": "项"}
RATIO = {"kind": "ratio"}
STEPS = {
    "kind": "increment",
    "better": {"step": 1, "points": 1, "most": 10},
    "worse": {"step": 1, "points": 1, "most": 9},
}
GRADES = [{"name": "A", "from": 80}, {"name": "B", "from": 60}, {"name": "C"}]
BAD_LOANS = {"indicator": "R01", "above": 5}
BASE: dict[str, Any] = {
    "policy": 1,
    "id": "made",
    "version": "2",
    "title": TITLE,
    "source": "made for a test",
    "effective": {"from": "2024-01-01"},
    "level": "internal",
    "scorecards": [
        {
            "id": "all",
            "title": TITLE,
            "items": [
                {"indicator": "R01", "weight": 50, "rule": RATIO},
                {"indicator": "P01", "weight": 30, "rule": RATIO},
                {"indicator": "C01", "weight": 20, "rule": RATIO},
            ],
        }
    ],
}
ITEM = "scorecards.0.items.1"
CARD = copy.deepcopy(BASE["scorecards"][0])
UNITS = pd.DataFrame(
    {
        "level": ["group", "branch", "branch", "branch"],
        "business_line": ["", "retail", "retail", "corporate"],
        "region_type": ["", "coastal", "western", "western"],
        "peer_group": [""] * 4,
    },
    index=pd.Index(["ROOT", "B1", "B2", "B3"], name="unit"),
)


def made(changes: Mapping[str, Any]) -> Policy:
    """Make the policy above with some places changed, such as `scorecards.0.items.1.weight`."""
    document = copy.deepcopy(BASE)
    for path, value in changes.items():
        *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in above:
            place = place[part]
        place[last] = copy.deepcopy(value)
    return policy_from(document)


def found(changes: Mapping[str, Any], **given: Any) -> list[tuple[str, str]]:
    """Give the codes and places of what is found."""
    return [(f.code, f.where) for f in findings_of(changes, **given)]


def findings_of(
    changes: Mapping[str, Any], *, indicators: IndicatorSet | None = None, **given: Any
) -> tuple[Finding, ...]:
    return check(made(changes), indicators=library() if indicators is None else indicators, **given)


def item(code: str, weight: float = 30, **rest: Any) -> dict[str, Any]:
    return {ITEM: {"indicator": code, "weight": weight, "rule": RATIO} | rest}


def cards(*selectors: Mapping[str, Any]) -> dict[str, Any]:
    return {"scorecards": [CARD | {"id": f"c{n}", "applies_to": chosen} for n, chosen in enumerate(selectors, 1)]}


def only(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"scorecards.0.items": list(items)}


def line(code: str, weight: float, **rest: Any) -> dict[str, Any]:
    return {"indicator": code, "weight": weight, "rule": RATIO} | rest


def rule(kind: str, code: str = "P01", **rest: Any) -> dict[str, Any]:
    return item(code, rule={"kind": kind} | rest)


def tiers(*starts: float | None) -> dict[str, Any]:
    return rule("tiers", tiers=[{"points": 100} | ({} if start is None else {"from": start}) for start in starts])


def gate(kind: str, name: str = "g", **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "id": name, "title": TITLE} | rest


def version(name: str, start: str, until: str | None = None, **rest: Any) -> Policy:
    return made({"version": name, "effective": {"from": start} | ({"until": until} if until else {})} | rest)


def accepted(code: str) -> dict[str, Any]:
    return {"accepted": [{"finding": code, "by": "Li Hua", "on": "2024-01-05", "reason": "decided by the group"}]}


def edited(code: str, **changes: Any) -> IndicatorSet:
    """Give the library with one indicator changed, consistent or not."""
    return IndicatorSet(i.model_copy(update=changes) if i.code == code else i for i in library().values())


@dataclass(frozen=True)
class Case:
    """A policy in which exactly one thing is found, where, and one that comes close without it."""

    code: str
    where: str
    wrong: Mapping[str, Any]
    right: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)


P01 = "scorecards.all.items.P01"
OWNER = {"level": "owner"}
TWICE = {"scorecards": [CARD | {"applies_to": {"level": [level]}} for level in ("branch", "group")]}
QUARTERS = [
    line("R01", 25, block="risk"),
    line("P01", 25, block="a"),
    line("C01", 25, block="b"),
    line("S03", 25, block="c"),
]
CASES = (
    Case("weights", "scorecards.all.items", {f"{ITEM}.weight": 29.99}, {f"{ITEM}.weight": 30}),
    Case("weights", "scorecards.all.items", {f"{ITEM}.weight": 45}, {f"{ITEM}.weight": "30.00"}),
    Case("repeated-id", "scorecards.all", TWICE, {"scorecards": [TWICE["scorecards"][0]]}),
    Case(
        "repeated-id",
        "gates.g",
        {"gates": [gate("veto", when=BAD_LOANS), gate("total_cap", at=110)]},
        {"gates": [gate("veto", when=BAD_LOANS), gate("total_cap", "h", at=110)]},
    ),
    Case(
        "repeated-id",
        "scorecards.all.adjustments.a",
        {
            "scorecards.0.adjustments": [{"id": "a", "title": TITLE, "kind": "bonus", "when": BAD_LOANS, "points": 1}]
            * 2
        },
        {"scorecards.0.adjustments": [{"id": "a", "title": TITLE, "kind": "bonus", "when": BAD_LOANS, "points": 1}]},
    ),
    Case("repeated-id", "grades.B", {"grades": [*GRADES[:2], {"name": "B"}]}, {"grades": GRADES}),
    Case(
        "repeated-indicator",
        P01,
        only(line("R01", 50), line("P01", 10), line("P01", 20), line("C01", 20)),
        only(line("R01", 50), line("P01", 10), line("P04", 20), line("C01", 20)),
    ),
    Case(
        "risk-weight",
        "scorecards.all",
        only(line("R01", 30), line("P01", 50), line("C01", 20)),
        only(line("R01", 30.01), line("P01", 49.99), line("C01", 20)),
    ),
    Case(
        "risk-weight",
        "scorecards.all",
        only(line("R01", 40), line("P01", 40), line("U01", 20)),
        only(line("R01", 40), line("P01", 39.99), line("U01", 20.01)),
    ),
    Case("risk-weight", "scorecards.all", {f"{ITEM}.weight": 30, "scorecards.0.items.0.perspective": "customer"}, {}),
    Case(
        "owner-classes",
        "scorecards.all",
        OWNER | only(*QUARTERS[:3], line("S03", 25, block="b")),
        OWNER | only(*QUARTERS),
    ),
    Case(
        "owner-classes",
        "scorecards.all",
        OWNER | only(line("R01", 25.01), line("P01", 24.99), line("C01", 25), line("S03", 25)),
        OWNER | only(line("R01", 25), line("P01", 25), line("C01", 25), line("S03", 25)),
    ),
    Case(
        "shared-weight",
        "scorecards.all.items",
        only(line("R01", 50), line("P01", 14.99, shared=True), line("C01", 35.01)),
        only(line("R01", 50), line("P01", 10, shared=True), line("C01", 35), line("P04", 5, shared=True)),
    ),
    Case(
        "overlap",
        "scorecards.c2.applies_to",
        cards({"business_line": ["retail"]}, {"region_type": ["western"]}),
        cards({"business_line": ["retail"]}, {"business_line": ["corporate"], "region_type": ["western"]}),
    ),
    Case(
        "overlap",
        "scorecards.c2.applies_to",
        cards({"level": ["a", "b"]}, {}),
        cards({"level": ["a", "b"]}, {"level": ["c"]}),
    ),
    Case(
        "uncovered",
        "scorecards",
        cards({"level": ["branch"]}),
        cards({"level": ["branch"]}) | {"not_scored": [{"level": ["group"]}]},
        {"units": UNITS},
    ),
    Case(
        "no-unit",
        "scorecards.c2.applies_to",
        cards({"level": ["branch", "group"]}, {"level": ["brnch"]}),
        cards({"level": ["branch"]}, {"level": ["group"]}),
        {"units": UNITS},
    ),
    Case(
        "no-unit",
        "scorecards.c2.applies_to",
        cards({"level": ["branch"]}, {"level": ["group"]}) | {"not_scored": [{"level": ["group"]}]},
        cards({"level": ["branch"]}, {"level": ["group"]}) | {"not_scored": [{"level": ["department"]}]},
        {"units": UNITS},
    ),
    Case("grades", "grades", {"grades": [*GRADES[:2], {"name": "C", "from": 0}]}, {"grades": GRADES}),
    Case("grades", "grades", {"grades": [GRADES[1], GRADES[0], GRADES[2]]}, {"grades": [GRADES[0], GRADES[2]]}),
    Case("grades", "grades", {"grades": [{"name": "A"}, *GRADES[1:]]}, {"grades": GRADES[2:]}),
    Case(
        "unknown-grade",
        "gates.g.grade",
        {"grades": GRADES, "gates": [gate("grade_ceiling", grade="b", when=BAD_LOANS)]},
        {"grades": GRADES, "gates": [gate("grade_ceiling", grade="B", when=BAD_LOANS)]},
    ),
    Case(
        "idle-ceiling",
        "gates.g.grade",
        {"grades": GRADES, "gates": [gate("grade_ceiling", grade="A", when=BAD_LOANS)]},
        {"grades": GRADES, "gates": [gate("grade_ceiling", grade="C", when=BAD_LOANS)]},
    ),
    Case(
        "lifted-veto",
        "gates.floor",
        {"gates": [gate("veto", when=BAD_LOANS), gate("protection_floor", "floor", at=80, of="new_units", months=6)]},
        {"gates": [gate("protection_floor", "floor", at=80, of="new_units", months=6), gate("veto", when=BAD_LOANS)]},
    ),
    Case("unknown-indicator", "scorecards.all.items.P1", item("P1", perspective="performance"), item("P01")),
    Case("unknown-indicator", "gates.g.when", {"gates": [gate("veto", when={"indicator": "R91", "above": 1})]}, {}),
    Case("unknown-indicator", "factors.1", {"factors": [["STAFF", "P8"]]}, {"factors": [["STAFF", "P08"]]}),
    Case(
        "unknown-indicator",
        "scorecards.all.items.S01.rule.all_loans",
        rule("two_increase", "S01", all_loans="P55"),
        rule("two_increase", "S01", all_loans="P05"),
    ),
    Case("monitored-only", "scorecards.all.items.P20", item("P20"), item("P03")),
    Case(
        "context-indicator",
        "scorecards.all.items.POPULATION",
        OWNER | only(*QUARTERS[:3], line("POPULATION", 25, block="d")),
        {},
    ),
    Case("entity-only", "scorecards.all.items.R10", item("R10"), item("R11")),
    Case(
        "entity-only",
        "scorecards.all.items.R10",
        item("R10") | {"scorecards.0.applies_to": {"level": ["group", "branch"]}},
        item("R10") | {"scorecards.0.applies_to": {"level": ["group"]}},
    ),
    Case(
        "entity-only",
        "scorecards.all.items.R10",
        item("R10"),
        OWNER | only(*QUARTERS[1:], line("R10", 25, block="risk")),
    ),
    Case("point-in-time", "scorecards.all.items.U02", item("U02"), item("P07")),
    Case("point-in-time", "scorecards.all.items.RURAL_CUSTOMERS", item("RURAL_CUSTOMERS"), item("NPL")),
    Case(
        "point-in-time",
        "scorecards.all.items.U02",
        item("U02"),
        OWNER | only(*QUARTERS[1:], line("U02", 25, block="d")),
    ),
    Case(
        "factor-kind", "factors.1", {"factors": [["STAFF", "P15", "P08"]]}, {"factors": [["STAFF", "CUSTOMERS", "P08"]]}
    ),
    Case("out-of-reach", f"{P01}.rule.cap", rule("ratio", cap=99.99), rule("ratio", cap=100)),
    Case(
        "out-of-reach",
        f"{P01}.rule.better.most",
        item("P01", rule=STEPS | {"base": 89.99}),
        item("P01", rule=STEPS | {"base": 90}),
    ),
    Case(
        "out-of-reach",
        f"{P01}.rule.tiers",
        rule("tiers", tiers=[{"points": 0}, {"from": 1, "points": 99}]),
        rule("tiers", tiers=[{"points": 0}, {"from": 1, "points": 100}]),
    ),
    Case(
        "out-of-reach",
        f"{P01}.rule.coefficients",
        rule("efficacy", standards=[1, 2], coefficients=[0.2, 0.99]),
        rule("efficacy", standards=[1, 2], coefficients=[0.2, 1]),
    ),
    Case(
        "out-of-reach",
        f"{P01}.rule.levels",
        rule("levels")
        | {
            "targets": {
                k: {"probability": p, "points": n}
                for k, p, n in (("floor", 0.8, 60), ("target", 0.5, 80), ("stretch", 0.2, 99))
            }
        },
        rule("levels"),
    ),
    Case(
        "out-of-reach",
        "gates.g.at",
        {"gates": [gate("total_cap", at=99)]},
        {"gates": [gate("total_cap", at=99, when=BAD_LOANS)]},
    ),
    Case(
        "band-without-limits",
        "scorecards.all.items.P05.rule",
        item("P05", against="last_year", rule=STEPS),
        item("P05", against="target", rule=STEPS),
        {"indicators": edited("P05", band=None)},
    ),
    Case(
        "band-without-limits",
        "scorecards.all.items.R08.rule",
        item("R08", against="peers") | {"scorecards.0.applies_to": {"level": ["group"]}},
        item("R08", rule=RATIO | {"band": [1, 2]}) | {"scorecards.0.applies_to": {"level": ["group"]}},
        {"indicators": edited("R08", band=None)},
    ),
    Case(
        "band-order",
        "scorecards.all.items.P05.rule.band",
        item("P05", rule=RATIO | {"band": [2, 2], "otherwise": STEPS}),
        item("P05", rule=RATIO | {"band": [2, 2.01], "otherwise": STEPS}),
    ),
    Case(
        "idle-band",
        f"{P01}.rule.band",
        rule("ratio", band=[1, 2]),
        item("P05", rule=RATIO | {"band": [1, 2], "otherwise": STEPS}),
    ),
    Case("band-rule", "scorecards.all.items.P05.rule", rule("levels", "P05"), item("P05", rule=STEPS)),
    Case("band-rule", "scorecards.all.items.P05.rule", rule("efficacy", "P05"), rule("efficacy", "P02")),
    Case(
        "band-rule",
        "scorecards.all.items.P05.rule",
        rule("tiers", "P05", of="attainment", tiers=[{"points": 100}, {"from": 3, "points": 0}]),
        rule("tiers", "P05", of="figure", tiers=[{"points": 100}, {"from": 3, "points": 0}]),
    ),
    Case(
        "efficacy-count",
        f"{P01}.rule.standards",
        rule("efficacy", standards=[1, 2, 3, 4]),
        rule("efficacy", standards=[1, 2, 3, 4, 5]),
    ),
    Case(
        "efficacy-count",
        f"{P01}.rule.quantiles",
        rule("efficacy", quantiles=[0.1, 0.9]),
        rule("efficacy", quantiles=[0.1, 0.9], coefficients=[0, 1]),
    ),
    Case(
        "efficacy-order",
        f"{P01}.rule.standards",
        rule("efficacy", standards=[5, 4, 3, 2, 1]),
        rule("efficacy", standards=[1, 2, 2, 4, 5]),
    ),
    Case(
        "efficacy-order",
        "scorecards.all.items.R02.rule.standards",
        rule("efficacy", "R02", standards=[1, 2, 3, 4, 5]),
        rule("efficacy", "R02", standards=[5, 4, 3, 2, 1]),
    ),
    Case(
        "efficacy-order",
        f"{P01}.rule.standards",
        rule("efficacy", standards=[1] * 5),
        rule("efficacy", standards=[1, 1, 1, 1, 2]),
    ),
    Case(
        "efficacy-order",
        f"{P01}.rule.coefficients",
        rule("efficacy", coefficients=[0.2, 0.4, 0.4, 0.8, 1]),
        rule("efficacy", coefficients=[0.2, 0.4, 0.41, 0.8, 1]),
    ),
    Case(
        "efficacy-order",
        f"{P01}.rule.quantiles",
        rule("efficacy", quantiles=[0.1, 0.3, 0.2, 0.7, 0.9]),
        rule("efficacy", quantiles=[0.1, 0.2, 0.3, 0.7, 0.9]),
    ),
    Case("tiers-order", f"{P01}.rule.tiers", tiers(None, 2, 1), tiers(None, 1, 2)),
    Case("tiers-order", f"{P01}.rule.tiers", tiers(None, 1, 1), tiers(None, -1, 1)),
    Case("tiers-order", f"{P01}.rule.tiers", tiers(0, 1), tiers(None, 0)),
    Case("tiers-order", f"{P01}.rule.tiers", tiers(None, 1, None), tiers(None, 1)),
    Case("ratio-sign", "scorecards.all.items.P02.rule", item("P02"), item("P02", rule=RATIO | {"otherwise": STEPS})),
    Case("ratio-sign", "scorecards.all.items.P08.rule", item("P08"), item("P08", rule=STEPS)),
    Case(
        "levels-reference",
        f"{P01}.against",
        item("P01", against="peers", rule={"kind": "levels"}),
        item("P01", rule={"kind": "levels"}),
    ),
    Case(
        "two-increase-growth",
        "scorecards.all.items.S01.rule.all_loans",
        rule("two_increase", "S01", all_loans="LOANS"),
        rule("two_increase", "S01", all_loans="P02"),
    ),
    Case(
        "two-increase-growth",
        "scorecards.all.items.R02.rule.all_loans",
        rule("two_increase", "R02", all_loans="P05"),
        rule("two_increase", "S01", all_loans="P05"),
    ),
    Case(
        "idle-reference",
        f"{P01}.against",
        rule("efficacy", standards=[1, 2, 3, 4, 5]) | {f"{ITEM}.against": "peers"},
        rule("efficacy") | {f"{ITEM}.against": "peers"},
    ),
    Case("idle-reference", f"{P01}.against", rule("efficacy") | {f"{ITEM}.against": "peers", f"{ITEM}.growth": 2}, {}),
    Case(
        "idle-reference",
        f"{P01}.against",
        tiers(None, 1) | {f"{ITEM}.against": "last_year"},
        item("P01", against="last_year"),
    ),
    Case(
        "idle-reference",
        "scorecards.all.items.P05.against",
        item("P05", against="peers", rule=RATIO | {"band": [3, 15], "otherwise": STEPS}),
        item("P05", against="peers", rule=RATIO | {"otherwise": STEPS}),
    ),
    Case(
        "version-gap",
        "effective",
        {},
        {},
        {"earlier": [version("1", "2023-01-01", "2023-12-30")]},
    ),
    Case("version-overlap", "effective", {}, {}, {"earlier": [version("1", "2023-01-01", "2024-01-01")]}),
    Case("version-overlap", "effective", {}, {}, {"earlier": [version("1", "2024-01-01")]}),
    Case(
        "version-reused", "version", {}, {"version": "3"}, {"earlier": [version("2", "2023-01-01", source="another")]}
    ),
    Case("idle-acceptance", "accepted.risk-weight", accepted("risk-weight"), {}),
)


def named(case: Case) -> str:
    return f"{case.code}-{case.where}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_is_wrong_is_found_and_nothing_else(case: Case) -> None:
    assert found(case.wrong, **case.given) == [(case.code, case.where)]


@pytest.mark.parametrize("case", [c for c in CASES if c.right or not c.given], ids=named)
def test_what_comes_close_passes(case: Case) -> None:
    assert found(case.right, **case.given) == []


@pytest.mark.parametrize(
    "earlier",
    [
        [version("1", "2023-01-01", "2023-12-31")],
        [version("1", "2023-01-01")],
        [version("1", "2023-01-01", "2023-12-30", id="another")],
        [version("0", "2021-01-01", "2021-12-31"), version("1", "2023-01-01")],
        [made({})],
    ],
    ids=["day by day", "open end", "another policy", "a gap that is not its own", "the same policy"],
)
def test_versions_that_follow_each_other_pass(earlier: Sequence[Policy]) -> None:
    assert found({}, earlier=earlier) == []


def test_a_version_before_those_that_exist_is_compared_with_the_next() -> None:
    until = {"effective": {"from": "2024-01-01", "until": "2024-12-30"}}
    assert found(until, earlier=[version("3", "2025-01-01")]) == [("version-gap", "effective")]
    whole = {"effective": {"from": "2024-01-01", "until": "2024-12-31"}}
    assert found(whole, earlier=[version("3", "2025-01-01")]) == []


def test_every_check_has_a_case() -> None:
    assert {case.code for case in CASES} == {entry.code for entry in (*CHECKS, ACCEPTANCES)}


def test_codes_are_unique() -> None:
    codes = [entry.code for entry in (*CHECKS, ACCEPTANCES)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_finding_is_said_in_both_languages(case: Case) -> None:
    (finding,) = findings_of(case.wrong, **case.given)
    texts = (*finding.what.values(), finding.hint, finding.hint_zh)
    assert all(text and "{" not in text and "None" not in text for text in texts)
    chinese = [any("\u4e00" <= sign <= "\u9fff" for sign in text) for text in texts[:2] + texts[2:]]
    assert chinese == [False, True, False, True]


def test_words_name_what_was_found() -> None:
    (finding,) = check(made({f"{ITEM}.weight": 45}), indicators=library())
    assert finding.what["en"] == "the weights sum to 115, not 100: 15 too much"
    assert finding.what["zh"] == "权重合计为115，应为100（多15）"
    (finding,) = check(made({f"{ITEM}.weight": 29.9}), indicators=library())
    assert finding.what["en"] == "the weights sum to 99.9, not 100: 0.1 too little"


def test_an_unknown_indicator_is_answered_with_near_ones() -> None:
    (finding,) = check(made(item("NPL_RATE", perspective="risk")), indicators=library())
    assert "NPL" in finding.hint
    (finding,) = check(made(item("日均贷款", perspective="risk")), indicators=library())
    assert finding.hint == "Near: P01."
    (finding,) = check(made(item("ZZZZZZ", perspective="risk")), indicators=library())
    assert finding.hint.startswith("Name it by its code")


def test_an_indicator_that_only_the_library_has_is_to_be_declared() -> None:
    few = IndicatorSet(library()[code] for code in ("R01", "C01"))
    (finding,) = check(made({f"{ITEM}.perspective": "performance"}), indicators=few)
    assert (finding.code, finding.where) == ("unknown-indicator", P01)
    assert "indicators.yaml" in finding.hint


def test_uncovered_units_are_counted_with_examples() -> None:
    (finding,) = check(made(cards({"level": ["group"]})), indicators=library(), units=UNITS)
    assert finding.what["en"].startswith("no scorecard is for 3 of the units: B1, B2, B3 (business_line 'retail'")


def test_units_on_two_scorecards_are_named() -> None:
    policy = made(
        cards({"business_line": ["retail"], "level": ["branch"]}, {"region_type": ["western"]}, {"level": ["group"]})
    )
    finding = check(policy, indicators=library(), units=UNITS)[0]
    assert (finding.code, finding.where) == ("overlap", "scorecards.c2.applies_to")
    assert "now 1: B2" in finding.what["en"]


def test_without_indicators_or_units_the_rest_is_checked() -> None:
    policy = made(cards({"level": ["nowhere"]}) | {"gates": [gate("veto", when={"indicator": "NOTHING", "above": 1})]})
    assert check(policy) == ()
    assert [f.code for f in check(made({f"{ITEM}.weight": 1}))] == ["weights"]


def test_a_warning_that_is_accepted_is_silent_and_an_error_is_not() -> None:
    light = only(line("R01", 30), line("P01", 50), line("C01", 20))
    assert found(light | accepted("risk-weight")) == []
    wrong = {f"{ITEM}.weight": 1} | accepted("weights")
    assert found(wrong) == [("weights", "scorecards.all.items"), ("idle-acceptance", "accepted.weights")]


def test_an_acceptance_is_not_called_idle_by_who_could_not_look() -> None:
    policy = made(accepted("risk-weight"))
    assert check(policy) == ()
    assert [f.code for f in check(policy, indicators=library())] == ["idle-acceptance"]
    assert check(made(accepted("no-unit")), indicators=library()) == ()
    assert [f.where for f in check(made(accepted("no-unit")), units=UNITS)] == ["accepted.no-unit"]
    assert [f.where for f in check(made(accepted("nothing-known")))] == ["accepted.nothing-known"]


@pytest.mark.parametrize("case", [c for c in CASES if c.code != ACCEPTANCES.code], ids=named)
def test_a_check_finds_the_same_without_what_it_does_not_need(case: Case) -> None:
    needs = next(entry.needs for entry in CHECKS if entry.code == case.code)
    for name in {"indicators", "units"} - {needs}:
        given: dict[str, Any] = {"indicators": library(), "units": UNITS, **case.given, name: None}
        assert case.code in [finding.code for finding in check(made(case.wrong), **given)], name


def test_findings_come_in_the_same_order_whatever_the_document_s() -> None:
    several = only(line("P20", 10), line("R10", 10), line("P02", 10), line("P01", 10), line("NONE", 10))
    first = found(several)
    assert [code for code, _ in first] == [
        "weights",
        "unknown-indicator",
        "monitored-only",
        "entity-only",
        "ratio-sign",
    ]
    for seed in range(5):
        items = list(several["scorecards.0.items"])
        random.Random(seed).shuffle(items)
        assert found(only(*items)) == first


def test_errors_are_raised_together_and_warnings_are_not() -> None:
    findings = check(made({f"{ITEM}.weight": 1} | {"gates": [gate("total_cap", at=90)]}), indicators=library())
    with pytest.raises(PolicyError) as error:
        raise_if_errors(findings)
    assert error.value.findings == findings
    assert str(error.value).count("[") == 2
    assert str(error.value).startswith("the policy has 2 errors")
    assert "loadline policy check" in error.value.hint
    warnings = check(made(item("P02")), indicators=library())
    assert [f.severity for f in warnings] == ["warning"]
    raise_if_errors(warnings)


def test_regulations_are_named_where_there_are_some() -> None:
    sources = {entry.code: entry.source for entry in CHECKS}
    for code in ("risk-weight", "monitored-only", "point-in-time"):
        assert "银监发〔2012〕34号" in sources[code]
    assert "财金〔2020〕124号" in sources["owner-classes"]


def test_an_ended_period_is_one_day_long_at_least() -> None:
    with pytest.raises(Exception, match="before it begins"):
        Policy.model_validate(BASE | {"effective": {"from": date(2024, 1, 2), "until": date(2024, 1, 1)}})


def test_a_finding_reads_as_code_place_and_words() -> None:
    finding = Finding("weights", "error", "scorecards.a", {"en": "wrong", "zh": "错误"}, "Do.", "请。")
    assert str(finding) == "[weights] scorecards.a: wrong"


def test_the_band_of_an_indicator_is_enough() -> None:
    known: Indicator = library()["P05"]
    assert known.band is not None
    assert found(item("P05", against="peers", rule=STEPS)) == []
