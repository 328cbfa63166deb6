"""Checks of scoring rules: full marks within reach, limits and references that exist and count."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from features.indicators import Title
from models.policy.checks.check import Check, Place, Subject
from models.policy.rules import Efficacy, Increment, Levels, Ratio, Tiers, TwoIncrease, written

FULL_MARK = Decimal(100)


def _out_of_reach(subject: Subject) -> Iterator[Place]:
    stretch = subject.policy.targets.stretch.points
    for line in subject.lines:
        rule = line.item.rule
        best, field = FULL_MARK, ""
        if isinstance(rule, Ratio):
            best, field = rule.cap, "cap"
        elif isinstance(rule, Increment):
            best, field = rule.base + rule.better.most, "better.most"
        elif isinstance(rule, Tiers):
            best, field = max(tier.points for tier in rule.tiers), "tiers"
        elif isinstance(rule, Efficacy):
            best, field = FULL_MARK * max(rule.coefficients), "coefficients"
        elif isinstance(rule, Levels):
            best, field = stretch, "levels"
        if best < FULL_MARK:
            yield f"{line.where}.rule.{field}", {"best": written(best)}
    for gate in subject.policy.gates:
        if gate.kind == "total_cap" and gate.when is None and gate.at < FULL_MARK:
            yield f"gates.{gate.id}.at", {"best": written(gate.at)}


def _no_limits(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        rule = line.item.rule
        own = rule.band if isinstance(rule, Ratio) else None
        limited = own is not None or indicator.band is not None
        if (
            indicator.direction == "band"
            and isinstance(rule, Ratio | Increment)
            and line.item.against != "target"
            and not limited
        ):
            yield f"{line.where}.rule", {"code": indicator.code}


def _bands(subject: Subject) -> Iterator[Place]:
    for line in subject.lines:
        rule = line.item.rule
        if isinstance(rule, Ratio) and rule.band is not None and rule.band[0] >= rule.band[1]:
            low, high = map(written, rule.band)
            yield f"{line.where}.rule.band", {"low": low, "high": high}


def _idle_bands(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        rule = line.item.rule
        if isinstance(rule, Ratio) and rule.band is not None and indicator.direction != "band":
            yield f"{line.where}.rule.band", {"code": indicator.code, "direction": indicator.direction}


def _undirected(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        rule = line.item.rule
        by_attainment = isinstance(rule, Tiers) and rule.of == "attainment"
        if indicator.direction == "band" and (isinstance(rule, Efficacy | TwoIncrease | Levels) or by_attainment):
            yield f"{line.where}.rule", {"code": indicator.code, "kind": rule.kind}


def _signs(subject: Subject) -> Iterator[Place]:
    for line, indicator in subject.known_lines:
        rule = line.item.rule
        if isinstance(rule, Ratio) and rule.otherwise is None and indicator.limits[0] < 0:
            yield (
                f"{line.where}.rule",
                {"code": indicator.code, "name": indicator.name.en, "name_zh": indicator.name.zh},
            )


def _levels(subject: Subject) -> Iterator[Place]:
    for line in subject.lines:
        if isinstance(line.item.rule, Levels) and line.item.against != "target":
            yield f"{line.where}.against", {"against": line.item.against}


def _growths(subject: Subject) -> Iterator[Place]:
    known = subject.indicators if subject.indicators is not None else {}
    for line, growth in subject.known_lines:
        rule = line.item.rule
        loans = known.get(rule.all_loans) if isinstance(rule, TwoIncrease) else None
        if loans is not None and (growth.direction == "lower" or growth.unit != loans.unit or loans == growth):
            yield f"{line.where}.rule.all_loans", {"code": growth.code, "loans": loans.code}


def _idle_references(subject: Subject) -> Iterator[Place]:
    for line in subject.lines:
        item = line.item
        by_peers = isinstance(item.rule, Efficacy) and item.rule.standards is None
        named_right = by_peers and item.against == "peers" and not item.growth
        if item.against != "target" and not item.compares and not named_right:
            yield f"{line.where}.against", {"against": line.item.against, "kind": line.item.rule.kind}


RULE_CHECKS = (
    Check(
        "out-of-reach",
        "error",
        Title(
            en="no more than {best} points can be had: 100 is out of reach", zh="最高只能得{best}分，无法得到满分100分"
        ),
        Title(
            en="Raise it to 100 at least: who does what was asked has full marks.",
            zh="请调整至不低于100分：完成要求即应得满分。",
        ),
        _out_of_reach,
    ),
    Check(
        "band-without-limits",
        "error",
        Title(
            en="{code} is best within limits, and neither the rule nor the indicator has any",
            zh="{code}为区间型指标，但计分方法和指标均未设区间",
        ),
        Title(
            en="Give `band: [low, high]` in place of `against`, or compare it with its target.",
            zh="请填写band: [下限, 上限]并删除against，或改为与目标对比。",
        ),
        _no_limits,
        needs="indicators",
    ),
    Check(
        "band-order",
        "error",
        Title(en="the band runs from {low} to {high}", zh="区间下限{low}不低于上限{high}"),
        Title(en="Write the lower limit first.", zh="请先写下限，再写上限。"),
        _bands,
    ),
    Check(
        "idle-band",
        "error",
        Title(
            en="{code} is better the {direction} it is: a band would not count",
            zh="{code}并非区间型指标，所设区间不起作用",
        ),
        Title(
            en="Leave the band out, or declare the indicator with `direction: band`.",
            zh="请删除区间，或将指标的direction设为band。",
        ),
        _idle_bands,
        needs="indicators",
    ),
    Check(
        "band-rule",
        "error",
        Title(
            en="{kind} needs a better side, and {code} is best within limits",
            zh="{kind}计分须区分优劣方向，而{code}为区间型指标",
        ),
        Title(
            en="Use ratio, increment, or tiers of the figure.",
            zh="请改用比值法（ratio）、加减分法（increment）或按指标值分档。",
        ),
        _undirected,
        needs="indicators",
    ),
    Check(
        "ratio-sign",
        "warning",
        Title(
            en="{code} ({name}) can be negative, where a ratio says nothing and the item would not be scored",
            zh="{code}（{name_zh}）可能为负，此时比值法不适用，该项将不计分",
        ),
        Title(
            en="Give the rule an `otherwise`, score it by increment, or declare the indicator's `bounds` if it cannot.",
            zh="请补充otherwise（比值不适用时的计分方法），或改用加减分法；若指标不可能为负，请为其设定bounds（取值范围）。",
        ),
        _signs,
        "Ratio method (比值法): refused where the target is not positive or the sign changes",
        needs="indicators",
    ),
    Check(
        "levels-reference",
        "error",
        Title(
            en="three levels are levels of the target, not of {against}",
            zh="三档目标法以目标为基准，不能以{against}为基准",
        ),
        Title(en="Leave `against` out.", zh="请删除against。"),
        _levels,
    ),
    Check(
        "two-increase-growth",
        "error",
        Title(en="{code} and {loans} are not two growth rates to compare", zh="{code}与{loans}不是可比的两项增速"),
        Title(
            en="Two increases compare the growth of small loans with that of all loans, both in %.",
            zh="“两增”比较普惠小微贷款增速与各项贷款增速，二者单位均为%。",
        ),
        _growths,
        needs="indicators",
    ),
    Check(
        "idle-reference",
        "error",
        Title(en="{kind} does not look at {against}", zh="{kind}计分不使用基准{against}"),
        Title(
            en="Leave `against` out, or choose a rule that compares.", zh="请删除against，或改用与基准对比的计分方法。"
        ),
        _idle_references,
    ),
)
"""Of scoring rules."""
