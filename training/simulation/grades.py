"""Moves between grades, counted only where both policies name grades on one scale."""

from __future__ import annotations

import numpy as np

from models.policy.document import Policy
from training.simulation.compared import Compared


def grade_scale(before: Policy, after: Policy) -> dict[str, int] | None:
    """Give the places of grades by name, 0 the best, on the longer of two scales; None where neither holds the other.

    A scale that has one grade more, such as an AAA on top, still tells who gets a better one.
    """
    scales = [[grade.name for grade in policy.grades] for policy in (before, after)]
    longer, shorter = sorted(scales, key=len, reverse=True)
    kept = [name for name in longer if name in shorter]
    return {name: place for place, name in enumerate(longer)} if shorter and kept == shorter else None


def grade_moves(compared: Compared, rows: np.ndarray) -> np.ndarray:
    """Tell for some rows (R,) how many grades each goes up (negative: down); NaN where that cannot be told."""
    scale = grade_scale(compared.before.policy, compared.after.policy)
    if scale is None:
        return np.full(len(rows), np.nan)
    old, new = (
        np.array([scale.get(name, np.nan) for name in side.grade[rows]], dtype=float)
        for side in (compared.old, compared.new)
    )
    return old - new
