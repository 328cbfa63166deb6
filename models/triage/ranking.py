"""One list: every unit scored from least to most concerning, and who is put before a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import logit, ndtr, ndtri

from models.triage.discovery import FALSE_DISCOVERY_LEVEL, REVIEW_BUDGET, cut_to_budget, expected_false, q_values
from models.triage.empirical_null import LEAST_POOL, NULL_YEARS, against_usual
from models.triage.evidence import Evidence

Labels = Literal["given", "derived", "none"]

PRIOR_LOOKS = 10.0
"""What growth over years says counts for as many looks where a year has one, and for less the more it has, while the
evidence counts for the year's looks: ten elevenths of the score on annual figures, in which no surge is told from a
year's growth; two fifths on quarterly, a fifteenth on monthly ones."""
DERIVED_LOOKS = 4.0
"""A model of derived outcomes counts for a third of a year of months: it has shown skill, but on outcomes of its own
making, and it rests on figures that the evidence rests on as well."""
EDGE = 1e-6
"""Scores are kept so far from 0 and 1 before they are read as normal scores."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The list: arrays of P periods x U units.

    Attributes
    ----------
    score : np.ndarray
        0 to 1, larger is more concerning: the probability of deterioration where outcomes are given and a model can
        tell; else the share of what is usual that looks less concerning. Known for every candidate, NaN for others.
    p_value : np.ndarray
        Calibrated p-value of the evidence; NaN where there is too little to say.
    q_value : np.ndarray
        Estimated false-discovery rate of a list that goes down to the unit; NaN where unknown.
    listed : np.ndarray
        Booleans: on the list for review.
    """

    score: np.ndarray
    p_value: np.ndarray
    q_value: np.ndarray
    listed: np.ndarray


def rank(
    evidence: Evidence,
    *,
    candidates: np.ndarray,
    per_year: int,
    prior: np.ndarray | None = None,
    probability: np.ndarray | None = None,
    labels: Labels = "none",
    level: float = FALSE_DISCOVERY_LEVEL,
    budget: float = REVIEW_BUDGET,
) -> Ranking:
    """Rank the candidates of each period and choose who is reviewed.

    On the list are those whose q-value is within the level; where outcomes are given, also those whose probability is
    in the budgeted part of what it was in the past years, so that quiet times list fewer. The list is cut to the
    budget by score.

    Parameters
    ----------
    evidence : Evidence
    candidates : np.ndarray
        (P, U) booleans: the units that exist and are judged.
    per_year : int
        Periods of a year.
    prior : np.ndarray, optional
        (P, U) score without labels, 0 to 1.
    probability : np.ndarray, optional
        (P, U) calibrated probability of deterioration, NaN where no model has shown skill.
    labels : {"given", "derived", "none"}
        What the model learned from.
    level, budget : float
        False-discovery level, and the part of the candidates that can be reviewed in a period.

    Returns
    -------
    Ranking
        Row P rests on rows up to P alone.
    """
    p_value = np.where(candidates, evidence.p_value, np.nan)
    q_value = q_values(p_value, per_year=per_year)
    chosen = np.nan_to_num(q_value, nan=1.0) <= level
    known = None if probability is None else np.where(candidates, probability, np.nan)
    parts = [(evidence.z, float(per_year))]
    if prior is not None:
        parts.append((ndtri(np.clip(prior, EDGE, 1.0 - EDGE)), PRIOR_LOOKS / per_year))
    if known is not None and labels == "derived":
        odds = logit(np.clip(known, EDGE, 1.0 - EDGE))
        parts.append((against_usual(odds, candidates, per_year=per_year), DERIVED_LOOKS))
    score = ndtr(_mean_of_known(parts, candidates.shape))
    if known is not None and labels == "given":
        score = _by_probability(score, known)
        chosen |= known >= _usual_top(known, per_year=per_year, budget=budget)
        q_value = np.where(np.isfinite(known), expected_false(known), q_value)
    score = np.where(candidates, score, np.nan)
    listed = cut_to_budget(chosen & candidates, score, candidates, budget=budget)
    return Ranking(score, p_value, q_value, listed)


def _mean_of_known(parts: Iterable[tuple[np.ndarray, float]], shape: tuple[int, int]) -> np.ndarray:
    """Give the weighted mean of z: what is missing for a unit counts as usual, what is missing for all not at all."""
    total, weights = np.zeros(shape), np.zeros((shape[0], 1))
    for z, weight in parts:
        known = np.isfinite(z)
        total += np.where(known, weight * z, 0.0)
        weights += weight * known.any(axis=1, keepdims=True)
    return total / np.where(weights > 0, weights, 1.0)


def _by_probability(score: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Give the probability; a unit without one, that of the unit which stands where it stands by the other score."""
    out = score.copy()
    for row in np.flatnonzero(np.isfinite(probability).any(axis=1)):
        known = np.isfinite(probability[row])
        out[row, known] = probability[row, known]
        if not known.all():
            out[row, ~known] = np.quantile(probability[row, known], score[row, ~known])
    return out


def _usual_top(probability: np.ndarray, *, per_year: int, budget: float) -> np.ndarray:
    """Give the probability that the budgeted part of all unit-periods of the past years reached: (P, 1)."""
    out = np.full((len(probability), 1), np.inf)
    window = NULL_YEARS * per_year
    for row in range(len(probability)):
        pool = probability[max(0, row + 1 - window) : row + 1]
        pool = pool[np.isfinite(pool)]
        if len(pool) < LEAST_POOL:
            pool = probability[: row + 1][np.isfinite(probability[: row + 1])]
        if len(pool):
            out[row] = np.quantile(pool, 1.0 - budget)
    return out
