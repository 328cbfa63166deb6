"""The JSON Schema of a policy, generated from the model, for editors that check and explain while one writes."""

from __future__ import annotations

import json
from typing import Any

from models.policy.document import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Policy"

DESCRIPTIONS: dict[str, str] = {
    "policy": "Version of this format: 1.",
    "id": "Name by which it is referred to (编号).",
    "title": "What people call it, in English and Chinese (名称).",
    "Policy.version": "Version of the content; put it in quotes (版本).",
    "Policy.source": "Where the rules come from: a decision, a regulation, a publication (依据).",
    "Policy.effective": "Days on which this version is in force (有效期).",
    "Policy.level": "internal: a bank's own scorecards (内部考核); owner: its owner's evaluation of it (出资人评价).",
    "Policy.scorecards": "Each for some of the units, none for the same one (计分卡).",
    "Policy.not_scored": "Units that get no score (不计分单位).",
    "Policy.limits": "The most that adjustments add and take (加减分上限).",
    "Policy.gates": "What the total passes through, in this order (约束规则).",
    "Policy.grades": "From the best to the lowest, which has no `from` (等级).",
    "Policy.missing": "What becomes of a unit without some of the figures (数据缺失的处理).",
    "Policy.targets": "The three levels of a target (基础、目标、挑战).",
    "Policy.calibration": "What a quarterly calibration may change (季度校准).",
    "Policy.ratchet_cap": "Share of last year's out-performance that may be passed on into the target (鞭打快牛限额).",
    "Policy.flagged_attain": "Probability with which a unit flagged for risk attains its target at least.",
    "Policy.alert_budget": "Share of units whose alerts are reviewed each period (预警额度).",
    "Policy.factors": "Chains of volumes whose ratios multiply to the last one (因子分解链).",
    "Policy.accepted": "Warnings of the check that a named person has accepted (已确认的提示).",
    "Period.from": "First day.",
    "Period.until": "Last day; leave it out while nothing follows.",
    "Scorecard.applies_to": "Which units it is for; all, where it is left out (适用单位).",
    "Scorecard.items": "What is assessed; weights sum to 100 (指标).",
    "Scorecard.adjustments": "Points beside the items (加减分项).",
    "Selector.business_line": "Business lines of units (条线).",
    "Selector.region_type": "Types of region (区域类型).",
    "Selector.peer_group": "Peer groups (同组).",
    "Selector.level": "Levels in the tree of units (层级).",
    "indicator": "Code of an indicator (指标代码).",
    "Item.weight": "Of 100, at most two decimals (权重).",
    "Item.against": "What it is compared with: target, last_year, peers or a fixed value (对比基准).",
    "Item.value": "The fixed value.",
    "Item.growth": "Percent by which last year or the peers' figure is raised first.",
    "Item.rule": "How the figure becomes points out of 100 (计分方法).",
    "Item.perspective": "Class, where it is not the indicator's own (指标类别).",
    "Item.block": "The policy's own class, where perspectives are not enough (指标板块).",
    "Item.shared": "Whether departments share the goal (协同指标).",
    "Item.note": "A remark, in English and Chinese (说明).",
    "Adjustment.kind": "bonus adds points (加分), malus takes them (扣分).",
    "Adjustment.when": "When it counts.",
    "Adjustment.points": "Points, once or for every `per`.",
    "Adjustment.per": "Step beyond the limit that counts `points` once more.",
    "Adjustment.most": "The most points; needed with `per`.",
    "Condition.of": "The figure itself, its attainment in percent of the target, or its change on last year.",
    "Condition.above": "Holds over this limit, not at it.",
    "Condition.below": "Holds under this limit, not at it.",
    "Condition.at_least": "Holds from this limit on.",
    "Condition.at_most": "Holds up to this limit.",
    "kind": "Which kind it is.",
    "when": "When it acts.",
    "TotalCap.at": "The highest score (总分封顶).",
    "TotalCap.when": "When it acts; always, where it is left out.",
    "ProtectionFloor.at": "The lowest score meanwhile (保底分).",
    "ProtectionFloor.of": "new_units: since a unit was opened; moved_units: since it came to its parent.",
    "ProtectionFloor.months": "How many months it lasts (保护期).",
    "GradeCeiling.grade": "The best grade that can still be had (降级封顶).",
    "Grade.name": "Name of the grade.",
    "Grade.from": "Score from which it is given.",
    "Limits.bonus": "All bonuses together add at most this much.",
    "Limits.malus": "All maluses together take at most this much.",
    "Missing.then": "withhold: no score; rescale: the other weights are scaled up, and the score says so.",
    "Missing.least_weight": "Weight that must be there for a score all the same.",
    "Levels3.floor": "Attained by most (基础目标).",
    "Levels3.target": "The goal itself (目标).",
    "Levels3.stretch": "Attained by few (挑战目标).",
    "TargetLevel.probability": "How probable it is to be attained.",
    "TargetLevel.points": "What attaining it exactly is worth, out of 100.",
    "Calibration.least": "A smaller share is not worth a calibration.",
    "Calibration.most": "A larger share is not allowed.",
    "Calibration.by": "count: share of the targets that move; size: share of its value by which each may move.",
    "Acceptance.finding": "Code of the warning.",
    "Acceptance.by": "Who accepted it.",
    "Acceptance.on": "Day of the decision.",
    "Acceptance.reason": "Why.",
    "Ratio.cap": "The most points; 100 at least.",
    "Ratio.least": "The fewest points.",
    "Ratio.band": "Lower and upper limit, within which there are 100 points.",
    "Ratio.otherwise": "The rule where a ratio says nothing: a reference that is not positive, or a sign change.",
    "Increment.base": "Points at the reference.",
    "Increment.better": "What is added beyond it.",
    "Increment.worse": "What is taken short of it.",
    "Increment.steps_in": "Steps of the figure in its own unit, or in percent of the reference.",
    "Side.step": "Width of a step.",
    "Side.points": "Points a step.",
    "Side.most": "The most points on this side.",
    "Tiers.of": "Tiers of the figure, or of its attainment in percent.",
    "Tiers.tiers": "From low to high figures, whatever the direction (分档).",
    "Tier.from": "Where the tier begins, the value included; none in the first.",
    "Tier.points": "Points of the tier.",
    "Efficacy.standards": "Figures from the worst to the best; left out: quantiles of the peers (标准值).",
    "Efficacy.coefficients": "Share of the points at each standard, ascending (标准系数).",
    "Efficacy.quantiles": "Which quantiles of the peers stand in for standards, ascending.",
    "TwoIncrease.all_loans": "Code of the growth of all loans (各项贷款增速).",
    "TwoIncrease.miss": "Points taken where two years brought none.",
    "TwoIncrease.shrinkage": "Points taken where the balance shrank in both.",
    "en": "In English.",
    "zh": "In Chinese.",
}
"""What each field is for, by part and field or by field alone."""


def policy_schema() -> dict[str, Any]:
    """Give the schema of a policy document, every field described."""
    schema: dict[str, Any] = {"$schema": DIALECT} | Policy.model_json_schema(by_alias=True)
    for name, part in ((TITLE, schema), *schema["$defs"].items()):
        for field, content in part.get("properties", {}).items():
            described = DESCRIPTIONS.get(f"{name}.{field}", DESCRIPTIONS.get(field))
            if described is not None:
                content["description"] = described
    return schema


def schema_text() -> str:
    """Give the schema as it is published in `docs/policy.schema.json`."""
    return json.dumps(policy_schema(), ensure_ascii=False, indent=2) + "\n"
