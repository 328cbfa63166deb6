"""How well a ranking foretells deterioration: within a period, over all, and at the point where it would be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

BUDGET = 0.05
"""Share of the units of a period that can be reviewed: the working point (domain knowledge: about 5%)."""
BINS = 5
"""Groups of equal size in which stated probabilities are held against what happened."""


@dataclass(frozen=True, slots=True)
class Skill:
    """What a ranking came to on labelled rows.

    Attributes
    ----------
    name : str
    rows, positives, periods : int
        Labelled rows, those followed by deterioration, and periods that have both kinds.
    auc_within : float
        Chance that a row that deteriorated ranks above one of the same period that did not.
    auc : float
        The same over all periods together; mostly measures how well the years are told apart.
    average_precision : float
    hits, false_alarms, missed : int
        At the working point: of each period the share `BUDGET` that ranks highest is reviewed.
    precision, recall : float
    brier : float
        Mean squared distance of the probability from what happened; NaN for scores that are no probabilities.
    """

    name: str
    rows: int
    positives: int
    periods: int
    auc_within: float
    auc: float
    average_precision: float
    hits: int
    false_alarms: int
    missed: int
    precision: float
    recall: float
    brier: float


def auc(score: np.ndarray, y: np.ndarray) -> float:
    """Give the chance that a positive ranks above a negative, ties counting half; NaN where either is missing."""
    positive = np.asarray(y) == 1
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))


def auc_within(score: np.ndarray, y: np.ndarray, period: np.ndarray) -> tuple[float, int]:
    """Give the AUC within periods, each weighed by its pairs, and the number of periods that have any."""
    total, pairs, periods = 0.0, 0, 0
    for one in np.unique(period):
        at = period == one
        found = auc(score[at], y[at])
        if np.isfinite(found):
            weight = int(y[at].sum()) * int((y[at] == 0).sum())
            total, pairs, periods = total + weight * found, pairs + weight, periods + 1
    return (total / pairs if pairs else float("nan")), periods


def average_precision(score: np.ndarray, y: np.ndarray) -> float:
    """Give the mean precision over the positives, rows of one score taken together; NaN without positives."""
    if not (y == 1).any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(y[order] == 1)
    last = np.append(np.diff(score[order]) != 0, True)
    precision, recall = hits[last] / (np.flatnonzero(last) + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def reviewed(score: np.ndarray, period: np.ndarray, *, budget: float = BUDGET) -> np.ndarray:
    """Tell which rows would be reviewed: of each period the highest, at least one; (n,) booleans."""
    chosen = np.zeros(len(score), dtype=bool)
    for one in np.unique(period):
        at = np.flatnonzero(period == one)
        take = max(1, int(np.floor(budget * len(at))))
        chosen[at[np.argsort(-score[at], kind="stable")[:take]]] = True
    return chosen


def judged(
    name: str,
    score: np.ndarray,
    y: np.ndarray,
    period: np.ndarray,
    *,
    budget: float = BUDGET,
    probability: bool = False,
) -> Skill:
    """Judge a ranking on labelled rows, all arrays (n,); a row without a score ranks below all others."""
    known = np.isfinite(score)
    lowest = float(score[known].min()) if known.any() else 0.0
    filled = np.where(known, score, lowest - 1.0)
    within, periods = auc_within(filled, y, period)
    chosen = reviewed(filled, period, budget=budget)
    hits, positives = int((chosen & (y == 1)).sum()), int((y == 1).sum())
    flagged = int(chosen.sum())
    brier = float(np.mean((score[known] - y[known]) ** 2)) if probability and known.any() else float("nan")
    return Skill(
        name,
        len(y),
        positives,
        periods,
        within,
        auc(filled, y),
        average_precision(filled, y),
        hits,
        flagged - hits,
        positives - hits,
        hits / flagged if flagged else float("nan"),
        hits / positives if positives else float("nan"),
        brier,
    )


def comparison(
    scores: Mapping[str, np.ndarray],
    y: np.ndarray,
    *,
    probabilities: frozenset[str] = frozenset(),
    budget: float = BUDGET,
) -> pd.DataFrame:
    """Compare rankings on the unit-periods whose label is known and for which the first of them has an answer.

    Parameters
    ----------
    scores : Mapping[str, np.ndarray]
        By name: (P, U), NaN where there is none.
    y : np.ndarray
        (P, U) of 0, 1 and NaN.
    probabilities : frozenset of str
        Which of the scores are probabilities.

    Returns
    -------
    pd.DataFrame
        A row a ranking, columns as of `Skill`.
    """
    asked = np.isfinite(y) & np.isfinite(next(iter(scores.values())))
    period = np.nonzero(asked)[0]
    rows = [
        judged(name, score[asked], y[asked], period, budget=budget, probability=name in probabilities)
        for name, score in scores.items()
    ]
    return pd.DataFrame([asdict(row) for row in rows], columns=list(Skill.__dataclass_fields__))


def calibration(probability: np.ndarray, y: np.ndarray, *, bins: int = BINS) -> pd.DataFrame:
    """Hold stated probabilities against what happened, in groups of equal size: `rows`, `stated`, `happened`."""
    known = np.isfinite(probability) & np.isfinite(y)
    stated, happened = probability[known], y[known]
    order = np.argsort(stated, kind="stable")
    groups = [part for part in np.array_split(order, bins) if len(part)]
    return pd.DataFrame(
        {
            "rows": [len(part) for part in groups],
            "stated": [float(stated[part].mean()) for part in groups],
            "happened": [float(happened[part].mean()) for part in groups],
        }
    )
