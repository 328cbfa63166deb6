"""Shapley values of trees against one pinned row, leaf by leaf in plain numpy: what a small process can afford to load.

The same values as `models.explanation.kernel`, which answers for many rows at once but loads a compiler. All that hangs
on the reference alone is worked out beforehand: a row then costs a few passes over the splits above all leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.errors import LoadlineError
from models.explanation.splits import (
    CATEGORICAL,
    MISSING_LEFT,
    MISSING_NEVER,
    ZERO_LEFT,
    ZERO_RIGHT,
    ZERO_THRESHOLD,
)
from models.explanation.trees import TreeEnsemble

INT_LIMIT = 2147483648.0
"""LightGBM casts a category to a C int; what does not fit belongs to no set."""


@dataclass(frozen=True, eq=False)
class PinnedTrees:
    """Trees ready to be held against one reference.

    A step is a split above a leaf, with the side on which the leaf lies; a pair is a leaf and a player that owns some
    of the steps to it. Steps are in the order of their pairs, pairs in that of their leaves.

    Attributes
    ----------
    trees : TreeEnsemble
    count : int
        Players.
    node, left : np.ndarray
        (S,) the split of each step, and whether its leaf lies to the left.
    begins : np.ndarray
        (P,) first step of each pair.
    owner, leaf : np.ndarray
        (P,) player and leaf of each pair.
    held : np.ndarray
        (P,) whether the reference takes all steps of the pair.
    first : np.ndarray
        (L,) first pair of each leaf that has any.
    value : np.ndarray
        (L,) of these leaves.
    reference : float
        The output for the reference, on the margin.
    """

    trees: TreeEnsemble
    count: int
    node: np.ndarray
    left: np.ndarray
    begins: np.ndarray
    owner: np.ndarray
    leaf: np.ndarray
    held: np.ndarray
    first: np.ndarray
    value: np.ndarray
    reference: float

    @classmethod
    def of(
        cls, trees: TreeEnsemble, reference: np.ndarray, *, player: Sequence[int] | np.ndarray, count: int
    ) -> PinnedTrees:
        """Work out what hangs on the reference (F,) and on the player of each feature (F,) alone.

        Raises
        ------
        LoadlineError
            Where the shapes disagree.
        """
        width = len(trees.features)
        owners, held_row = np.asarray(player, dtype=np.int64), np.asarray(reference, dtype=np.float64)
        if owners.shape != (width,) or held_row.shape != (width,):
            raise LoadlineError(f"a reference and players for another number of features than {width}")
        leaf, node, left = _steps(trees)
        whose = owners[trees.columns[:, 0]][trees.nodes[node, 0]]
        order = np.lexsort((whose, leaf))
        leaf, node, left, whose = leaf[order], node[order], left[order], whose[order]
        new = np.ones(len(leaf), dtype=bool)
        new[1:] = (leaf[1:] != leaf[:-1]) | (whose[1:] != whose[:-1])
        begins = np.flatnonzero(new)
        pair_leaf = leaf[begins]
        starts = np.ones(len(begins), dtype=bool)
        starts[1:] = pair_leaf[1:] != pair_leaf[:-1]
        went = goes_left(trees, held_row)
        held = _all_of(went[node] == left, begins)
        first = np.flatnonzero(starts)
        values = trees.leaves[pair_leaf[first]]
        alone = float(trees.leaves[~trees.roots[trees.roots < 0]].sum())  # trees that are a leaf, the same for all rows
        reached = _all_of(held, first)
        place = np.cumsum(starts) - 1
        return cls(
            *(trees, count, node, left, begins, whose[begins], place, held, first, values),
            float(values[reached].sum()) + alone,
        )

    def contrast(self, row: np.ndarray) -> np.ndarray:
        """Give the Shapley values (players,) of a row (F,) against the reference, on the margin."""
        if not len(self.begins):
            return np.zeros(self.count)
        went = goes_left(self.trees, np.asarray(row, dtype=np.float64))
        taken = _all_of(went[self.node] == self.left, self.begins)
        met = np.flatnonzero(_all_of(taken | self.held, self.first))  # no coalition comes to the other leaves
        inside = np.zeros(len(self.first), dtype=bool)
        inside[met] = True
        parted = np.flatnonzero(inside[self.leaf] & (taken != self.held))
        leaf, own = self.leaf[parted], taken[parted]
        u = np.bincount(leaf[own], minlength=len(self.first))
        v = np.bincount(leaf[~own], minlength=len(self.first))
        weights, value = self.trees._weights, self.value[leaf]
        here, there = u[leaf], v[leaf]
        worth = np.where(own, weights[here, there], -weights[there, here]) * value
        return np.bincount(self.owner[parted], worth, minlength=self.count)


def goes_left(trees: TreeEnsemble, row: np.ndarray) -> np.ndarray:
    """Tell at which splits (N,) a row (F,) goes left, as the kernel does."""
    value, kind = row[trees.columns[:, 0]].astype(np.float64), trees.columns[:, 1]
    value = np.where(np.abs(value) <= ZERO_THRESHOLD, 0.0, value)
    gap = np.isnan(value) | ((value == 0.0) & ((kind == ZERO_LEFT) | (kind == ZERO_RIGHT)))
    to_left = (kind == MISSING_LEFT) | (kind == ZERO_LEFT)
    filled = np.where(kind == MISSING_NEVER, 0.0, np.where(to_left, -np.inf, np.nan))
    found = np.where(gap, filled, value)
    for place in np.flatnonzero(kind == CATEGORICAL):
        found[place] = -np.inf if _in_set(trees, float(value[place]), int(trees.columns[place, 2])) else np.nan
    return found[trees.nodes[:, 0]] <= trees.thresholds


def _in_set(trees: TreeEnsemble, value: float, chosen: int) -> bool:
    if not -1.0 < value < INT_LIMIT:
        return False
    word = int(trees.bounds[chosen]) + (int(value) >> 5)
    return word < trees.bounds[chosen + 1] and bool((int(trees.bits[word]) >> (int(value) & 31)) & 1)


def _all_of(marks: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Tell of each group of marks, which begin at these places, whether all are set."""
    return np.logical_and.reduceat(marks, begins) if len(begins) else np.zeros(0, dtype=bool)


def _steps(trees: TreeEnsemble) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List the steps to all leaves: leaf, split, and whether the leaf lies to the left of it."""
    parent = np.full(len(trees.nodes), -1, dtype=np.int64)
    side = np.zeros(len(trees.nodes), dtype=bool)
    leaf_parent = np.full(len(trees.leaves), -1, dtype=np.int64)
    leaf_side = np.zeros(len(trees.leaves), dtype=bool)
    for child, left in ((1, True), (2, False)):
        below = trees.nodes[:, child].astype(np.int64)
        inner = np.flatnonzero(below >= 0)
        parent[below[inner]], side[below[inner]] = inner, left
        ends = np.flatnonzero(below < 0)
        leaf_parent[~below[ends]], leaf_side[~below[ends]] = ends, left
    leaf, node, left = np.arange(len(trees.leaves)), leaf_parent, leaf_side
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    while True:
        on = node >= 0
        leaf, node, left = leaf[on], node[on], left[on]
        if not len(leaf):
            break
        found.append((leaf, node, left))
        node, left = parent[node], side[node]
    if not found:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, np.zeros(0, dtype=bool)
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]
