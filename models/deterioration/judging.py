"""How well probabilities of rare events rank and hold: by weight, over all rows and within periods."""

from __future__ import annotations

from typing import Any

import numpy as np

BUDGET = 0.05
"""Working point: the share of a period's units that can be reviewed (domain.md, section 4)."""
BINS = 10
"""Groups of the calibration table."""
SMALLEST = 1e-9


def area_under_curve(y: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """Give the chance that a positive row scores above another one, ties as half; NaN where one of both is missing."""
    _, place = np.unique(score, return_inverse=True)
    good = np.bincount(place, weight * (y == 0))
    bad = np.bincount(place, weight * (y == 1))
    if good.sum() <= 0 or bad.sum() <= 0:
        return float("nan")
    below = np.cumsum(good) - good / 2
    return float(bad @ below / (bad.sum() * good.sum()))


def area_within(y: np.ndarray, score: np.ndarray, weight: np.ndarray, period: np.ndarray) -> float:
    """Give the same within each period, averaged by the positives of the period: it does not measure the year."""
    total = count = 0.0
    for one in np.unique(period[y == 1]):
        rows = period == one
        found = area_under_curve(y[rows], score[rows], weight[rows])
        if np.isfinite(found):
            positives = float(weight[rows] @ y[rows])
            total, count = total + found * positives, count + positives
    return total / count if count else float("nan")


def average_precision(y: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """Give the precision averaged over the recall, rows of equal score together; NaN without positives."""
    levels, place = np.unique(-score, return_inverse=True)
    all_rows = np.cumsum(np.bincount(place, weight, len(levels)))
    bad = np.bincount(place, weight * y, len(levels))
    return float(bad @ (np.cumsum(bad) / all_rows) / bad.sum()) if bad.sum() > 0 else float("nan")


def log_loss(y: np.ndarray, probability: np.ndarray, weight: np.ndarray) -> float:
    """Give the mean of -log of the probability given to what happened."""
    p = np.clip(np.where(y == 1, probability, 1 - probability), SMALLEST, 1)
    return float(-(weight @ np.log(p)) / weight.sum())


def measured(y: np.ndarray, probability: np.ndarray, weight: np.ndarray, period: np.ndarray) -> dict[str, float]:
    """Measure probabilities (n,) against what happened (n,)."""
    return {
        "auc": area_under_curve(y, probability, weight),
        "auc_within": area_within(y, probability, weight, period),
        "average_precision": average_precision(y, probability, weight),
        "log_loss": log_loss(y, probability, weight),
        "brier": float(weight @ (probability - y) ** 2 / weight.sum()),
    }


def working_point(y: np.ndarray, probability: np.ndarray, weight: np.ndarray, period: np.ndarray) -> dict[str, float]:
    """Count hits and false alarms where the highest `BUDGET` of each period are reviewed.

    Returns
    -------
    dict
        `budget`, `reviewed`, `hits`, `false_alarms` (by weight), `precision`, `recall`.
    """
    order = np.lexsort((-probability, period))
    _, start, count = np.unique(period[order], return_index=True, return_counts=True)
    before = np.cumsum(weight[order]) - weight[order]
    before -= np.repeat(before[start], count)
    whole = np.repeat(np.add.reduceat(weight[order], start), count)
    chosen = order[before < BUDGET * whole]
    reviewed, hits = float(weight[chosen].sum()), float(weight[chosen] @ y[chosen])
    return {
        "budget": BUDGET,
        "reviewed": reviewed,
        "hits": hits,
        "false_alarms": reviewed - hits,
        "precision": hits / reviewed,
        "recall": hits / max(float(weight @ y), SMALLEST),
    }


def calibration_table(y: np.ndarray, probability: np.ndarray, weight: np.ndarray) -> list[dict[str, Any]]:
    """Hold predicted against observed rates in groups that foretell equally many positives each."""
    order = np.argsort(probability, kind="stable")
    expected = np.cumsum((weight * probability)[order])
    group = np.minimum((expected / expected[-1] * BINS).astype(np.int64), BINS - 1)
    rows = []
    for number in np.unique(group):
        chosen = order[group == number]
        share = weight[chosen] / weight[chosen].sum()
        rows.append(
            {
                "rows": float(weight[chosen].sum()),
                "predicted": float(share @ probability[chosen]),
                "observed": float(share @ y[chosen]),
            }
        )
    return rows
