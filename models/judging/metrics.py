"""How good a predicted distribution was: proper scores, coverage, the share that attained. All are vectorised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.outcome.distribution import TargetDistribution, TargetLevels
from models.outcome.growth import Transform

SCORED_QUANTILES = tuple(float(q) for q in np.round(np.arange(0.05, 0.951, 0.05), 2))
"""The quantiles over which the pinball loss is averaged."""

INTERVAL = (0.1, 0.9)
"""The 80% band."""

CHECKED_LEVELS = {"p70": 0.70, "p90": 0.90}
"""Probabilities of attaining that are checked beside the levels of a policy, so that policies can be compared."""


def pinball_loss(actual: np.ndarray, predicted: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Give the pinball loss (U,) averaged over quantiles, a proper score in the unit of its input.

    Parameters
    ----------
    actual : np.ndarray
        (U,)
    predicted : np.ndarray
        (U, Q), in the order of `quantiles`.
    quantiles : np.ndarray
        (Q,)

    Notes
    -----
    Koenker and Bassett (1978). A quantile moves with any monotone map, so the loss may be taken on the latent scale.
    """
    short = np.asarray(actual)[:, None] - predicted
    return np.maximum(quantiles * short, (np.asarray(quantiles) - 1) * short).mean(axis=1)


def latent_loss(
    distribution: TargetDistribution, actual: np.ndarray, transform: Transform, quantiles: np.ndarray
) -> np.ndarray:
    """Give the pinball loss (U,) on the latent scale, NaN where there was no prediction or no latent outcome.

    A predicted zero behind a hurdle has no latent place and is left out of the average of its unit; `zero_brier`
    judges it.
    """
    predicted = transform.latent(distribution.quantile(quantiles))
    target = transform.latent(actual)
    short = target[:, None] - predicted
    loss = np.maximum(quantiles * short, (quantiles - 1) * short)
    seen = np.isfinite(loss)
    count = seen.sum(axis=1)
    return np.where(count > 0, np.where(seen, loss, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def relative_loss(
    distribution: TargetDistribution, actual: np.ndarray, quantiles: np.ndarray, *, scale: np.ndarray
) -> np.ndarray:
    """Give the pinball loss (U,) on the value itself, over each unit's own size (U,)."""
    return pinball_loss(actual, distribution.quantile(quantiles), quantiles) / scale


def covered(distribution: TargetDistribution, actual: np.ndarray) -> np.ndarray:
    """Tell (U,) whether the outcome lay in the 80% band; NaN where unknown."""
    low, high = distribution.quantile(INTERVAL).T
    return np.where(np.isfinite(actual) & distribution.known, (actual >= low) & (actual <= high), np.nan)


def attained(
    distribution: TargetDistribution, actual: np.ndarray, levels: TargetLevels | Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Tell (U,) for each level whether the outcome attained it, in the indicator's own direction; NaN where unknown."""
    known = np.isfinite(actual) & distribution.known
    indicator = distribution.indicator
    out = {}
    for name, value in distribution.level_values(levels).items():
        if indicator.direction == "higher":
            good = actual >= value
        elif indicator.direction == "lower":
            good = actual <= value
        else:
            low, high = indicator.band or (-np.inf, np.inf)
            good = np.maximum(low - actual, actual - high) <= np.maximum(np.maximum(low - value, value - high), 0.0)
        out[name] = np.where(known, good, np.nan)
    return out


def pit(distribution: TargetDistribution, actual: np.ndarray) -> np.ndarray:
    """Give the probability integral transform (U,): uniform where the distribution is right.

    An outcome that has a probability of its own, such as zero, is put in the middle of it.
    """
    return (distribution.below(actual) + distribution.cdf(actual)) / 2


def zero_brier(distribution: TargetDistribution, actual: np.ndarray) -> np.ndarray:
    """Give the squared error (U,) of the probability of a zero; NaN where unknown."""
    known = np.isfinite(actual) & distribution.known
    return np.where(known, (distribution.zero - (actual == 0)) ** 2, np.nan)


def mean_known(values: np.ndarray) -> float:
    """Average what is not NaN; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
