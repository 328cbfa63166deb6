"""When none is too few: how unlikely it is that a unit reports no event at all where its peers report some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import COUNT_UNITS
from features.units import MIN_PEERS
from features.windows import Known
from models.detectors.measures import Figures
from models.detectors.situation import Situation
from models.detectors.standing import peer_totals
from models.detectors.tails import HALF_EVENT

UNLIKENESS = 2.0
"""Events for which the peers' rate counts for a unit: units differ in what happens to them, so that the chance of none
falls only with the square of what is expected, and not as fast as an equal rate for all would have it."""
KNOWN_PART = 0.75
"""Part of the window that must have been reported: what is missing is not zero."""


@dataclass(frozen=True, eq=False)
class Silence:
    """Where nothing was reported: arrays of P periods x U units.

    Attributes
    ----------
    none : np.ndarray
        Booleans: nothing was reported in the window, though figures came.
    expected : np.ndarray
        Events in the window at the rate of the other units of the peer group.
    p : np.ndarray
        Chance of none, given that rate; 1 where there was an event; NaN where unknown or with fewer than five peers.
    """

    none: np.ndarray
    expected: np.ndarray
    p: np.ndarray


def silence(situation: Situation, code: str, months: int) -> Silence | None:
    """Judge the absence of events over some months.

    Parameters
    ----------
    situation : Situation
    code : str
        A ratio of counts, such as incidents per 100 staff, or a flow that counts. Only whether it is zero is read off a
        ratio whose numerator counts nothing.
    months : int
        The window.

    Returns
    -------
    Silence or None
        None where the events cannot be counted.

    Notes
    -----
    The rate of a unit is drawn from its peer group's (Gamma), so that the count is negative binomial.
    """
    counted = _counted(situation.figures(code))
    if counted is None:
        return None
    events, exposure = counted
    periods = situation.periods(months)
    both = np.isfinite(events) & (np.nan_to_num(exposure) > 0)
    seen = Known.of(np.where(both, events, np.nan)).sums(periods)
    size = Known.of(np.where(both, exposure, np.nan)).sums(periods)
    known = seen.count >= KNOWN_PART * periods
    total = np.where(known, seen.total, 0.0)
    under = np.where(known, size.total, 0.0)
    others = peer_totals(situation, under) - under
    rate = (peer_totals(situation, total) - total + HALF_EVENT) / np.where(others > 0, others, np.nan)
    known &= (peer_totals(situation, known) >= MIN_PEERS) & np.isfinite(rate)
    expected = np.where(known, rate * under, np.nan)
    none = known & (np.round(total) == 0)
    p = np.where(none, (UNLIKENESS / (UNLIKENESS + expected)) ** UNLIKENESS, np.where(known, 1.0, np.nan))
    delayed = (situation.known(code, each.astype(np.float64)) for each in (none, expected, p))
    moved, foreseen, chance = delayed
    return Silence(moved == 1.0, foreseen, chance)


def _counted(figures: Figures) -> tuple[np.ndarray, np.ndarray] | None:
    """Give the events and what they happened to: staff, or the passing of time for a flow."""
    if figures.spec.kind == "flow":
        counts = figures.spec.unit in COUNT_UNITS
        return (figures.value, np.ones(figures.value.shape)) if counts else None
    if figures.numerator is None or figures.denominator is None:
        return None
    return figures.numerator, figures.denominator
