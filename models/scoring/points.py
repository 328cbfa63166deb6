"""Points of an item: the scoring rules of practice, exact to the hundredth.

Rules are computed for all rows at once in floating point, and made exact where it matters (`models.scoring.exact`). So
no score depends on binary fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from models.policy.rules import Efficacy, Increment, Levels, Ratio, Tiers, TwoIncrease
from models.scoring.case import Case
from models.scoring.exact import rounded
from models.scoring.formulas import FULL, silent, value_of
from models.scoring.precision import divisor_of, error_of

SCORED, NO_FIGURE, NO_REFERENCE, NO_RATIO = 0, 1, 2, 3
"""Why an item has no points: no figure; nothing to compare with; a ratio that says nothing (zero, or a sign change)."""


@dataclass(frozen=True)
class ItemPoints:
    """What a rule gives: `points` (N,) hundredths of a point out of 100, `deduction` (N,) cents, `state` (N,)."""

    points: np.ndarray
    deduction: np.ndarray | None
    state: np.ndarray


def item_points(case: Case) -> ItemPoints:
    """Apply a rule to all rows.

    Returns
    -------
    ItemPoints
        Points are 0 where `state` is not `SCORED`.
    """
    state = _state(case)
    known = state == SCORED
    points = _points(case, known)
    deduction = None
    if isinstance(case.rule, TwoIncrease):
        deduction = np.where(known, _deduction(case, points), 0)
    return ItemPoints(points, deduction, state)


def _points(case: Case, known: np.ndarray) -> np.ndarray:
    """Give the hundredths (N,) of the rows that are known; 0 elsewhere."""
    with np.errstate(all="ignore"):
        value, error = value_of(case, float), error_of(case)
    if not known.all():
        value, error = np.where(known, value, 0.0), np.where(known, error, 0.0)
    return rounded(
        value,
        error,
        divisor=lambda rows: divisor_of(case.take(rows)),
        exactly=lambda rows: value_of(case.exactly(rows), Fraction),
    )


def _state(case: Case) -> np.ndarray:
    """Tell which rows (N,) the rule can score, and why others not."""
    with np.errstate(all="ignore"):
        doubtful = np.flatnonzero(~_plain(case))
        state = np.full(case.actual.shape, SCORED, dtype=np.int8)
        if len(doubtful):
            state[doubtful] = _reason(case.take(doubtful))
    return state


def _plain(case: Case) -> np.ndarray:
    """Tell quickly which rows (N,) are sure to be scored: most, as a rule."""
    rule = case.rule
    simple = isinstance(rule, Ratio | Increment) and case.band is None
    if simple or (isinstance(rule, Tiers) and rule.of == "attainment"):
        figure, aim = case.actual, case.compared_with(float)
        return (figure >= 0) & (figure < np.inf) & (aim > 0) & (aim < np.inf)
    if isinstance(rule, Tiers) or (isinstance(rule, Efficacy) and rule.standards is not None):
        return np.isfinite(case.actual)
    return np.zeros(case.actual.shape, dtype=bool)


def _reason(case: Case) -> np.ndarray:
    """Tell for each row (N,) why it cannot be scored, or that it can."""
    rule, A = case.rule, case.actual
    T = case.compared_with(float)
    state = np.where(np.isfinite(A), SCORED, NO_FIGURE)

    def without(missing: np.ndarray, why: int) -> None:
        state[(state == SCORED) & missing] = why

    if isinstance(rule, Ratio | Increment):
        T = case.aim(float)
        without(~np.isfinite(T), NO_REFERENCE)
        if isinstance(rule, Ratio):
            unanswered = silent(case, T)
            other = rule.otherwise
            if other is not None:
                unanswered &= (T == 0) & (other.steps_in == "percent")
            without(unanswered, NO_RATIO)
        elif rule.steps_in == "percent":
            without(silent(case, T) & (T == 0), NO_RATIO)
    elif isinstance(rule, Tiers) and rule.of == "attainment":
        without(~np.isfinite(T), NO_REFERENCE)
        without((T <= 0) | (A < 0), NO_RATIO)
    elif isinstance(rule, Efficacy):
        without(np.isnan(case.standards.sum(axis=0)), NO_REFERENCE)
    elif isinstance(rule, TwoIncrease):
        without(~np.isfinite(case.other), NO_REFERENCE)
        without(~(case.other <= A) & ~np.isfinite(T), NO_REFERENCE)
    elif isinstance(rule, Levels):
        low, middle, high = (case.signed(x) for x in (case.floor, case.reference, case.stretch))
        without(~((low <= middle) & (middle <= high)), NO_REFERENCE)
    return state


def _deduction(case: Case, points: np.ndarray) -> np.ndarray:
    """Give the cents taken for two years that brought nothing, or two of shrinkage, the heavier."""
    rule = case.rule
    assert isinstance(rule, TwoIncrease)
    seen = np.isfinite(case.last) & np.isfinite(case.other_last)
    before = replace(case, actual=case.last, other=case.other_last)
    earlier = np.where(seen, _points(before, seen), FULL)
    missed = (points == 0) & (earlier == 0)
    shrank = (case.actual < 0) & (case.last < 0)
    miss, shrinkage = (int(x * 100) for x in (rule.miss, rule.shrinkage))
    return np.maximum(np.where(missed, miss, 0), np.where(shrank, shrinkage, 0))
