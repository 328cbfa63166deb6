"""Patterns of playing with targets: results just above them (W18), results held back for the next year (W19)."""

from __future__ import annotations

import numpy as np

from features.indicators import Indicator, Title
from features.windows import lagged
from models.detectors.detector import Detector, Finding
from models.detectors.high_performance import high_performance, pace
from models.detectors.legs import against_peers, met_within, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.standing import found, rarity
from models.detectors.tails import best_of, upper_tail

MONTHLY = 12
"""Periods a year without which neither last days nor a January stands out."""

JUST_ABOVE = (1.0, 1.02)
"""Attainment that passes the mark by a hair: domain brief, section 4."""
PERIODS_JUST_ABOVE = 3
"""In a row: once or twice is chance."""
LATE_SHARE = 30.0
"""Percent of the business booked in the last five days; evenly spread it would be a quarter of a month's workdays."""
LATE_MONTHS = 3
"""The same periods."""

POSTPONABLE = ("sales", "origination", "fees", "new_customers", "new_accounts", "revenue")
"""Business whose booking can wait for January."""
LAST_QUARTER = 3
"""Months of it."""
ATTAINED = 1.0
"""The year's pace: whoever is behind it has nothing to hold back."""
JANUARY_Z = 1.5
"""January above about fourteen in fifteen peers' growth on last January: domain brief, section 4."""
SHOWN_FOR = 3
"""Months in which it is told: the pattern's lag."""


def threshold_bunching(situation: Situation) -> Finding | None:
    """W18: attainment of 1.00 to 1.02 in three periods running, and 30% of the business booked in the last days.

    Attainment is that of targets where it is known, else of each performance indicator against last year.
    """
    late = situation.find("late_share")
    if late is None:
        return None
    high = high_performance(situation)
    paces = (
        [pace(situation, measure) for measure in high.by] if situation.attainment is None else [situation.attainment]
    )
    bunched, known = np.zeros(situation.shape, dtype=bool), np.zeros(situation.shape, dtype=bool)
    for each in paces:
        within = (each >= JUST_ABOVE[0]) & (each <= JUST_ABOVE[1])
        bunched |= _running(within, PERIODS_JUST_ABOVE)
        known |= _running(np.isfinite(each), PERIODS_JUST_ABOVE)
    recent = Measure("recent", late.code, LATE_MONTHS)
    met = bunched & (situation.values(recent) >= LATE_SHARE * late.ratio_scale / 100.0)
    risk = upper_tail(unusual(situation, recent))
    return found(situation, rarity(situation, bunched, known), risk, met, (*high.by, recent))


def holding_back(situation: Situation) -> Finding | None:
    """W19: ahead of pace by the third quarter's end, a last quarter below last year's, and a jump in January."""
    flows = [each for role in POSTPONABLE if (each := situation.find(role)) is not None and each.kind == "flow"]
    if not flows:
        return None
    met = np.zeros(situation.shape, dtype=bool)
    risk = np.full(situation.shape, np.nan)
    evidence: list[Measure] = []
    for flow in flows:
        held, p = _held_back(situation, flow)
        met |= held
        risk = np.fmin(risk, p)
        evidence += [Measure("growth", flow.code, LAST_QUARTER), Measure("growth", flow.code, 1)]
    return found(situation, None, best_of(risk, len(flows)), met, tuple(evidence))


def _held_back(situation: Situation, flow: Indicator) -> tuple[np.ndarray, np.ndarray]:
    """Judge one flow's January, and tell of it for some months: booleans and p-values, NaN in other months."""
    calendar, delay = situation.panel.calendar, situation.delay(flow.code)
    january = (calendar.position(situation.panel.ordinals - delay) == 0)[:, None]
    quarter, month = Measure("growth", flow.code, LAST_QUARTER), Measure("growth", flow.code, 1)
    if situation.attainment is None:
        attained = lagged(situation.values(Measure("attainment", flow.code)), 1 + LAST_QUARTER)
    else:
        attained = lagged(situation.attainment, 1 + LAST_QUARTER + delay)
    faded, fell = -lagged(against_peers(situation, quarter), 1), lagged(situation.values(quarter), 1) < 0
    jumped = against_peers(situation, month)
    held = january & (attained >= ATTAINED) & fell & (faded > 0) & (jumped >= JANUARY_Z)
    p = np.where(january, upper_tail(np.minimum(faded, jumped)), np.nan)
    later = SHOWN_FOR - 1
    for ago in range(1, later + 1):
        p = np.where(np.isfinite(p), p, lagged(np.where(january, p, np.nan), ago))
    return met_within(held, later), p


def _running(x: np.ndarray, periods: int) -> np.ndarray:
    """Tell where something has held in so many rows running: (P, U) booleans."""
    out = x.copy()
    for ago in range(1, periods):
        out[ago:] &= x[:-ago]
        out[:ago] = False
    return out


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W18",
        family="targets",
        title=Title(en="Always just above the mark", zh="踩线达标"),
        reason=Title(
            en="Results pass the mark by a hair period after period, and much of the business is booked in the last "
            "days: figures may have been arranged.",
            zh="业绩连续多期恰好踩线，且相当部分集中在期末最后几天入账，数据可能经过人为调节。",
        ),
        innocent=Title(
            en="Customers' own payment days fall on the period's end, and the bookings of the last days are still in "
            "the books a month later.",
            zh="客户自身结算日集中在期末，且期末入账业务次月仍在账。",
        ),
        lag=(0, 0),
        needs=(("late_share",),),
        detect=threshold_bunching,
        least_per_year=MONTHLY,
    ),
    Detector(
        code="W19",
        family="targets",
        title=Title(en="Results held back for the next year", zh="藏业绩"),
        reason=Title(
            en="Ahead of pace by autumn, below last year in the last quarter, then a jump in January: results may have "
            "been kept for the next year's target.",
            zh="前三季度已达标，四季度业绩低于上年同期，次年一月又陡增，可能将业绩留至下一年度。",
        ),
        innocent=Title(
            en="Limits or funds ran out in the last quarter and were renewed in January, or customers themselves put "
            "the business off.",
            zh="四季度额度或资金用尽、一月重新下达，或客户自身推迟办理。",
        ),
        lag=(1, 3),
        needs=(POSTPONABLE,),
        detect=holding_back,
        least_per_year=MONTHLY,
    ),
)
"""W18, W19."""
