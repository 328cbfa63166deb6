"""The tree over which a goal is broken down: leaves, the units above them, and sums from the bottom up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.units import UnitTree

TOTAL = ""
"""Label of the root where units are simply added up and no tree is given."""


@dataclass(frozen=True, eq=False)
class GoalTree:
    """Leaves and everything above them, as positions: the U leaves first, then the inner units.

    Attributes
    ----------
    units : pd.Index
        N labels.
    parent : np.ndarray
        (N,) position of the unit above; -1 for a root.
    leaves : int
        U, the number of leaves.

    Raises
    ------
    LoadlineError
        Where a label stands twice.
    """

    units: pd.Index
    parent: np.ndarray
    leaves: int

    def __post_init__(self) -> None:
        if not self.units.is_unique:
            raise LoadlineError("a unit stands twice in the tree", hint="Give every unit a label of its own.")

    @classmethod
    def flat(cls, units: pd.Index) -> GoalTree:
        """Put all units under one root, `TOTAL`."""
        labels = pd.Index([*units.astype(str), TOTAL], dtype=object)
        return cls(labels, np.append(np.full(len(units), len(units)), -1), len(units))

    @classmethod
    def of(cls, tree: UnitTree, units: Sequence[str] | pd.Index, *, ordinal: int) -> GoalTree:
        """Take the leaves named and all units above them, as the tree is in a period.

        Raises
        ------
        LoadlineError
            Where a unit is unknown.
        """
        leaf = np.array([tree.number(str(unit)) for unit in units], dtype=np.int64)
        above = tree.parents(ordinal)
        found, climbing = set(), np.unique(above[leaf])
        while len(climbing := climbing[climbing >= 0]):
            found |= {int(number) for number in climbing}
            climbing = np.unique(above[climbing])
        inner = np.array(sorted(found, key=lambda number: str(tree.codes[number])), dtype=np.int64)
        numbers = np.concatenate([leaf, inner])
        place = np.full(len(tree) + 1, -1)
        place[numbers] = np.arange(len(numbers))
        return cls(pd.Index(tree.codes[numbers].astype(str), dtype=object), place[above[numbers]], len(leaf))

    @cached_property
    def depth(self) -> np.ndarray:
        """Count the units above each one: (N,)."""
        depth, above = np.zeros(len(self.units), dtype=np.int64), self.parent.copy()
        while (climbing := above >= 0).any():
            depth[climbing] += 1
            above[climbing] = self.parent[above[climbing]]
        return depth

    @cached_property
    def rank(self) -> np.ndarray:
        """Give each unit's place (N,) by label: sums and ties must not depend on the order in which units come."""
        rank = np.empty(len(self.units), dtype=np.int64)
        rank[np.argsort(self.units.astype(str).to_numpy(), kind="stable")] = np.arange(len(self.units))
        return rank

    @cached_property
    def levels(self) -> list[np.ndarray]:
        """List the positions at each depth, the roots first, by label within a depth."""
        order = np.lexsort((self.rank, self.depth))
        return np.split(order, np.cumsum(np.bincount(self.depth))[:-1])

    @cached_property
    def paths(self) -> np.ndarray:
        """Give for each depth and leaf (D, U) the unit above the leaf at that depth, itself included; -1 for none."""
        paths = np.full((len(self.levels), self.leaves), -1)
        at = np.arange(self.leaves)
        while (rising := at >= 0).any():
            paths[self.depth[at[rising]], np.flatnonzero(rising)] = at[rising]
            at = np.where(rising, self.parent[at], -1)
        return paths

    def position(self, unit: str, *, where: str = "") -> int:
        """Find a unit.

        Raises
        ------
        LoadlineError
            Where there is none of that label.
        """
        place = int(self.units.get_indexer(pd.Index([unit], dtype=object))[0])
        if place < 0:
            raise LoadlineError(
                f"no unit is called {unit!r} here",
                where=where,
                hint="Use the label of a unit that has figures for this indicator, or of one above it.",
            )
        return place

    def below(self, place: int) -> np.ndarray:
        """Tell which leaves (U,) are the unit at a position or below it."""
        return self.paths[self.depth[place]] == place

    def add_up(
        self, amounts: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add leaves (U,) up to every unit (N,), holding each sum within what is allowed before it goes further up.

        Returns
        -------
        raw : np.ndarray
            (N,) what the units below come to, as they were held.
        kept : np.ndarray
            (N,) the same within `low` and `high`.
        """
        raw = np.zeros(len(self.units))
        raw[: self.leaves] = amounts
        kept = raw.copy()
        for nodes in reversed(self.levels):
            if low is not None and high is not None:
                kept[nodes] = np.minimum(np.maximum(raw[nodes], low[nodes]), high[nodes])
            else:
                kept[nodes] = raw[nodes]
            above = self.parent[nodes]
            rising = above >= 0
            np.add.at(raw, above[rising], kept[nodes[rising]])
        return raw, kept

    def shown(self, place: int) -> str:
        """Name a unit in a sentence."""
        return str(self.units[place]) or "all units"
