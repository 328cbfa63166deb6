"""Each detector's own record on the data at hand: how often it fired, how often it was right, and how early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import pandas as pd

from features.indicators import Title
from training.warning.labels import Labels

LEAST_MATURED = 10
"""Fewest matured episodes that say anything: below, the interval of a share is wider than half of the whole."""
CONFIDENCE_Z = 1.645
"""Two-sided 90%: a detector is called better or worse than chance where one-sided 95% of the evidence says so."""
MATERIAL_LIFT = 1.5
"""Times the base rate from which on a pattern saves reviewers work; below, most hits would have come by chance too.

It is the gain that the ranked list as a whole has to reach over the generic outlier detectors.
"""
PAUSE_MONTHS = 3
"""Silence of more than a quarter ends an episode: monthly figures waver about a threshold."""
COLUMNS = (
    *("detector", "fired", "units", "episodes", "matured", "hits", "precision", "low", "high"),
    *("base_rate", "lift", "lead_months", "verdict", "verdict_en", "verdict_zh"),
)

VERDICTS: Mapping[str, Title] = {
    "silent": Title(en="did not fire here", zh="在本数据中未触发"),
    "unlabelled": Title(en="no outcomes to judge it by", zh="没有可用于检验的结果"),
    "too_few": Title(en="fired too seldom to be judged", zh="触发次数过少，尚无法评价"),
    "holds": Title(en="better than chance here", zh="在本数据中优于随机"),
    "weak": Title(en="does not hold here: barely better than chance", zh="在本数据中不成立：仅略优于随机"),
    "no_better": Title(
        en="does not hold here: no better than chance has been shown", zh="在本数据中不成立：未显示优于随机"
    ),
    "worse": Title(en="does not hold here: worse than chance", zh="在本数据中不成立：差于随机"),
}


@dataclass(frozen=True)
class Record:
    """What firings of a detector were followed by.

    Attributes
    ----------
    fired, units, episodes : int
        Unit-periods, units that ever fired, and runs of firing.
    matured, hits : int
        Episodes whose outcome is known, and those followed by deterioration.
    base_rate : float
        Share of all units that deteriorated after the same periods.
    lead_months : float
        Median from the first firing to the deterioration, of the hits; negative where it fired too late.
    """

    fired: int
    units: int
    episodes: int
    matured: int
    hits: int
    base_rate: float
    lead_months: float

    @property
    def precision(self) -> float:
        """Give the share of matured episodes followed by deterioration."""
        return self.hits / self.matured if self.matured else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Give the interval of the precision."""
        return wilson(self.hits, self.matured)

    @property
    def verdict(self) -> str:
        """Give a key of `VERDICTS`."""
        if not self.fired:
            return "silent"
        if not self.matured:
            return "unlabelled"
        if self.matured < LEAST_MATURED:
            return "too_few"
        low, high = self.interval
        if low > self.base_rate:
            return "holds" if self.precision >= MATERIAL_LIFT * self.base_rate else "weak"
        return "worse" if high < self.base_rate else "no_better"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Give an interval of a share.

    Source: E. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if not count:
        return float("nan"), float("nan")
    share, z = hits / count, CONFIDENCE_Z
    middle = share + z * z / (2 * count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, (middle - half) / (1 + z * z / count)), min(1.0, (middle + half) / (1 + z * z / count))


def track_record(
    fired: Mapping[str, np.ndarray],
    labels: Labels,
    *,
    leaves: np.ndarray,
    lags: Mapping[str, tuple[int, int]],
) -> pd.DataFrame:
    """Give each detector's record as known on the day of the labels.

    An episode of firing is judged once, by its first period: it was right where the unit deteriorated within the
    detector's lag, as far as the labels reach. It is held against how often any unit of the same periods did, so that
    a bad year does not make a good detector.

    Parameters
    ----------
    fired : Mapping[str, np.ndarray]
        By detector code: (P, U) booleans, rows as of the labels.
    labels : Labels
        As known on the day asked about.
    leaves : np.ndarray
        (P, U) booleans: what is counted.
    lags : Mapping[str, tuple of int]
        By detector code: months from the signal to visible harm.

    Returns
    -------
    pd.DataFrame
        A row a detector; see `COLUMNS`.
    """
    onset = onsets(labels)
    rows = []
    for code, mask in fired.items():
        outcome = _outcome(labels, lags.get(code, (0, 0))[1])
        record = _record(np.asarray(mask, dtype=bool) & leaves, outcome, onset, leaves, labels.per_year)
        verdict = "unlabelled" if record.fired and labels.source == "none" else record.verdict
        low, high = record.interval
        words = VERDICTS[verdict]
        lift = record.precision / record.base_rate if record.base_rate > 0 else float("nan")
        numbers = (record.fired, record.units, record.episodes, record.matured, record.hits, record.precision)
        rows.append(
            (code, *numbers, low, high, record.base_rate, lift, record.lead_months, verdict, words.en, words.zh)
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _record(fired: np.ndarray, outcome: np.ndarray, onset: np.ndarray, leaves: np.ndarray, per_year: int) -> Record:
    begins = _begins(fired, max(1, round(PAUSE_MONTHS * per_year / 12)))
    known = begins & np.isfinite(outcome)
    hit = known & (outcome == 1)
    counted = np.where(leaves & np.isfinite(outcome), outcome, 0.0).sum(axis=1)
    of = (leaves & np.isfinite(outcome)).sum(axis=1)
    rate = counted / np.maximum(of, 1)
    matured = known.sum(axis=1)
    total = int(matured.sum())
    lead = (onset - np.arange(len(onset))[:, None])[hit] * 12 / per_year
    return Record(
        int(fired.sum()),
        int(fired.any(axis=0).sum()),
        int(begins.sum()),
        total,
        int(hit.sum()),
        float((rate * matured).sum() / total) if total else float("nan"),
        float(np.median(lead)) if len(lead) else float("nan"),
    )


def _begins(fired: np.ndarray, pause: int) -> np.ndarray:
    """Mark the first period of each episode: firing after more than `pause` periods of silence."""
    begins = fired.copy()
    for back in range(1, pause + 1):
        begins[back:] &= ~fired[:-back]
    return begins


def _outcome(labels: Labels, longest_months: int) -> np.ndarray:
    """Tell of each row whether the unit deteriorated within a lag: any label up to where its window reaches the lag.

    Positive as soon as one label is; negative only where all are known.
    """
    beyond = max(0, ceil(longest_months * labels.per_year / 12) - labels.horizon[1])
    outcome = labels.y.copy()
    for ahead in range(1, beyond + 1):
        later = np.full(outcome.shape, np.nan, dtype=np.float32)
        later[:-ahead] = labels.y[ahead:]
        outcome = np.where((outcome == 1) | (later == 1), 1.0, outcome + later)
    return outcome


def onsets(labels: Labels) -> np.ndarray:
    """Estimate in which row each row's deterioration began: (P, U) floats, NaN where there is none ahead.

    A label turns positive when the trouble comes within its horizon and ends when the trouble has passed the horizon's
    near end, so the onset lies at the horizon's far end from the first positive, but not beyond its near end from the
    last.
    """
    near, far = labels.horizon
    event, starts = labels.event, labels.starts
    ends = np.full(len(starts), -1, dtype=np.int64)
    rows, units = np.nonzero(event >= 0)
    np.maximum.at(ends, event[rows, units], rows)
    begin = np.minimum(starts + far, ends + near).astype(np.float64)
    own = np.where(event >= 0, begin[np.maximum(event, 0)] if len(begin) else np.nan, np.nan)
    ahead = own.copy()  # a row before a positive one takes the next event's
    for row in range(len(ahead) - 2, -1, -1):
        ahead[row] = np.where(np.isnan(own[row]), ahead[row + 1], own[row])
    return ahead
