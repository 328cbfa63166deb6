"""Checks of lists in scoring rules that must run one way: standards, coefficients, quantiles, tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from features.indicators import Indicator, Title
from models.policy.checks.check import EFFICACY_METHOD, Check, Line, Place, Subject
from models.policy.rules import Efficacy, Tiers, written


def _efficacies(subject: Subject) -> Iterator[tuple[Line, Efficacy]]:
    for line in subject.lines:
        if isinstance(line.item.rule, Efficacy):
            yield line, line.item.rule


def _counts(subject: Subject) -> Iterator[Place]:
    for line, rule in _efficacies(subject):
        given, field = (rule.standards, "standards") if rule.standards is not None else (rule.quantiles, "quantiles")
        if len(given) != len(rule.coefficients):
            counts = {"count": len(given), "field": field, "coefficients": len(rule.coefficients)}
            yield f"{line.where}.rule.{field}", counts | {"field_zh": "标准值" if field == "standards" else "分位数"}


def _disordered(subject: Subject) -> Iterator[Place]:
    for line, rule in _efficacies(subject):
        place, indicator = f"{line.where}.rule", line.indicator
        if not _ascends(rule.coefficients):
            yield (
                f"{place}.coefficients",
                _order(rule.coefficients, "ascend from the worst to the best", "由差到好递增"),
            )
        if rule.standards is None and not _ascends(rule.quantiles):
            yield f"{place}.quantiles", _order(rule.quantiles, "ascend", "递增")
        if rule.standards is not None and not _improves(rule.standards, indicator):
            lower = indicator is not None and indicator.direction == "lower"
            words = ("descend", "递减") if lower else ("ascend", "递增")
            text = f"{words[0]} from the worst to the best"
            yield f"{place}.standards", _order(rule.standards, text, f"由差到好{words[1]}")


def _order(values: Sequence[Decimal], way: str, way_zh: str) -> dict[str, object]:
    return {"values": ", ".join(map(written, values)), "way": way, "way_zh": way_zh}


def _ascends(values: Sequence[Decimal]) -> bool:
    return all(low < high for low, high in pairwise(values))


def _improves(standards: Sequence[Decimal], indicator: Indicator | None) -> bool:
    """Tell whether standards run from the worst to the best; neighbours may be equal, the ends may not."""
    ways = {"higher": (1,), "lower": (-1,)}.get("" if indicator is None else indicator.direction, (1, -1))
    return any(
        all(way * low <= way * high for low, high in pairwise(standards)) and standards[0] != standards[-1]
        for way in ways
    )


def _tiers(subject: Subject) -> Iterator[Place]:
    for line in subject.lines:
        rule = line.item.rule
        if isinstance(rule, Tiers):
            lowest, *others = rule.tiers
            starts = [tier.start for tier in others if tier.start is not None]
            if lowest.start is not None or len(starts) < len(others) or not _ascends(starts):
                words = ["open" if tier.start is None else written(tier.start) for tier in rule.tiers]
                shown = {"tiers": ", ".join(words), "tiers_zh": "、".join(words).replace("open", "不设起点")}
                yield f"{line.where}.rule.tiers", shown


ORDER_CHECKS = (
    Check(
        "efficacy-count",
        "error",
        Title(
            en="{count} {field} for {coefficients} coefficients", zh="{field_zh}有{count}个，标准系数有{coefficients}个"
        ),
        Title(en="Give as many of each.", zh="二者个数应一致。"),
        _counts,
        EFFICACY_METHOD,
    ),
    Check(
        "efficacy-order",
        "error",
        Title(en="{values} do not {way}", zh="{values}未按{way_zh}排列"),
        Title(en="List them from the worst to the best.", zh="请按由差到好的顺序排列。"),
        _disordered,
        EFFICACY_METHOD,
        needs="indicators",
    ),
    Check(
        "tiers-order",
        "error",
        Title(
            en="tiers begin at {tiers}: they ascend, and only the first has no start",
            zh="各档起点为{tiers_zh}：应由低到高排列，仅第一档不设起点",
        ),
        Title(
            en="Sort them by `from`, lowest first, and leave it out of the first.",
            zh="请按起点由低到高排列，第一档不填from。",
        ),
        _tiers,
    ),
)
"""Of lists that run one way."""
