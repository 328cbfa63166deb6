"""Checks of grades and of gates: grades that exist, and an order in which gates hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from features.indicators import Title
from models.policy.checks.check import Check, Place, Subject
from models.policy.rules import written


def _grades(subject: Subject) -> Iterator[Place]:
    grades = subject.policy.grades
    if not grades:
        return
    *better, lowest = grades
    starts = [grade.start for grade in better if grade.start is not None]
    descends = all(high > low for high, low in pairwise(starts))
    if lowest.start is not None or len(starts) < len(better) or not descends:
        words = [f"{grade.name} {'open' if grade.start is None else written(grade.start)}" for grade in grades]
        yield "grades", {"grades": ", ".join(words), "grades_zh": "、".join(words).replace("open", "不设起点")}


def _ceilings(subject: Subject, *, idle: bool) -> Iterator[Place]:
    names = [grade.name for grade in subject.policy.grades]
    for gate in subject.policy.gates:
        if gate.kind == "grade_ceiling" and (gate.grade in names[:1] if idle else gate.grade not in names):
            known = {"known": ", ".join(names) or "none", "known_zh": "、".join(names) or "未设等级"}
            yield f"gates.{gate.id}.grade", {"grade": gate.grade, **known}


def _unknown_ceilings(subject: Subject) -> Iterator[Place]:
    return _ceilings(subject, idle=False)


def _idle_ceilings(subject: Subject) -> Iterator[Place]:
    return _ceilings(subject, idle=True)


def _lifted_vetoes(subject: Subject) -> Iterator[Place]:
    vetoes: list[str] = []
    for gate in subject.policy.gates:
        if gate.kind == "veto":
            vetoes.append(gate.id)
        elif gate.kind == "protection_floor" and vetoes and gate.at > 0:
            yield f"gates.{gate.id}", {"floor": gate.id, "veto": vetoes[0], "at": written(gate.at)}


GRADE_CHECKS = (
    Check(
        "grades",
        "error",
        Title(
            en="grades run from the best down, only the lowest without a start: {grades}",
            zh="等级应由高到低排列，仅最低一级不设起点：{grades_zh}",
        ),
        Title(
            en="Sort them by `from`, highest first, and leave it out of the last.",
            zh="请按起始分由高到低排列，最后一级不填from。",
        ),
        _grades,
    ),
    Check(
        "unknown-grade",
        "error",
        Title(en="there is no grade {grade!r}: {known}", zh="等级{grade}不存在，现有等级：{known_zh}"),
        Title(en="Name one of the policy's grades.", zh="请填写本办法已设定的等级。"),
        _unknown_ceilings,
    ),
    Check(
        "idle-ceiling",
        "warning",
        Title(
            en="a ceiling at the best grade, {grade}, holds nothing back", zh="封顶等级{grade}已是最高等级，不起作用"
        ),
        Title(en="Name a lower grade, or leave the gate out.", zh="请改为较低等级，或删除该约束规则。"),
        _idle_ceilings,
    ),
    Check(
        "lifted-veto",
        "warning",
        Title(
            en="{floor} comes after {veto} and lifts a score of zero back to {at}",
            zh="{floor}排在{veto}之后，会把一票否决后的零分重新提高到{at}分",
        ),
        Title(
            en="Put the veto last, or have a named person accept it on record.",
            zh="请将一票否决置于最后，或由专人确认并记录理由。",
        ),
        _lifted_vetoes,
    ),
)
"""Of grades and gates."""
