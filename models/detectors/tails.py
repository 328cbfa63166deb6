"""How unlikely a figure is: one-sided p-values for robust z, exact tails for counts, and what becomes of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from features.units import MIN_PEERS

HALF_EVENT = 0.5
"""Added to a group's events, so that a group in which nothing has happened yet still expects a little (Jeffreys)."""
STEADY_EVENTS = 5.0
"""Events by which the peers' recent change of rate is drawn towards none: a few complaints more are no trend."""
LEAST_SHAPE, MOST_SHAPE = 0.5, 20.0
"""Bounds on how many events the peers' rate counts for: units of a group are never wholly alike, nor wholly unlike."""
MOST_EVIDENCE = 50.0
"""Most events that a unit's own past counts for: the true rate wanders by about a seventh, however long the past."""


def upper_tail(z: np.ndarray) -> np.ndarray:
    """Give the one-sided p-value of a robust z: the upper tail of Student's t with four degrees of freedom.

    Not the normal's: banks' growth rates and ratios have kurtosis far above 3, and the quartiles of a small peer group
    are themselves uncertain. Four degrees hold the level of 5% within a point or so for normal figures and for figures
    as heavy-tailed as Student's t with three, from eight peers on (with five, 6% to 8%); with four, the tail has a
    closed form that is exact however far out.

    Parameters
    ----------
    z : np.ndarray
        Any shape; NaN stays NaN.

    Returns
    -------
    np.ndarray
        From 0 to 1.

    Examples
    --------
    >>> upper_tail(np.array([0.0, 2.131847, np.nan])).round(4).tolist()
    [0.5, 0.05, nan]
    """
    size = np.abs(z)
    root = np.sqrt(size * size + 4.0)
    gap = 4.0 / (root * (root + size))  # 1 - |z| / sqrt(z^2 + 4), without cancellation
    tail = gap * gap * (3.0 - gap) / 4.0
    return np.where(z < 0, 1.0 - tail, tail)


def either(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Give the p-value of two looks of which either counts (Bonferroni); where one is unknown, the other's."""
    smaller = np.fmin(p, q)
    return np.where(np.isfinite(p) & np.isfinite(q), np.minimum(2.0 * smaller, 1.0), smaller)


def best_of(p: np.ndarray, looks: float) -> np.ndarray:
    """Give the p-value of the smallest of several, that many of them independent (Bonferroni)."""
    return np.minimum(looks * p, 1.0)


@dataclass(frozen=True, eq=False)
class Counts:
    """Events and what they happened to.

    Attributes
    ----------
    events : np.ndarray
        (P, U) counts over a window that ends at each row, NaN where unknown.
    exposure : np.ndarray
        (P, U) customers, staff or months over the same window, positive where known.
    """

    events: np.ndarray
    exposure: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Tell where both are known."""
        return np.isfinite(self.events) & (np.nan_to_num(self.exposure) > 0)


def count_tail(recent: Counts, past: Counts, groups: np.ndarray) -> np.ndarray:
    """Give the exact upper tail of recent counts, given a unit's own past shrunk to its peers.

    Each unit's rate is drawn from its peer group's (Gamma); its own past sharpens it; its peers' change of rate since
    then (a bad season, a new way to complain) is expected of it too. The recent count is then negative binomial, so
    that two complaints at a small branch are no surprise and two hundred at a large one are judged by its own past.

    Parameters
    ----------
    recent, past : Counts
        Windows that do not overlap.
    groups : np.ndarray
        (U,) peer group of each unit, -1 for none (`UnitTree.peer_groups`).

    Returns
    -------
    np.ndarray
        (P, U): from 0 to 1; NaN where either window is unknown or fewer than five peers are known.

    Notes
    -----
    Source: W. DuMouchel, Bayesian data mining in large frequency tables (1999), for the Gamma-Poisson shrinkage.
    """
    known = recent.known & past.known & (groups >= 0)
    old, new = _zeroed(past, known), _zeroed(recent, known)
    peers = _Peers(groups)
    many = peers.totals(known.astype(np.float64)) >= MIN_PEERS
    known &= many
    others = peers.totals(old.exposure) - old.exposure
    rate = (peers.totals(old.events) - old.events + HALF_EVENT) / np.where(others > 0, others, 1.0)
    usual = rate * old.exposure
    spread = peers.totals((old.events - usual) ** 2 - usual)
    shape = np.clip(peers.totals(usual**2) / np.maximum(spread, 1e-9), LEAST_SHAPE, MOST_SHAPE)
    own = rate * (shape + old.events) / (shape + usual)  # the mean of the Gamma after its own past
    foreseen = own * new.exposure
    change = (peers.totals(new.events) - new.events + STEADY_EVENTS) / (
        peers.totals(foreseen) - foreseen + STEADY_EVENTS
    )
    expected = foreseen * change
    evidence = np.minimum(shape + old.events, MOST_EVIDENCE)
    out = np.full(known.shape, np.nan)
    out[known] = negative_binomial_tail(new.events[known], expected[known], evidence[known])
    return out


def negative_binomial_tail(events: np.ndarray, expected: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Give the chance of at least so many events: a Poisson count whose rate is Gamma with a mean and a shape."""
    events = np.round(events)
    some = events > 0
    tail = betainc(np.where(some, events, 1.0), shape, expected / (expected + shape))
    return np.where(some, tail, 1.0)


def _zeroed(counts: Counts, known: np.ndarray) -> Counts:
    return Counts(np.where(known, counts.events, 0.0), np.where(known, counts.exposure, 0.0))


class _Peers:
    """Sums over the units of a peer group, spread over them."""

    def __init__(self, groups: np.ndarray) -> None:
        _, self._group = np.unique(groups, return_inverse=True)
        self._order = np.argsort(self._group, kind="stable")
        self._starts = np.searchsorted(self._group[self._order], np.arange(self._group.max(initial=-1) + 1))

    def totals(self, x: np.ndarray) -> np.ndarray:
        """Sum (P, U) figures, none of them missing, by group: (P, U)."""
        if not len(self._starts):
            return x
        return np.add.reduceat(x[:, self._order], self._starts, axis=1)[:, self._group]
