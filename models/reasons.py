"""Why a target is what it is: the steps from the last figure to the target, in the indicator's own unit.

Where the last figure would be if the unit grew as all do; where its own course takes it; how much is left as room so
that the target is attained as often as promised; what a person or a goal changed. Each step is a difference of rounded
figures, so what is shown adds up exactly. Nothing here says that one thing caused another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.levels import Level
from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform

STEPS = ("with_the_group", "own_course", "room", "set_by_hand")
"""Codes of the steps, in their order; apart from the names of columns and features, so that they stay."""
WHOLE_CHANGE = "expected_change"
"""Code of the step to what is expected where there is no growth of the group to tell it from, as with totals."""


@dataclass(frozen=True)
class Step:
    """One step on the way from the last figure to the target.

    Attributes
    ----------
    code : str
        One of `STEPS`, or `WHOLE_CHANGE`.
    amount : float
        In the indicator's unit.
    """

    code: str
    amount: float


def starting_point(level: Level, transform: Transform) -> np.ndarray:
    """Give the latent figure (U,) from which each unit would grow with the group; NaN without a last figure."""
    start = transform.latent(level.problem.base[-1])
    if level.so_far is not None:
        return start
    # What carries over from the last periods is the group's as far as it is common, else the unit's own course.
    latest = transform.latent(level.latest)
    carried = (start - latest)[np.isfinite(start - latest)]
    return latest + (float(np.median(carried)) if len(carried) else 0.0)


def like_the_group(level: Level, distribution: object) -> np.ndarray:
    """Give what each unit (U,) would come to if it grew from its last figure as all units are expected to.

    NaN where there is no last figure to grow from, and for totals that are added up, which have no growth of their own.
    """
    if not isinstance(distribution, TargetDistribution):
        return np.full(len(level.problem.units), np.nan)
    transform = distribution.transform
    start = starting_point(level, transform)
    return np.where(np.isfinite(start), transform.value(start + distribution.common_growth), np.nan)


def steps(row: Mapping[str, float], *, decimals: int) -> list[Step]:
    """Lay out the way from `last_actual` over `like_group`, `expected` and `suggested` to `target`.

    A milestone that is not known is passed over: its step is part of the next one. What is expected without a growth of
    the group to compare with is a step of its own kind.

    >>> way = {"last_actual": 100.0, "like_group": 106.04, "expected": 107.0, "suggested": 105.0, "target": 105.0}
    >>> [(step.code, step.amount) for step in steps(way, decimals=1)]
    [('with_the_group', 6.0), ('own_course', 1.0), ('room', -2.0)]
    """
    milestones = ("like_group", "expected", "suggested", "target")
    before = round(float(row["last_actual"]), decimals)
    found: list[Step] = []
    for step, name in zip(STEPS, milestones, strict=True):
        code = step
        value = float(row[name])
        if not (np.isfinite(value) and np.isfinite(before)):
            continue
        value = round(value, decimals)
        if code == "own_course" and not np.isfinite(float(row["like_group"])):
            code = WHOLE_CHANGE
        if value != before or code in ("own_course", WHOLE_CHANGE, "room"):
            found.append(Step(code, round(value - before, decimals)))
        before = value
    return found
