"""A score's change from one year to the next, split exactly into data, policy and model.

*Data* are the figures, *policy* the rules by which they are scored, *model* the targets that were set and by which
model. Each part is the Shapley value of a game of these three: the average, over the six orders in which they could
have changed, of what each one changed (Shapley 1953).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.scoring.shapley import whole_cents

SOURCES = ("data", "policy", "model")
"""What a score changes by; the bits of a combination, the first the lowest."""

Evaluate = Callable[[bool, bool, bool], np.ndarray]
"""Scores with the present or the earlier data, policy and model: (N,) cents, NaN where there is none."""


@dataclass(frozen=True, eq=False)
class ScoreChange:
    """The change of N scores, in whole cents.

    Attributes
    ----------
    data, policy, model : np.ndarray
        (N,) int64; they add up to `after - before` exactly, and are 0 where `known` is False.
    before, after : np.ndarray
        (N,) int64.
    known : np.ndarray
        (N,) bool: whether there is a score in each of the eight combinations.
    """

    data: np.ndarray
    policy: np.ndarray
    model: np.ndarray
    before: np.ndarray
    after: np.ndarray
    known: np.ndarray


def change_between(evaluate: Evaluate) -> ScoreChange:
    """Split a change by scoring under all eight combinations.

    Parameters
    ----------
    evaluate : callable
        `evaluate(data, policy, model)`, each True for the present and False for the earlier one.
    """
    return split_change(
        np.stack([evaluate(*(bool(state >> k & 1) for k in range(len(SOURCES)))) for state in range(8)])
    )


def split_change(totals: np.ndarray) -> ScoreChange:
    """Split a change of which all combinations are known.

    Parameters
    ----------
    totals : np.ndarray
        (8, N) cents, NaN where there is no score; combination `data + 2 * policy + 4 * model`, with 1 for the present.

    Examples
    --------
    >>> import numpy as np
    >>> split = split_change(np.array([[8000.0], [8300], [7900], [8250], [8000], [8300], [7900], [8250]]))
    >>> int(split.data[0]), int(split.policy[0]), int(split.model[0])
    (325, -75, 0)
    """
    totals = np.asarray(totals, dtype=float)
    known = np.asarray(np.isfinite(totals).all(axis=0))
    cents = np.where(known, totals, 0.0)
    values = np.stack([_value(cents, source) for source in range(len(SOURCES))])
    before, after = np.rint(cents[0]).astype(np.int64), np.rint(cents[7]).astype(np.int64)
    data, policy, model = whole_cents(values, after - before)
    return ScoreChange(data, policy, model, before, after, known)


def _value(totals: np.ndarray, source: int) -> np.ndarray:
    """Give the Shapley value (N,) of one of three players: a third alone, a third last, a sixth after each other."""
    own = 1 << source
    first, second = (1 << k for k in range(len(SOURCES)) if k != source)

    def brings(others: int) -> np.ndarray:
        return totals[others | own] - totals[others]

    return (2 * brings(0) + brings(first) + brings(second) + 2 * brings(first | second)) / 6
