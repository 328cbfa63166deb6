"""Drawing some units from below the line, so that what the list misses can be estimated.

The chance of being drawn falls with the rank: misses are sought where they are likeliest, and yet every unit has a
chance that is known, without which nothing could be estimated (D. Horvitz and D. Thompson, 1952). Drawn by systematic
sampling along the ranks, so that the draws of a period are spread over them (W. Madow, 1949).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SHARE = 0.05
"""Draws for each alert on the list: one in twenty costs little, and in a year or two adds up to an estimate."""
STRATA = ((0.2, 0.5), (0.5, 0.8), (1.0, 1.0))
"""By share of the units below the line from the top: the share of the draws. Half of them among the fifth nearest to
the line, where misses are likeliest, and a fifth in the lower half, so that it is not taken on trust."""
COLUMNS = (
    *("alert", "unit", "first", "last", "period", "score", "probability", "severity", "detectors"),
    *("title", "title_zh", "p_value", "q_value", "open", "sampled"),
)


@dataclass(frozen=True, eq=False)
class Draw:
    """Units drawn from below the line in a period.

    Attributes
    ----------
    period : str
    seed : int
    above : tuple of str
        Keys of the alerts that were open.
    below : int
        Units below the line.
    rows : pd.DataFrame
        The drawn, in the form of alerts (`COLUMNS`), with `chance`: the probability with which each was drawn.
    """

    period: str
    seed: int
    above: tuple[str, ...]
    below: int
    rows: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Give what the record keeps of it."""
        chances = {str(key): round(float(p), 9) for key, p in zip(self.rows["alert"], self.rows["chance"], strict=True)}
        return {
            "period": self.period,
            "seed": self.seed,
            "above": list(self.above),
            "below": self.below,
            "chances": chances,
        }


def draw_below(
    table: pd.DataFrame,
    alerts: pd.DataFrame,
    *,
    period: str,
    seed: int,
    units: Collection[str] | None = None,
    share: float = SHARE,
) -> Draw:
    """Draw from the units that are not on the list; the same of the same seed, whatever other periods hold.

    Parameters
    ----------
    table : pd.DataFrame
        A row a unit and period: `unit, period, score, listed`, and what alerts show of them. A unit without a p-value
        is left out where others have one: it has no figures, or too few to say anything, and a neutral score.
    alerts : pd.DataFrame
        `alert, unit, open`; rows already marked `sampled` do not count as being on the list.
    period : str
    seed : int
    units : collection of str, optional
        Those for which alerts are raised (leaves); all in the table by default.
    share : float
        Draws for each open alert, rounded up.
    """
    on_list = alerts[alerts["open"].astype(bool)]
    if "sampled" in on_list:
        on_list = on_list[~on_list["sampled"].astype(bool)]
    rows = table[(table["period"] == period) & ~table["listed"].astype(bool) & ~table["unit"].isin(on_list["unit"])]
    if units is not None:
        rows = rows[rows["unit"].isin(list(units))]
    rows = rows[_known(rows)].sort_values(["score", "unit"], ascending=[False, True], kind="stable")
    count = min(math.ceil(share * len(on_list) - 1e-9), len(rows))
    chances = chances_by_rank(len(rows), count)
    drawn = _systematic(chances, _start(seed, period))
    found = _as_alerts(rows.iloc[drawn], period).assign(chance=chances[drawn])
    return Draw(period, seed, tuple(on_list["alert"].astype(str)), len(rows), found)


def chances_by_rank(units: int, draws: int) -> np.ndarray:
    """Give the chance of each rank, the top first, of being drawn: they add up to the number of draws.

    >>> chances_by_rank(10, 1).round(3).tolist()
    [0.25, 0.25, 0.1, 0.1, 0.1, 0.04, 0.04, 0.04, 0.04, 0.04]
    """
    if not units or not draws:
        return np.zeros(units)
    weights = np.empty(units)
    begin, before = 0, 0.0
    for reach, share in STRATA:
        end = max(math.ceil(reach * units), begin)
        if end > begin:
            weights[begin:end] = (share - before) / (end - begin)
        begin, before = end, share
    chances = np.zeros(units)
    certain = np.zeros(units, dtype=bool)
    while True:  # whoever would be drawn more than once is drawn for certain, and the rest share what is left
        free = ~certain
        if not free.any():
            return np.ones(units)
        chances[free] = (draws - certain.sum()) * weights[free] / weights[free].sum()
        beyond = free & (chances > 1 - 1e-9)
        if not beyond.any():
            return chances
        chances[beyond] = 1.0
        certain |= beyond


def _known(rows: pd.DataFrame) -> pd.Series:
    """Tell which units there is anything to review of: those with evidence, where there is evidence of any."""
    scored = rows["score"].notna()
    evident = rows["p_value"].notna() if "p_value" in rows else scored
    return scored & evident if evident.any() else scored


def _systematic(chances: np.ndarray, start: float) -> np.ndarray:
    """Take the ranks at which the sum of chances passes `start`, `start` + 1, and so on."""
    passed = np.floor(np.cumsum(chances) - start + 1e-9)
    return np.flatnonzero(np.diff(passed, prepend=-1.0) > 0)


def _start(seed: int, period: str) -> float:
    digest = hashlib.sha256(f"{seed}|{period}".encode()).digest()
    return max(int.from_bytes(digest[:6], "big") / 2**48, 1e-6)


def _as_alerts(rows: pd.DataFrame, period: str) -> pd.DataFrame:
    made = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *COLUMNS])))
    text = {name: made[name].fillna("") for name in ("detectors", "title", "title_zh")}
    made = made.assign(
        alert=[f"{unit}@{period}" for unit in made["unit"]],
        first=period,
        last=period,
        period=period,
        severity="",
        open=True,
        sampled=True,
        **text,
    )
    return made[list(COLUMNS)].reset_index(drop=True)
