"""Pattern of bought profit: growth that rests on provisions released or not made (W06)."""

from __future__ import annotations

import numpy as np

from features.indicators import Title
from features.windows import lagged, over_positive
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, finding, undisturbed, unusual
from models.detectors.measures import Measure, trailing_total
from models.detectors.situation import Situation
from models.detectors.tails import upper_tail

YEAR = 12
"""Profit and provisions of a rolling year are held against those of the year before: provisions are made by quarter
and at the year's end, so that shorter stretches mostly show the calendar."""
RELEASE_Z = 1.0
"""Provisions fall behind more than at five in six units: where profit is about as last year's, the smallest shortfall
would make the difference otherwise."""
AFTER_TAX = 0.75
"""What a provision not made adds to net profit, after corporate income tax of 25%."""


def provision_release(situation: Situation) -> Finding | None:
    """W06: profit of the year at or above that of the year before, and below it at the coverage of a year ago.

    Provisions missing to that coverage have z >= 1.
    """
    profit, coverage = situation.find("profit"), situation.find("coverage")
    if profit is None or coverage is None:
        return None
    figures = situation.figures(coverage.code)
    if figures.numerator is None or figures.denominator is None:
        return None
    growth = Measure("growth", profit.code, YEAR)
    release = Measure("release", coverage.code, YEAR)
    better, missing = against_peers(situation, growth), unusual(situation, release)
    year = situation.periods(YEAR)
    made = trailing_total(situation.panel.array(profit.code), year)
    before = situation.known(profit.code, lagged(made, year))
    now = situation.known(profit.code, made)
    # both as known by then: where profit is published later, the shortfall is that of its own period
    behind = max(0, situation.delay(profit.code) - situation.delay(coverage.code))
    provisions = lagged(situation.known(coverage.code, lagged(figures.numerator, year)), behind)
    shortfall = AFTER_TAX * lagged(situation.values(release), behind) * provisions
    met = (over_positive(now, before) >= 1) & (over_positive(now - shortfall, before) < 1) & (missing >= RELEASE_Z)
    calm = undisturbed(situation, "merger", "transfer", months=YEAR)  # the year before counts too
    performance = np.where(calm, upper_tail(better), np.nan)
    return finding(performance, upper_tail(missing), met, growth, release)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W06",
        family="earnings",
        title=Title(en="Profit from released provisions", zh="拨备释放利润"),
        reason=Title(
            en="Profit grew only as fewer provisions were held for each bad loan; at last year's coverage it would "
            "have fallen.",
            zh="利润增长依靠少提或释放拨备，按上年拨备覆盖率还原后利润不增反降。",
        ),
        innocent=Title(
            en="The collateral of the bad loans was revalued or recovered, and an independent review agrees with the "
            "lower provisions.",
            zh="不良贷款抵押物价值上升或已收回现金，且经独立审查确认可降低拨备。",
        ),
        lag=(0, 12),
        needs=(("profit",), ("coverage",)),
        detect=provision_release,
    ),
)
"""W06."""
