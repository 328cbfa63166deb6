"""Breaks in the lives of sample branches, as log factors: a merger, a split and an opening."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from training.sample.units import (
    MERGER_MONTH,
    MONTHS,
    NEW_BRANCH_RAMP,
    OPENING_MONTH,
    SPLIT_MONTH,
    SPLIT_SHARES,
    Layout,
)

NEW_BRANCH_START = 0.12
"""Size of the new branch on its first day, against the size that it grows into."""


def structural_shifts(layout: Layout, base: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Build the factors from the branches' own months, so that volumes are passed on and not lost.

    Parameters
    ----------
    layout : Layout
    base : Mapping[str, np.ndarray]
        By driver code: (MONTHS, B) figures before any event.

    Returns
    -------
    dict[str, np.ndarray]
        By driver code: (MONTHS, B) log factors. They are constant but for the month of a merger and the years in which
        the new branch grows, so that the distribution of a later year's outcome is only moved by them.
    """
    shifts = {code: np.zeros(values.shape) for code, values in base.items()}
    growing = np.clip((np.arange(MONTHS) - OPENING_MONTH + 1) / NEW_BRANCH_RAMP, 0.0, 1.0)
    for code, values in base.items():
        if code == "R01":
            continue
        taken, kept = (_year_before(values, MERGER_MONTH, unit) for unit in (layout.merged, layout.acquirer))
        shifts[code][MERGER_MONTH:, layout.acquirer] = np.log1p(taken / kept)
        whole = _year_before(values, SPLIT_MONTH, layout.split)
        for heir, share in zip(layout.heirs, SPLIT_SHARES, strict=True):
            shifts[code][:, heir] = np.log(share * whole / _year_before(values, SPLIT_MONTH, heir))
        shifts[code][:, layout.new] = np.log(NEW_BRANCH_START) * (1 - growing)

    ratio, loans = base["R01"], base["LOANS"]
    pair = [layout.merged, layout.acquirer]
    joint = np.average(ratio[MERGER_MONTH - 1, pair], weights=loans[MERGER_MONTH - 1, pair])
    shifts["R01"][MERGER_MONTH:, layout.acquirer] = np.log(joint / ratio[MERGER_MONTH - 1, layout.acquirer])
    for heir in layout.heirs:
        shifts["R01"][:, heir] = np.log(ratio[SPLIT_MONTH - 1, layout.split] / ratio[SPLIT_MONTH - 1, heir])
    return shifts


def _year_before(values: np.ndarray, row: int, unit: int) -> float:
    """Average a branch's twelve months before a month."""
    return float(values[row - 12 : row, unit].mean())
