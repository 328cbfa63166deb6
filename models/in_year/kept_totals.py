"""Moves under one parent that add up to zero: what one unit is spared, its siblings take on (合计不变)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Siblings:
    """Targets (N) in groups whose sums are to be kept: amounts of one indicator and year under one parent.

    Attributes
    ----------
    rows : pd.DataFrame
        (N rows) `unit, indicator, year, parent`; units without a parent, whose `parent` is blank, are together.
    amount : np.ndarray
        (N,) bool: an amount, that adds up. Ratios and levels have no sum to keep.
    """

    rows: pd.DataFrame
    amount: np.ndarray

    def paired(self, order: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Put beside each amount that moves one that moves the other way in its group; a pair goes by its farther.

        Parameters
        ----------
        order : np.ndarray
            Places of those that may move, the first to move first.
        steps : np.ndarray
            (N,) whole steps that each would move.
        """
        rank = {int(place): at for at, place in enumerate(order)}
        inside = np.zeros(len(steps), dtype=bool)
        inside[order] = True
        beside: dict[int, int] = {}
        for places in self.groups(inside):
            up, down = ([p for p in order if p in set(places) and sign * steps[p] > 0] for sign in (1, -1))
            beside |= {
                int(mine): int(other) for a, b in zip(up, down, strict=False) for mine, other in ((a, b), (b, a))
            }
        keys = [(min(rank[int(p)], rank[beside.get(int(p), int(p))]), rank[int(p)]) for p in order]
        single = [bool(self.amount[p]) and int(p) not in beside for p in order]
        return order[sorted(range(len(order)), key=lambda at: (single[at], keys[at]))]

    def groups(self, inside: np.ndarray) -> list[np.ndarray]:
        """Give the places of the amounts under one parent, indicator and year; units without a parent are together."""
        places = np.flatnonzero(inside & self.amount)
        keys = self.rows.iloc[places].reset_index(drop=True)
        return [places[at] for at in keys.groupby(["indicator", "year", "parent"]).indices.values()]

    def balanced(self, steps: np.ndarray, able: np.ndarray) -> np.ndarray:
        """Tell which moves have one in the other direction beside them; ratios and levels have no sum to keep."""
        found = able & ~self.amount
        for places in self.groups(able):
            found[places] = (steps[places] > 0).any() and (steps[places] < 0).any()
        return found

    def netted(self, steps: np.ndarray) -> np.ndarray:
        """Cut the larger side of each group down to the smaller, in whole steps, by largest remainder."""
        steps = steps.copy()
        for places in self.groups(steps != 0):
            up, down = (places[steps[places] > 0], places[steps[places] < 0])
            sums = [sum(abs(int(step)) for step in steps[side]) for side in (up, down)]
            room = min(sums)
            for side, total in zip((up, down), sums, strict=True):
                if total > room:
                    self._cut(steps, side, total=total, room=room)
        return steps

    def _cut(self, steps: np.ndarray, side: np.ndarray, *, total: int, room: int) -> None:
        sizes = [abs(int(step)) for step in steps[side]]
        kept = [size * room // total for size in sizes]
        remainder = [size * room % total for size in sizes]
        names = self.rows["unit"].astype(str).to_numpy()[side]
        order = sorted(range(len(side)), key=lambda at: (-remainder[at], names[at]))
        for at in order[: room - sum(kept)]:
            kept[at] += 1
        for place, size in zip(side, kept, strict=True):
            steps[place] = size if steps[place] > 0 else -size
