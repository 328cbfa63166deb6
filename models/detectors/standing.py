"""How figures that no single measure gives stand among the peers, and how rare a coincidence is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array

from features.units import MIN_PEERS
from features.windows import IQR_PER_SD, Known, lagged, over, window_sum
from models.detectors.detector import Finding
from models.detectors.legs import undisturbed
from models.detectors.measures import Measure
from models.detectors.situation import LEAST_MONTHS, LEAST_PERIODS, OWN_YEARS, PEER_WEIGHT, Situation
from models.detectors.tails import upper_tail


def among_peers(situation: Situation, x: np.ndarray) -> np.ndarray:
    """Give the robust z of (P, U) figures among the peers of the same period; NaN below five peers."""
    low, middle, high = situation.groups.quartiles(x).cut(slice(0, situation.shape[1]))
    return over((x - middle) * IQR_PER_SD, high - low)


def both_tails(situation: Situation, x: np.ndarray, *, gap: int) -> np.ndarray:
    """Give the p-value of figures so far above the peers, and above the unit's own usual standing among them.

    Parameters
    ----------
    situation : Situation
    x : np.ndarray
        (P, U), the larger the more unusual.
    gap : int
        The own past ends so many rows before: a figure must not be held against one that shares its window.

    Returns
    -------
    np.ndarray
        (P, U): the larger of the two; the peers alone decide while the own past is short. The spread of the own past is
        shrunk to the peers', so that a short or smooth one does not make every movement unusual.
    """
    p = upper_tail(among_peers(situation, x))
    window = max(OWN_YEARS * situation.per_year, LEAST_PERIODS)
    past = Known.of(lagged(x, gap))
    sums = past.sums(window)
    usual = sums.mean(LEAST_PERIODS if situation.per_year < 12 else LEAST_MONTHS)
    squares = window_sum(past.figures * past.figures, window) - sums.total**2 / np.maximum(sums.count, 1)
    low, middle, high = situation.groups.quartiles(x - usual).cut(slice(0, situation.shape[1]))
    others = ((high - low) / IQR_PER_SD) ** 2
    weight = PEER_WEIGHT + np.maximum(sums.count - 1, 0)
    spread = np.sqrt((PEER_WEIGHT * others + np.maximum(squares, 0.0)) / weight)
    surge = upper_tail(over(x - usual - middle, spread))
    return np.where(np.isfinite(surge), np.maximum(p, surge), p)


def rarity(situation: Situation, happened: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give the p-value of a coincidence: the share of the peers to whom it happened too, the unit among them.

    Parameters
    ----------
    situation : Situation
    happened, known : np.ndarray
        (P, U) booleans.

    Returns
    -------
    np.ndarray
        (P, U): that share, one half of an event added, where it happened; 1 where it did not; NaN where unknown and
        where fewer than five peers are known.
    """
    count = peer_totals(situation, known)
    events = peer_totals(situation, happened & known)
    share = np.minimum((events + 0.5) / np.maximum(count, 1.0), 1.0)
    return np.where(known & (count >= MIN_PEERS), np.where(happened, share, 1.0), np.nan)


def peer_totals(situation: Situation, x: np.ndarray) -> np.ndarray:
    """Sum (P, U) figures by peer group, the unit itself among its peers; 0 for units that have none."""
    group = situation.panel.tree.peer_groups()
    units = np.flatnonzero(group >= 0)
    member = csr_array((np.ones(len(units)), (units, group[units])), shape=(len(group), int(group.max(initial=-1)) + 1))
    return x.astype(np.float64) @ member @ member.T


def together(situation: Situation, codes: Iterable[str]) -> int:
    """Give after how many periods all of some indicators are known: figures of one period belong together."""
    return max(situation.delay(code) for code in codes)


def found(
    situation: Situation,
    performance: np.ndarray | None,
    risk: np.ndarray,
    met: np.ndarray,
    evidence: tuple[Measure, ...],
    *,
    besides: tuple[str, ...] = ("merger",),
) -> Finding:
    """Put the legs together: nothing is said of disturbed units, and nothing is met where a leg is unknown."""
    calm = undisturbed(situation, *besides)
    risk = np.where(calm, risk, np.nan).astype(np.float32)
    known = np.isfinite(risk)
    if performance is not None:
        performance = np.where(calm, performance, np.nan).astype(np.float32)
        known &= np.isfinite(performance)
    return Finding(performance, risk, met & known, evidence)
