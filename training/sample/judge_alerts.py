"""Judging alerts by the sample bank's truth: who was caught, how early, and how many were flagged for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from training.sample.bank import SampleBank
from training.sample.units import FIRST_YEAR, MONTHS


@dataclass(frozen=True, eq=False)
class AlertVerdict:
    """How a list stood against what was planted.

    Attributes
    ----------
    caught : pd.DataFrame
        One row an episode: `unit, pattern, first` (month in which it was first listed after the loans began to surge
        and before the harm, missing where it was not) and `lead` (months from then to the harm).
    listed : np.ndarray
        (MONTHS, B) booleans.
    guilty : np.ndarray
        (MONTHS, B) booleans: within an episode, from the surge until its harm has shown in full.
    ahead : np.ndarray
        (MONTHS, B) booleans: within an episode, from the surge to the month before the harm; only then does a listing
        tell what nobody sees yet.
    alive : np.ndarray
        (MONTHS, B) booleans.
    """

    caught: pd.DataFrame
    listed: np.ndarray
    guilty: np.ndarray
    ahead: np.ndarray
    alive: np.ndarray

    @property
    def recall(self) -> float:
        """Give the share of the episodes that were caught before the harm; NaN where none was planted."""
        return float(self.caught["lead"].notna().mean()) if len(self.caught) else np.nan

    @property
    def lead_time(self) -> float:
        """Give the median months from the first listing to the harm, of the episodes that were caught."""
        return float(self.caught["lead"].median())

    @property
    def precision(self) -> float:
        """Give the share of the listed branch-months that lie within an episode; NaN where none is listed."""
        return float(self.guilty[self.listed].mean()) if self.listed.any() else np.nan

    @property
    def share_of_a_month(self) -> float:
        """Give the part of the branches on the list in the month in which it was longest."""
        return float((self.listed.sum(axis=1) / self.alive.sum(axis=1)).max())

    @property
    def share_of_a_year(self) -> float:
        """Give the part of the branches that were on the list at some time of twelve months, at most."""
        spans = [slice(row, row + 12) for row in range(MONTHS - 11)]
        return max(float(self.listed[s].any(axis=0).sum() / self.alive[s].any(axis=0).sum()) for s in spans)

    @cached_property
    def share_ever(self) -> float:
        """Give the part of the branches that were ever on the list."""
        return float(self.listed.any(axis=0).sum() / self.alive.any(axis=0).sum())


def judge_alerts(bank: SampleBank, listed: pd.DataFrame) -> AlertVerdict:
    """Hold a list against the truth.

    Parameters
    ----------
    bank : SampleBank
    listed : pd.DataFrame
        Booleans, months x units (periods or their text across rows); units that are no branches are passed over, and
        months and branches that are missing count as not listed.
    """
    months = pd.Index([f"{FIRST_YEAR + row // 12}-{row % 12 + 1:02d}" for row in range(MONTHS)])
    table = listed.set_axis(listed.index.astype(str), axis=0)
    on = table.reindex(index=months, columns=bank.layout.codes, fill_value=False).to_numpy(dtype=bool)
    place = {code: number for number, code in enumerate(bank.layout.codes)}
    rows, guilty, ahead = [], np.zeros(on.shape, dtype=bool), np.zeros(on.shape, dtype=bool)
    for episode in bank.episodes.itertuples():
        unit = place[episode.unit]
        start, harm, over = (row_of(str(text)) for text in (episode.start, episode.harm_from, episode.harm_to))
        guilty[start : over + 1, unit] = True
        ahead[start:harm, unit] = True
        found = np.flatnonzero(on[start:harm, unit])
        first = start + int(found[0]) if len(found) else None
        rows.append(
            {
                "unit": episode.unit,
                "pattern": episode.pattern,
                "first": None if first is None else months[first],
                "lead": np.nan if first is None else harm - first,
            }
        )
    caught = pd.DataFrame(rows, columns=["unit", "pattern", "first", "lead"])
    return AlertVerdict(caught, on, guilty, ahead, bank.layout.alive)


def precision_at_capacity(score: np.ndarray, guilty: np.ndarray) -> float:
    """Give the share of guilty branch-months among the highest scores, as many a month as are guilty in it.

    Parameters
    ----------
    score : np.ndarray
        (MONTHS, B), NaN where unknown; months without any known score are left out.
    guilty : np.ndarray
        (MONTHS, B) booleans.

    Returns
    -------
    float
        Precision at the true number of cases, over all months together; NaN where nobody is guilty.
    """
    hits = places = 0
    for row in np.flatnonzero(np.isfinite(score).any(axis=1)):
        known = np.flatnonzero(np.isfinite(score[row]))
        count = int(guilty[row, known].sum())
        best = known[np.argsort(-score[row, known], kind="stable")[:count]]
        hits += int(guilty[row, best].sum())
        places += count
    return hits / places if places else np.nan


def row_of(period: str) -> int:
    """Give a month's row, which may lie beyond the data."""
    return 12 * (int(period[:4]) - FIRST_YEAR) + int(period[5:7]) - 1
