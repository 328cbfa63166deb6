"""Patterns of growth: growth then delinquency (W01), dilution (W02), reaching for yield (W16)."""

from __future__ import annotations

import numpy as np

from features.indicators import Indicator, Title
from features.windows import lagged
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, finding, formation, undisturbed, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import upper_tail

VOLUMES = ("loans", "volume", "average_deposits", "deposits", "sales")
"""Which figure stands for the business that grew where the risk ratio names no denominator, the first at hand."""
RISKS = ("delinquency", "overdue_amount", "npl", "npl_amount", "special_mention", "default_rate", "vintage")
"""What tells of arrears, the earliest sign first."""

SURGE_MONTHS = 6
"""Growth is measured over half a year: a surge stands out, a single large loan does not."""
SURGE_AGO = 3
"""Months since the end of that half-year, so that it spans the months nine to three ago: new loans need a quarter to
go overdue, and most that will do so early have by three."""
SURGE_Z = 1.5
"""Growth that about one unit in fourteen shows."""
ARREARS_MONTHS = 6
ARREARS_Z = 1.0
"""Arrears that rise more than five in six units' do: with the surge before, both together are rare."""

DILUTION_MONTHS = 12
DILUTION_Z = 1.0
"""The NPL over last year's loans rise more than five in six peers' do; without it any growing unit would be met."""

YIELD_MONTHS = 3
"""New loans are few in a month: their rate is averaged over a quarter."""
YIELD_Z = 1.5
RATING_MONTHS = 12
"""Ratings are renewed once a year."""


def _volume(situation: Situation, risk: Indicator) -> str | None:
    """Find the business that a risk belongs to: loans, else the ratio's denominator, else a volume."""
    loans = situation.find("loans")
    if loans is not None:
        return loans.code
    if risk.denominator is not None and risk.denominator in situation.panel:
        return risk.denominator
    volume = situation.find(*VOLUMES)
    return None if volume is None else volume.code


def growth_then_delinquency(situation: Situation) -> Finding | None:
    """W01: growth z >= 1.5 from nine to three months ago, and arrears up over six months with z >= 1.

    Arrears are measured over the loans of six months ago where their amount is at hand: over today's, the very growth
    would hide them.
    """
    risk = situation.find(*RISKS)
    volume = None if risk is None else _volume(situation, risk)
    if risk is None or volume is None:
        return None
    growth = Measure("growth", volume, SURGE_MONTHS)
    arrears = formation(situation, risk.code, ARREARS_MONTHS)
    surge = lagged(against_peers(situation, growth), situation.periods(SURGE_AGO))
    rise = unusual(situation, arrears)
    performance = np.where(undisturbed(situation, "merger"), upper_tail(surge), np.nan)
    met = (surge >= SURGE_Z) & (rise >= ARREARS_Z)
    return finding(performance, upper_tail(rise), met, growth, arrears)


def dilution(situation: Situation) -> Finding | None:
    """W02: the NPL ratio falls over twelve months while NPL over the loans of twelve months ago rise."""
    ratio = situation.find("npl")
    if ratio is None or situation.figures(ratio.code).denominator is None:
        return None
    volume = _volume(situation, ratio)
    if volume is None:
        return None
    growth = Measure("growth", volume, DILUTION_MONTHS)
    fall = Measure("rise", ratio.code, DILUTION_MONTHS)
    formed = Measure("net_formation", ratio.code, DILUTION_MONTHS)
    surge, rise = against_peers(situation, growth), unusual(situation, formed)
    calm = undisturbed(situation, "merger", "transfer")
    met = (situation.values(fall) < 0) & (situation.values(formed) > 0) & (rise >= DILUTION_Z)
    performance = np.where(calm, upper_tail(surge), np.nan)
    return finding(performance, upper_tail(rise), met, growth, formed, fall)


def yield_reaching(situation: Situation) -> Finding | None:
    """W16: the rate of new loans z >= 1.5 while the ratings of the book worsen over a year."""
    price, rating = situation.find("yield"), situation.find("rating")
    if price is None or rating is None:
        return None
    rate = Measure("recent", price.code, YIELD_MONTHS)
    worse = Measure("rise", rating.code, RATING_MONTHS)
    dear, down = unusual(situation, rate), unusual(situation, worse)
    met = (dear >= YIELD_Z) & (situation.values(worse) > 0)
    performance = np.where(undisturbed(situation, "merger"), upper_tail(dear), np.nan)
    return finding(performance, upper_tail(down), met, rate, worse)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W01",
        family="growth",
        title=Title(en="Growth, then delinquency", zh="高增后逾期"),
        reason=Title(
            en="Lending grew much faster than at peers, and arrears rise a few months later: underwriting may have "
            "been loosened to grow.",
            zh="贷款增速明显高于同组，数月后逾期上升，可能存在为冲规模放松准入的情况。",
        ),
        innocent=Title(
            en="The rise in arrears comes from old loans or one known borrower, and loans made in the surge are paid "
            "as well as earlier ones.",
            zh="逾期上升来自存量或个别已知客户，新投放贷款的还款表现与以往相当。",
        ),
        lag=(3, 12),
        needs=(RISKS,),
        detect=growth_then_delinquency,
    ),
    Detector(
        code="W02",
        family="growth",
        title=Title(en="Dilution of the NPL ratio", zh="不良率分母稀释"),
        reason=Title(
            en="The NPL ratio falls only as loans grow; measured against last year's loans, bad loans rise.",
            zh="不良率下降源于贷款规模扩大，按上年同期贷款余额计算，不良反而上升。",
        ),
        innocent=Title(
            en="The new loans are of proven quality once they have aged, and the rise in bad loans is a known case.",
            zh="新增贷款经账龄检验质量良好，不良增加属已知个案。",
        ),
        lag=(12, 12),
        needs=(("npl",),),
        detect=dilution,
    ),
    Detector(
        code="W16",
        family="pricing",
        title=Title(en="Reaching for yield", zh="风险下沉"),
        reason=Title(
            en="New loans carry unusually high rates while the ratings of the book worsen: the customers who accept "
            "such rates tend to be riskier.",
            zh="新发放贷款利率明显偏高，同时客户评级下移，接受高利率的客户往往风险更高。",
        ),
        innocent=Title(
            en="Rates rose with the market or a change of product mix, and ratings were revised without new weakness.",
            zh="利率上升来自市场或产品结构变化，评级调整并非客户资质变差。",
        ),
        lag=(6, 18),
        needs=(("yield",), ("rating",)),
        detect=yield_reaching,
    ),
)
"""W01, W02, W16."""
