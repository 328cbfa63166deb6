"""What an evidence pack calls things, in English and Chinese."""

from __future__ import annotations

import math
from datetime import datetime

from features.indicators import Title
from training.review.case import Case
from training.review.entry import Entry, Shown


def _title(en: str, zh: str) -> Title:
    return Title(en=en, zh=zh)


HEADING = _title("Evidence for review", "预警核查材料")
CAUTION = _title(
    "A prompt to look, not a finding. Nothing here changes a score or a target. For those who review only.",
    "本材料仅提示核查线索，不构成结论，不影响任何得分与目标，仅限核查人员使用。",
)
SYNTHETIC = _title("Synthetic data.", "合成数据。")
UNKNOWN = "–"

SHEETS = ("Summary 摘要", "Figures 指标", "Patterns 预警情形", "History 历程", "Review 处置记录")

SEVERITY = {
    "red": _title("red", "红色"),
    "amber": _title("amber", "橙色"),
    "": _title("below the line", "名单线下"),
}
ACTION = {
    "raised": _title("shown", "列示"),
    "confirmed": _title("confirmed", "确认"),
    "dismissed": _title("dismissed", "排除"),
    "watching": _title("watching", "持续关注"),
    "assigned": _title("assigned", "分派"),
    "note": _title("note", "备注"),
    "linked": _title("linked", "关联案件"),
    "released": _title("released to the unit's managers", "向机构管理层开放"),
    "undone": _title("undone", "撤销"),
    "new": _title("new", "待处理"),
}
SUMMARY = {
    "alert": _title("Alert", "预警编号"),
    "unit": _title("Unit", "机构"),
    "period": _title("Period", "期间"),
    "severity": _title("Severity", "级别"),
    "score": _title("Score (0 to 1)", "预警得分（0至1）"),
    "probability": _title("Probability of deterioration", "恶化概率"),
    "status": _title("Status", "处置状态"),
    "sampled": _title("Drawn from below the line", "线下抽样"),
    "disturbances": _title("What else moved the figures", "影响数据的其他事项"),
    "links": _title("Cases elsewhere", "关联案件"),
}
ABOUT = {
    "dataset": _title("Dataset", "数据集"),
    "data_version": _title("Data version", "数据版本"),
    "model_version": _title("Model version", "模型版本"),
    "policy_version": _title("Policy version", "制度版本"),
    "as_of": _title("As of", "截至期间"),
    "known_on": _title("Figures known on", "数据截至日"),
    "labels": _title("Outcomes", "结果标签"),
}
"""Of what the alert rests on, in this order."""


def percent(value: float | None) -> str:
    """Write a share as people read it.

    >>> percent(0.314), percent(None)
    ('31.4%', '–')
    """
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.1%}"


def figure(value: float | None, decimals: int) -> str:
    """Write a figure as people read it.

    >>> figure(1234.5, 1), figure(None, 1), figure(float("nan"), 1)
    ('1,234.5', '–', '–')
    """
    return UNKNOWN if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def moment(at: datetime) -> str:
    """Write a time."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def told(entry: Entry, *, undone: bool = False) -> tuple[str, str, str, str, str]:
    """Give an entry as a row: number, time, who, what, words."""
    action = ACTION[entry.action]
    given = entry.given
    words = [entry.text] if entry.text else []
    if entry.action == "assigned":
        words.insert(0, f"→ {given['to']}" + (f" (due 期限 {given['due']})" if given["due"] else ""))
    elif entry.action == "linked":
        words.insert(0, given["case"])
    elif entry.action == "undone":
        words.insert(0, f"no. {given['entry']} · 第{given['entry']}条")
    mark = " (undone later · 后已撤销)" if undone else ""
    return str(entry.number), moment(entry.at), entry.by, f"{action.en} {action.zh}{mark}", "; ".join(words)


def told_shown(number: int, at: datetime, shown: Shown) -> tuple[str, str, str, str, str]:
    """Give a showing as a row: number, time, who, what, words."""
    severity = SEVERITY[shown.severity]
    words = f"{shown.first} – {shown.last}; {severity.en} {severity.zh}; score 得分 {shown.score:.3f}"
    if shown.probability is not None:
        words += f"; probability 概率 {percent(shown.probability)}"
    action = ACTION["raised"]
    return str(number), moment(at), "", f"{action.en} {action.zh}", words


def review_rows(case: Case | None) -> list[tuple[str, str, str, str, str]]:
    """Give all that is on record about an alert as rows, oldest first."""
    if case is None:
        return []
    rows = [(s.number, told_shown(s.number, s.at, s.shown)) for s in case.showings]
    rows += [(e.number, told(e, undone=e.number in case.undone)) for e in case.entries]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]
