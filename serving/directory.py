"""A data version as it is looked up in: its units sorted, searched and paged, and their year figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np

from features.basis import same_basis
from features.dataset import Description
from features.rollup import rolled_up
from features.store import Snapshot
from features.units import ALWAYS, FOREVER
from features.years import year_figures

HISTORY_YEARS = 10
"""Year figures kept for display: enough to see a trend, few enough to read."""
COURSE_YEARS = 3
"""Years of single periods kept for display: two show the season, the third what is usual."""


def is_synthetic(about: Description) -> bool:
    """Tell whether a dataset says of itself that it is made up."""
    return about.synthetic


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit as it stands in its latest place in the tree.

    Attributes
    ----------
    code, name : str
    name_zh, parent, level, region_type, peer_group, business_line : str or None
        None where blank.
    valid_from, valid_to : str or None
        First and last period, as the contract writes them; None for an open end.
    successors : tuple of str
        Who took over from it.
    children : int
        How many units are right below.
    """

    code: str
    name: str
    name_zh: str | None
    parent: str | None
    level: str | None
    region_type: str | None
    peer_group: str | None
    business_line: str | None
    valid_from: str | None
    valid_to: str | None
    successors: tuple[str, ...]
    children: int

    def matches(self, text: str) -> bool:
        """Tell whether a text, in lower case, is part of the code or of a name."""
        return any(text in part.casefold() for part in (self.code, self.name, self.name_zh or ""))


@dataclass(frozen=True)
class UnitPage:
    """Some units, how many there are in all, and the code after which the next page begins, if there is one."""

    units: tuple[UnitEntry, ...]
    total: int
    next_after: str | None


class Directory:
    """What a data version holds, for looking things up.

    Parameters
    ----------
    snapshot : Snapshot

    Attributes
    ----------
    narrowed : dict
        Kept by `serving.narrowed`.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.narrowed: dict[frozenset[str], Directory] = {}
        self._lock = Lock()
        self._courses: dict[str, tuple[list[str], np.ndarray]] = {}

    @property
    def identity(self) -> tuple[str | int, ...]:
        """Give what tells this from every other: dataset, number and fingerprint of the data version."""
        about = self.snapshot.about
        return (about.dataset, about.version, about.fingerprint)

    @cached_property
    def units(self) -> dict[str, UnitEntry]:
        """Give the units by code, in the order of their codes."""
        tree, calendar = self.snapshot.tree, self.snapshot.description.calendar
        latest = tree.spells.sort_values(["unit", "last"], kind="stable").drop_duplicates("unit", keep="last")
        firsts = tree.spells.groupby("unit")["first"].min()
        parents = latest.set_index("unit")["parent"].reindex(range(len(tree))).to_numpy()
        children = np.bincount(parents[parents >= 0], minlength=len(tree))
        ends = latest.set_index("unit")["last"].reindex(range(len(tree))).to_numpy()
        codes = [str(code) for code in tree.codes]

        def period(ordinal: int, blank: int) -> str | None:
            return None if ordinal == blank else calendar.format(int(ordinal))

        entries = []
        for number, about in enumerate(tree.attributes.to_dict("records")):
            text = {name: str(value) or None for name, value in about.items()}
            parent = int(parents[number])
            entries.append(
                UnitEntry(
                    code=codes[number],
                    name=text["name"] or codes[number],
                    name_zh=text["name_zh"],
                    parent=codes[parent] if parent >= 0 else None,
                    level=text["level"],
                    region_type=text["region_type"],
                    peer_group=text["peer_group"],
                    business_line=text["business_line"],
                    valid_from=period(firsts[number], ALWAYS),
                    valid_to=period(ends[number], FOREVER),
                    successors=tuple(codes[heir] for heir in tree.successors.get(number, ())),
                    children=int(children[number]),
                )
            )
        return {entry.code: entry for entry in sorted(entries, key=lambda entry: entry.code)}

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """List the levels in the order of the file, which names those above first."""
        return tuple(level for level in dict.fromkeys(map(str, self.snapshot.tree.attributes["level"])) if level)

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unit in self.units.values():
            if unit.parent is not None:
                found.setdefault(unit.parent, []).append(unit.code)
        return found

    def under(self, heads: frozenset[str]) -> frozenset[str]:
        """Give the units of some subtrees by their latest places, the heads included; unknown heads have none."""
        found: set[str] = set()
        waiting = [head for head in heads if head in self.units]
        while waiting:
            unit = waiting.pop()
            if unit not in found:
                found.add(unit)
                waiting += self._below.get(unit, ())
        return frozenset(found)

    @property
    def synthetic(self) -> bool:
        """Tell whether the dataset says of itself that it is made up."""
        return is_synthetic(self.snapshot.description)

    def page(
        self,
        *,
        limit: int,
        after: str | None = None,
        level: str | None = None,
        parent: str | None = None,
        text: str = "",
    ) -> UnitPage:
        """Give some units in the order of their codes.

        Parameters
        ----------
        limit : int
            At most these many.
        after : str, optional
            Begin after this code, whether it exists or not.
        level, parent : str, optional
            Only units of this level; only those right below this one, or the roots for "".
        text : str
            Only units whose code or name holds it, whatever the case.
        """
        wanted = text.strip().casefold()
        fitting = [
            unit
            for unit in self.units.values()
            if (level is None or unit.level == level)
            and (parent is None or (unit.parent or "") == parent)
            and (not wanted or unit.matches(wanted))
        ]
        rest = fitting if after is None else [unit for unit in fitting if unit.code > after]
        more = rest[limit - 1].code if len(rest) > limit else None
        return UnitPage(tuple(rest[:limit]), len(fitting), more)

    def history(self, unit: str, codes: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Give a unit's figures of past years by indicator: (year, figure), only years that are known.

        They are on the basis of the units as they are now, as the figures are that suggestions start from. Indicators
        that may have no targets have none.
        """
        column = self.snapshot.tree.number(unit)
        with self._lock:
            tables = self._year_tables
        found = {}
        for code in codes:
            if code in tables:
                years, table = tables[code]
                found[code] = [
                    (int(y), float(v)) for y, v in zip(years, table[:, column], strict=True) if np.isfinite(v)
                ]
        return found

    def course(self, unit: str, code: str, *, years: int = COURSE_YEARS) -> list[tuple[str, float | None]]:
        """Give a unit's figures of the last periods, on the basis of the units as they are now: (period, figure)."""
        column = self.snapshot.tree.number(unit)
        with self._lock:
            if code not in self._courses:
                indicators = self.snapshot.indicators
                parts = {code, indicators[code].numerator, indicators[code].denominator}
                panel = self.snapshot.panel(indicators=[name for name in indicators if name in parts])
                kept = years * panel.calendar.per_year
                table = rolled_up(same_basis(panel)).array(code)[-kept:]
                labels = [panel.calendar.format(int(ordinal)) for ordinal in panel.ordinals[-kept:]]
                self._courses = {code: (labels, table)}  # the one last asked for: people look at one at a time
            labels, table = self._courses[code]
        return [
            (label, float(v) if np.isfinite(v) else None) for label, v in zip(labels, table[:, column], strict=True)
        ]

    @cached_property
    def _year_tables(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        indicators = self.snapshot.indicators
        shown = [code for code, indicator in indicators.items() if indicator.is_target]
        parts = {part for code in shown for part in (indicators[code].numerator, indicators[code].denominator)}
        panel = self.snapshot.panel(indicators=[code for code in indicators if code in {*shown, *parts}])
        calendar = panel.calendar
        ends = panel.ordinals[calendar.position(panel.ordinals) == calendar.per_year - 1][-HISTORY_YEARS:]
        whole = rolled_up(same_basis(panel))
        return {code: (calendar.year(ends), year_figures(whole, code).value[ends - panel.first]) for code in shown}


class Directories:
    """Keeps the directories of the data versions last asked for.

    Parameters
    ----------
    open_snapshot : callable
        Opens the last data version, or the last of a dataset; raises LoadlineError where there is none.
    kept : int
        How many to keep.
    """

    def __init__(self, open_snapshot: Callable[[str | None], Snapshot], *, kept: int = 4) -> None:
        self.open_snapshot = open_snapshot
        self.kept = kept
        self._lock = Lock()
        self._known: dict[tuple[str | int, ...], Directory] = {}

    def open(self, dataset: str | None = None) -> Directory:
        """Give the directory of the last data version, or the last of a dataset."""
        return self.of(self.open_snapshot(dataset))

    def of(self, snapshot: Snapshot) -> Directory:
        """Give the directory of a data version."""
        directory = Directory(snapshot)
        key = directory.identity
        with self._lock:
            directory = self._known.pop(key, directory)
            self._known[key] = directory
            while len(self._known) > self.kept:
                del self._known[next(iter(self._known))]
        return directory
