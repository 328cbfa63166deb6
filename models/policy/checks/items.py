"""Checks of what a policy measures: indicators that exist, that may be goals, and that the unit itself is judged by."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from features.indicators import Indicator, Title, library
from models.policy.checks.check import GUIDELINE, Check, Place, Subject
from models.policy.rules import TwoIncrease

ENTITY_LEVELS = frozenset({"group", "entity", "legal_entity", "head_office", "institution", "bank"})
"""Levels of units that are legal entities, or all of one: capital, liquidity and the like exist only there."""
NEAR = 3


def _codes(subject: Subject) -> Iterator[tuple[str, str]]:
    """Give every indicator that a policy names, with its place."""
    for line in subject.lines:
        yield line.where, line.item.indicator
        if isinstance(line.item.rule, TwoIncrease):
            yield f"{line.where}.rule.all_loans", line.item.rule.all_loans
    for where, condition in subject.conditions():
        yield where, condition.indicator
    for number, chain in enumerate(subject.policy.factors, start=1):
        for code in chain:
            yield f"factors.{number}", code


def _unknown(subject: Subject) -> Iterator[Place]:
    known = subject.indicators
    if known is None:
        return
    names = {name: code for code, found in known.items() for name in (code, found.name.en, found.name.zh)}
    for where, code in dict.fromkeys(_codes(subject)):
        if code not in known:
            hint, hint_zh = _advice(code, names)
            yield where, {"code": code, "advice": hint, "advice_zh": hint_zh}


def _advice(code: str, names: Mapping[str, str]) -> tuple[str, str]:
    """Say what to do about an unknown indicator, given the known codes by name."""
    if code in library():
        return (
            "The built-in library has it: declare it in indicators.yaml and bring its figures.",
            "内置指标库中有该指标：请在indicators.yaml中声明并提供数据。",
        )
    near = dict.fromkeys(names[name] for name in difflib.get_close_matches(code, list(names), NEAR))
    if near:
        return f"Near: {', '.join(near)}.", f"相近指标：{'、'.join(near)}。"
    return "Name it by its code, as in indicators.yaml.", "请按indicators.yaml中的代码填写。"


def _monitored(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        if not indicator.target_allowed:
            yield line.where, {"code": indicator.code, "name": indicator.name.en, "name_zh": indicator.name.zh}


def _context(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        if indicator.perspective == "context":
            yield line.where, {"code": indicator.code, "name": indicator.name.en, "name_zh": indicator.name.zh}


def _entity_only(subject: Subject) -> Iterator[Place]:
    if subject.policy.level == "owner":
        return
    for line, indicator in subject.known_lines:
        levels = line.card.applies_to.level
        if indicator.entity_only and not (levels and set(levels) <= ENTITY_LEVELS):
            names = {"code": indicator.code, "name": indicator.name.en, "name_zh": indicator.name.zh}
            yield line.where, names | {"levels": ", ".join(sorted(ENTITY_LEVELS))}


def is_point_volume(indicator: Indicator) -> bool:
    """Tell whether an indicator is a balance on one day that is to grow.

    A ceiling on a balance of bad loans is none: it invites nobody to collect volume.
    """
    return indicator.kind == "stock" and indicator.averaging == "point" and indicator.direction != "lower"


def _point_in_time(subject: Subject) -> Iterator[Place]:
    if subject.policy.level == "owner":
        return
    for line, indicator in subject.known_lines:
        if is_point_volume(indicator):
            yield line.where, {"code": indicator.code, "name": indicator.name.en, "name_zh": indicator.name.zh}


def _chains(subject: Subject) -> Iterator[Place]:
    known = subject.indicators if subject.indicators is not None else {}
    for number, chain in enumerate(subject.policy.factors, start=1):
        for code in chain:
            if code in known and known[code].kind not in ("flow", "stock"):
                yield f"factors.{number}", {"code": code, "kind": known[code].kind}


ITEM_CHECKS = (
    Check(
        "unknown-indicator",
        "error",
        Title(en="there is no indicator {code!r}", zh="指标{code}不存在"),
        Title(en="{advice}", zh="{advice_zh}"),
        _unknown,
        needs="indicators",
    ),
    Check(
        "monitored-only",
        "error",
        Title(
            en="{code} ({name}) is only monitored and no goal may be set on it",
            zh="{code}（{name_zh}）仅供监测，不得作为考核指标",
        ),
        Title(
            en="Take another indicator: shares, ranks and raw volumes invite what supervisors forbid.",
            zh="请改用其他指标：市场份额、排名和单纯规模类指标不得下达考核。",
        ),
        _monitored,
        GUIDELINE,
        needs="indicators",
    ),
    Check(
        "context-indicator",
        "error",
        Title(
            en="{code} ({name}) describes the economy around a unit, not what it does",
            zh="{code}（{name_zh}）反映外部环境，不反映单位自身业绩",
        ),
        Title(en="Take an indicator of the unit itself.", zh="请改用反映单位自身的指标。"),
        _context,
        needs="indicators",
    ),
    Check(
        "entity-only",
        "error",
        Title(
            en="{code} ({name}) exists only for the legal entity, not for a branch",
            zh="{code}（{name_zh}）仅适用于法人层面，不能用于考核分支机构",
        ),
        Title(
            en="Take it off, or restrict the scorecard to the entity by its level ({levels}).",
            zh="请删除该项，或以level将计分卡限定于法人层面（{levels}）。",
        ),
        _entity_only,
        needs="indicators",
    ),
    Check(
        "point-in-time",
        "error",
        Title(en="{code} ({name}) is a volume on a single day", zh="{code}（{name_zh}）为时点规模指标"),
        Title(
            en="Take an average balance (averaging: daily), a flow or a growth rate.",
            zh="请改用日均余额（averaging: daily）、发生额或增长率。",
        ),
        _point_in_time,
        GUIDELINE,
        needs="indicators",
    ),
    Check(
        "factor-kind",
        "error",
        Title(
            en="{code} is a {kind}; chains of factors are made of volumes",
            zh="{code}不是规模类指标（{kind}），不能列入因子分解链",
        ),
        Title(
            en="Name flows and stocks: the ratios between them follow.",
            zh="请填写发生额或余额类指标，比率由系统计算。",
        ),
        _chains,
        needs="indicators",
    ),
)
"""Of what is measured."""
