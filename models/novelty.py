"""Patterns nobody wrote down: results that surprise by being good while risks surprise by being bad, whichever."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.indicators import Indicator
from models.detectors.legs import long_known
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import upper_tail

MONTHS = 6
"""Movements over half a year: long enough to stand out from one month's chance, short enough to be recent."""
COUNTED = 3
"""Measures of each side that count, the most unusual ones: in a sum over forty, three that matter would drown."""
UTMOST_Z = 6.0
"""One figure counts for no more: beyond, it is a slip or a break in the series as often as not."""
LEAST_MEASURES = 3
"""With fewer measures in all, a detector or the figures themselves say as much."""
LEAST_REFERENCE = 100
"""Scores to compare with: fewer could not tell one in a hundred."""
REFERENCE_YEARS = 3
"""Years of scores to compare with, where they suffice: older ones were of another time, and of units that were young
to the data, of which less was asked."""
GOOD_SIDE = ("performance", "social")
"""Perspectives whose improvement surprises; of all others, context apart, the worsening does."""


@dataclass(frozen=True)
class Surprise:
    """One measure that was unusual for a unit in a period.

    Attributes
    ----------
    measure : Measure
    z : float
        How far it moved, up meaning better results or worse risk: the smaller of the distances from the peers and from
        the unit's own past, in robust standard deviations.
    good : bool
        True for results, False for risks.
    """

    measure: Measure
    z: float
    good: bool


@dataclass(frozen=True, eq=False)
class Novelty:
    """How unusual units were, and in what.

    Attributes
    ----------
    p : np.ndarray
        (P, U) float32: share of the scores of some years, up to the start of the fiscal year, at least as high. NaN for
        units without peers, with too few measures, or where too few scores are known to compare with.
    score : np.ndarray
        (P, U) float32: geometric mean of the surprise of results and of risks; of one, where the other has no measures.
    situation : Situation
    good, bad : tuple of Measure
        Results, whose improvement counts, and risks, whose worsening does. `rise` in `good` counts downwards.
    """

    p: np.ndarray
    score: np.ndarray
    situation: Situation
    good: tuple[Measure, ...]
    bad: tuple[Measure, ...]

    def parts(self, row: int, unit: int) -> tuple[Surprise, ...]:
        """List what made up a score, the most unusual measure first: of each side those that counted and stood out."""
        found = []
        for good, measures in ((True, self.good), (False, self.bad)):
            z = [float(_unusual_at(self.situation, measure, good, row, unit)) for measure in measures]
            side = sorted((-figure, measure) for figure, measure in zip(z, measures, strict=True) if figure > 0)
            found += [Surprise(measure, -minus, good) for minus, measure in side[:COUNTED]]
        return tuple(sorted(found, key=lambda surprise: -surprise.z))


def novelty(situation: Situation) -> Novelty | None:
    """Score how unusual each unit is, from what is known of it at the time.

    Each measure is a movement over half a year, held against peers and own past; the more demanding of the two counts,
    as the negative logarithm of its heavy-tailed p-value. Of results and of risks the three most unusual are added up,
    and the geometric mean of both sums is the score: high only where both sides surprise. Its p-value is its rank among
    the scores of all units before, so that measures which move together need no correction.

    Parameters
    ----------
    situation : Situation

    Returns
    -------
    Novelty or None
        None where there are fewer than three measures.

    Notes
    -----
    Sources: Z. Li et al., ECOD (2022), for the sum of tail logarithms; V. Vovk et al., Algorithmic Learning in a Random
    World (2005), for p-values by rank.
    """
    good, bad = _measures(situation)
    if len(good) + len(bad) < LEAST_MEASURES:
        return None
    sides = [_surprise(situation, measures, good=is_good) for is_good, measures in ((True, good), (False, bad))]
    known = sum(count for _, count in sides)
    sums = [total for (total, _), measures in zip(sides, (good, bad), strict=True) if measures]
    score = sums[0] if len(sums) == 1 else np.sqrt(sums[0] * sums[1])
    score[known < LEAST_MEASURES] = np.nan
    return Novelty(_ranked(score, situation), score, situation, good, bad)


def _measures(situation: Situation) -> tuple[tuple[Measure, ...], tuple[Measure, ...]]:
    """Choose a measure for each indicator, amounts left out that a ratio at hand is made from."""
    indicators = [situation.panel.indicator(code) for code in situation.panel.codes]
    above = {indicator.numerator for indicator in indicators}
    taken = [i for i in indicators if i.perspective != "context" and i.code not in above]
    good = [_improvement(i) for i in taken if i.perspective in GOOD_SIDE]
    bad = [Measure("rise", i.code, MONTHS) for i in taken if i.perspective not in GOOD_SIDE]
    return tuple(good), tuple(bad)


def _improvement(indicator: Indicator) -> Measure:
    return Measure("growth" if indicator.direction == "higher" else "rise", indicator.code, MONTHS)


def _surprise(situation: Situation, measures: tuple[Measure, ...], *, good: bool) -> tuple[np.ndarray, np.ndarray]:
    """Add up the surprise of the most unusual measures, and count the known ones: (P, U) float32 each."""
    top = [np.zeros(situation.shape, np.float32) for _ in range(COUNTED)]
    count = np.zeros(situation.shape, np.float32)
    for measure in measures:
        z = _unusual(situation, measure, good=good)
        known = np.isfinite(z)
        count += known
        surprise = -np.log(upper_tail(np.clip(np.where(known, z, -UTMOST_Z), -UTMOST_Z, UTMOST_Z))).astype(np.float32)
        for place in top:  # put it where it belongs among the largest; what falls out of one place goes to the next
            larger = np.maximum(place, surprise)
            np.minimum(place, surprise, out=surprise)
            place[:] = larger
    return sum(top[1:], top[0]), count


def _unusual(situation: Situation, measure: Measure, *, good: bool) -> np.ndarray:
    sign = -1.0 if good and measure.kind == "rise" else 1.0
    peers, own = sign * situation.peer_z(measure), sign * situation.own_z(measure)
    return np.where(long_known(situation, measure.code) & np.isfinite(peers), np.fmin(peers, own), np.nan)


def _unusual_at(situation: Situation, measure: Measure, good: bool, row: int, unit: int) -> float:
    sign = -1.0 if good and measure.kind == "rise" else 1.0
    if not long_known(situation, measure.code)[row, unit] or np.isnan(situation.peer_z(measure)[row, unit]):
        return np.nan
    return min(
        UTMOST_Z, np.fmin(sign * situation.peer_z(measure)[row, unit], sign * situation.own_z(measure)[row, unit])
    )


def _known(score: np.ndarray) -> np.ndarray:
    return score[np.isfinite(score)]


def _ranked(score: np.ndarray, situation: Situation) -> np.ndarray:
    """Rank each score among those of all units up to the first row of its fiscal year."""
    p = np.full(score.shape, np.nan, np.float32)
    panel = situation.panel
    starts = np.flatnonzero(panel.calendar.position(panel.ordinals) == 0)
    for start, end in pairwise([*starts, len(score)]):
        reference = _known(score[max(0, start + 1 - REFERENCE_YEARS * situation.per_year) : start + 1])
        if len(reference) < LEAST_REFERENCE:
            reference = _known(score[: start + 1])
        if len(reference) < LEAST_REFERENCE:
            continue
        reference.sort()
        rows = score[start:end]
        above = len(reference) - np.searchsorted(reference, rows, side="left")
        p[start:end] = np.where(np.isfinite(rows), (above + 1) / (len(reference) + 1), np.nan)
    return p
