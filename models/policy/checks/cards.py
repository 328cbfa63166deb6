"""Checks of scorecards as wholes: weights, classes, ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from features.indicators import Title
from models.policy.checks.check import GUIDELINE, OWNER_METHOD, Check, Line, Place, Subject
from models.policy.difference_words import said
from models.policy.document import Scorecard
from models.policy.rules import written

FULL = Decimal(100)
OWNER_CLASSES, OWNER_CLASS_WEIGHT = 4, Decimal(25)
"""The owner's evaluation weighs four classes alike."""
SHARED_LEAST = Decimal(15)
"""Goals that departments share count for at least this much together, or nobody works for them (practice)."""
PRUDENT = ("risk", "compliance")
"""The perspectives that together are to weigh most on an internal scorecard."""


def _weights(subject: Subject) -> Iterator[Place]:
    for card in subject.policy.scorecards:
        total = sum((item.weight for item in card.items), Decimal(0))
        if total != FULL:
            rest = FULL - total
            by = f"{written(abs(rest))} {'too little' if rest > 0 else 'too much'}"
            by_zh = f"{'少' if rest > 0 else '多'}{written(abs(rest))}"
            yield f"scorecards.{card.id}.items", {"sum": written(total), "by": by, "by_zh": by_zh}


def _repeated_ids(subject: Subject) -> Iterator[Place]:
    policy = subject.policy
    lists: list[tuple[str, Sequence[str]]] = [
        ("scorecards", [card.id for card in policy.scorecards]),
        ("gates", [gate.id for gate in policy.gates]),
        ("grades", [grade.name for grade in policy.grades]),
    ]
    lists += [(f"scorecards.{c.id}.adjustments", [a.id for a in c.adjustments]) for c in policy.scorecards]
    for where, names in lists:
        for name in _repeated(names):
            yield f"{where}.{name}", {"name": name}


def _repeated_indicators(subject: Subject) -> Iterator[Place]:
    for card in subject.policy.scorecards:
        for code in _repeated([item.indicator for item in card.items]):
            yield f"scorecards.{card.id}.items.{code}", {"code": code}


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _prudence(subject: Subject) -> Iterator[Place]:
    if subject.policy.level != "internal":
        return
    for card in subject.policy.scorecards:
        classes = _sums(subject, card, lambda line: line.perspective)
        if classes is None:
            continue
        prudent = sum((classes.pop(name, Decimal(0)) for name in PRUDENT), Decimal(0))
        heaviest, weight = max(classes.items(), key=lambda entry: entry[1], default=("", Decimal(0)))
        if heaviest and weight >= prudent:
            yield (
                f"scorecards.{card.id}",
                {"prudent": written(prudent), "other": heaviest, "weight": written(weight)}
                | {"other_zh": said(heaviest, "zh")},
            )


def _owner_classes(subject: Subject) -> Iterator[Place]:
    if subject.policy.level != "owner":
        return
    for card in subject.policy.scorecards:
        classes = _sums(subject, card, lambda line: line.group)
        if classes is None:
            continue
        if len(classes) != OWNER_CLASSES or set(classes.values()) != {OWNER_CLASS_WEIGHT}:
            shown = [(name, written(weight)) for name, weight in classes.items()]
            yield (
                f"scorecards.{card.id}",
                {
                    "classes": ", ".join(f"{name} {weight}" for name, weight in shown),
                    "classes_zh": "、".join(f"{said(name, 'zh')}{weight}" for name, weight in shown),
                },
            )


def _sums(subject: Subject, card: Scorecard, group_of: Callable[[Line], str | None]) -> dict[str, Decimal] | None:
    """Add the weights up by class; None where an item's class is not known."""
    sums: dict[str, Decimal] = {}
    for line in subject.lines:
        if line.card is card:
            group = group_of(line)
            if group is None:
                return None
            sums[group] = sums.get(group, Decimal(0)) + line.item.weight
    return sums


def _shared(subject: Subject) -> Iterator[Place]:
    for card in subject.policy.scorecards:
        weights = [item.weight for item in card.items if item.shared]
        together = sum(weights, Decimal(0))
        if weights and together < SHARED_LEAST:
            yield f"scorecards.{card.id}.items", {"weight": written(together), "least": written(SHARED_LEAST)}


CARD_CHECKS = (
    Check(
        "weights",
        "error",
        Title(en="the weights sum to {sum}, not 100: {by}", zh="权重合计为{sum}，应为100（{by_zh}）"),
        Title(
            en="Correct the weights. They are never scaled: only who set them knows which line is wrong.",
            zh="请更正权重。系统不会自动按比例折算：哪一项有误，只有制定者清楚。",
        ),
        _weights,
    ),
    Check(
        "repeated-id",
        "error",
        Title(en="{name} stands for more than one entry", zh="{name}重复使用"),
        Title(en="Give each entry a name of its own.", zh="请为每一条目单独命名。"),
        _repeated_ids,
    ),
    Check(
        "repeated-indicator",
        "error",
        Title(en="{code} stands on the scorecard more than once", zh="同一计分卡中{code}重复出现"),
        Title(en="Make it one item with one weight.", zh="请合并为一项并设定一个权重。"),
        _repeated_indicators,
    ),
    Check(
        "risk-weight",
        "warning",
        Title(
            en="risk and compliance weigh {prudent} together, no more than {other} with {weight}",
            zh="风险与合规类合计权重为{prudent}，未高于{other_zh}类的{weight}",
        ),
        Title(
            en="Raise them above every other class, or have a named person accept it on record.",
            zh="请提高至明显高于其他各类，或由专人确认并记录理由。",
        ),
        _prudence,
        GUIDELINE,
        needs="indicators",
    ),
    Check(
        "owner-classes",
        "warning",
        Title(
            en="the classes weigh {classes}, not four times 25", zh="各类权重为{classes_zh}，与四类各25分的规定不一致"
        ),
        Title(
            en="Give each of the four classes 25, or have a named person accept it on record.",
            zh="请将四类指标权重各调整为25，或由专人确认并记录理由。",
        ),
        _owner_classes,
        OWNER_METHOD,
        needs="indicators",
    ),
    Check(
        "shared-weight",
        "warning",
        Title(
            en="goals shared between departments weigh {weight} together, less than {least}",
            zh="跨部门协同目标合计权重为{weight}，低于{least}",
        ),
        Title(
            en="Raise their weight, or have a named person accept it on record.",
            zh="请提高其权重，或由专人确认并记录理由。",
        ),
        _shared,
        "Practice of cross-department goals (跨部门协同目标权重): at least 15%",
    ),
)
"""Of scorecards."""
