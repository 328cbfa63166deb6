"""Patterns that need no particular indicator: what grows and what goes wrong are found by meaning (G01 to G03)."""

from __future__ import annotations

from functools import reduce

import numpy as np

from features.indicators import Indicator, Title
from features.windows import IQR_PER_SD, over
from models.detectors.by_meaning import Meanings
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, finding, formation, long_known, met_within, undisturbed, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import upper_tail

YEAR = 12
SURGE_SEEN = (0, 3, 6, 9, 12)
"""Months since the surge: trouble shows up to two years after the growth that a year's growth still holds."""
SURGE_Z = 1.5
RISE_Z = 1.0
"""As in W01: growth that one unit in fourteen shows, trouble that one in six does; both together are rare."""

BOOM_MONTHS = 36
"""Losses follow abnormal growth within three years (Foos, Norden, Weber 2010)."""
BOOM_Z = 2.0
"""Growth alone is no trouble yet: it has to stand out more than with a sign of risk beside it."""

LEAST_TROUBLES = 3
"""Fewer indicators that worsen together are one story told twice, such as arrears and the loans classified for them."""
TOGETHER_Z = 2.0
UTMOST_Z = 3.0
"""One indicator counts for no more, or a single slip would look like a joint movement."""


def surge_with_rising_risk(situation: Situation) -> Finding | None:
    """G01: business surges against own past and peers, and a risk linked to it rises over the base of a year before.

    Each risk indicator is taken with the volumes it belongs to. The strongest pair is reported, each leg having paid
    for the number of indicators that were looked at.
    """
    meanings = Meanings.of(situation.panel)
    pairs = [(trouble, meanings.linked(trouble)) for trouble in meanings.troubles]
    pairs = [(trouble, volumes) for trouble, volumes in pairs if volumes]
    if not pairs:
        return None
    surges = {i.code: _surge(situation, i) for i in {i.code: i for _, linked in pairs for i in linked}.values()}
    best, performance, risk = (np.full(situation.shape, np.nan) for _ in range(3))
    looks = np.zeros(situation.shape)
    for trouble, linked in pairs:
        grown = _strongest_of([surges[i.code] for i in linked])
        worse = upper_tail(unusual(situation, formation(situation, trouble.code, YEAR)))
        looks += np.isfinite(worse) & np.isfinite(grown)
        joint = np.maximum(grown, worse)
        better = np.isfinite(joint) & ~(best <= joint)
        for array, figures in ((best, joint), (performance, grown), (risk, worse)):
            np.copyto(array, figures, where=better)
    risk = np.minimum(looks * risk, 1.0)
    performance[~undisturbed(situation, "merger")] = np.nan
    met = (performance <= upper_tail(np.array(SURGE_Z))) & (risk <= upper_tail(np.array(RISE_Z)))
    met &= undisturbed(situation, "merger", "transfer")
    growth = [Measure("growth", code, YEAR) for code in surges]
    return finding(performance, risk, met, *growth, *(formation(situation, t.code, YEAR) for t, _ in pairs))


def long_boom(situation: Situation) -> Finding | None:
    """G02: lending (else any volume) grew over three years as at few peers."""
    meanings = Meanings.of(situation.panel)
    sized = tuple(i for i in meanings.volumes if i.kind in ("stock", "flow"))
    growing = (*meanings.lending, *meanings.lending_ratios) or sized
    if not growing:
        return None
    measures = [Measure("relative_growth", i.code, BOOM_MONTHS) for i in growing]
    p = _strongest_of([upper_tail(against_peers(situation, measure)) for measure in measures])
    held = situation.periods(BOOM_MONTHS) - situation.per_year
    p[met_within(~undisturbed(situation, "merger"), held)] = np.nan
    return finding(None, p, p <= upper_tail(np.array(BOOM_Z)), *measures)


def worsening_together(situation: Situation) -> Finding | None:
    """G03: several risk indicators worsen over a year at once, each perhaps little.

    The mean of their z is held against the same mean at the peers, so that indicators which always move together do
    not pass for independent reasons.
    """
    troubles = Meanings.of(situation.panel).troubles
    if len(troubles) < LEAST_TROUBLES:
        return None
    measures = [formation(situation, i.code, YEAR) for i in troubles]
    total, count, worse = (np.zeros(situation.shape) for _ in range(3))
    for measure in measures:
        z = np.where(long_known(situation, measure.code), situation.peer_z(measure), np.nan)
        total += np.nan_to_num(np.clip(z, -UTMOST_Z, UTMOST_Z))
        count += np.isfinite(z)
        worse += z >= RISE_Z
    mean = total / np.where(count >= LEAST_TROUBLES, count, np.nan)
    low, middle, high = situation.groups.quartiles(mean).cut(slice(0, situation.shape[1]))
    z = over((mean - middle) * IQR_PER_SD, high - low)
    met = (z >= TOGETHER_Z) & (worse >= LEAST_TROUBLES) & undisturbed(situation, "merger", "transfer")
    return finding(None, upper_tail(z), met, *measures)


def _surge(situation: Situation, volume: Indicator) -> np.ndarray:
    """Give the p-value of the strongest growth of the last year."""
    z = unusual(situation, Measure("growth", volume.code, YEAR))
    ago = sorted({round(months * situation.per_year / 12) for months in SURGE_SEEN})
    best = z.copy()
    for periods in (each for each in ago if 0 < each < len(z)):
        np.fmax(best[periods:], z[:-periods], out=best[periods:])
    return upper_tail(best)


def _strongest_of(p: list[np.ndarray]) -> np.ndarray:
    """Give the smallest of several p-values, times their number (Bonferroni)."""
    looks = np.isfinite(np.stack(p)).sum(axis=0)
    return np.minimum(looks * reduce(np.fmin, p), 1.0)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="G01",
        family="generic",
        title=Title(en="Surge of business with rising risk", zh="业务激增而风险上升"),
        reason=Title(
            en="Business grew unusually, against its own past and its peers, and a risk that goes with it rises over "
            "the base of a year before.",
            zh="业务增长明显超出自身历史和同组水平，按上年基数计算的相关风险同时上升。",
        ),
        innocent=Title(
            en="The growth has a known source such as a new site or a taken-over portfolio, and the rise in risk comes "
            "from business that was there before.",
            zh="增长来自新设网点、承接存量资产等已知原因，且风险上升源于原有业务。",
        ),
        lag=(3, 24),
        needs=(),
        detect=surge_with_rising_risk,
    ),
    Detector(
        code="G02",
        family="generic",
        title=Title(en="Abnormal growth over three years", zh="三年持续异常增长"),
        reason=Title(
            en="Lending grew over three years far more than at peers; elsewhere, losses have followed such growth "
            "within three years.",
            zh="三年累计增速远高于同组，以往经验中此类增长之后三年内损失多有上升。",
        ),
        innocent=Title(
            en="The unit started small or gained a market that others left, and its customers are as sound as before.",
            zh="该单位起点较低，或承接了他行退出的市场，且客户资质未下降。",
        ),
        lag=(6, 36),
        needs=(),
        detect=long_boom,
    ),
    Detector(
        code="G03",
        family="generic",
        title=Title(en="Several risks worsen together", zh="多项风险指标同步恶化"),
        reason=Title(
            en="Three or more risk indicators worsen at the same time, more than they do together at peers.",
            zh="三项以上风险指标同时恶化，恶化程度超过同组的共同变动。",
        ),
        innocent=Title(
            en="A single event, such as one large borrower or a change of classification, shows in all of them.",
            zh="由单一事件（如个别大客户或分类口径调整）同时影响多项指标所致。",
        ),
        lag=(0, 12),
        needs=(),
        detect=worsening_together,
    ),
)
"""G01 to G03."""
