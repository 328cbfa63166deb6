"""How a split of a LightGBM tree decides: the rules of its `NumericalDecision` and `CategoricalDecision`."""

from __future__ import annotations

import numpy as np

ZERO_THRESHOLD = float(np.float32(1e-35))
"""LightGBM's kZeroThreshold, a C float: smaller figures are zero."""

MISSING_NEVER, MISSING_LEFT, MISSING_RIGHT, ZERO_LEFT, ZERO_RIGHT, CATEGORICAL = range(6)
"""NaN counts as zero; NaN goes left, or right; zero and NaN go left, or right; a set of categories goes left, and all
else, NaN and negative figures included, right."""

UNKNOWN = -1


def _kinds() -> np.ndarray:
    """List the kinds by LightGBM's bits: 1 categorical, 2 default left, 4 and 8 missing by zero and by NaN."""
    kinds = np.full(16, UNKNOWN, dtype=np.int8)
    kinds[[0, 2]] = MISSING_NEVER
    kinds[[4, 6]] = ZERO_RIGHT, ZERO_LEFT
    kinds[[8, 10]] = MISSING_RIGHT, MISSING_LEFT
    kinds[1::2] = CATEGORICAL
    return kinds


KIND_OF_BITS = _kinds()
