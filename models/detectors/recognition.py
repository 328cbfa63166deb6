"""Patterns of late recognition: special-mention migration (W03), recognition gap (W04), disposal as a mask (W07)."""

from __future__ import annotations

import numpy as np

from features.indicators import Title
from features.windows import lagged
from models.detectors.detector import Detector, Finding
from models.detectors.legs import against_peers, finding, formation, undisturbed, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import either, upper_tail

WORSENING_MONTHS = 6
"""Half a year: long enough to see through a month's figures, short enough to come before the NPL."""
MIGRATION_MONTHS = 3
"""Migration of a single month rests on a few loans: a quarter is averaged."""
MIGRATION_Z = 1.0
"""Migration, or new special-mention loans, above that of five in six units."""
FLAT_Z = 1.0
"""An NPL ratio that rises no more than five in six peers' counts as flat."""

FULL_RECOGNITION = 100.0
"""Loans overdue 90 days belong among the NPL (supervisory rule): above 100% of the NPL some are left out."""
GAP_MONTHS = 3
"""Rises in a row that are no accident."""
GAP_Z = 1.0
"""The rise of these months above that of five in six units: small ones in a row happen by chance one time in eight."""

DISPOSAL_MONTHS = 6
"""Disposals come before a quarter's end: half a year holds two."""
INFLOW_Z = 1.0
"""New NPL rise more than at five in six units."""


def special_mention_migration(situation: Situation) -> Finding | None:
    """W03: migration of special-mention loans z >= 1, their share up over six months, the NPL ratio flat.

    Where migration is not reported, new special-mention loans over the loans of six months ago stand for it.
    """
    special, bad = situation.find("special_mention"), situation.find("npl")
    if special is None or bad is None:
        return None
    migration = situation.find("migration")
    if migration is None:
        inflow = formation(situation, special.code, WORSENING_MONTHS)
    else:
        inflow = Measure("recent", migration.code, MIGRATION_MONTHS)
    share = Measure("rise", special.code, WORSENING_MONTHS)
    ratio = Measure("rise", bad.code, WORSENING_MONTHS)
    high = unusual(situation, inflow)
    flat = situation.peer_z(ratio) < FLAT_Z
    met = (high >= MIGRATION_Z) & (situation.values(share) > 0) & flat
    risk = np.where(undisturbed(situation, "merger"), upper_tail(high), np.nan)
    return finding(None, risk, met, inflow, share, ratio)


def recognition_gap(situation: Situation) -> Finding | None:
    """W04: loans overdue 90 days above 100% of the NPL, or rising three months in a row with z >= 1 over them."""
    gap = situation.find("overdue_90")
    if gap is None:
        return None
    level = Measure("level", gap.code)
    rise = Measure("rise", gap.code, GAP_MONTHS)
    beyond, widening = against_peers(situation, level), unusual(situation, rise)
    figures = situation.values(level)
    in_a_row = np.ones(situation.shape, dtype=bool)
    for ago in range(situation.periods(GAP_MONTHS)):
        in_a_row &= lagged(figures, ago) > lagged(figures, ago + 1)
    met = (figures > FULL_RECOGNITION) | (in_a_row & (widening >= GAP_Z))
    calm = undisturbed(situation, "merger", "transfer")  # a sale of NPL shrinks what the overdue loans are held against
    risk = np.where(calm, either(upper_tail(beyond), upper_tail(widening)), np.nan)
    return finding(None, risk, met, level, rise)


def disposal_mask(situation: Situation) -> Finding | None:
    """W07: the NPL ratio falls over six months while more new NPL form than in the six before, z >= 1.

    A bulk transfer is not left out: it is what the pattern is about, and by itself raises no formation.
    """
    ratio, formed = situation.find("npl"), situation.find("npl_formation")
    if ratio is None or formed is None:
        return None
    fall = Measure("rise", ratio.code, DISPOSAL_MONTHS)
    inflow = Measure("recent_rise", formed.code, DISPOSAL_MONTHS)
    rise = unusual(situation, inflow)
    met = (situation.values(fall) < 0) & (rise >= INFLOW_Z)
    risk = np.where(undisturbed(situation, "merger"), upper_tail(rise), np.nan)
    return finding(None, risk, met, inflow, fall)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W03",
        family="recognition",
        title=Title(en="Special-mention migration", zh="关注类贷款迁徙"),
        reason=Title(
            en="More loans turn doubtful while the NPL ratio stays flat; NPL usually follow within months.",
            zh="关注类贷款增加或下迁加快，而不良率保持平稳，不良通常在数月后显现。",
        ),
        innocent=Title(
            en="The loans were put on watch by a stricter rule or a single known case, and are repaid on schedule.",
            zh="关注类增加源于分类标准收紧或个别已知客户，且相关贷款均按期还款。",
        ),
        lag=(3, 9),
        needs=(("special_mention",), ("npl",)),
        detect=special_mention_migration,
    ),
    Detector(
        code="W04",
        family="recognition",
        title=Title(en="Recognition gap", zh="逾期不良剪刀差"),
        reason=Title(
            en="Loans long overdue exceed what is recognised as NPL, or approach it quickly: bad loans may be "
            "under-reported.",
            zh="逾期90天以上贷款超过不良贷款，或连续快速上升，不良认定可能不充分。",
        ),
        innocent=Title(
            en="The overdue loans are fully secured and already in collection, or NPL were written off in the same "
            "months.",
            zh="相关逾期贷款足额抵押且已进入清收，或同期有不良核销使分母减少。",
        ),
        lag=(0, 6),
        needs=(("overdue_90",),),
        detect=recognition_gap,
    ),
    Detector(
        code="W07",
        family="recognition",
        title=Title(en="Disposal as a mask", zh="处置掩盖新增不良"),
        reason=Title(
            en="The NPL ratio falls through disposals while new NPL form faster: the inflow goes on.",
            zh="不良率因处置而下降，但新生成不良加快，风险仍在持续流入。",
        ),
        innocent=Title(
            en="The new NPL are one known case or a change of recognition date, and fewer form in the months after.",
            zh="新增不良为个别已知客户或认定时点调整所致，其后数月生成额回落。",
        ),
        lag=(3, 12),
        needs=(("npl",), ("npl_formation",)),
        detect=disposal_mask,
    ),
)
"""W03, W04, W07."""
