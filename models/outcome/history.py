"""What a unit's past tells of its relative growth: features known at each row's origin, on the latent scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.outcome.growth import Transform
from models.outcome.problem import TargetProblem

JUMP = 5.0
"""Relative growth beyond this many robust deviations is a merger or a correction, not a habit: cut back to here."""

PRIOR_YEARS = 2.0
"""Pseudo-years of average behaviour in a unit's own mean and volatility."""

MINIMUM_PEERS = 5
"""A peer group smaller than this has no median of its own (and showing one could reveal a member)."""

MAXIMUM_GAP = 3
"""A figure older than this many years is no base to grow from."""

NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

FEATURES = ("lag1", "lag2", "mean", "volatility", "level", "departure", "size", "peers", "peers_level")
"""Relative growth of the last year and the one before, its mean, its volatility; level against the group, and against
the unit's own mean level (what lets ratios revert); size; growth of the peers, level against the peers. All are
relative to the group in the same year: a feature constant across units would only memorise the years."""


def row_median(values: np.ndarray) -> np.ndarray:
    """Give each row's median (rows, 1), ignoring NaN; 0 for a row without values."""
    return np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in values])[:, None]


def robust_deviation(values: np.ndarray) -> float:
    """Give the standard deviation as the median absolute value suggests it; never zero."""
    known = np.abs(values[np.isfinite(values)])
    if not len(known):
        return 1.0
    deviation = NORMAL_MAD * float(np.median(known))
    # Where most units did not move at all, the median is no measure.
    return deviation or float(np.mean(known)) or 1e-9


@dataclass(frozen=True)
class History:
    """Latent histories of a problem's units.

    Attributes
    ----------
    base : np.ndarray
        (T+1, U) latent base, carried forward over gaps of up to `MAXIMUM_GAP` years.
    gap : np.ndarray
        (T+1, U) years by which the base is older than it should be.
    growth : np.ndarray
        (T+1, U) latent growth from base to outcome; NaN unless both were observed.
    steps : np.ndarray
        (T+1, U) growth of the base since the row before, relative to the group, jumps cut back.
    deviation : float
        Robust standard deviation of relative growth, over all units and years.
    features : dict[str, np.ndarray]
        (T+1, U) each, by name; NaN where not known.
    """

    base: np.ndarray
    gap: np.ndarray
    growth: np.ndarray
    steps: np.ndarray
    deviation: float
    features: dict[str, np.ndarray]


def carried_forward(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill gaps with the last figure before, up to `MAXIMUM_GAP` rows old, and say how old it is."""
    filled, gap = values.copy(), np.zeros(values.shape, dtype=int)
    for row in range(1, len(values)):
        use = ~np.isfinite(values[row]) & np.isfinite(filled[row - 1]) & (gap[row - 1] < MAXIMUM_GAP)
        filled[row, use] = filled[row - 1, use]
        gap[row, use] = gap[row - 1, use] + 1
    return filled, gap


def read_history(problem: TargetProblem, transform: Transform, *, deviation: float | None = None) -> History:
    """Compute the features; every row uses that row's base and earlier ones only.

    Parameters
    ----------
    problem : TargetProblem
    transform : Transform
    deviation : float, optional
        Robust deviation of relative growth found when the model was fitted; measured here where not given.
    """
    observed = transform.latent(problem.base)
    growth = transform.latent(problem.outcome) - observed
    steps = np.full_like(observed, np.nan)
    steps[1:] = np.diff(observed, axis=0)
    steps = steps - row_median(steps)
    deviation = robust_deviation(steps) if deviation is None else deviation
    steps = np.clip(steps, -JUMP * deviation, JUMP * deviation)
    base, gap = carried_forward(observed)
    return History(base, gap, growth, steps, deviation, _features(problem, base, steps, deviation))


def _features(problem: TargetProblem, base: np.ndarray, steps: np.ndarray, deviation: float) -> dict[str, np.ndarray]:
    seen = np.isfinite(steps)
    years = np.cumsum(seen, axis=0)
    lag2 = np.full_like(steps, np.nan)
    lag2[1:] = steps[:-1]
    level = base - row_median(base)
    at_level = np.cumsum(np.isfinite(level), axis=0)
    own_level = np.cumsum(np.nan_to_num(level), axis=0) / np.maximum(at_level, 1)
    # A normal deviate's mean absolute value is 0.8 standard deviations.
    volatility = (np.cumsum(np.abs(np.nan_to_num(steps)), axis=0) + PRIOR_YEARS * 0.8 * deviation) / (
        years + PRIOR_YEARS
    )
    reach = 2 * JUMP * deviation
    features = {
        "lag1": steps,
        "lag2": lag2,
        "mean": np.cumsum(np.nan_to_num(steps), axis=0) / (years + PRIOR_YEARS),
        "volatility": volatility,
        "level": level,
        "departure": np.clip(level - own_level, -reach, reach),
        "size": _size(problem),
    }
    peers, peers_level = np.zeros_like(steps), np.zeros_like(steps)
    if problem.peers is not None:
        for group in np.unique(problem.peers):
            mine = problem.peers == group
            if MINIMUM_PEERS <= mine.sum() < len(mine):
                peers[:, mine] = row_median(steps[:, mine])
                peers_level[:, mine] = level[:, mine] - row_median(level[:, mine])
    return features | {"peers": peers, "peers_level": peers_level}


def _size(problem: TargetProblem) -> np.ndarray:
    """Give the log of each unit's size against the group's, (T+1, U); 0 where no size is given."""
    if problem.weight is not None:
        size = problem.weight
    elif problem.size is not None:
        size = np.broadcast_to(problem.size, problem.base.shape)
    else:
        return np.zeros_like(problem.base)
    log_size = np.log(np.where(size > 0, size, np.nan))
    return log_size - row_median(log_size)
