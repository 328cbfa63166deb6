"""Differences between policies: each field is noticed, told in words, and asks for what banks do about it."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from models.policy.consequences import CONSEQUENCES
from models.policy.difference import ITEM_FIELDS, Change, differences
from models.policy.document import Calibration, Item, Limits, Missing, Policy, Scorecard


def document() -> dict[str, Any]:
    return {
        "policy": 1,
        "id": "bank",
        "version": "1",
        "title": {"en": "Bank", "zh": "全行"},
        "source": "made for a test",
        "effective": {"from": "2025-01-01"},
        "level": "internal",
        "scorecards": [
            {
                "id": "retail",
                "title": {"en": "Retail line", "zh": "零售条线"},
                "applies_to": {"business_line": ["retail", "wealth"]},
                "items": [
                    {"indicator": "P06", "weight": "40", "rule": {"kind": "ratio"}},
                    {
                        "indicator": "R01",
                        "weight": "60",
                        "against": "peers",
                        "rule": {
                            "kind": "increment",
                            "better": {"step": "1", "points": "2", "most": "20"},
                            "worse": {"step": "1", "points": "2", "most": "40"},
                        },
                    },
                ],
                "adjustments": [
                    {
                        "id": "service",
                        "title": {"en": "Service", "zh": "服务"},
                        "kind": "bonus",
                        "when": {"indicator": "U03", "above": "60"},
                        "points": "2.5",
                    }
                ],
            },
            {
                "id": "corporate",
                "title": {"en": "Corporate line", "zh": "对公条线"},
                "items": [{"indicator": "P04", "weight": "100", "rule": {"kind": "levels"}}],
            },
        ],
        "limits": {"bonus": "5"},
        "gates": [
            {"kind": "total_cap", "id": "cap", "title": {"en": "Cap", "zh": "封顶"}, "at": "120"},
            {
                "kind": "veto",
                "id": "cases",
                "title": {"en": "Cases", "zh": "案件"},
                "when": {"indicator": "C05", "above": "0"},
            },
        ],
        "grades": [{"name": "A", "from": "80"}, {"name": "B"}],
    }


def changed(path: str, value: Any) -> Policy:
    """Give the policy with one place of its document set, or dropped for None."""
    made = document()
    at: Any = made
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in way:
        at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
    if value is None:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return Policy.model_validate(made)


BASE = Policy.model_validate(document())
NEW_ITEM = {"indicator": "D77", "weight": "5", "rule": {"kind": "ratio"}}
KNOWN_ITEM = {"indicator": "P04", "weight": "5", "rule": {"kind": "ratio"}}
CARD = {"id": "support", "title": {"en": "Support", "zh": "支持部门"}, "items": [KNOWN_ITEM]}

ONE_CHANGE = [
    ("id", "other", "identity", "id", "bank", "other"),
    ("version", "2", "identity", "version", "1", "2"),
    ("title.zh", "全行制度", "wording", "title", "Bank / 全行", "Bank / 全行制度"),
    ("source", "another", "wording", "source", "made for a test", "another"),
    ("effective.until", "2025-12-31", "period", "effective.until", None, "2025-12-31"),
    ("effective.from", "2024-07-01", "period", "effective.from", "2025-01-01", "2024-07-01"),
    ("level", "owner", "evaluation_level", "level", "internal", "owner"),
    ("scorecards.0.items.0.weight", "35.5", "weights", "scorecards.retail.items.P06.weight", "40", "35.5"),
    ("scorecards.0.items.0.against", "last_year", "reference", "scorecards.retail.items.P06.against", "target", None),
    ("scorecards.0.items.1.growth", "3", "reference", "scorecards.retail.items.R01.growth", "0", "3"),
    ("scorecards.0.items.0.shared", True, "class", "scorecards.retail.items.P06.shared", "no", "yes"),
    ("scorecards.0.items.0.perspective", "risk", "class", "scorecards.retail.items.P06.perspective", None, "risk"),
    ("scorecards.0.items.0.block", "growth", "class", "scorecards.retail.items.P06.block", None, "growth"),
    ("scorecards.0.items.0.rule.cap", "120", "rule", "scorecards.retail.items.P06.rule.cap", "130", "120"),
    ("scorecards.0.items.0.rule", {"kind": "levels"}, "rule", "scorecards.retail.items.P06.rule", None, "levels"),
    ("scorecards.0.items.1.rule.worse.most", "30", "rule", "scorecards.retail.items.R01.rule.worse", None, None),
    ("scorecards.0.items.2", NEW_ITEM, "new_indicator", "scorecards.retail.items.D77", None, None),
    ("scorecards.0.items.2", KNOWN_ITEM, "items", "scorecards.retail.items.P04", None, None),
    ("scorecards.0.items.1", None, "items", "scorecards.retail.items.R01", None, None),
    ("scorecards.0.applies_to.business_line", ["retail"], "selectors", "scorecards.retail.applies_to", None, None),
    (
        "scorecards.0.title.en",
        "Retail",
        "wording",
        "scorecards.retail.title",
        "Retail line / 零售条线",
        "Retail / 零售条线",
    ),
    (
        "scorecards.0.adjustments.0.points",
        "3",
        "adjustments",
        "scorecards.retail.adjustments.service.points",
        "2.5",
        "3",
    ),
    ("scorecards.0.adjustments.0", None, "adjustments", "scorecards.retail.adjustments.service", None, None),
    ("scorecards.2", CARD, "scorecards", "scorecards.support", None, "P04 5"),
    ("scorecards.1", None, "scorecards", "scorecards.corporate", "P04 100", None),
    ("not_scored", [{"level": ["head office"]}], "selectors", "not_scored", None, None),
    ("limits.bonus", "6", "limits", "limits.bonus", "5", "6"),
    ("limits.malus", "6", "limits", "limits.malus", None, "6"),
    ("gates.0.at", "110", "gates", "gates.cap.at", "120", "110"),
    ("gates.1.when.above", "1", "gates", "gates.cases.when", "C05 above 0", "C05 above 1"),
    ("gates.1", None, "gates", "gates.cases", None, None),
    ("grades.0.from", "85", "grades", "grades.A.from", "80", "85"),
    ("missing.then", "rescale", "missing", "missing.then", "withhold", "rescale"),
    (
        "targets.target",
        {"probability": "0.5", "points": "100"},
        "target_levels",
        "targets.target.probability",
        "0.6",
        "0.5",
    ),
    ("targets.target", {"probability": "0.6", "points": "105"}, "level_points", "targets.target.points", "100", "105"),
    ("calibration.most", "0.15", "calibration", "calibration.most", "0.2", "0.15"),
    ("ratchet_cap", "0.4", "ratchet", "ratchet_cap", "0.5", "0.4"),
    ("flagged_attain", "0.6", "flagged", "flagged_attain", "0.5", "0.6"),
    ("alert_budget", "0.1", "alerts", "alert_budget", "0.05", "0.1"),
    ("factors", [["STAFF", "P08"]], "factors", "factors", None, "STAFF, P08"),
    (
        "accepted",
        [{"finding": "classes", "by": "Li Ming", "on": "2025-01-01", "reason": "agreed by the board"}],
        "acceptance",
        "accepted",
        None,
        None,
    ),
]


@pytest.mark.parametrize(("path", "value", "kind", "where", "before", "after"), ONE_CHANGE)
def test_one_change_is_told_as_one(path, value, kind, where, before, after):
    new = changed(path, value)
    (change,) = differences(BASE, new)
    assert (change.kind, change.where) == (kind, where)
    if before is not None:
        assert change.before == before
    if after is not None:
        assert change.after == after
    assert change.text.en.endswith(".")
    assert change.text.zh.endswith("。")
    (back,) = [c for c in differences(new, BASE) if c.kind != "new_indicator"] or differences(new, BASE)
    assert (back.where, back.before, back.after) == (where, change.after, change.before)


def test_every_kind_of_change_is_provoked_above():
    assert {case[2] for case in ONE_CHANGE} == set(CONSEQUENCES)


def test_every_field_of_a_policy_is_compared():
    """A field added to the document and forgotten here would let two policies look alike."""
    seen = {case[3].split(".")[0] for case in ONE_CHANGE}
    assert seen == set(Policy.model_fields) - {"policy"}


def test_every_field_of_every_part_is_compared():
    assert set(ITEM_FIELDS) == set(Item.model_fields) - {"indicator", "rule"}
    seen = {case[3] for case in ONE_CHANGE}
    for part, name in ((Limits, "limits"), (Missing, "missing"), (Calibration, "calibration")):
        compared = {where.removeprefix(f"{name}.") for where in seen if where.startswith(name)}
        for field in set(part.model_fields) - compared:
            (change,) = differences(BASE, changed(f"{name}.{field}", OTHER[field]))
            assert change.where == f"{name}.{field}"
    compared = {where.split(".")[2] for where in seen if where.startswith("scorecards.") and where.count(".") > 1}
    assert compared == set(Scorecard.model_fields) - {"id"}


OTHER = {"least_weight": "70", "least": "0.05", "by": "size"}


def test_nothing_is_different_between_two_ways_of_writing():
    made = document()
    made["scorecards"][0]["items"][0]["weight"] = Decimal("40.00")
    made["scorecards"][0]["applies_to"]["business_line"] = ["wealth", "retail"]
    made["targets"] = {"floor": {"probability": "0.850", "points": "80"}}
    assert differences(BASE, Policy.model_validate(made)) == ()
    assert differences(BASE, BASE) == ()


def test_the_order_of_gates_counts_and_that_of_items_is_wording():
    made = document()
    made["gates"].reverse()
    (change,) = differences(BASE, Policy.model_validate(made))
    assert (change.kind, change.where, change.before, change.after) == ("gates", "gates", "cap, cases", "cases, cap")
    made = document()
    made["scorecards"][0]["items"].reverse()
    (change,) = differences(BASE, Policy.model_validate(made))
    assert (change.kind, change.where) == ("wording", "scorecards.retail.items")


def test_a_gate_of_another_kind_is_told_as_a_whole():
    gate = {"kind": "grade_ceiling", "id": "cases", "title": {"en": "Cases", "zh": "案件"}, "grade": "B"}
    (change,) = differences(BASE, changed("gates.1", gate | {"when": {"indicator": "C05", "above": "0"}}))
    assert change.before == "veto, when C05 above 0"
    assert change.after == "grade_ceiling, grade B, when C05 above 0"


def test_a_new_scorecard_names_the_indicators_that_are_new_to_the_policy():
    card = deepcopy(CARD) | {"items": [KNOWN_ITEM, NEW_ITEM]}
    found = differences(BASE, changed("scorecards.2", card))
    assert [(c.kind, c.where) for c in found] == [
        ("scorecards", "scorecards.support"),
        ("new_indicator", "scorecards.support.items.D77"),
    ]


def said(path: str, value: Any) -> Change:
    return differences(BASE, changed(path, value))[0]


def test_the_sentences():
    weight = said("scorecards.0.items.0.weight", "35.5").text
    assert weight.en == "Retail line, P06: the weight changes from 40 to 35.5."
    assert weight.zh == "零售条线，P06：权重由40调整为35.5。"
    cap = said("limits.malus", "6").text
    assert (cap.en, cap.zh) == ("The most that maluses take is set: 6.", "扣分上限设为6。")
    veto = said("gates.1", None).text
    assert veto.en == "Cases: the gate is dropped; it was: veto, condition C05 above 0."
    assert veto.zh == "案件：取消约束规则，原为：一票否决，触发条件C05高于0。"
    item = said("scorecards.0.items.2", KNOWN_ITEM).text
    assert item.en == "Retail line, P04: the item is added: weight 5, against the target, ratio."
    assert item.zh == "零售条线，P04：新增指标：权重5，与目标比较，比值法。"
    against = said("scorecards.0.items.0.against", "last_year").text
    assert against.zh == "零售条线，P06：对比基准由目标调整为上年同期。"


@pytest.mark.parametrize(
    ("path", "value", "code", "retrain", "retrain_scores"),
    [
        ("scorecards.0.items.0.weight", "35", "shadow", False, True),
        ("gates.1", None, "replay_gates", False, False),
        ("gates.0.at", "110", "replay_gates", False, False),
        ("targets.target", {"probability": "0.5", "points": "100"}, "suggest_again", False, False),
        ("scorecards.0.items.2", NEW_ITEM, "observe", False, True),
    ],
)
def test_what_each_change_asks_for(path, value, code, retrain, retrain_scores):
    change = said(path, value)
    assert (change.consequence.code, change.retrain) == (code, retrain)
    plain = change.as_dict()
    assert plain["consequence"]["code"] == code
    assert (plain["retrain"], plain["retrain_scores"]) == (retrain, retrain_scores)
