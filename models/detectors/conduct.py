"""Patterns of conduct: complaints (W11), accounts nobody uses (W12), mis-selling (W13), incidents kept quiet (W20)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from features.indicators import Indicator, Title
from features.windows import change
from models.detectors.counts import silence
from models.detectors.detector import Detector, Finding
from models.detectors.high_performance import high_performance
from models.detectors.legs import against_peers, count_surprise, met_within, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.standing import found
from models.detectors.tails import either, upper_tail

COMPLAINTS = ("complaints", "complaint_count")
"""Complaints per customer, else their number alone."""
COMPLAINT_MONTHS = 3
"""Complaints of a quarter are counted: in a month few units have enough to tell."""
COMPLAINT_RISE = 0.3
"""Complaints of a quarter a third above the quarter before: domain brief, section 4."""
COMPLAINT_Z = 1.0
"""Of the domain brief, section 4."""
COMPLAINT_P = float(ndtr(-COMPLAINT_Z))
"""The same for counted complaints: the tail that a normal z of 1 has."""
COMPLAINT_LAG = 6
"""Months after the rise for which complaints that stay high still tell of it: the pattern's lag."""

OPENING_MONTHS = 3
"""A quarter's new accounts against the same quarter a year ago: openings follow the season."""
HOLDING_MONTHS = 12
"""Products per customer, a slow figure, over a year."""
SURGE_Z = 1.5
"""New accounts or products per customer above about fourteen in fifteen peers: domain brief, section 4."""
ACTIVATION_MONTHS = 6
"""Over which activation must have fallen: domain brief, section 4."""
ACTIVATION_FALL = 10.0
"""Points by which activation must have fallen: domain brief, section 4."""
CHANCE_P = 0.05
"""A fall that one unit in twenty would show by the small number of its accounts alone is none."""

SALES_ATTAINMENT = 1.2
"""Sales a fifth ahead of the year's pace: domain brief, section 4."""
SALES_MONTHS = 6
"""Over which compliance falls and cancellations rise: contracts are cancelled within half a year or not at all."""

SILENCE_MONTHS = 6
"""No incident in half a year: the pattern's lag. In a month most units have none."""
LEAST_EXPECTED = 1.0
"""Incidents that peers of that size would have reported meanwhile; with fewer expected, none says nothing."""
FINDINGS_Z = 1.0
"""Of the domain brief, section 4."""
FINDINGS_P = float(ndtr(-FINDINGS_Z))
"""The same for counted findings: the tail that a normal z of 1 has."""


def complaint_divergence(situation: Situation) -> Finding | None:
    """W11: high performance, and complaints up by 30% in a quarter, more than own past and peers explain."""
    indicator = situation.find(*COMPLAINTS)
    if indicator is None:
        return None
    rise = Measure("recent_rise", indicator.code, COMPLAINT_MONTHS)
    recent = Measure("recent", indicator.code, COMPLAINT_MONTHS)
    risk = count_surprise(situation, indicator.code, COMPLAINT_MONTHS)
    if risk is None:
        z = unusual(situation, recent)
        risk, many = upper_tail(z), z >= COMPLAINT_Z
    else:
        many = risk <= COMPLAINT_P
    window = situation.periods(COMPLAINT_MONTHS)
    high = high_performance(situation)
    rose = met_within(situation.values(rise) >= _midpoint(COMPLAINT_RISE), situation.periods(COMPLAINT_LAG))
    return found(situation, high.best_p(window), risk, many & rose & high.held(window), (*high.by, recent, rise))


def _midpoint(growth: float) -> float:
    """Give growth on the figure before as growth over the mean of both."""
    return growth / (1.0 + growth / 2.0)


def dormant_accounts(situation: Situation) -> Finding | None:
    """W12: new accounts or products per customer surge, and the part of new accounts in use falls by 10 points."""
    activation = situation.find("activation")
    accounts, holdings = situation.find("new_accounts"), situation.find("products_per_customer")
    if activation is None:
        return None
    surges = []
    if accounts is not None:
        surges.append(Measure("growth", accounts.code, OPENING_MONTHS))
    if holdings is not None:
        surges.append(Measure("growth", holdings.code, HOLDING_MONTHS))
    if not surges:
        return None
    z = [against_peers(situation, measure) for measure in surges]
    performance = upper_tail(z[0]) if len(z) == 1 else either(upper_tail(z[0]), upper_tail(z[1]))
    fall = Measure("rise", activation.code, ACTIVATION_MONTHS)
    risk = upper_tail(unusual(situation, fall))
    chance = _chance(situation, activation, fall)
    risk = np.where(np.isfinite(chance), np.maximum(risk, chance), risk)
    surged = np.logical_or.reduce([each >= SURGE_Z for each in z])
    fell = (situation.values(fall) >= ACTIVATION_FALL * activation.ratio_scale / 100.0) & ~(chance > CHANCE_P)
    return found(situation, performance, risk, surged & fell, (*surges, fall))


def _chance(situation: Situation, indicator: Indicator, fall: Measure) -> np.ndarray:
    """Give the p-value of a fall of a share of so many cases by chance alone; NaN where their number is unknown.

    Source: the test of two proportions, pooled.
    """
    figures = situation.figures(indicator.code)
    periods = situation.periods(fall.months)
    if figures.denominator is None:
        return np.full(situation.shape, np.nan)
    share = figures.value / indicator.ratio_scale
    cases = np.where(figures.denominator > 0, figures.denominator, np.nan)
    before = share - change(share, periods)
    cases_before = cases - change(cases, periods)
    pooled = (share * cases + before * cases_before) / (cases + cases_before)
    variance = np.maximum(pooled * (1.0 - pooled), 0.0) * (1.0 / cases + 1.0 / cases_before)
    z = (before - share) / np.sqrt(np.where(variance > 0, variance, np.nan))
    return situation.known(indicator.code, ndtr(-z))


def mis_selling(situation: Situation) -> Finding | None:
    """W13: sales a fifth ahead of pace, fewer of them compliant, more of them cancelled, both more so than at peers."""
    sales, compliance = situation.find("sales"), situation.find("sales_compliance")
    cancelled = situation.find("cancellations")
    if sales is None or compliance is None or cancelled is None:
        return None
    ahead = Measure("attainment", sales.code)
    worse = [Measure("rise", each.code, SALES_MONTHS) for each in (compliance, cancelled)]
    z = [unusual(situation, measure) for measure in worse]
    met = situation.values(ahead) >= SALES_ATTAINMENT
    for measure, each in zip(worse, z, strict=True):
        met &= (situation.values(measure) > 0) & (each > 0)
    performance = upper_tail(against_peers(situation, ahead))
    return found(situation, performance, upper_tail(np.minimum(*z)), met, (ahead, *worse))


def silent_incidents(situation: Situation) -> Finding | None:
    """W20: no incident reported where peers of the size report some, and more audit findings than usual."""
    incidents, findings = situation.find("incidents"), situation.find("audit_findings")
    if incidents is None or findings is None:
        return None
    quiet = silence(situation, incidents.code, SILENCE_MONTHS)
    if quiet is None:
        return None
    found_by_audit = Measure("recent", findings.code, SILENCE_MONTHS)
    risk = count_surprise(situation, findings.code, SILENCE_MONTHS)
    if risk is None:
        z = unusual(situation, found_by_audit)
        risk, many = upper_tail(z), z >= FINDINGS_Z
    else:
        many = risk <= FINDINGS_P
    met = quiet.none & (quiet.expected >= LEAST_EXPECTED) & many
    evidence = (Measure("recent", incidents.code, SILENCE_MONTHS), found_by_audit)
    return found(situation, quiet.p, risk, met, evidence)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W11",
        family="conduct",
        title=Title(en="Complaints up while targets are met", zh="业绩达标、投诉上升"),
        reason=Title(
            en="Results are good while complaints rise sharply: sales may be pushed against customers' interest.",
            zh="业绩突出的同时投诉明显上升，可能存在为达标而损害客户利益的情况。",
        ),
        innocent=Title(
            en="The complaints concern a change of product, price or system made by head office, and not what the unit "
            "sold or promised.",
            zh="投诉源于总行产品、价格或系统调整，与单位自身的销售和承诺无关。",
        ),
        lag=(0, 6),
        needs=(COMPLAINTS,),
        detect=complaint_divergence,
    ),
    Detector(
        code="W12",
        family="conduct",
        title=Title(en="Accounts sold but not used", zh="开户冲量、僵尸户"),
        reason=Title(
            en="Accounts or products per customer surge while fewer of the new accounts are used: accounts may be "
            "opened only to be counted.",
            zh="新开账户或客均产品数激增，而新户激活率明显下降，可能存在为冲量开立僵尸户的情况。",
        ),
        innocent=Title(
            en="The accounts came with a payroll or campus contract whose use starts later, and customers asked for "
            "them.",
            zh="账户系代发工资、校园等批量业务开立，启用时间较晚，且均经客户本人申请。",
        ),
        lag=(3, 6),
        needs=(("new_accounts", "products_per_customer"), ("activation",)),
        detect=dormant_accounts,
    ),
    Detector(
        code="W13",
        family="conduct",
        title=Title(en="Sales by mis-selling", zh="误导销售"),
        reason=Title(
            en="Sales run far ahead of pace while fewer of them are compliant and more contracts are cancelled: "
            "customers may not have got what they were told.",
            zh="销售大幅超序时进度，而销售合规率下降、撤件退保上升，客户所购与所告可能不符。",
        ),
        innocent=Title(
            en="Checks became stricter or the product's terms changed for all, and the cancelled contracts were "
            "replaced by better ones.",
            zh="质检口径收紧或产品条款统一调整所致，撤件客户已转投更适合的产品。",
        ),
        lag=(1, 13),
        needs=(("sales",), ("sales_compliance",), ("cancellations",)),
        detect=mis_selling,
    ),
    Detector(
        code="W20",
        family="conduct",
        title=Title(en="No incidents reported, many findings", zh="零上报、多问题"),
        reason=Title(
            en="The unit reports no incident where peers of its size do, while audits find more than usual: incidents "
            "may go unreported.",
            zh="同等规模单位均有合规事件上报，本单位为零，而审计发现问题明显偏多，可能存在瞒报。",
        ),
        innocent=Title(
            en="The findings are formal or old, an audit of unusual depth took place, and a check of the books shows "
            "no incident.",
            zh="审计问题属形式性或历史遗留，或当期审计力度加大，经核查确无应报未报事件。",
        ),
        lag=(1, 6),
        needs=(("incidents",), ("audit_findings",)),
        detect=silent_incidents,
    ),
)
"""W11, W12, W13, W20."""
