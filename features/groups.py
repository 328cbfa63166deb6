"""Order statistics and totals across the units of a row: peer groups and siblings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.units import MIN_PEERS, UnitTree
from features.windows import QUARTILES

SIZE_STEP = 1.25
"""Groups are padded to sizes a quarter apart: at most a quarter of the sorting is for nothing, in few batches."""
KNOWN_SHARE = 0.8
"""A share of a total is given where at least these of the units in it have a figure: with fewer, it mostly says who is
missing."""


@dataclass(frozen=True)
class Batch:
    """Peer groups of about one size.

    Attributes
    ----------
    members : np.ndarray
        (G, S) unit numbers, padded with U, the number of units.
    """

    members: np.ndarray


class PeerGroups:
    """Peer groups laid out for sorting many at once.

    Parameters
    ----------
    numbers : np.ndarray
        (U,) group of each unit; -1 for units that have no peers.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = np.asarray(numbers)
        units = len(self.numbers)
        order = np.argsort(self.numbers, kind="stable")
        order = order[self.numbers[order] >= 0]
        labels, starts, sizes = np.unique(self.numbers[order], return_index=True, return_counts=True)
        padded = np.ceil(SIZE_STEP ** np.ceil(np.log(np.maximum(sizes, 1)) / np.log(SIZE_STEP))).astype(np.int64)
        padded = np.maximum(padded, sizes)
        self.batches: list[Batch] = []
        self._group_of = np.full(units, len(labels))
        self._place_of = np.full(units, 0)
        groups = places = 0
        for size in np.unique(padded[sizes >= MIN_PEERS]):
            chosen = np.flatnonzero((padded == size) & (sizes >= MIN_PEERS))
            within = np.arange(size)
            index = np.minimum(starts[chosen, None] + within, len(order) - 1)
            real = within < sizes[chosen, None]
            members = np.where(real, order[index], units)
            self.batches.append(Batch(members))
            self._group_of[members[real]] = np.broadcast_to(np.arange(len(chosen))[:, None] + groups, real.shape)[real]
            self._place_of[members[real]] = np.arange(members.size).reshape(members.shape)[real] + places
            groups, places = groups + len(chosen), places + members.size
        self._grouped = np.zeros(units, dtype=bool)
        for batch in self.batches:
            self._grouped[batch.members[batch.members < units]] = True
        self._group_of[~self._grouped] = groups
        self._place_of[~self._grouped] = places

    def quartiles(self, x: np.ndarray) -> np.ndarray:
        """Give the quartiles of each unit's peers, the unit among them.

        Returns
        -------
        np.ndarray
            (3, P, U): lower quartile, median, upper quartile; NaN where fewer than `MIN_PEERS` peers are known.
        """
        padded = _padded(x)
        by_group = []
        for batch in self.batches:
            figures = padded.take(batch.members, axis=1)
            figures.sort(axis=-1)
            by_group.append(_quartiles(figures))
        return self._spread(by_group, len(x))

    def order(self, x: np.ndarray) -> np.ndarray:
        """Give quartiles and rank among the peers, from one sorting.

        Returns
        -------
        np.ndarray
            (4, P, U): the quartiles as in `quartiles`, and the share of the peers that are below, from 0 to 1, ties and
            the unit itself counting half.
        """
        padded = _padded(x)
        by_group, by_place = [], []
        for batch in self.batches:
            figures = padded.take(batch.members, axis=1)
            places = np.argsort(figures, axis=-1)
            ordered = np.take_along_axis(figures, places, axis=-1)
            by_group.append(_quartiles(ordered))
            np.put_along_axis(figures, places, _shares_below(ordered), axis=-1)
            by_place.append(figures.reshape(len(x), batch.members.size))
        out = np.empty((4, *x.shape))
        self._spread(by_group, len(x), out=out[:3])
        shares = np.concatenate([*by_place, np.full((len(x), 1), np.nan)], axis=1)
        np.take(shares, self._place_of, axis=1, out=out[3], mode="clip")
        out[3][~np.isfinite(x) | ~np.isfinite(out[1])] = np.nan
        return out

    def _spread(self, by_group: list[np.ndarray], periods: int, out: np.ndarray | None = None) -> np.ndarray:
        """Give each unit the quartiles of its group."""
        quartiles = np.concatenate([*by_group, np.full((3, periods, 1), np.nan)], axis=2)
        return np.take(quartiles, self._group_of, axis=2, out=out, mode="clip")


def _padded(x: np.ndarray) -> np.ndarray:
    """Add a column of NaN for the empty places of the groups."""
    padded = np.empty((len(x), x.shape[1] + 1))
    padded[:, :-1] = x
    padded[:, -1] = np.nan
    return padded


def _quartiles(ordered: np.ndarray) -> np.ndarray:
    """Read the quartiles off sorted figures (P, G, S), NaN last: (3, P, G)."""
    count = np.isfinite(ordered).sum(axis=-1)
    out = np.empty((3, *count.shape))
    for number, share in enumerate(QUARTILES):
        place = share * np.maximum(count - 1, 0)
        below = np.floor(place).astype(np.intp)
        weight = place - below
        low = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
        high = np.take_along_axis(ordered, (below + (weight > 0))[..., None], axis=-1)[..., 0]
        out[number] = low + weight * (high - low)
    out[:, count < MIN_PEERS] = np.nan
    return out


def _shares_below(ordered: np.ndarray) -> np.ndarray:
    """Give each place of sorted figures (..., S) its share below, ties sharing the middle of their places."""
    size = ordered.shape[-1]
    place = np.arange(size, dtype=np.float64)
    count = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    tied = ordered[..., 1:] == ordered[..., :-1]
    if tied.any():
        first = np.broadcast_to(place, ordered.shape).copy()
        first[..., 1:][tied] = 0
        np.maximum.accumulate(first, axis=-1, out=first)
        last = np.broadcast_to(place, ordered.shape).copy()
        last[..., :-1][tied] = size
        last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
        place = (first + last) / 2
    return (place + 0.5) / np.maximum(count, 1)


@dataclass(frozen=True)
class Siblings:
    """Who shares a parent with whom, row by row."""

    tree: UnitTree
    first: int
    periods: int

    @cached_property
    def _stretches(self) -> list[tuple[slice, np.ndarray, np.ndarray]]:
        """List stretches of unchanging tree: rows, parents of the units (U for none) and numbers of children."""
        units = len(self.tree)
        found = []
        for first, last in self.tree.segments(self.first, self.first + self.periods - 1) if self.periods else []:
            parents = self.tree.parents(first)
            parents = np.where(parents >= 0, parents, units)
            found.append(
                (slice(first - self.first, last - self.first + 1), parents, np.bincount(parents, minlength=units + 1))
            )
        return found

    def shares(self, x: np.ndarray) -> np.ndarray:
        """Give each unit's share of the total of its parent's children, itself among them.

        NaN for roots, where the total is not positive, and where too few of the children are known (`KNOWN_SHARE`).
        """
        out = np.full(x.shape, np.nan)
        units = x.shape[1]
        for rows, parents, children in self._stretches:
            part = x[rows]
            known = np.isfinite(part)
            filled = np.where(known, part, 0.0)
            order = np.argsort(parents, kind="stable")
            starts = np.flatnonzero(np.r_[True, np.diff(parents[order]) > 0])
            totals = np.full((len(part), units + 1), np.nan)
            totals[:, parents[order[starts]]] = np.add.reduceat(filled[:, order], starts, axis=1)
            counts = np.add.reduceat(known[:, order].astype(np.float64), starts, axis=1)
            owners = parents[order[starts]]
            enough = (counts >= KNOWN_SHARE * children[owners]) & (owners < units)
            totals[:, owners] = np.where(enough & (totals[:, owners] > 0), totals[:, owners], np.nan)
            out[rows] = part / totals[:, parents]
        return out
