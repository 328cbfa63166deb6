"""Exact decimals at the speed of floating point: how a result next to a boundary is told from one on it.

Three stages, each for the rows that the one before cannot decide. A floating-point filter settles what lies further
from a boundary than its error. A result that is a ratio of whole numbers with a denominator of at most D lies either on
a boundary or at least a D-th away from it, so one that is much nearer lies on it (a separation bound; Burnikel,
Fleischer, Mehlhorn and Schirra 2000, "A strong and easily computable separation bound"). The few rows left are computed
in fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from models.scoring.facts import FIGURE_DECIMALS

ROUNDING_ERROR = 2.0**-48
"""Bound of the relative error of a handful of operations on doubles that stand for decimals, with a wide margin."""
CERTAIN_DIGITS = 1e15
"""Whole numbers below have at most 15 digits, and so a double stands for one decimal only."""
BEYOND = Fraction(10**15)
"""What dividing by 0 gives in fractions: more than any limit of a policy, as infinity in floating point."""

Number = Callable[[Any], Any]
"""`float` for a whole array, `Fraction` for the rows that need exactness."""


def as_fractions(array: np.ndarray) -> np.ndarray:
    """Give each figure as the fraction of the shortest decimal that it is written as; 0 where there is none."""
    finite = np.isfinite(array)
    found = np.empty(array.shape, dtype=object)
    found[finite] = [Fraction(repr(value)) for value in array[finite].tolist()]
    found[~finite] = Fraction(0)  # read by no branch that counts
    return found


def half_up(value: Fraction) -> int:
    """Round a fraction to the nearest whole number, half away from zero.

    >>> half_up(Fraction(5, 2)), half_up(Fraction(-5, 2)), half_up(Fraction(249, 100))
    (3, -3, 2)
    """
    whole = (2 * abs(value) + 1) // 2
    return int(-whole if value < 0 else whole)


def quotient(above: Any, below: np.ndarray, number: Number) -> np.ndarray:
    """Divide; by 0 the result is beyond any limit."""
    if number is float:
        return above / below
    zero = below == 0
    found = above / np.where(zero, 1, below)
    found[zero] = BEYOND
    return found


def scale_of(figures: np.ndarray) -> np.ndarray:
    """Give the smallest power of ten that makes each figure a whole number; inf where none up to a million surely does.

    >>> scale_of(np.array([3.0, 0.25, 1e-7])).tolist()
    [1.0, 100.0, inf]
    """
    scale = np.full(figures.shape, np.inf)
    for power in range(FIGURE_DECIMALS, -1, -1):
        whole = np.rint(figures * 10.0**power)
        scale[(whole / 10.0**power == figures) & (np.abs(whole) < CERTAIN_DIGITS)] = 10.0**power
    return scale


def quotient_divisor(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Bound the denominator of `above / below`: the divisor as a whole number, times the decimals it has fewer."""
    scale = scale_of(below)
    return np.maximum(np.rint(np.abs(below) * scale), 1) * np.maximum(1, scale_of(above) / scale)


def rounded(
    value: np.ndarray,
    error: np.ndarray | float,
    *,
    divisor: Callable[[np.ndarray], np.ndarray],
    exactly: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Round half away from zero (四舍五入) to whole hundredths.

    Parameters
    ----------
    value : np.ndarray
        (N,) finite floats.
    error : np.ndarray or float
        By how much a value may be off; inf or NaN for rows to be computed exactly.
    divisor : callable
        Gives for row numbers D such that 200 x value is a whole number over some number up to D; inf where unknown.
    exactly : callable
        Gives fractions for row numbers.

    Returns
    -------
    np.ndarray
        (N,) int32 hundredths.
    """
    size = value * 100
    negative = bool(len(size)) and size.min() < 0
    if negative:
        np.abs(size, out=size)
    whole = np.floor(size)
    size -= whole
    size -= 0.5
    found = (whole + (size >= 0)).astype(np.int32)
    margin = error * 100
    rows = np.flatnonzero(~(np.abs(size) > margin))
    if len(rows):
        with np.errstate(all="ignore"):
            half = 4 * np.broadcast_to(margin, size.shape)[rows] * divisor(rows) < 1
        found[rows[half]] = whole[rows[half]] + 1
        rest = rows[~half]
        found[rest] = [half_up(abs(x) * 100) for x in exactly(rest)] if len(rest) else 0
    return np.where(value < 0, -found, found) if negative else found
