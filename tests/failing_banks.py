"""Rows of made-up banks, some of which fail: what tests of deterioration models share."""

from __future__ import annotations

import numpy as np

from models.deterioration.problem import DeteriorationProblem

NAMES = ("CAPITAL.level", "NPL.level", "LOANS.growth_1y", "NOISE.level", "NPL.worsening_12m", "prior")
DIRECTION = np.array([-1, 1, 0, 0, 1, 0])


def failing_banks(
    *, units: int = 120, periods: int = 24, failing: int = 25, seed: int = 0, telling: float = 1.0
) -> DeteriorationProblem:
    """Make quarters of banks: over the last year before a bank fails its capital falls and its bad loans rise.

    `telling` scales how much the features show; 0 for features that show nothing.
    """
    rng = np.random.default_rng(seed)
    fails = np.full(units, 10**6)
    fails[:failing] = rng.integers(6, periods + 4, failing)
    period, unit = (a.ravel() for a in np.meshgrid(np.arange(periods), np.arange(units), indexing="ij"))
    left = fails[unit] - period
    keep = left > 0
    period, unit, left = period[keep], unit[keep], left[keep]
    near = telling * np.clip(6 - left, 0, None) / 6
    columns = (
        8 - 5 * near + rng.normal(0, 1, len(unit)),
        np.exp(0.8 * near + rng.normal(0, 0.6, len(unit))),
        0.1 * near + rng.normal(0, 0.2, len(unit)),
        rng.normal(0, 1, len(unit)),
        near + rng.normal(0, 1, len(unit)),
        near + rng.normal(0, 1.5, len(unit)),
    )
    X = np.stack(columns, axis=1).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = (left <= 4).astype(int)
    return DeteriorationProblem.of(X, NAMES, y=y, period=period, unit=unit, event=unit, direction=DIRECTION, per_year=4)
