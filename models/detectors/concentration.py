"""Pattern of concentration: growth that rests on a few borrowers (W15)."""

from __future__ import annotations

import numpy as np

from features.indicators import Title
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, finding, undisturbed, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import either, upper_tail

RISE_MONTHS = 12
RISE_POINTS = 5.0
"""Percentage points by which the largest borrowers' share rises in a year (domain catalogue, W15)."""
FEW_MONTHS = 3
"""Who accounts for growth changes from month to month: a quarter is averaged."""
FEW_SHARE = 50.0
"""Percent of loan growth that three borrowers account for: from half on, growth is theirs."""


def concentration(situation: Situation) -> Finding | None:
    """W15: the largest borrowers' share up five points in a year, or three borrowers behind half of the growth."""
    largest, few = situation.find("concentration"), situation.find("top3_growth")
    met = np.zeros(situation.shape, dtype=bool)
    risk = np.full(situation.shape, np.nan)
    evidence: list[Measure] = []
    if largest is not None:
        rise = Measure("rise", largest.code, RISE_MONTHS)
        evidence.append(rise)
        risk = upper_tail(unusual(situation, rise))
        met |= np.isfinite(risk) & (situation.values(rise) >= RISE_POINTS)
    if few is not None:
        share = Measure("recent", few.code, FEW_MONTHS)
        evidence.append(share)
        tail = upper_tail(against_peers(situation, share))
        risk = either(risk, tail)
        met |= np.isfinite(tail) & (situation.values(share) >= FEW_SHARE)
    if not evidence:
        return None
    risk = np.where(undisturbed(situation, "merger"), risk, np.nan)
    return finding(None, risk, met, *evidence)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W15",
        family="concentration",
        title=Title(en="Growth on a few borrowers", zh="贷款集中度上升"),
        reason=Title(
            en="A few large borrowers account for ever more of the loans: one default would weigh heavily.",
            zh="贷款日益集中于少数大户，一旦单户违约，损失较重。",
        ),
        innocent=Title(
            en="The large loans are fully secured or guaranteed, approved within limits, and due to be repaid or "
            "syndicated soon.",
            zh="大额贷款足额抵押或担保、在授信限额之内，且近期将归还或转为银团。",
        ),
        lag=(6, 24),
        needs=(("concentration", "top3_growth"),),
        detect=concentration,
    ),
)
"""W15."""
