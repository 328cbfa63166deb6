"""The legs a pattern stands on: how unusual a movement is against own past and peers, and where one may speak."""

from __future__ import annotations

import numpy as np

from features.indicators import COUNT_UNITS
from features.panel import Panel
from features.windows import Known, lagged, window_sum
from models.detectors.detector import Finding
from models.detectors.measures import Measure, trailing_total
from models.detectors.situation import LEAST_MONTHS, LEAST_PERIODS, Situation
from models.detectors.tails import Counts, count_tail

PAST_MONTHS = 24
"""Own past against which recent counts are held: long enough for rare events, short enough to be of the same people."""


def unusual(situation: Situation, measure: Measure) -> np.ndarray:
    """Give the more demanding of two z, against the peers and against the unit's own past: both have to be high.

    Returns
    -------
    np.ndarray
        (P, U). NaN where fewer than five peers are known or the indicator's past is too short; the peers alone decide
        while the unit's past suffices for the measure but not yet for a spread of its own.
    """
    peers, own = situation.peer_z(measure), situation.own_z(measure)
    return np.where(long_known(situation, measure.code), np.minimum(peers, np.where(np.isnan(own), peers, own)), np.nan)


def against_peers(situation: Situation, measure: Measure) -> np.ndarray:
    """Give the z among the peers, NaN where the indicator's past is too short."""
    return np.where(long_known(situation, measure.code), situation.peer_z(measure), np.nan)


def formation(situation: Situation, code: str, months: int) -> Measure:
    """Choose how to measure the worsening of a risk: over the base of then where its amount is at hand, else as is.

    Growth hides a rise of bad loans over today's loans; over those of some months ago it cannot.
    """
    figures = situation.figures(code)
    whole = figures.spec.direction == "lower" and figures.numerator is not None and figures.denominator is not None
    return Measure("net_formation" if whole else "rise", code, months)


def finding(performance: np.ndarray | None, risk: np.ndarray, met: np.ndarray, *evidence: Measure) -> Finding:
    """Put the legs of a pattern together: nothing is met where a leg is unknown."""
    known = np.isfinite(risk)
    if performance is not None:
        known &= np.isfinite(performance)
        performance = performance.astype(np.float32)
    return Finding(performance, risk.astype(np.float32), met & known, evidence)


def met_within(met: np.ndarray, periods: int) -> np.ndarray:
    """Tell where something held in this row or in one of the rows before."""
    out = met.copy()
    for ago in range(1, min(periods, len(met)) + 1):
        out[ago:] |= met[:-ago]
    return out


def long_known(situation: Situation, code: str) -> np.ndarray:
    """Tell where at least twelve months (on coarser data, three periods) of an indicator were known by then."""
    least = LEAST_MONTHS if situation.per_year >= 12 else LEAST_PERIODS

    def counted() -> np.ndarray:
        figures = situation.known(code, situation.panel.array(code))
        return np.cumsum(np.isfinite(figures), axis=0, dtype=np.int32) >= least

    return situation.once(("long known", code), counted)


def undisturbed(situation: Situation, *reasons: str, months: int = 0) -> np.ndarray:
    """Tell which unit-periods none of the reasons (`merger`, `transfer`, `holiday`) has disturbed.

    Parameters
    ----------
    situation : Situation
    *reasons : str
    months : int
        How long a disturbance lingers, beyond what is marked: zero where the mark covers all that is looked at.
    """
    marked = np.zeros(situation.shape, dtype=bool)
    for reason in reasons:
        if reason in situation.disturbed:
            marked |= situation.disturbed[reason]
    return ~met_within(marked, situation.periods(months))


def count_surprise(situation: Situation, code: str, months: int) -> np.ndarray | None:
    """Give the exact tail of an indicator's events of the last months, against own past and peers.

    Parameters
    ----------
    situation : Situation
    code : str
        A ratio of counts, such as complaints per customer, or a flow that counts, such as audit findings.
    months : int
        The recent window.

    Returns
    -------
    np.ndarray or None
        (P, U) p-values; None where the indicator does not count anything, or its counts are not at hand.
    """
    found = _events(situation, code)
    if found is None:
        return None
    events, exposure = found
    recent, past = situation.periods(months), max(situation.periods(PAST_MONTHS), LEAST_PERIODS)
    least = situation.periods(LEAST_MONTHS) if situation.per_year >= 12 else LEAST_PERIODS
    whole = Known.of(np.where(np.isfinite(exposure), events, np.nan))
    seen = np.where(whole.known > 0, exposure, 0.0)
    before_events = lagged(window_sum(whole.figures, past), recent)
    before_exposure = lagged(window_sum(seen, past), recent)
    before_count = lagged(whole.counts(past).astype(np.float64), recent)
    p = count_tail(
        Counts(trailing_total(events, recent), trailing_total(exposure, recent)),
        Counts(np.where(before_count >= least, before_events, np.nan), before_exposure),
        situation.panel.tree.peer_groups(),
    )
    return situation.known(code, p)


def _events(situation: Situation, code: str) -> tuple[np.ndarray, np.ndarray] | None:
    figures = situation.figures(code)
    spec = figures.spec
    if spec.kind == "flow":
        return (figures.value, np.where(np.isfinite(figures.value), 1.0, np.nan)) if spec.unit in COUNT_UNITS else None
    above = spec.numerator
    counted = above is not None and _counts(situation.panel, above)
    if not counted or figures.numerator is None or figures.denominator is None:
        return None
    return figures.numerator, figures.denominator


def _counts(panel: Panel, code: str) -> bool:
    return code in panel.indicators and panel.indicator(code).unit in COUNT_UNITS
