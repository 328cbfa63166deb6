"""The record of one past origin, as it is kept with a model: its loss, what its band held, which promises it kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.judging.metrics import attained, covered, mean_known
from models.judging.reliability import PROMISES
from models.outcome.distribution import TargetDistribution


def origin_record(found: TargetDistribution, actual: np.ndarray, *, year: int, loss_ratio: float) -> dict[str, Any]:
    """Tell how a distribution given before a year did.

    Parameters
    ----------
    found : TargetDistribution
    actual : np.ndarray
        (U,) outcomes of the year.
    year : int
    loss_ratio : float
        Its pinball loss over that of pooled growth.

    Returns
    -------
    dict
        Plain JSON: `year`, `outcomes`, `loss_ratio`, `coverage` of the 80% band, and `attained`, the share of units
        that attained the value promised with each probability of `PROMISES`; None where nothing can be said.
    """
    held = covered(found, actual)
    kept = attained(found, actual, {f"{promise:g}": promise for promise in PROMISES})
    return {
        "year": int(year),
        "outcomes": int(np.isfinite(held).sum()),
        "loss_ratio": _figure(loss_ratio),
        "coverage": _figure(mean_known(held)),
        "attained": [_figure(mean_known(hits)) for hits in kept.values()],
    }


def _figure(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
