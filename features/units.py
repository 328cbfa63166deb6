"""The effective-dated tree of units: who belongs to whom when, who followed whom, and who is compared with whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.periods import EARLIEST_YEAR, LATEST_YEAR, Calendar

ALWAYS = -(2**31)
"""First ordinal of a spell without a beginning."""
FOREVER = 2**31 - 1
"""Last ordinal of a spell without an end."""
MIN_PEERS = 5
"""Fewest units that make a peer group: below, a rank or a median says little and may give a single unit away."""

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([ T].*)?")

DESCRIPTIONS = ("name", "name_zh", "level", "region_type", "peer_group", "business_line")


@dataclass(frozen=True)
class UnitTree:
    """Units and their places, each place (*spell*) with its first and last period.

    Attributes
    ----------
    calendar : Calendar
        What the ordinals of the spells mean.
    codes : pd.Index
        The U unit codes, each once, in file order. Unit numbers below are positions in it.
    spells : pd.DataFrame
        One row a unit and place: `unit`, `parent` (-1 for a root), `first`, `last` (ordinals, both inclusive).
    attributes : pd.DataFrame
        By unit code: the descriptions (`name`, `level`, `peer_group`, ...) and any static attribute; `""` where blank.
    successors : Mapping[int, tuple[int, ...]]
        The units that took over from one that ended: one for a merger, several for a split.
    """

    calendar: Calendar
    codes: pd.Index
    spells: pd.DataFrame
    attributes: pd.DataFrame
    successors: Mapping[int, tuple[int, ...]]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, calendar: Calendar) -> UnitTree:
        """Build the tree from the columns of `units.csv`, already validated.

        Parameters
        ----------
        frame : pd.DataFrame
            Text columns as in the contract; `valid_from` and `valid_to` may be days or periods, blank for open ends.
        calendar : Calendar
            The dataset's calendar.
        """
        codes = pd.Index(frame["unit"].unique(), name="unit", dtype=object)
        unit = codes.get_indexer(pd.Index(frame["unit"], dtype=object))
        parent = codes.get_indexer(pd.Index(frame["parent"], dtype=object))
        first, last = spell_bounds(frame, calendar)
        spells = pd.DataFrame({"unit": unit, "parent": parent, "first": first, "last": last})
        latest = frame.loc[
            spells.sort_values(["unit", "last"], kind="stable").drop_duplicates("unit", keep="last").index
        ]
        kept = [c for c in frame.columns if c not in ("unit", "parent", "valid_from", "valid_to", "successor")]
        attributes = latest[kept].set_axis(codes[unit[latest.index.to_numpy()]], axis=0).reindex(codes)
        for column in DESCRIPTIONS:
            if column not in attributes:
                attributes[column] = ""
        successors: dict[int, tuple[int, ...]] = {}
        if "successor" in frame:
            for number, text in zip(unit, frame["successor"], strict=True):
                if text:
                    successors[int(number)] = tuple(int(i) for i in codes.get_indexer(pd.Index(split_codes(text))))
        return cls(calendar, codes, spells, attributes, successors)

    def __len__(self) -> int:
        return len(self.codes)

    def number(self, code: str) -> int:
        """Give the number of a unit.

        Raises
        ------
        LoadlineError
            Where there is no such unit.
        """
        try:
            return int(self.codes.get_loc(code))  # pyright: ignore[reportArgumentType]
        except KeyError:
            raise LoadlineError(f"there is no unit {code!r}", hint="`units.csv` lists the units.") from None

    def valid(self, ordinal: int) -> np.ndarray:
        """Tell which units exist in a period: (U,) booleans."""
        alive = np.zeros(len(self), dtype=bool)
        alive[self._in_force(ordinal)["unit"]] = True
        return alive

    def parents(self, ordinal: int) -> np.ndarray:
        """Give each unit's parent in a period: (U,) unit numbers, -1 for roots and units that do not exist then."""
        rows = self._in_force(ordinal)
        parents = np.full(len(self), -1)
        parents[rows["unit"]] = rows["parent"]
        return parents

    def leaves(self, ordinal: int) -> np.ndarray:
        """Tell which units exist in a period and have no unit below them: (U,) booleans."""
        leaf = self.valid(ordinal)
        parents = self.parents(ordinal)
        leaf[parents[parents >= 0]] = False
        return leaf

    @cached_property
    def ever_parent(self) -> np.ndarray:
        """Tell which units have ever had a unit below them: (U,) booleans."""
        above = self.spells["parent"].to_numpy()
        marked = np.zeros(len(self), dtype=bool)
        marked[above[above >= 0]] = True
        return marked

    def depths(self, ordinal: int) -> np.ndarray:
        """Count the units above each one in a period: (U,), 0 for roots."""
        parents = self.parents(ordinal)
        depth = np.zeros(len(self), dtype=np.int64)
        above = parents.copy()
        while (climbing := above >= 0).any():
            depth[climbing] += 1
            above[climbing] = parents[above[climbing]]
        return depth

    def subtree(self, code: str, ordinal: int) -> np.ndarray:
        """Tell which units are the given one or below it in a period: (U,) booleans."""
        parents = self.parents(ordinal)
        inside = np.zeros(len(self), dtype=bool)
        inside[self.number(code)] = True
        while True:
            below = (parents >= 0) & inside[parents] & ~inside
            if not below.any():
                return inside
            inside |= below

    def segments(self, first: int, last: int) -> list[tuple[int, int]]:
        """Cut a range of periods into stretches in which the tree does not change; an empty range has none."""
        if first > last:
            return []
        starts = self.spells["first"].to_numpy()
        ends = self.spells["last"].to_numpy() + 1
        cuts = np.unique(np.concatenate([[first], starts, ends]))
        cuts = cuts[(cuts >= first) & (cuts <= last)]
        return [(int(a), int(b) - 1) for a, b in zip(cuts, [*cuts[1:], last + 1], strict=True)]

    def peer_groups(self, minimum: int = MIN_PEERS) -> np.ndarray:
        """Give each unit's peer group: (U,) numbers from 0; -1 for units that have others below them.

        The group is the level and `peer_group`. Units of groups with fewer than `minimum` go together by level and
        region type; those of groups that are still too small go together with one another; and where even these are
        too few, with the smallest group. So no group is too small, unless all leaves together are.
        """
        about = self.attributes
        leaf = ~self.ever_parent
        level = about["level"].astype(object)
        groups = np.full(len(self), -1)
        left, taken = leaf.copy(), 0
        for labels in (level + "\x1f" + about["peer_group"], level + "\x1f" + about["region_type"]):
            # sorted by text, so that the order of the units has no say
            number = pd.factorize(labels, sort=True)[0]
            sizes = np.bincount(number[left], minlength=number.max(initial=-1) + 1)
            enough = left & (sizes[number] >= minimum)
            groups[enough] = number[enough] + taken
            left &= ~enough
            taken += len(sizes)
        if left.any():
            used, sizes = np.unique(groups[leaf & ~left], return_counts=True)
            groups[left] = taken if left.sum() >= minimum or not len(used) else used[sizes.argmin()]
        groups[leaf] = np.unique(groups[leaf], return_inverse=True)[1]
        return groups

    def _in_force(self, ordinal: int) -> dict[str, np.ndarray]:
        first, last = self.spells["first"].to_numpy(), self.spells["last"].to_numpy()
        on = (first <= ordinal) & (ordinal <= last)
        return {"unit": self.spells["unit"].to_numpy()[on], "parent": self.spells["parent"].to_numpy()[on]}


def split_codes(text: str) -> list[str]:
    """Read the `successor` column: one unit, or several separated by `|`.

    >>> split_codes("B1|B2")
    ['B1', 'B2']
    """
    return [code.strip() for code in text.split("|") if code.strip()]


def parse_day(text: str, calendar: Calendar) -> int:
    """Read a day such as `2021-07-01`, or a period, as the ordinal of the period that holds it.

    Raises
    ------
    LoadlineError, ValueError
        Where the text is neither.
    """
    text = text.strip()
    if day := _DAY.fullmatch(text):
        return calendar.containing(date.fromisoformat(day[1]))
    year = int(text[:4]) if re.match(r"\d{4}", text) else EARLIEST_YEAR
    if EARLIEST_YEAR <= year <= LATEST_YEAR:
        return calendar.parse(text)
    calendar.parse(f"{LATEST_YEAR}{text[4:]}")
    return ALWAYS if year < EARLIEST_YEAR else FOREVER  # many systems write 9999 for an open end


def spell_bounds(frame: pd.DataFrame, calendar: Calendar) -> tuple[np.ndarray, np.ndarray]:
    """Read the first and last period of each spell, as ordinals.

    A unit that moves within a period belongs to where it is at the period's end: the spell before ends one period
    earlier. Spells whose days overlap are left as they are.
    """
    first = spell_ends(frame, "valid_from", calendar, ALWAYS)
    last = spell_ends(frame, "valid_to", calendar, FOREVER).copy()
    if frame["unit"].is_unique or "valid_from" not in frame or "valid_to" not in frame:
        return first, last
    unit = pd.factorize(frame["unit"])[0]
    begins, ends = ([str(text).strip() for text in frame[column]] for column in ("valid_from", "valid_to"))
    order = np.lexsort((np.array(begins), first, unit))
    before, after = order[:-1], order[1:]
    for place in np.flatnonzero((unit[before] == unit[after]) & (last[before] == first[after])):
        earlier, later = before[place], after[place]
        end, begin = _DAY.fullmatch(ends[earlier]), _DAY.fullmatch(begins[later])
        if end and begin and end[1] < begin[1]:
            last[earlier] = first[later] - 1
    return first, last


def spell_ends(frame: pd.DataFrame, column: str, calendar: Calendar, blank: int) -> np.ndarray:
    """Read `valid_from` or `valid_to` as ordinals, with a value for blanks and a missing column."""
    if column not in frame:
        return np.full(len(frame), blank, dtype=np.int64)
    known = {text: blank if not text.strip() else parse_day(text, calendar) for text in frame[column].unique()}
    return frame[column].map(known).to_numpy(dtype=np.int64)
