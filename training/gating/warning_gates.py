"""What a warning model must show before it may be promoted."""

from __future__ import annotations

import numpy as np

from training.gating.champion_gates import champion_gates
from training.gating.comparison import Comparison
from training.gating.gate import Gate
from training.gating.rules import GateRule, GateRules
from training.gating.stability import Overlap
from training.warning.fitting import Fitted
from training.warning.forward_chain import LOGIT, MODEL, SINGLE, ForwardChain

NAMES = (MODEL, SINGLE, LOGIT)
MEASURES = ("auc_within", "average_precision")
"""Of these, the model must not be behind in both: ahead in one of the two is not behind."""


def check_warning(
    rules: GateRules, found: Fitted, chain: ForwardChain, comparison: Comparison, overlap: Overlap
) -> tuple[Gate, ...]:
    """Check a model by itself, and against the champion."""
    return *check_learned(rules, found, chain), *champion_gates(rules, comparison, overlap)


def check_learned(rules: GateRules, found: Fitted, chain: ForwardChain) -> tuple[Gate, ...]:
    """Check a model: enough cases, skill on cases unseen, not behind the simple ones out of time, and calibrated."""
    return (
        _enough(rules.of("warning", "enough_cases"), found),
        _skill(rules.of("warning", "skill"), found),
        _beats(rules.of("warning", "beats_simple"), chain),
        _calibrated(rules.of("warning", "calibration"), chain, years=int(rules.of("warning", "beats_simple")["years"])),
    )


def _enough(rule: GateRule, found: Fitted) -> Gate:
    positives, waves = rule["positives"], rule["waves"]
    passed = found.positives >= positives and found.waves >= waves
    text = {
        "en": f"Unit-periods followed by deterioration: {found.positives}, in {found.waves} waves"
        + ("." if passed else f" (at least {positives:g} in {waves:g})."),
        "zh": f"恶化样本 {found.positives} 个，共 {found.waves} 轮"
        + ("。" if passed else f"（至少 {waves:g} 轮 {positives:g} 个）。"),
    }
    return rule.result(passed, text, measured=float(found.positives), threshold=(positives, waves))


def _skill(rule: GateRule, found: Fitted) -> Gate:
    passed = found.answers
    text = {
        "en": "On cases it had not seen it " + ("beat" if passed else "did not beat") + " the base rate.",
        "zh": "对未见样本的判断" + ("优于" if passed else "未优于") + "基准比率。",
    }
    return rule.result(passed, text)


def _beats(rule: GateRule, chain: ForwardChain) -> Gate:
    allowed = rule["not_worse_by"]
    if len(chain.years) < rule["years"]:
        text = {
            "en": f"Only {len(chain.years)} past years could be replayed; the comparison on the training data stands.",
            "zh": f"仅能回放 {len(chain.years)} 个年度，以训练样本内部的对比为准。",
        }
        return rule.result(True, text, threshold=(-allowed,))
    table = chain.table().set_index("name")
    within, precision = ({name: float(table[column][name]) for name in NAMES} for column in MEASURES)
    behind = {
        name: max(within[MODEL] - within[name], precision[MODEL] - precision[name]) for name in NAMES if name != MODEL
    }
    worst = min(behind.values())
    passed = worst >= -allowed
    words = {name: f"{within[name]:.3f} ({precision[name]:.3f})" for name in NAMES}
    text = {
        "en": f"Within-period AUC (average precision) over {len(chain.years)} replayed years: {words[MODEL]}; "
        f"best single indicator {words[SINGLE]}, logit {words[LOGIT]}"
        + ("." if passed else f"; behind by {-worst:.3f} in both (allowed: {allowed:g})."),
        "zh": f"回放 {len(chain.years)} 个年度的期内 AUC（平均精确率）为 {words[MODEL]}；"
        f"最佳单一指标 {words[SINGLE]}，逻辑回归 {words[LOGIT]}"
        + ("。" if passed else f"；两项均落后 {-worst:.3f}（容许 {allowed:g}）。"),
    }
    return rule.result(passed, text, measured=worst if np.isfinite(worst) else None, threshold=(-allowed,))


def _calibrated(rule: GateRule, chain: ForwardChain, *, years: int) -> Gate:
    bins = chain.calibration()
    low, high = rule["lowest"], rule["highest"]
    happened = float((bins["happened"] * bins["rows"]).sum()) if len(bins) else 0.0
    if len(chain.years) < years or happened == 0:
        text = {"en": "Too few past years to check the probabilities.", "zh": "历史年度过少，无法检验概率。"}
        return rule.result(True, text, threshold=(low, high))
    ratio = float((bins["stated"] * bins["rows"]).sum()) / happened
    text = {
        "en": f"Stated probabilities came to {ratio:.2f} times what happened (allowed: {low:g} to {high:g}).",
        "zh": f"预测概率合计为实际发生的 {ratio:.2f} 倍（允许 {low:g} 至 {high:g}）。",
    }
    return rule.result(low <= ratio <= high, text, measured=ratio, threshold=(low, high))
