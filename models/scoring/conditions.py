"""Conditions of adjustments and gates: whether a figure lies beyond a limit, and by how much."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from models.policy.document import Adjustment, Condition
from models.scoring.exact import ROUNDING_ERROR, Number, as_fractions, quotient_divisor, rounded, scale_of
from models.scoring.facts import Facts

NO, YES, UNKNOWN = 0, 1, 2
"""Whether a condition holds; unknown where there is no figure to judge by."""

Rows = np.ndarray | slice
ALL = slice(None)


def holds(condition: Condition, facts: Facts) -> np.ndarray:
    """Tell for each row (N,) whether a condition holds: `NO`, `YES` or `UNKNOWN`."""
    with np.errstate(all="ignore"):
        beyond, error = _excess(condition, facts, float, ALL), _error(condition, facts, ALL)
        rows = np.flatnonzero(np.abs(beyond) <= error)
        if len(rows):
            equal = 4 * error[rows] * _divisor(condition, facts, rows) < 1
            beyond[rows[equal]] = 0.0
            rows = rows[~equal]
        answer = np.where(np.isfinite(beyond), _meets(condition, beyond), UNKNOWN).astype(np.int8)
    if len(rows):
        answer[rows] = _meets(condition, _excess(condition, facts, Fraction, rows))
    return answer


def adjustment_cents(adjustment: Adjustment, facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    """Give what an adjustment adds (bonus) or takes (malus), before the limits on all of them.

    Returns
    -------
    cents : np.ndarray
        (N,) not negative.
    state : np.ndarray
        (N,) `NO`, `YES` or `UNKNOWN`.
    """
    condition, per, most = adjustment.when, adjustment.per, adjustment.most
    state = holds(condition, facts)
    there = state == YES
    if per is None or most is None:
        return np.where(there, int(adjustment.points * 100), 0), state
    slope = Fraction(adjustment.points) / Fraction(per)

    def amount(number: Number, rows: Rows) -> np.ndarray:
        return np.minimum(_excess(condition, facts, number, rows) * number(slope), number(most))

    with np.errstate(all="ignore"):
        value = np.where(there, amount(float, ALL), 0.0)
        error = np.where(there, _error(condition, facts, ALL) * float(slope), 0.0)
    cents = rounded(
        value,
        error,
        divisor=lambda rows: _divisor(condition, facts, rows) * slope.denominator,
        exactly=lambda rows: amount(Fraction, rows),
    )
    return cents, state


def _excess(condition: Condition, facts: Facts, number: Number, rows: Rows) -> np.ndarray:
    """Give how far beyond the limit the measured figure lies; negative where it does not reach it."""
    taken = _figures(condition, facts, rows)
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


def _figures(condition: Condition, facts: Facts, rows: Rows) -> list[np.ndarray]:
    """Take the figure, and what it is set against where it is a change or an attainment."""
    against = {"change": "last_year", "attainment": "target"}.get(condition.of)
    kinds = ("actual",) if against is None else ("actual", against)
    return [facts.of(kind, condition.indicator)[rows] for kind in kinds]


def _error(condition: Condition, facts: Facts, rows: Rows) -> np.ndarray:
    """Bound the error of the excess, which is in proportion to the figures whose difference it is."""
    figures = [np.abs(array) for array in _figures(condition, facts, rows)]
    size = figures[0]
    if condition.of == "change":
        size = size + figures[1]
    elif condition.of == "attainment":
        size = 100 * size / figures[1]
    return (size + abs(float(condition.limit))) * ROUNDING_ERROR


def _divisor(condition: Condition, facts: Facts, rows: np.ndarray) -> np.ndarray:
    """Bound the denominators of the excess."""
    figures = _figures(condition, facts, rows)
    limit = Fraction(condition.limit).denominator
    if condition.of == "attainment":
        return quotient_divisor(figures[0], figures[1]) * limit
    return np.stack([scale_of(array) for array in figures]).max(axis=0) * limit


def _meets(condition: Condition, beyond: np.ndarray) -> np.ndarray:
    strictly = condition.above is not None or condition.below is not None
    return beyond > 0 if strictly else beyond >= 0
