"""What any challenger must show against the champion: not worse, no group worse off, explanations that stay."""

from __future__ import annotations

from typing import Any

from training.gating.comparison import Comparison, GroupDifference, told
from training.gating.gate import Gate, some
from training.gating.rules import GateRule, GateRules
from training.gating.stability import TOP, Overlap

FIRST = {"en": "There is no champion to compare with.", "zh": "尚无在用模型可供对比。"}
SAME = {
    "en": "The champion was trained by the same procedure, so there is no difference.",
    "zh": "在用模型由同一方法训练，无差异。",
}
OVER: dict[str, tuple[str, str]] = {
    "replayed": ("at past origins", "在历史起点"),
    "after": ("on what came after it had learned", "在其训练之后的年度"),
}
DIMENSIONS_ZH = {"peer_group": "对标组", "region_type": "区域类型", "size": "规模"}
GROUPS_ZH = {"low": "低", "middle": "中", "high": "高"}


def champion_gates(rules: GateRules, comparison: Comparison, overlap: Overlap) -> tuple[Gate, Gate, Gate]:
    """Check a challenger against the champion; without one, all pass and say so."""
    subject: Any = comparison.subject
    return (
        _not_worse(rules.of(subject, "not_worse_than_champion"), comparison),
        _no_group_worse(rules, subject, comparison),
        _stable(rules.of(subject, "stable_explanations"), overlap),
    )


def _not_worse(rule: GateRule, comparison: Comparison) -> Gate:
    limit = rule["confidence"]
    if comparison.how in ("first", "same"):
        text, measured = (FIRST, None) if comparison.how == "first" else (SAME, 0.0)
        return rule.result(True, text, measured=measured, threshold=(0.0,))
    over, found = comparison.deciding(int(rule["origins_after"]))
    where = OVER[over]
    if found.mean is None:
        text = {
            "en": f"The challenger and the champion {comparison.champion} share no outcome to be compared on.",
            "zh": f"新模型与在用模型 {comparison.champion} 没有可共同检验的结果。",
        }
        return rule.result(False, text, threshold=(0.0,), effect="sign_off")
    worse, words = found.worse(confidence=limit), told(found)
    noise = found.reach(limit)
    text = {
        "en": f"Against the champion {where[0]}: {words.en}; noise alone reaches {noise:.1%} ({limit:.0%} one-sided).",
        "zh": f"{where[1]}与在用模型对比：{words.zh}；噪声可达 {noise:.1%}（单侧 {limit:.0%}）。",
    }
    # A difference measured between units only leaves out what they share: a person is to weigh it.
    effect = "sign_off" if found.weak else None
    return rule.result(not worse, text, measured=found.mean, threshold=(noise,), effect=effect)


def _no_group_worse(rules: GateRules, subject: Any, comparison: Comparison) -> Gate:
    rule = rules.of(subject, "no_group_worse_off")
    margin = rule["margin"]
    if comparison.how in ("first", "same"):
        text, measured = (FIRST, None) if comparison.how == "first" else (SAME, 0.0)
        return rule.result(True, text, measured=measured, threshold=(margin,))
    over, _ = comparison.deciding(int(rules.of(subject, "not_worse_than_champion")["origins_after"]))
    judged = [one for one in comparison.groups if one.over == over and one.difference.mean is not None]
    if not judged:
        text = {"en": "No group of units is large enough to be judged.", "zh": "没有规模足够的群体可供检验。"}
        return rule.result(True, text, threshold=(margin,))
    # The allowance for error is shared over the groups: of many, one would look worse by chance.
    confidence = 1 - (1 - rule["confidence"]) / len(judged)
    failing = [one for one in judged if one.difference.worse(confidence=confidence, margin=margin)]
    order = sorted(failing or judged, key=lambda one: -(one.difference.mean or 0.0))
    worst = order[0].difference.mean
    names = {language: some([_name(one, language) for one in order[: len(failing) or 1]]) for language in ("en", "zh")}
    if failing:
        text = {
            "en": f"Worse off than with the champion by more than {margin:.0%}, beyond noise: {names['en']}.",
            "zh": f"较在用模型损失增加超过 {margin:.0%} 且超出噪声的群体：{names['zh']}。",
        }
    else:
        text = {
            "en": f"No group of {len(judged)} is worse off by more than {margin:.0%} beyond noise; most of all "
            f"{names['en']}.",
            "zh": f"{len(judged)} 个群体均未超出噪声地变差 {margin:.0%} 以上；变动最不利者为 {names['zh']}。",
        }
    effect = "sign_off" if failing and all(one.difference.weak for one in failing) else None
    return rule.result(not failing, text, measured=worst, threshold=(margin,), effect=effect)


def _name(found: GroupDifference, language: str) -> str:
    mean = found.difference.mean or 0.0
    if language == "en":
        return f"{found.dimension.replace('_', ' ')} {found.group} ({mean:+.1%})"
    group = GROUPS_ZH.get(found.group, found.group) if found.dimension == "size" else found.group
    return f"{DIMENSIONS_ZH.get(found.dimension, found.dimension)} {group}（{mean:+.1%}）"


def _stable(rule: GateRule, overlap: Overlap) -> Gate:
    limit = rule["overlap"]
    if overlap.champion is None:
        return rule.result(True, FIRST, threshold=(limit,))
    if overlap.share is None:
        en, zh = " ".join(note.en for note in overlap.notes), "".join(note.zh for note in overlap.notes)
        return rule.result(False, {"en": en, "zh": zh}, threshold=(limit,))
    passed = overlap.share >= limit
    least = [f"{row['part']} {row['share']:.0%}" for row in overlap.parts if row["share"] < limit]
    text = {
        "en": f"Of the {TOP} main drivers of a unit, {overlap.share:.0%} are those of the champion (asked: "
        f"{limit:.0%}, {overlap.rows:,} explanations)" + (f"; least alike: {some(least)}." if not passed else "."),
        "zh": f"每个单位前 {TOP} 项主要驱动因素与在用模型重合 {overlap.share:.0%}"
        f"（要求 {limit:.0%}，共 {overlap.rows:,} 条解释）" + (f"；差异最大：{some(least)}。" if not passed else "。"),
    }
    return rule.result(passed, text, measured=overlap.share, threshold=(limit,))
