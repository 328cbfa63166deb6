"""Who is compared with whom in a period, and quantiles of peer groups, for all groups at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.units import MIN_PEERS, UnitTree


def groups_at(tree: UnitTree, ordinal: int) -> np.ndarray:
    """Give each unit's peer group in a period: (U,) numbers from 0; -1 for units without peers.

    Leaves have the groups of the tree. Units above them are compared with those of the same depth and level: of the
    same peer group where one is named and has at least `MIN_PEERS`, else of the same region type; what is left goes
    together, if it is enough.
    """
    leaf = tree.leaves(ordinal)
    groups = np.where(leaf, tree.peer_groups(), -1)
    left = tree.valid(ordinal) & ~leaf
    about = tree.attributes
    level = pd.Series(tree.depths(ordinal), index=about.index).astype(str) + "\x1f" + about["level"]
    for column in ("peer_group", "region_type", None):
        labels = level if column is None else level + "\x1f" + about[column]
        named = left if column is None else left & (about[column] != "").to_numpy()
        number = pd.factorize(labels.to_numpy(dtype=object), sort=True)[0]
        sizes = np.bincount(number[named], minlength=number.max(initial=-1) + 1)
        enough = named & (sizes[number] >= MIN_PEERS)
        groups[enough] = groups.max(initial=-1) + 1 + number[enough]
        left &= ~enough
    return groups


def group_quantiles(values: np.ndarray, groups: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """Give each unit the quantiles of its peer group, itself among them, interpolated linearly as numpy does.

    Parameters
    ----------
    values : np.ndarray
        (U,) figures; NaN where there is none.
    groups : np.ndarray
        (U,) numbers from 0; -1 for units without peers.
    quantiles : sequence of float

    Returns
    -------
    np.ndarray
        (Q, U); NaN without peers, and where fewer than `MIN_PEERS` of a group have a figure: a median of so few would
        give single units away.
    """
    number = groups.max(initial=-1) + 1
    rows = np.flatnonzero((groups >= 0) & np.isfinite(values))
    ordered = values[rows[np.lexsort((values[rows], groups[rows]))]]
    counts = np.bincount(groups[rows], minlength=number)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    found = np.full((len(quantiles), number + 1), np.nan)
    told = np.flatnonzero(counts >= MIN_PEERS)
    for place, quantile in enumerate(quantiles):
        at = quantile * (counts[told] - 1)
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, counts[told] - 1)
        low, high = ordered[starts[told] + below], ordered[starts[told] + above]
        found[place, told] = low + (at - below) * (high - low)
    return found[:, groups]
