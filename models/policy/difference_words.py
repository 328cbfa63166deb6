"""The words in which differences between policies are told, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from features.indicators import Title
from models.policy.document import Condition, Selector
from models.policy.rules import Side, Tier, written

Language = Literal["en", "zh", "raw"]
"""`raw`: as the document has it."""

FIELDS: dict[str, tuple[str, str]] = {
    "id": ("the id", "制度编号"),
    "version": ("the version", "版本"),
    "title": ("the title", "名称"),
    "source": ("the source", "依据"),
    "effective.from": ("the first day in force", "生效日"),
    "effective.until": ("the last day in force", "失效日"),
    "level": ("the level", "考核层级"),
    "not_scored": ("the list of units not scored", "不计分单位"),
    "ratchet_cap": ("the ratchet cap", "鞭打快牛限额"),
    "flagged_attain": ("the probability asked of flagged units", "风险提示单位的达成概率"),
    "alert_budget": ("the alert budget", "预警额度"),
    "factors": ("the list of factor chains", "因子分解链"),
    "accepted": ("the list of accepted warnings", "已确认的提示"),
    "limits.bonus": ("the most that bonuses add", "加分上限"),
    "limits.malus": ("the most that maluses take", "扣分上限"),
    "missing.then": ("what missing figures lead to", "数据缺失的处理"),
    "missing.least_weight": ("the least weight that must be left", "可计分的最低权重"),
    "calibration.least": ("the least share of a calibration", "季度校准的最低比例"),
    "calibration.most": ("the largest share of a calibration", "季度校准的最高比例"),
    "calibration.by": ("what a calibration is counted by", "季度校准的计量方式"),
    "floor.probability": ("the floor's probability", "基础目标的达成概率"),
    "target.probability": ("the target's probability", "目标的达成概率"),
    "stretch.probability": ("the stretch's probability", "挑战目标的达成概率"),
    "floor.points": ("the worth of the floor in points", "基础目标的分值"),
    "target.points": ("the worth of the target in points", "目标的分值"),
    "stretch.points": ("the worth of the stretch in points", "挑战目标的分值"),
    "applies_to": ("the selection of units", "适用单位"),
    "scorecard": ("the scorecard", "计分卡"),
    "item": ("the item", "指标"),
    "adjustment": ("the adjustment", "加减分项"),
    "gate": ("the gate", "约束规则"),
    "grade": ("the grade", "等级"),
    "order": ("the order", "顺序"),
    "weight": ("the weight", "权重"),
    "against": ("what it is compared with", "对比基准"),
    "value": ("the fixed reference", "固定基准值"),
    "growth": ("the growth asked of the reference (%)", "基准增幅（%）"),
    "perspective": ("the class", "指标类别"),
    "block": ("the block", "指标板块"),
    "shared": ("whether departments share it", "是否协同指标"),
    "note": ("the note", "说明"),
    "rule": ("the scoring rule", "计分方法"),
    "rule.cap": ("the rule's cap", "得分上限"),
    "rule.least": ("the rule's lower limit", "得分下限"),
    "rule.band": ("the rule's band", "合理区间"),
    "rule.otherwise": ("the rule where a ratio says nothing", "比值不适用时的计分方法"),
    "rule.base": ("the base", "基准分"),
    "rule.better": ("the reward on the better side", "优于基准的加分"),
    "rule.worse": ("the deduction on the worse side", "劣于基准的减分"),
    "rule.steps_in": ("what steps are counted in", "步长单位"),
    "rule.of": ("what the tiers are of", "分档依据"),
    "rule.tiers": ("the set of tiers", "分档"),
    "rule.standards": ("the list of standards", "标准值"),
    "rule.coefficients": ("the list of coefficients", "标准系数"),
    "rule.quantiles": ("the list of group quantiles", "同组分位数"),
    "rule.all_loans": ("the indicator of all loans", "各项贷款指标"),
    "rule.miss": ("the deduction for two misses", "两年未达标扣分"),
    "rule.shrinkage": ("the deduction for two years of shrinkage", "两年负增长扣分"),
    "kind": ("the kind", "类型"),
    "when": ("the condition", "触发条件"),
    "points": ("the number of points", "分值"),
    "per": ("the step beyond the limit", "计分步长"),
    "most": ("the limit in points", "分值上限"),
    "at": ("the limit", "限值"),
    "of": ("the kind of units meant", "适用对象"),
    "months": ("the number of months", "月数"),
    "from": ("the score it begins at", "起始分"),
    "finding": ("the finding", "提示"),
    "by": ("the name", "确认人"),
    "on": ("the day", "日期"),
    "reason": ("the reason", "理由"),
}
"""What each field is called."""

VALUES: dict[str, tuple[str, str]] = {
    "target": ("the target", "目标"),
    "last_year": ("last year", "上年同期"),
    "peers": ("the peer median", "同组中位数"),
    "fixed": ("a fixed value", "固定值"),
    "internal": ("internal scorecard", "内部考核"),
    "owner": ("owner's evaluation", "出资人评价"),
    "withhold": ("no score", "不计分"),
    "rescale": ("other weights scaled up", "其余权重同比放大"),
    "count": ("number of targets", "目标个数"),
    "size": ("size of the change", "调整幅度"),
    "ratio": ("ratio", "比值法"),
    "increment": ("increment and decrement", "加减分法"),
    "tiers": ("tiers", "层差法"),
    "efficacy": ("efficacy coefficient", "功效系数法"),
    "two_increase": ("two increases", "两增"),
    "levels": ("three levels", "三档目标法"),
    "figure": ("the figure", "指标值"),
    "attainment": ("attainment in %", "完成率（%）"),
    "change": ("change on the year", "较上年变动"),
    "percent": ("percent of the reference", "基准的百分比"),
    "new_units": ("new units", "新设单位"),
    "moved_units": ("moved units", "调转单位"),
    "total_cap": ("total cap", "总分封顶"),
    "protection_floor": ("protection floor", "保护期保底"),
    "grade_ceiling": ("grade ceiling", "降级封顶"),
    "veto": ("veto", "一票否决"),
    "bonus": ("bonus", "加分"),
    "malus": ("malus", "扣分"),
    "performance": ("performance", "经营业绩"),
    "risk": ("risk", "风险管理"),
    "compliance": ("compliance", "合规"),
    "customer": ("customer", "客户"),
    "people": ("people", "队伍建设"),
    "social": ("social", "社会责任"),
}
"""What each fixed value is called."""

_LIMITS = {
    "above": ("above", "高于"),
    "below": ("below", "低于"),
    "at_least": ("at least", "不低于"),
    "at_most": ("at most", "不高于"),
}
_OF = {
    "figure": ("{}", "{}"),
    "attainment": ("attainment of {} in %", "{}完成率（%）"),
    "change": ("change of {} on the year", "{}较上年变动"),
}
_RULES = ("ratio", "increment", "tiers", "efficacy", "two_increase", "levels")
_WHOLE = ("scorecard", "item", "adjustment", "gate", "grade")
"""What is added and dropped as a whole, rather than set."""


def _word(words: tuple[str, str], language: Language) -> str:
    return words[1] if language == "zh" else words[0]


def said(value: Any, language: Language) -> str | None:
    """Write a value of a policy; None where there is nothing."""
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return _word(("yes", "是") if value else ("no", "否"), language)
    if isinstance(value, Decimal):
        return written(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value if language == "raw" else _word(VALUES.get(value, (value, value)), language)
    if isinstance(value, BaseModel):
        return _part(value, language)
    if isinstance(value, Sequence):
        mark = "、" if language == "zh" else "; " if isinstance(value[0], BaseModel) else ", "
        return mark.join(said(part, language) or "-" for part in value)
    return str(value)


def _part(value: BaseModel, language: Language) -> str:
    """Write a part of a policy in a few words."""
    if isinstance(value, Title):
        return f"{value.en} / {value.zh}"
    if isinstance(value, Condition):
        return _condition(value, language)
    if isinstance(value, Side):
        points, step, most = (written(x) for x in (value.points, value.step, value.most))
        text = (f"{points} points for every {step}, at most {most}", f"每{step}计{points}分，至多{most}分")
        return _word(text, language)
    if isinstance(value, Tier):
        points = written(value.points)
        if value.start is None:
            return _word((f"below that {points}", f"以下{points}分"), language)
        return _word((f"from {written(value.start)} {points}", f"{written(value.start)}起{points}分"), language)
    if isinstance(value, Selector):
        return _selector(value, language)
    kind = getattr(value, "kind", None)
    pieces = [] if kind is None else [said(kind, language) or ""]
    for name, field in type(value).model_fields.items():
        part = getattr(value, name)
        if name in ("kind", "id", "title", "indicator", "name") or (part == field.default and name != "against"):
            continue
        text = said(part, language)
        if text and name in ("against", "rule") and language != "raw":
            pieces.append(_word((f"against {text}", f"与{text}比较") if name == "against" else (text, text), language))
        elif text:
            pieces.append(_labelled(field.alias or name, text, language, rule=kind in _RULES))
    return ("，" if language == "zh" else ", ").join(pieces)


def _condition(value: Condition, language: Language) -> str:
    limit = next(name for name in _LIMITS if getattr(value, name) is not None)
    of = _word(_OF[value.of], language).format(value.indicator)
    return (
        f"{of}{_LIMITS[limit][1]}{written(value.limit)}"
        if language == "zh"
        else (f"{of} {_LIMITS[limit][0]} {written(value.limit)}")
    )


def _selector(value: Selector, language: Language) -> str:
    """Write which units are meant; the names of units' attributes are not those of a policy's fields."""
    words = {
        "business_line": ("business line", "业务条线"),
        "region_type": ("region type", "区域类型"),
        "peer_group": ("peer group", "同类组"),
        "level": ("level", "机构层级"),
    }
    pieces = []
    for name, values in value:
        if values:
            label = name if language == "raw" else _word(words[name], language)
            pieces.append(f"{label}{'' if language == 'zh' else ' '}{_word((', ', '、'), language).join(values)}")
    return ("，" if language == "zh" else "; ").join(pieces) or _word(("all units", "全部单位"), language)


def _labelled(field: str, text: str, language: Language, *, rule: bool) -> str:
    name = _named(field, language, rule=rule)
    if language == "zh":
        return f"{name}{text}"
    short = name.removeprefix("the ").removeprefix("rule's ")
    return f"{short} {text}"


def _named(field: str, language: Language, *, rule: bool = False) -> str:
    """Give what a field is called; its own name where nothing better is known."""
    if language == "raw":
        return field
    return _word(FIELDS.get(f"rule.{field}" if rule else field) or FIELDS.get(field, (field, field)), language)


def changed(field: str, before: Any, after: Any, place: Title | None = None) -> Title:
    """Tell in a sentence how a field has changed."""
    en, zh = _in_english(field, before, after), _in_chinese(field, before, after)
    if place is None:
        return Title(en=f"{en[0].upper()}{en[1:]}.", zh=f"{zh}。")
    return Title(en=f"{place.en}: {en}.", zh=f"{place.zh}：{zh}。")


def _in_english(field: str, before: Any, after: Any) -> str:
    name, was, now = _named(field, "en"), said(before, "en"), said(after, "en")
    if was is not None and now is not None:
        if isinstance(before, BaseModel | tuple):
            was, now = f"“{was}”", f"“{now}”"
        return f"{name} changes from {was} to {now}"
    if now is not None:
        return f"{name} is {'added' if field in _WHOLE else 'set'}: {now}"
    return f"{name} is dropped; it was: {was}"


def _in_chinese(field: str, before: Any, after: Any) -> str:
    name, was, now = _named(field, "zh"), said(before, "zh"), said(after, "zh")
    if was is not None and now is not None:
        if isinstance(before, BaseModel | tuple):
            was, now = f"“{was}”", f"“{now}”"
        return f"{name}由{was}调整为{now}"
    if now is not None:
        return f"新增{name}：{now}" if field in _WHOLE else f"{name}设为{now}"
    return f"取消{name}，原为：{was}"
