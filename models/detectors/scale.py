"""Patterns of false scale: month-end deposits (W08), money that goes round (W09), bills in place of loans (W10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import Title
from features.windows import Known, change, lagged, over_positive
from models.detectors.detector import Detector, Finding
from models.detectors.high_performance import high_performance
from models.detectors.legs import against_peers, long_known
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.standing import both_tails, found, together
from models.detectors.tails import upper_tail

MONTHLY = 12
"""Periods a year without which a month's end cannot be told from the month."""
MONTHS_A_QUARTER = 3

MOST_DEVIATION = 4.0
"""Month-end deposits this far above the month's average, in %: the supervisor's limit since 2018."""
REVERSED = 0.7
"""Part of an inflow that leaves again in the month after: domain brief, section 4."""
PUSHED_QUARTERS = 2
"""Quarter ends of the last four that were pushed: one can be a large customer's payment."""
LEAST_QUARTERS = 2
"""Quarter ends that must be known before the mean over them says anything."""

PERFORMANCE_MONTHS = 3
"""Results that a push may have made look good: those of the quarter."""

ROUND_TRIP_Z = 2.0
"""Both loans and deposits rise in a month as hardly one unit in forty does: domain brief, section 4."""
PLEDGE_MONTHS = 3
"""Over which the share of pledged deposits must have risen: pledges are registered around the month's end."""

BILL_PART = 0.5
"""Bills make at least half of the month's net lending: domain brief, section 4."""
LEAST_BILLS = 0.005
"""Bills bought in the month, as a part of all loans, below which the month's net lending is too small to be stuffed."""


@dataclass(frozen=True, eq=False)
class _MonthEnds:
    """Deposits at month ends, how far above the month's average in %, and the indicators that say so: (P, U) each."""

    balance: np.ndarray
    deviation: np.ndarray
    codes: tuple[str, ...]


def _month_ends(situation: Situation) -> _MonthEnds | None:
    """Read month-end deposits and their deviation from the month's average; each can be had from two others."""
    array = situation.panel.array
    reported = situation.find("deposit_deviation")
    balance, average = situation.find("deposits"), situation.find("average_deposits")
    if reported is not None and balance is not None:
        deviation = array(reported.code) * (100.0 / reported.ratio_scale)
        return _MonthEnds(array(balance.code), deviation, (reported.code, balance.code))
    if reported is not None and average is not None:
        deviation = array(reported.code) * (100.0 / reported.ratio_scale)
        return _MonthEnds(array(average.code) * (1.0 + deviation / 100.0), deviation, (reported.code, average.code))
    if balance is None or average is None:
        return None
    deviation = 100.0 * over_positive(array(balance.code) - array(average.code), array(average.code))
    return _MonthEnds(array(balance.code), deviation, (balance.code, average.code))


def window_dressing(situation: Situation) -> Finding | None:
    """W08: at two of four quarter ends deposits exceed the average by 4%, and 70% of that is gone a month later.

    A push is known when the month after is: it counts from then on.
    """
    deposits = _month_ends(situation)
    if deposits is None:
        return None
    deviation = deposits.deviation
    excess = deposits.balance * over_positive(np.where(deviation > 0, deviation, np.nan), 100.0 + deviation)
    gone = over_positive(lagged(deposits.balance, 1) - deposits.balance, lagged(excess, 1))
    pushed = lagged(deviation, 1)
    after_quarter = (situation.panel.calendar.position(situation.panel.ordinals) % MONTHS_A_QUARTER == 0)[:, None]
    known = after_quarter & np.isfinite(pushed) & np.isfinite(deposits.balance)
    undone = np.where(pushed > 0, pushed * np.clip(np.nan_to_num(gone), 0.0, 1.0), 0.0)
    mean = Known.of(np.where(known, undone, np.nan)).sums(MONTHLY).mean(LEAST_QUARTERS)
    dressed = known & (pushed > MOST_DEVIATION) & (gone >= REVERSED)
    quarters = Known.of(np.where(dressed, 1.0, np.nan)).counts(MONTHLY)
    delay = together(situation, deposits.codes)
    met = lagged((quarters >= PUSHED_QUARTERS).astype(np.float64), delay) == 1.0
    evidence = tuple(Measure("level", code) for code in deposits.codes)
    performance = high_performance(situation).best_p(situation.periods(PERFORMANCE_MONTHS))
    risk = both_tails(situation, lagged(mean, delay), gap=MONTHLY)
    return found(situation, performance, risk, met, evidence)


def round_tripping(situation: Situation) -> Finding | None:
    """W09: loans and deposits both surge in a month, both fall back in the next, and more deposits are pledged.

    Where pledges are not reported, the surge and the fall must do.
    """
    loans, deposits = situation.find("loans"), situation.find("deposits")
    pledges = situation.find("pledged_deposits")
    if loans is None or deposits is None:
        return None
    delay = together(situation, [each.code for each in (loans, deposits, pledges) if each is not None])
    rise, fall, back, evidence = [], [], [], []
    for each in (deposits, loans):
        growth = Measure("growth", each.code, 1)
        z = lagged(against_peers(situation, growth), delay - situation.delay(each.code))
        rise.append(lagged(z, 1))
        fall.append(-z)
        step = change(situation.panel.array(each.code), 1)
        back.append(lagged(over_positive(-step, lagged(step, 1)), delay))
        evidence.append(growth)
    met = (np.minimum(*rise) >= ROUND_TRIP_Z) & (np.minimum(*back) >= REVERSED)
    if pledges is not None:
        more = Measure("rise", pledges.code, PLEDGE_MONTHS)
        pledged = lagged(situation.values(more), delay - situation.delay(pledges.code))
        met &= lagged(pledged, 1) > 0
        evidence.append(more)
    performance, risk = (upper_tail(np.minimum(*each)) for each in (rise, fall))
    return found(situation, performance, risk, met, tuple(evidence))


def bill_stuffing(situation: Situation) -> Finding | None:
    """W10: discounted bills make at least half of a month's net lending."""
    loans, bills = situation.find("loans"), situation.find("bills")
    if loans is None or bills is None:
        return None
    delay = together(situation, (loans.code, bills.code))
    lent, bought = (change(situation.panel.array(each.code), 1) for each in (loans, bills))
    size = lagged(situation.panel.array(loans.code), 1)
    stuffed = lagged(over_positive(bought, size), delay)
    part = lagged(over_positive(bought, lent), delay)
    growth = Measure("growth", loans.code, 1)
    surge = lagged(against_peers(situation, growth), delay - situation.delay(loans.code))
    p = np.where(long_known(situation, bills.code), both_tails(situation, stuffed, gap=1), np.nan)
    met = (part >= BILL_PART) & (stuffed >= LEAST_BILLS)
    return found(situation, upper_tail(surge), p, met, (growth, Measure("growth", bills.code, 1)))


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W08",
        family="scale",
        title=Title(en="Deposits pushed at quarter ends", zh="存款季末冲时点"),
        reason=Title(
            en="Deposits swell at the quarter's end and leave in the month after, time and again: supervisors forbid "
            "inflating month-end balances.",
            zh="存款在季末冲高、次月流出，且多次出现；监管禁止月末冲高存款。",
        ),
        innocent=Title(
            en="Customers' own payments, such as wages or taxes, fall on quarter ends, and the unit neither asked nor "
            "paid for the inflow.",
            zh="季末资金进出源于客户工资、税款等自身收付安排，单位未以任何方式组织或付费吸收。",
        ),
        lag=(1, 1),
        needs=(("deposits", "average_deposits"), ("deposit_deviation", "average_deposits")),
        detect=window_dressing,
        least_per_year=MONTHLY,
    ),
    Detector(
        code="W09",
        family="scale",
        title=Title(en="Loans turned into deposits", zh="以贷转存"),
        reason=Title(
            en="Loans and deposits jump together at a month's end and both fall back in the next month: money may "
            "have been lent only to be deposited.",
            zh="贷款与存款月末同步大增、次月同步回落，可能存在发放贷款转作存款、虚增规模的情况。",
        ),
        innocent=Title(
            en="The borrower drew and spent the loan in the ordinary course, and the deposits came from other "
            "customers.",
            zh="借款人正常提款并按用途使用，存款来自其他客户，两者资金无关联。",
        ),
        lag=(1, 2),
        needs=(("loans",), ("deposits",)),
        detect=round_tripping,
        least_per_year=MONTHLY,
    ),
    Detector(
        code="W10",
        family="scale",
        title=Title(en="Bills in place of loans", zh="票据冲量"),
        reason=Title(
            en="Discounted bills make up half or more of the month's net lending: the growth is not demand for credit.",
            zh="当月新增贷款中票据贴现占比过半，规模增长并非来自真实信贷需求。",
        ),
        innocent=Title(
            en="The bills rest on customers' own trade and fall due as usual, and lending to firms was not held up.",
            zh="票据均有真实贸易背景、按期兑付，且未挤占实体企业贷款投放。",
        ),
        lag=(1, 1),
        needs=(("loans",), ("bills",)),
        detect=bill_stuffing,
        least_per_year=MONTHLY,
    ),
)
"""W08, W09, W10."""
