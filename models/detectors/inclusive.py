"""A pattern of inclusive lending: growth made of split loans and bills (W17)."""

from __future__ import annotations

import numpy as np

from features.indicators import Indicator, Title
from features.windows import lagged, over_positive
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.standing import found
from models.detectors.tails import upper_tail

INCLUSIVE = ("inclusive_growth", "inclusive_loans")
"""The growth rate that is targeted, else the balance."""
INCLUSIVE_ATTAINMENT = 1.1
"""A tenth ahead of the year's pace: domain brief, section 4."""
YEAR = 12
"""Months of growth shown as evidence where the growth rate itself is the target."""
BUNCHING_MONTHS = 3
"""New loans are few in a month."""
BUNCHING_Z = 1.0
"""More tickets just under the cap than at five in six peers, and than usual here."""
BILLS_MONTHS = 6
"""Half a year of bills: those of one month come and go."""


def fake_inclusive(situation: Situation) -> Finding | None:
    """W17: inclusive lending a tenth ahead of pace, tickets bunched under the cap, and more bills than at peers."""
    lending, bunching, bills = situation.find(*INCLUSIVE), situation.find("ticket_bunching"), situation.find("bills")
    if lending is None or bunching is None or bills is None:
        return None
    ahead, measure = _attainment(situation, lending)
    tickets = Measure("recent", bunching.code, BUNCHING_MONTHS)
    stuffed = Measure("growth", bills.code, BILLS_MONTHS)
    bunched, bought = unusual(situation, tickets), against_peers(situation, stuffed)
    met = (ahead >= INCLUSIVE_ATTAINMENT) & (bunched >= BUNCHING_Z) & (situation.values(stuffed) > 0) & (bought > 0)
    performance = upper_tail(against_peers(situation, measure))
    return found(situation, performance, upper_tail(np.minimum(bunched, bought)), met, (measure, tickets, stuffed))


def _attainment(situation: Situation, lending: Indicator) -> tuple[np.ndarray, Measure]:
    """Give lending over that of a year ago: of a growth rate the rates over one another, where both are positive."""
    if lending.kind != "ratio":
        measure = Measure("attainment", lending.code)
        return situation.values(measure), measure
    rate = situation.values(Measure("level", lending.code))
    ahead = over_positive(rate, lagged(rate, situation.per_year))
    return ahead, Measure("growth", lending.code, YEAR)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W17",
        family="inclusive",
        title=Title(en="Inclusive lending in name only", zh="虚假小微"),
        reason=Title(
            en="Inclusive lending runs ahead of pace while loans bunch just under the size limit and bills grow: "
            "larger loans may have been split, or bills counted.",
            zh="普惠小微投放超序时进度，同时单户金额集中于额度上限附近、票据增加，可能存在拆分贷款或以票据充数。",
        ),
        innocent=Title(
            en="A standard product is sold at the size of the limit, borrowers are independent of one another, and "
            "bills come from their own trade.",
            zh="标准化产品额度即为上限，借款人之间无关联，票据均源于其自身真实贸易。",
        ),
        lag=(3, 12),
        needs=(INCLUSIVE, ("ticket_bunching",), ("bills",)),
        detect=fake_inclusive,
    ),
)
"""W17."""
