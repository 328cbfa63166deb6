"""Checks of which units a policy is for: each on one scorecard, none forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from features.indicators import Title
from models.policy.checks.check import Check, Place, Subject
from models.policy.document import Selector

ATTRIBUTES = tuple(Selector.model_fields)
EXAMPLES = 3


def _overlaps(subject: Subject) -> Iterator[Place]:
    for one, other in combinations(subject.policy.scorecards, 2):
        if one.id != other.id and all(_meet(one.applies_to, other.applies_to, name) for name in ATTRIBUTES):
            both, both_zh = "", ""
            if subject.units is not None:
                on = selected(one.applies_to, subject.units) & selected(other.applies_to, subject.units)
                if on.any():
                    some = _some(subject.units.index[on])
                    both, both_zh = f" (now {on.sum():,}: {some[0]})", f"（目前{on.sum():,}个：{some[1]}）"
            yield f"scorecards.{other.id}.applies_to", {"one": one.id, "other": other.id, "on": both, "on_zh": both_zh}


def _meet(one: Selector, other: Selector, name: str) -> bool:
    first, second = getattr(one, name), getattr(other, name)
    return not first or not second or bool(set(first) & set(second))


def selected(selector: Selector, units: pd.DataFrame) -> pd.Series:
    """Tell which units (U,) a selector takes."""
    chosen = pd.Series(True, index=units.index)
    for name in ATTRIBUTES:
        wanted = getattr(selector, name)
        if wanted:
            chosen &= units[name].isin(wanted) if name in units else False
    return chosen


def _some(codes: pd.Index) -> tuple[str, str]:
    shown = [str(code) for code in codes[:EXAMPLES]]
    more = len(codes) > EXAMPLES
    return ", ".join(shown) + (", ..." if more else ""), "、".join(shown) + ("等" if more else "")


def _uncovered(subject: Subject) -> Iterator[Place]:
    units, policy = subject.units, subject.policy
    if units is None:
        return
    covered = pd.Series(False, index=units.index)
    for selector in (*(card.applies_to for card in policy.scorecards), *policy.not_scored):
        covered |= selected(selector, units)
    left = units.index[~covered]
    if len(left):
        first = units.loc[left[0]]
        about = ", ".join(f"{name} {first[name]!r}" for name in ATTRIBUTES if name in units)
        yield (
            "scorecards",
            {"count": f"{len(left):,}", "some": _some(left)[0], "some_zh": _some(left)[1], "about": about},
        )


def _unit_free(subject: Subject) -> Iterator[Place]:
    if subject.units is None:
        return
    scored = pd.Series(True, index=subject.units.index)
    for selector in subject.policy.not_scored:
        scored &= ~selected(selector, subject.units)
    for card in subject.policy.scorecards:
        if not (scored & selected(card.applies_to, subject.units)).any():
            yield f"scorecards.{card.id}.applies_to", {"card": card.id}


UNIT_CHECKS = (
    Check(
        "overlap",
        "error",
        Title(en="{one} and {other} can both be for one unit{on}", zh="{one}与{other}可能同时适用于同一单位{on_zh}"),
        Title(
            en="Name more attributes in one of them, so that a unit is on one scorecard only.",
            zh="请在其中一张计分卡上补充适用条件，使每个单位只适用一张计分卡。",
        ),
        _overlaps,
    ),
    Check(
        "uncovered",
        "error",
        Title(
            en="no scorecard is for {count} of the units: {some} ({about})",
            zh="有{count}个单位未被任何计分卡覆盖：{some_zh}（{about}）",
        ),
        Title(
            en="Widen a scorecard, add one, or list such units under not_scored.",
            zh="请扩大计分卡的适用范围、增设计分卡，或将其列入not_scored（不计分单位）。",
        ),
        _uncovered,
        needs="units",
    ),
    Check(
        "no-unit",
        "warning",
        Title(en="{card} is for no unit of the data that is scored", zh="数据中没有适用{card}的计分单位"),
        Title(
            en="Compare the attributes, also those under not_scored, with units.csv: is one of them misspelt?",
            zh="请将适用条件及not_scored（不计分单位）与units.csv中的单位属性核对，检查是否有误写。",
        ),
        _unit_free,
        needs="units",
    ),
)
"""Of the units that scorecards are for."""
