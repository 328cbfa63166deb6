"""High performance: who is ahead of the year's pace and of the peers, and how unusual that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from features.indicators import Indicator, Title
from features.inputs import VOLUME_ROLES
from features.windows import lagged, midpoint_growth
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.standing import both_tails

LEAST_ATTAINMENT = 1.0
"""At least the year's pace: domain brief, section 4."""
LEAST_RANK = 0.6
"""Ahead of six in ten peers: domain brief, section 4."""
LEAST_INDICATORS = 3
"""Core indicators that stand for performance by themselves; with fewer, those with targets are taken too."""
UTMOST_Z = 4.0
"""One indicator counts for no more: a single figure out of all proportion is a slip or a break, not performance."""
KNOWN_PART = 0.5
"""A unit is judged where at least half of the indicators are known that any unit reports in the period."""
DISTURBED_BY = "merger"
"""Growth by taking over another unit's business is not performance."""

NOTHING_TO_SEE = Title(
    en="No indicator of performance is at hand: patterns cannot be narrowed to units that perform well.",
    zh="数据中没有业绩类指标，无法将各类情形限定于业绩突出的单位。",
)
VOLUMES_ONLY = Title(
    en="No indicator of performance is at hand: growth of business volumes stands for it.",
    zh="数据中没有业绩类指标，以业务规模的增长代替。",
)


@dataclass(frozen=True, eq=False)
class HighPerformance:
    """Who performs well: arrays of P periods x U units.

    Attributes
    ----------
    met : np.ndarray
        Booleans: at or above the year's pace, and ahead of most peers. True everywhere where nothing measures it.
    p : np.ndarray or None
        float32, one-sided p-value of performance so far above the peers, and above the unit's own usual standing among
        them; NaN where too few peers are known; None where nothing measures performance.
    attainment : np.ndarray
        The year so far against the same time last year (median over the indicators), or against targets where given.
    rank : np.ndarray
        Share of the peers that perform less well, 0 to 1.
    by : tuple of Measure
        What it rests on.
    note : Title or None
        What a reader should know of the choice of indicators.
    """

    met: np.ndarray
    p: np.ndarray | None
    attainment: np.ndarray
    rank: np.ndarray
    by: tuple[Measure, ...]
    note: Title | None = None

    def held(self, periods: int) -> np.ndarray:
        """Tell where performance was high in a row or in one of so many rows before it: (P, U) booleans."""
        return reduce(np.logical_or, _shifts(self.met, periods, False))

    def best_p(self, periods: int) -> np.ndarray | None:
        """Give the smallest p-value of a row and so many rows before it: (P, U); None where there is none.

        The year to date changes slowly, so that a few rows are little more than one look.
        """
        return None if self.p is None else reduce(np.fmin, _shifts(self.p, periods, np.nan))


def high_performance(situation: Situation, *, attainment: np.ndarray | None = None) -> HighPerformance:
    """Find who performs well.

    Parameters
    ----------
    situation : Situation
        P periods x U units.
    attainment : np.ndarray, optional
        (P, U) attainment of targets, 1 is fully, NaN where unknown; that of the situation if not given. It goes before
        the year so far against last year.

    Returns
    -------
    HighPerformance
    """
    if attainment is None:
        return situation.once("high performance", lambda: _found(situation, situation.attainment))
    return _found(situation, attainment)


def _found(situation: Situation, attainment: np.ndarray | None) -> HighPerformance:
    use = _in_use(situation)
    if not use and attainment is None:
        unknown = np.full(situation.shape, np.nan)
        return HighPerformance(np.ones(situation.shape, dtype=bool), None, unknown, unknown, (), NOTHING_TO_SEE)
    indicators, note = performance_indicators(situation)
    score = _score(situation, use)
    paces = [np.where(rows[:, None], pace(situation, _measure(code)), np.nan) for code, rows in use.items()]
    so_far = _middle(paces) if paces else np.full(situation.shape, np.nan)
    rank = situation.groups.order(score).rank
    if attainment is not None:
        so_far = np.where(np.isfinite(attainment), attainment, so_far)
        among = situation.groups.order(np.where(np.isfinite(attainment), attainment, np.nan)).rank
        rank = np.where(np.isfinite(among), among, rank)
    p = both_tails(situation, score, gap=situation.per_year).astype(np.float32)
    met = (so_far >= LEAST_ATTAINMENT) & (rank >= LEAST_RANK)
    disturbed = situation.disturbed.get(DISTURBED_BY)
    if disturbed is not None:
        met &= ~disturbed
        p[disturbed] = np.nan
    measures = tuple(_measure(each.code) for each in indicators)
    return HighPerformance(met, p if use else None, so_far, rank, measures, note)


def performance_indicators(situation: Situation) -> tuple[list[Indicator], Title | None]:
    """Give what stands for performance in the last period, and what a reader should know of the choice."""
    chosen = [situation.panel.indicator(code) for code, rows in _in_use(situation).items() if rows[-1:].any()]
    if not chosen:
        return [], NOTHING_TO_SEE
    return chosen, None if any(_tells_performance(each) for each in chosen) else VOLUMES_ONLY


def _in_use(situation: Situation) -> dict[str, np.ndarray]:
    """Choose what stands for performance: what is core and has targets, what has targets, what is good, or what grows.

    Returns
    -------
    dict of (P,) booleans
        By indicator, the periods in which it does: the choice rests on what any unit had reported by then.
    """
    panel = situation.panel
    each = [panel.indicator(code) for code in panel.codes]
    good = [one for one in each if _tells_performance(one)]
    targeted = [one for one in good if one.is_target]
    core = [one for one in targeted if one.core and one.perspective == "performance"]
    volumes = [one for one in each if _is_volume(one)]
    use: dict[str, np.ndarray] = {}
    left = np.ones(situation.shape[0], dtype=bool)
    for tier, least in ((core, LEAST_INDICATORS), (targeted, 1), (good, 1), (volumes, 1)):
        seen = {one.code: _seen(situation, one.code) for one in tier}
        enough = left & (np.sum(list(seen.values()), axis=0) >= least) if seen else np.zeros_like(left)
        for code, rows in seen.items():
            use[code] = use.get(code, False) | (enough & rows)
        left &= ~enough
    return {code: rows for code, rows in use.items() if rows.any()}


def _seen(situation: Situation, code: str) -> np.ndarray:
    """Tell from when on an indicator has been known of any unit: (P,) booleans."""
    return np.logical_or.accumulate(np.isfinite(situation.values(Measure("level", code))).any(axis=1))


def _measure(code: str) -> Measure:
    return Measure("attainment", code)


def _tells_performance(indicator: Indicator) -> bool:
    if indicator.direction != "higher" or not indicator.controllable or indicator.entity_only:
        return False
    if indicator.perspective == "performance":
        return indicator.kind in ("flow", "stock", "ratio")
    return indicator.perspective in ("social", "customer") and indicator.kind in ("flow", "stock")


def _is_volume(indicator: Indicator) -> bool:
    """Tell whether an indicator of a dataset without performance indicators is a volume of business."""
    if indicator.kind not in ("flow", "stock") or indicator.perspective == "context":
        return False
    return indicator.role in VOLUME_ROLES or (
        indicator.perspective not in ("risk", "compliance") and indicator.direction != "lower"
    )


def pace(situation: Situation, measure: Measure) -> np.ndarray:
    """Give the attainment of one indicator; of ratios, one plus the relative change, so that all are of one size."""
    if situation.panel.indicator(measure.code).kind != "ratio":
        return situation.values(measure)
    now = situation.values(Measure("level", measure.code))
    return 1.0 + midpoint_growth(now, lagged(now, situation.per_year))


def _middle(arrays: list[np.ndarray]) -> np.ndarray:
    """Give the median of what is known over some arrays: (P, U)."""
    ordered = np.sort(np.stack(arrays), axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    below = np.maximum(count - 1, 0) // 2
    above = np.minimum(count // 2, np.maximum(count - 1, 0))
    pick = [np.take_along_axis(ordered, place[None], axis=0)[0] for place in (below, above)]
    return 0.5 * (pick[0] + pick[1])


def _score(situation: Situation, use: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give the mean standing among the peers over the indicators: (P, U)."""
    total = np.zeros(situation.shape)
    count = np.zeros(situation.shape, dtype=np.int16)
    for code, rows in use.items():
        z = situation.peer_z(_measure(code))
        known = np.isfinite(z) & rows[:, None]
        total += np.where(known, np.clip(z, -UTMOST_Z, UTMOST_Z), 0.0)
        count += known
    least = np.maximum(1.0, KNOWN_PART * count.max(axis=1, keepdims=True, initial=0))
    return total / np.where(count >= least, count, np.nan)


def _shifts(x: np.ndarray, periods: int, blank: float | bool) -> Iterator[np.ndarray]:
    """Yield an array and its copies moved down by 1 to so many rows."""
    yield x
    for step in range(1, min(periods, len(x) - 1) + 1):
        moved = np.full(x.shape, blank, dtype=x.dtype)
        moved[step:] = x[:-step]
        yield moved
