"""What a target model must show before it may be promoted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from training.gating.champion_gates import champion_gates
from training.gating.comparison import Comparison, Promise
from training.gating.gate import BASELINE, Gate, IndicatorEvidence, some
from training.gating.rules import GateRule, GateRules
from training.gating.stability import Overlap

LEVELS_ZH = {"floor": "底线", "target": "目标", "stretch": "挑战"}


def check_target(
    rules: GateRules, evidence: Sequence[IndicatorEvidence], comparison: Comparison, overlap: Overlap
) -> tuple[Gate, ...]:
    """Check a model by itself, and against the champion.

    Coverage and amount of data are required of each indicator that is not openly marked as low in evidence.
    """
    promises = _attainment(rules.of("target", "attainment"), comparison.promises)
    return *check_evidence(rules, evidence), promises, *champion_gates(rules, comparison, overlap)


def check_evidence(rules: GateRules, evidence: Sequence[IndicatorEvidence]) -> tuple[Gate, ...]:
    """Check a model by itself: it beats the baseline or is the baseline, its bands hold, it rests on enough data."""
    return (
        _beats_baseline(rules.of("target", "beats_baseline"), evidence),
        _coverage(rules.of("target", "coverage"), evidence),
        _enough_data(rules.of("target", "enough_data"), evidence),
    )


def _beats_baseline(rule: GateRule, evidence: Sequence[IndicatorEvidence]) -> Gate:
    limit = rule["loss_ratio"]
    challengers = [item for item in evidence if not item.fallback]
    failing = [item for item in challengers if not item.loss_ratio <= limit]
    worst = _worst([item.loss_ratio for item in challengers], key=float)
    if failing:
        names = some([item.indicator for item in failing])
        much = "" if worst is None or worst <= limit else f"{worst:.3f}"
        text = {
            "en": f"The challenger does not beat {BASELINE} for {names}, and is used there"
            + (f"; its loss is up to {much} times that of {BASELINE} (allowed: {limit:g})." if much else "."),
            "zh": f"以下指标未优于基准（合并增速）却仍在使用新模型：{names}"
            + (f"；损失最高为基准的 {much} 倍（上限 {limit:g}）。" if much else "。"),
        }
    else:
        counts = len(challengers), len(evidence) - len(challengers)
        text = {
            "en": f"Indicators better than {BASELINE}: {counts[0]}; served by {BASELINE} itself: {counts[1]}.",
            "zh": f"{counts[0]} 项指标优于基准（合并增速），{counts[1]} 项直接采用基准。",
        }
    return rule.result(not failing, text, measured=worst, threshold=(limit,))


def _coverage(rule: GateRule, evidence: Sequence[IndicatorEvidence]) -> Gate:
    lowest, highest = rule["lowest"], rule["highest"]
    judged = [item for item in evidence if not item.low_evidence]
    failing = [item.indicator for item in judged if not lowest <= item.coverage <= highest]
    limits = f"{lowest:.0%}-{highest:.0%}"
    marked = len(evidence) - len(judged)
    middle = (lowest + highest) / 2
    worst = _worst([item.coverage for item in judged], key=lambda share: abs(share - middle))
    if failing:
        measured = ("", "") if worst is None else (f", {worst:.0%} at the worst", f"，最差为 {worst:.0%}")
        text = {
            "en": f"The 80% band covers less or more than {limits} of outcomes for {some(failing)}{measured[0]}.",
            "zh": f"以下指标的 80% 区间实际覆盖率超出 {limits}：{some(failing)}{measured[1]}。",
        }
    else:
        text = {
            "en": f"Indicators whose 80% band covers {limits}: {len(judged)}; marked low evidence: {marked}.",
            "zh": f"{len(judged)} 项指标的 80% 区间覆盖率在 {limits} 之内，{marked} 项标注为依据不足。",
        }
    return rule.result(not failing, text, measured=worst, threshold=(lowest, highest))


def _enough_data(rule: GateRule, evidence: Sequence[IndicatorEvidence]) -> Gate:
    origins, outcomes = int(rule["origins"]), int(rule["outcomes"])
    judged = [item for item in evidence if not item.low_evidence]
    failing = [item.indicator for item in judged if item.origins < origins or item.outcomes < outcomes]
    marked = len(evidence) - len(judged)
    fewest = min((item.origins for item in judged), default=None)
    if not evidence:
        text = {"en": "No indicator could be modelled.", "zh": "没有可建模的指标。"}
    elif failing:
        text = {
            "en": f"Under {origins} origins or {outcomes} outcomes, and not marked so: {some(failing)}.",
            "zh": f"以下指标不足 {origins} 个预测起点或 {outcomes} 个结果，且未标注：{some(failing)}。",
        }
    else:
        text = {
            "en": f"Indicators with enough data: {len(judged)}; marked low evidence: {marked}.",
            "zh": f"{len(judged)} 项指标数据充足，{marked} 项标注为依据不足。",
        }
    measured = None if fewest is None else float(fewest)
    passed = bool(evidence) and not failing
    return rule.result(passed, text, measured=measured, threshold=(float(origins), float(outcomes)))


def _attainment(rule: GateRule, promises: Sequence[Promise]) -> Gate:
    """Hold shares that attained against those promised: off by more than the margin, beyond noise, to either side."""
    margin, judged = rule["margin"], [one for one in promises if one.gap.basis == "origins"]
    if not judged:
        text = {"en": "Too few past origins to say whether promises are kept.", "zh": "历史起点过少，无法检验达成率。"}
        return rule.result(True, text, threshold=(margin,))
    # The allowance for error is shared over the levels and over both sides.
    confidence = 1 - (1 - rule["confidence"]) / (2 * len(judged))
    failing = [one for one in judged if abs(one.gap.mean or 0.0) > max(margin, one.gap.reach(confidence))]
    shown = failing or judged
    shares = [(one.name, one.promised + (one.gap.mean or 0.0), one.promised) for one in shown]
    en = ", ".join(f"{name} {share:.0%} ({promised:.0%})" for name, share, promised in shares)
    zh = "、".join(f"{LEVELS_ZH.get(name, name)} {share:.0%}（{promised:.0%}）" for name, share, promised in shares)
    origins = max(one.gap.origins for one in judged)
    text = {
        "en": f"Attained over {origins} past origins, with what was promised: {en}"
        + (f"; more than {margin:.0%} off, beyond noise." if failing else "."),
        "zh": f"{origins} 个历史起点的实际达成率（承诺值）：{zh}"
        + (f"；偏差超过 {margin:.0%} 且超出噪声。" if failing else "。"),
    }
    worst = max((one.gap.mean or 0.0 for one in judged), key=abs)
    return rule.result(not failing, text, measured=worst, threshold=(-margin, margin))


def _worst(values: Sequence[float], *, key: Callable[[float], float]) -> float | None:
    return max((value for value in values if math.isfinite(value)), key=key, default=None)
