"""Conditions of adjustments and gates: whether a figure lies beyond a limit, and by how much."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from models.policy.document import Adjustment, Condition
from models.scoring.facts import Facts
from models.scoring.points import ROUNDING_ERROR, Number, as_fractions, rounded

NO, YES, UNKNOWN = 0, 1, 2
"""Whether a condition holds; unknown where there is no figure to judge by."""


def holds(condition: Condition, facts: Facts) -> np.ndarray:
    """Tell for each row (N,) whether a condition holds: `NO`, `YES` or `UNKNOWN`."""
    with np.errstate(all="ignore"):
        beyond, near = _beyond(condition, facts)
        answer = np.where(np.isfinite(beyond), _meets(condition, beyond), UNKNOWN).astype(np.int8)
    rows = np.flatnonzero(near)
    if len(rows):
        answer[rows] = _meets(condition, _excess(condition, facts, Fraction, rows))
    return answer


def adjustment_cents(adjustment: Adjustment, facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    """Give what an adjustment adds (bonus) or takes (malus), before the limits on all of them.

    Returns
    -------
    cents : np.ndarray
        (N,) int64, not negative.
    state : np.ndarray
        (N,) `NO`, `YES` or `UNKNOWN`.
    """
    state = holds(adjustment.when, facts)
    if adjustment.per is None:
        return np.where(state == YES, int(adjustment.points * 100), 0).astype(np.int64), state

    def amount(number: Number, rows: np.ndarray | slice) -> np.ndarray:
        per_unit = number(adjustment.points) / number(adjustment.per)
        return np.minimum(_excess(adjustment.when, facts, number, rows) * per_unit, number(adjustment.most))

    with np.errstate(all="ignore"):
        value = np.where(state == YES, amount(float, slice(None)), 0.0)
        size = np.abs(value) * 100
        slack = _size(adjustment.when, facts) * float(adjustment.points / (adjustment.per or 1)) * 100 * ROUNDING_ERROR
        tips = (state == YES) & (np.abs(size - np.floor(size) - 0.5) <= slack + 1e-9)
    return rounded(value, tips, lambda rows: amount(Fraction, rows)), state


def _excess(condition: Condition, facts: Facts, number: Number, rows: np.ndarray | slice) -> np.ndarray:
    """Give how far beyond the limit the measured figure lies; negative where it does not reach it."""
    figures = [facts.of("actual", condition.indicator)]
    if condition.of != "figure":
        figures.append(facts.of("target" if condition.of == "attainment" else "last_year", condition.indicator))
    taken = [array[rows] for array in figures]
    if number is Fraction:
        taken = [as_fractions(array) for array in taken]
    measured = taken[0]
    if condition.of == "change":
        measured = taken[0] - taken[1]
    elif condition.of == "attainment":
        sensible = taken[1] > 0
        measured = np.where(sensible, 100 * taken[0] / np.where(sensible, taken[1], 1), np.nan)
    limit = number(condition.limit)
    return measured - limit if condition.upwards else limit - measured


def _size(condition: Condition, facts: Facts) -> np.ndarray:
    """Give the size of the figures in a difference, to which its error is in proportion."""
    size = np.abs(facts.of("actual", condition.indicator)) + abs(float(condition.limit))
    if condition.of == "change":
        size = size + np.abs(facts.of("last_year", condition.indicator))
    elif condition.of == "attainment":
        target = facts.of("target", condition.indicator)
        size = abs(float(condition.limit)) + 100 * size / np.where(target > 0, target, np.inf)
    return size


def _beyond(condition: Condition, facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    beyond = _excess(condition, facts, float, slice(None))
    if condition.of == "figure":  # two figures as they stand compare as their decimals do
        return beyond, np.zeros(beyond.shape, dtype=bool)
    return beyond, np.abs(beyond) <= _size(condition, facts) * ROUNDING_ERROR


def _meets(condition: Condition, beyond: np.ndarray) -> np.ndarray:
    strictly = condition.above is not None or condition.below is not None
    return beyond > 0 if strictly else beyond >= 0
