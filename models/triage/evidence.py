"""What all detectors together say of a unit: good performance, rising risk, and both at once, on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from models.detectors.detector import Family, Finding
from models.detectors.tails import upper_tail
from models.triage.empirical_null import against_usual

LEAST, UTMOST = -1.0, 5.0
"""One leg counts for no less and no more: a single figure out of all proportion is a slip or a break, and what is
better than usual in one respect makes up for little in another."""
PERFORMANCE_WEIGHT = 2.0
"""The surge comes half a year before the first sign of risk; with equal weights the list would wait for that sign."""
GENERIC: Family = "generic"
"""Generic patterns look once more at what the named ones look at: together they count for one of them, and for all
where no named one has anything to say."""
ONE_LEG = 2.5
"""How far one leg alone can take a unit, where the other is as usual: not quite onto the list. Growth with risk no
higher than usual, and a loss that no growth came before, are other matters than performance bought with risk."""


class Leg(NamedTuple):
    """One leg of a pattern: its (P, U) p-values, how much it counts, and whether it looks where others looked."""

    p: np.ndarray
    weight: float = 1.0
    generic: bool = False


@dataclass(frozen=True, eq=False)
class Evidence:
    """The detectors' findings in one: arrays of P periods x U units, NaN where nothing can be said.

    Attributes
    ----------
    performance, risk : np.ndarray
        How unusual the legs are, in normal scores of what is usual.
    z : np.ndarray
        How unusual both together are, in normal scores.
    """

    performance: np.ndarray
    risk: np.ndarray
    z: np.ndarray

    @property
    def p_value(self) -> np.ndarray:
        """Give the calibrated p-value: the share of units with nothing wrong that look at least as bad."""
        return ndtr(-self.z)


def weigh_evidence(
    findings: Mapping[str, Finding],
    *,
    candidates: np.ndarray,
    per_year: int,
    families: Mapping[str, Family] | None = None,
    performance: np.ndarray | None = None,
    novelty: np.ndarray | None = None,
    trust: Mapping[str, float] | None = None,
) -> Evidence:
    """Put the findings together.

    Each leg is read as a robust z. The legs of all detectors are joined by a soft maximum, which one strong sign
    suffices to raise and several raise further. Performance and risk are each held against what is usual, then added,
    and the sum held against what is usual once more, never far above the lesser leg. So dependence between detectors,
    and heavy tails, are allowed for by what the data show and not by assumption.

    Parameters
    ----------
    findings : Mapping[str, Finding]
        By code of the detector.
    candidates : np.ndarray
        (P, U) booleans: the units that exist and are judged.
    per_year : int
        Periods of a year.
    families : Mapping[str, str], optional
        By code: the family of a detector, so that generic ones do not count twice what named ones found.
    performance : np.ndarray, optional
        (P, U) p-values of high performance, now or within the pattern's window.
    novelty : np.ndarray, optional
        (P, U) p-values of patterns that nobody wrote down; one more leg of risk.
    trust : Mapping[str, float], optional
        By code: the weight of a detector, from its record on the data at hand; 1 where not named.

    Returns
    -------
    Evidence
    """
    shape = candidates.shape
    risks, feats = [], []
    for code, finding in findings.items():
        weight = (trust or {}).get(code, 1.0)
        generic = (families or {}).get(code) == GENERIC
        risks.append(Leg(finding.risk, weight, generic))
        if finding.performance is not None:
            feats.append(Leg(finding.performance, weight, generic))
    if performance is not None:
        feats.append(Leg(performance))
    if novelty is not None:
        risks.append(Leg(novelty))
    good = against_usual(soft_best(feats, shape), candidates, per_year=per_year)
    bad = against_usual(soft_best(risks, shape), candidates, per_year=per_year)
    if not feats or not risks:
        only = bad if risks else good
        return Evidence(good, bad, only)
    feat = np.where(np.isfinite(good).any(axis=1, keepdims=True), np.nan_to_num(good), np.nan)
    total = PERFORMANCE_WEIGHT * np.clip(feat, LEAST, UTMOST) + np.clip(bad, LEAST, UTMOST)
    z = against_usual(total, candidates, per_year=per_year)
    return Evidence(good, bad, np.minimum(z, ONE_LEG + np.minimum(feat, bad)))


def as_z(p: np.ndarray) -> np.ndarray:
    """Read a p-value as a robust z, `LEAST` to `UTMOST`: the inverse of `models.detectors.tails.upper_tail`.

    >>> as_z(np.array([0.5, 0.05, 1e-9, np.nan])).round(4).tolist()
    [0.0, 2.1318, 5.0, nan]
    """
    low, high = upper_tail(np.array([UTMOST, LEAST]))
    p = np.clip(np.asarray(p, dtype=np.float64), low, high)
    root = np.sqrt(4.0 * p * (1.0 - p))
    size = 2.0 * np.sqrt(np.maximum(np.cos(np.arccos(root) / 3.0) / root - 1.0, 0.0))
    return np.where(p > 0.5, -size, size)


def soft_best(legs: Sequence[Leg], shape: tuple[int, int]) -> np.ndarray:
    """Join p-values by the logarithm of the weighted mean of exp(z): between their mean and their best.

    A leg that says nothing of a unit counts as neither good nor bad; one that has said nothing of any unit up to a
    period, not at all.

    Returns
    -------
    np.ndarray
        (P, U); NaN where no leg says anything.
    """
    total, weights = np.zeros(shape), np.zeros((shape[0], 1))
    spoken = np.zeros(shape, dtype=bool)
    named = np.zeros((shape[0], 1))
    for leg in sorted(legs, key=lambda leg: leg.generic):
        known = np.isfinite(leg.p)
        begun = np.logical_or.accumulate(known.any(axis=1))[:, None]
        weight = leg.weight * begun / (1.0 + named) if leg.generic else leg.weight * begun
        total += weight * np.where(known, np.exp(as_z(leg.p)), 1.0)
        weights += weight
        named += 0.0 if leg.generic else weight
        spoken |= known & (weight > 0)
    out = np.full(shape, np.nan)
    np.log(total / np.where(weights > 0, weights, 1.0), out=out, where=spoken)
    return out
