"""A directory as somebody sees it who may see some subtrees alone: the other units are not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from threading import Lock

from serving.access.reach import Reach, unknown_unit
from serving.directory import COURSE_YEARS, Directory, UnitEntry

KEPT = 16
"""Narrowed directories kept for each data version: those of the managers who ask at the same time."""
_keeping = Lock()


class NarrowedDirectory(Directory):
    """The part of a directory that is within reach.

    Heads of subtrees have no parent here, and what took over from a unit is named only where it is within reach.

    Parameters
    ----------
    whole : Directory
    heads : frozenset of str
        Of the subtrees.
    """

    def __init__(self, whole: Directory, heads: frozenset[str]) -> None:
        super().__init__(whole.snapshot)
        self.whole = whole
        self.heads = heads

    @property
    def identity(self) -> tuple[str | int, ...]:
        """Give what tells this from every other, what others see of the same data version included."""
        return (*self.whole.identity, *sorted(self.heads))

    @cached_property
    def units(self) -> dict[str, UnitEntry]:
        """Give the units within reach by code, in the order of their codes."""
        seen = self.whole.under(self.heads)
        return {code: _masked(entry, seen) for code, entry in self.whole.units.items() if code in seen}

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """List the levels of units within reach, those above first."""
        there = {unit.level for unit in self.units.values()}
        return tuple(level for level in self.whole.levels if level in there)

    def under(self, heads: frozenset[str]) -> frozenset[str]:
        """Give the units of some subtrees as far as they are within reach."""
        return self.whole.under(heads) & self.units.keys()

    def history(self, unit: str, codes: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Give a unit's figures of past years; see `Directory.history`.

        Raises
        ------
        NotFoundError
            Where it is beyond reach.
        """
        self._require(unit)
        return self.whole.history(unit, codes)

    def course(self, unit: str, code: str, *, years: int = COURSE_YEARS) -> list[tuple[str, float | None]]:
        """Give a unit's figures of the last periods; see `Directory.course`.

        Raises
        ------
        NotFoundError
            Where it is beyond reach.
        """
        self._require(unit)
        return self.whole.course(unit, code, years=years)

    def _require(self, unit: str) -> None:
        if unit not in self.units:
            raise unknown_unit(unit)


def narrowed(directory: Directory, reach: Reach) -> Directory:
    """Give a directory as far as it is within reach; those last asked for are kept with it."""
    heads = reach.heads
    if heads is None:
        return directory
    with _keeping:
        known = directory.narrowed
        found = known.pop(heads, None) or NarrowedDirectory(directory, heads)
        known[heads] = found
        while len(known) > KEPT:
            del known[next(iter(known))]
    return found


def _masked(entry: UnitEntry, seen: frozenset[str]) -> UnitEntry:
    heirs = tuple(heir for heir in entry.successors if heir in seen)
    beyond = entry.parent is not None and entry.parent not in seen
    if not beyond and heirs == entry.successors:
        return entry
    return replace(entry, parent=None if beyond else entry.parent, successors=heirs)
