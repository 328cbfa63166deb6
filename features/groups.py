"""Order statistics and totals across the units of a row: peer groups and siblings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.units import MIN_PEERS, UnitTree
from features.windows import QUARTILES

SIZE_STEP = 1.25
"""Groups are padded to sizes a quarter apart: at most a quarter of the sorting is for nothing, in few batches."""
PORTION = 1 << 16
"""Figures sorted at a time: half a megabyte, which stays in cache."""
KNOWN_SHARE = 0.8
"""A share of a total is given where at least these of the units in it have a figure: with fewer, it mostly says who is
missing."""


@dataclass(frozen=True)
class PeerQuartiles:
    """Quartiles by peer group, spread over the units only where and when they are needed.

    Attributes
    ----------
    by_group : np.ndarray
        (3, P, G + 1): lower quartile, median, upper quartile; the last group, of units without peers, is NaN.
    group_of : np.ndarray
        (U,) the group of each unit.
    """

    by_group: np.ndarray
    group_of: np.ndarray

    def cut(self, units: slice) -> np.ndarray:
        """Give the quartiles of the peers of some units: (3, P, units)."""
        return self.by_group.take(self.group_of[units], axis=2, mode="clip")


@dataclass(frozen=True)
class Standing:
    """Where units stand among their peers.

    Attributes
    ----------
    quartiles : np.ndarray
        (3, P, U): lower quartile, median and upper quartile of each unit's peers, the unit among them.
    rank : np.ndarray
        (P, U): the share of the peers that are below, from 0 to 1, ties and the unit itself counting half.
    """

    quartiles: np.ndarray
    rank: np.ndarray


@dataclass(frozen=True)
class PeerOrder:
    """The standing of all units, quartiles by group."""

    quartiles: PeerQuartiles
    rank: np.ndarray

    def cut(self, units: slice) -> Standing:
        """Give the standing of some units."""
        return Standing(self.quartiles.cut(units), self.rank[:, units])


class PeerGroups:
    """Peer groups laid out for sorting many at once; groups below `MIN_PEERS` count as none.

    Parameters
    ----------
    numbers : np.ndarray
        (U,) group of each unit; -1 for units that have no peers.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        units = len(numbers)
        order = np.argsort(numbers, kind="stable")
        order = order[np.asarray(numbers)[order] >= 0]
        _, starts, sizes = np.unique(np.asarray(numbers)[order], return_index=True, return_counts=True)
        padded = SIZE_STEP ** np.ceil(np.log(np.maximum(sizes, 1)) / np.log(SIZE_STEP))
        padded = np.maximum(np.ceil(padded).astype(np.int64), sizes)
        self._batches: list[np.ndarray] = []
        self._places: list[np.ndarray] = []
        group_of, self._groups = np.full(units, -1), 0
        for size in np.unique(padded[sizes >= MIN_PEERS]):
            chosen = np.flatnonzero((padded == size) & (sizes >= MIN_PEERS))
            within = np.arange(size)
            index = np.minimum(starts[chosen, None] + within, len(order) - 1)
            real = within < sizes[chosen, None]
            members = np.where(real, order[index], units)
            group_of[members[real]] = np.broadcast_to(np.arange(len(chosen))[:, None] + self._groups, real.shape)[real]
            self._batches.append(members)
            self._places.append(np.flatnonzero(real.ravel()))
            self._groups += len(chosen)
        self._group_of = np.where(group_of >= 0, group_of, self._groups)

    def quartiles(self, x: np.ndarray) -> PeerQuartiles:
        """Give the quartiles of each unit's peers, NaN where fewer than `MIN_PEERS` of them are known."""
        by_group = np.full((3, len(x), self._groups + 1), np.nan)
        for members, groups, rows in self._portions(len(x)):
            figures = _padded(x[rows]).take(members, axis=1)
            figures.sort(axis=-1)
            by_group[:, rows, groups] = _quartiles(figures)
        return PeerQuartiles(by_group, self._group_of)

    def order(self, x: np.ndarray) -> PeerOrder:
        """Give quartiles and rank among the peers, from one sorting."""
        by_group = np.full((3, len(x), self._groups + 1), np.nan)
        rank = np.full(x.shape, np.nan)
        real = {id(members): places for members, places in zip(self._batches, self._places, strict=True)}
        for members, groups, rows in self._portions(len(x)):
            figures = _padded(x[rows]).take(members, axis=1)
            places = np.argsort(figures, axis=-1)
            ordered = np.take_along_axis(figures, places, axis=-1)
            by_group[:, rows, groups] = quartiles = _quartiles(ordered)
            shares = _shares_below(ordered)
            shares[np.isnan(ordered) | np.isnan(quartiles[1])[..., None]] = np.nan
            np.put_along_axis(figures, places, shares, axis=-1)
            inside = real[id(members)]
            rank[rows, members.ravel()[inside]] = figures.reshape(len(figures), members.size)[:, inside]
        return PeerOrder(PeerQuartiles(by_group, self._group_of), rank)

    def _portions(self, periods: int) -> Iterator[tuple[np.ndarray, slice, slice]]:
        """Cut the work into pieces that stay in cache: members of groups, their group numbers, and rows."""
        first = 0
        for members in self._batches:
            step = max(1, PORTION // members.size)
            for row in range(0, periods, step):
                yield members, slice(first, first + len(members)), slice(row, min(row + step, periods))
            first += len(members)


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
class _Stretch:
    """Rows of unchanging tree: the units sorted by parent, where each parent's begin, and what belongs to each."""

    rows: slice
    order: np.ndarray
    starts: np.ndarray
    family_of: np.ndarray
    least: np.ndarray


@dataclass(frozen=True)
class Siblings:
    """Who shares a parent with whom, row by row."""

    tree: UnitTree
    first: int
    periods: int

    @cached_property
    def _stretches(self) -> list[_Stretch]:
        found = []
        for first, last in self.tree.segments(self.first, self.first + self.periods - 1) if self.periods else []:
            parents = self.tree.parents(first)
            order = np.argsort(parents, kind="stable")
            owners, starts, family, sizes = np.unique(
                parents[order], return_index=True, return_inverse=True, return_counts=True
            )
            family_of = np.empty(len(parents), dtype=np.intp)
            family_of[order] = family
            least = np.where(owners >= 0, KNOWN_SHARE * sizes, np.inf)
            rows = slice(first - self.first, last - self.first + 1)
            found.append(_Stretch(rows, order, starts, family_of, least))
        return found

    def shares(self, x: np.ndarray) -> np.ndarray:
        """Give each unit's share of the total of its parent's children, itself among them.

        NaN for roots, where the total is not positive, and where too few of the children are known (`KNOWN_SHARE`).
        """
        out = np.empty(x.shape)
        step = max(1, PORTION // max(1, x.shape[1]))
        for stretch in self._stretches:
            for row in range(stretch.rows.start, stretch.rows.stop, step):
                rows = slice(row, min(row + step, stretch.rows.stop))
                part = x[rows].take(stretch.order, axis=1)
                known = np.isfinite(part)
                part[~known] = 0.0
                totals = np.add.reduceat(part, stretch.starts, axis=1)
                count = np.add.reduceat(known, stretch.starts, axis=1, dtype=np.int64)
                totals[(count < stretch.least) | (totals <= 0)] = np.nan
                np.divide(x[rows], totals.take(stretch.family_of, axis=1), out=out[rows])
        return out
