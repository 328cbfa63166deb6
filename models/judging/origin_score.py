"""Judging a past year: where its outcomes fell within the distributions that had been given for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.judging.calibration import OriginScore
from models.judging.metrics import pit
from models.outcome.distribution import TargetDistribution


def realised_common(distribution: TargetDistribution, actual: np.ndarray) -> float:
    """Give the common growth that a year really brought: the median of what outcomes (U,) differ from their location.

    On the latent scale, as `TargetDistribution.given_common` takes it; NaN where no outcome has a latent place.
    """
    departure = distribution.transform.latent(np.asarray(actual, dtype=float)) - distribution.location
    used = np.isfinite(departure) & distribution.known
    if not used.any():
        return float("nan")
    spread = distribution.spread
    return float(np.median(departure[used] - np.median(spread.residual) * spread.scale[used]))


def own_pit(distribution: TargetDistribution, actual: np.ndarray) -> np.ndarray:
    """Give the probability integral transform (U,) of the outcomes given the common growth that the year brought.

    Uniform across units where their own residuals are right, whatever the year was like.
    """
    common = realised_common(distribution, actual)
    if not np.isfinite(common):
        return np.full(len(distribution.units), np.nan)
    return pit(distribution.given_common(common), actual)


def score_origin(distribution: TargetDistribution, actual: np.ndarray, *, year: int) -> OriginScore | None:
    """Score a distribution given before a year by the outcomes (U,) of that year; None where fewer than two count.

    Outcomes of exactly zero that have a probability of their own say nothing of a width and are left out.
    """
    actual = np.asarray(actual, dtype=float)
    counted = np.where((distribution.zero > 0) & (actual == 0), np.nan, actual)
    positive = replace(distribution, zero=np.zeros(len(distribution.units)))
    return OriginScore.of(pit(positive, counted), own_pit(positive, counted), year=year)
