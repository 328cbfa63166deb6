"""Ranks of scores, within peer groups alone: comparing a county branch with a city's says little about either."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.units import MIN_PEERS

SMALLEST_GROUP = MIN_PEERS
"""Smaller groups are not ranked."""


def rank_groups(about: pd.DataFrame) -> np.ndarray:
    """Number the groups in which rows are ranked: period, level and peer group: (N,) from 0."""
    keys = [about["period"], about["level"], about["peer_group"]]
    return about.groupby(keys, sort=False).ngroup().to_numpy()


def ranked(tenths: np.ndarray, scored: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank scores within groups, 1 the highest, equal scores alike.

    Parameters
    ----------
    tenths : np.ndarray
        (N,) stated scores.
    scored : np.ndarray
        (N,) bool.
    groups : np.ndarray
        (N,) numbers.

    Returns
    -------
    ranks : np.ndarray
        (N,) floats; NaN for rows without a score and in groups of fewer than `SMALLEST_GROUP` scores.
    sizes : np.ndarray
        (N,) how many of the row's group have a score.
    """
    sizes = np.bincount(groups[scored], minlength=groups.max(initial=-1) + 1)[groups]
    shown = scored & (sizes >= SMALLEST_GROUP)
    frame = pd.DataFrame({"score": -tenths[shown], "group": groups[shown]})
    ranks = np.full(len(tenths), np.nan)
    ranks[shown] = frame.groupby("group")["score"].rank(method="min").to_numpy()
    return ranks, sizes


def rank_agreement(before: np.ndarray, after: np.ndarray, groups: np.ndarray) -> float:
    """Give how far two scorings agree on the order within groups: Kendall's tau-b, averaged over groups by size.

    1: the same order everywhere; 0: no relation. Groups of fewer than `SMALLEST_GROUP`, and groups in which one of the
    scorings tells nobody apart, are left out; NaN where no group is left (Kendall 1945, "The treatment of ties in
    ranking problems").
    """
    order = np.argsort(groups, kind="stable")
    found, weights = [], []
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(rows) < SMALLEST_GROUP or np.ptp(before[rows]) == 0 or np.ptp(after[rows]) == 0:
            continue
        found.append(pd.Series(before[rows]).corr(pd.Series(after[rows]), method="kendall"))
        weights.append(len(rows))
    return float(np.average(found, weights=weights)) if found else float("nan")
