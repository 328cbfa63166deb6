"""The sentences of a calibration proposal, English and Chinese, by stable codes."""

from __future__ import annotations

from typing import Any

REASONS = {
    "harder": {
        "en": "Attained more surely than promised: moved part of the way back to the promised probability",
        "zh": "达成概率高于设定时，向承诺概率部分回调",
    },
    "eased": {
        "en": "Attained less surely than promised: moved part of the way back to the promised probability",
        "zh": "达成概率低于设定时，向承诺概率部分回调",
    },
    "relief": {
        "en": "Relief for outside causes was approved: moved back to the promised probability",
        "zh": "外部因素减免已获批准，回调至承诺概率",
    },
    "no_target": {"en": "No target is set", "zh": "未设定目标"},
    "core": {"en": "A core indicator: locked for the year", "zh": "核心指标，年内锁定"},
    "unknown": {"en": "No probability can be given", "zh": "无法给出达成概率"},
    "sum_of_below": {"en": "The sum of the targets below it", "zh": "由下级目标汇总而成"},
    "little_evidence": {"en": "Too little evidence to move it", "zh": "依据不足，不作调整"},
    "as_promised": {"en": "About as likely as promised", "zh": "达成概率与承诺相近"},
    "no_relief": {
        "en": "Less likely than promised, but no relief was approved",
        "zh": "达成概率低于承诺，但无获批减免",
    },
    "too_small": {"en": "The move would be too small to count", "zh": "调整幅度过小"},
    "total": {"en": "No move in the other direction keeps the total", "zh": "无反向调整，无法保持合计不变"},
    "others_farther": {"en": "Others are farther from what was promised", "zh": "其他目标偏离承诺更远"},
    "not_worthwhile": {
        "en": "Too few targets would move to be worth a calibration",
        "zh": "可调整目标过少，不宜启动校准",
    },
}
"""Why a target moves or stays."""


def summary_text(
    *, limits: dict[str, Any], non_core: int, considered: int, moved: int, share: float, worthwhile: bool
) -> dict[str, str]:
    """Say in a sentence what is proposed."""
    if limits["by"] == "count":
        limit = f"at least {limits['least']:.0%}, at most {limits['most']:.0%} of them"
        limit_zh = f"数量占比{limits['least']:.0%}至{limits['most']:.0%}"
    else:
        limit = f"each by {limits['least']:.0%} to {limits['most']:.0%} of its value"
        limit_zh = f"单项幅度{limits['least']:.0%}至{limits['most']:.0%}"
    if non_core == 0:
        return {
            "en": "No target may be calibrated: none is set, or all are core, which is locked for the year",
            "zh": "无可校准目标：未设定目标，或均为核心目标（年内锁定）",
        }
    if not worthwhile:
        return {
            "en": f"Nothing worth a calibration: {considered:,} of {non_core:,} non-core targets would move ({limit})",
            "zh": f"无需校准：{non_core:,}项非核心目标中仅{considered:,}项可调整（{limit_zh}）",
        }
    return {
        "en": f"{moved:,} of {non_core:,} non-core targets move, {share:.0%} ({limit}); core targets are locked",
        "zh": f"{non_core:,}项非核心目标中调整{moved:,}项，占{share:.0%}（{limit_zh}）；核心目标锁定",
    }
