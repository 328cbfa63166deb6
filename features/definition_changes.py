"""What became of an indicator's history when its definition changed: restated on the new basis, or a break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from features.editions import Edition, changed_part
from features.history import positions_in
from features.rows import EPOCH
from features.snapshot import Snapshot

MOSTLY = 0.9
"""Of the earlier unit-periods that many must be there on the new basis for history to count as restated: closed units
and the oldest years are often left out, but with a tenth missing a reader must be told of a break."""

Treatment = Literal["restated", "break"]


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """A change of what an indicator's figures mean.

    Attributes
    ----------
    code : str
        The indicator.
    part : str
        Whose version changed: the indicator's own, or that of what the ratio is made of.
    before, after : str
        Definition versions of `part`.
    data_version : int
        The one that brought the new definition.
    first_period : int or None
        First period (ordinal) with a figure on the new basis; None where there is none yet.
    earlier : int
        Unit-periods that were known on the old basis by then.
    restated : int
        Those of them that are known on the new basis too.
    known_from : date or None
        First day on which any figure on the new basis was known: what was known before that day has none.
    """

    code: str
    part: str
    before: str
    after: str
    data_version: int
    first_period: int | None
    earlier: int
    restated: int
    known_from: date | None

    @property
    def share(self) -> float:
        """Give the share of earlier unit-periods that are restated; 1 where there were none."""
        return self.restated / self.earlier if self.earlier else 1.0

    @property
    def treatment(self) -> Treatment:
        """Tell whether history goes on, on the new basis, or breaks off."""
        return "restated" if self.share >= MOSTLY else "break"

    def as_dict(self) -> dict[str, Any]:
        """Give the change as plain JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        known_from = None if self.known_from is None else self.known_from.isoformat()
        return fields | {"known_from": known_from, "share": self.share, "treatment": self.treatment}


def definition_changes(snapshot: Snapshot, *, since: int | None = None) -> tuple[DefinitionChange, ...]:
    """List the changes of definitions along the history of a data version.

    Parameters
    ----------
    snapshot : Snapshot
    since : int, optional
        A data version of its chain: give what is different now, and not every step since the first version. A
        definition that was changed and changed back is then not listed.

    Returns
    -------
    tuple of DefinitionChange
        The oldest first, and by the order of the indicators.
    """
    tallies = list(_tallies(snapshot, since))
    if tallies:
        _count(snapshot, tallies)
    return tuple(tally.change(snapshot) for tally in tallies)


@dataclass(eq=False)
class _Tally:
    """One change, and the cells (periods x units) known on either basis; `batches` says which basis they are on."""

    code: str
    part: str
    before: str
    after: str
    data_version: int
    batches: Mapping[str, str]
    cells: dict[str, np.ndarray] = field(default_factory=dict)
    known_from: int | None = None

    def change(self, snapshot: Snapshot) -> DefinitionChange:
        old, new = self.cells["old"], self.cells["new"]
        known = np.flatnonzero(new)
        first = snapshot.span[0] + int(known[0]) // len(snapshot.tree) if len(known) else None
        about = (self.code, self.part, self.before, self.after, self.data_version, first)
        day = None if self.known_from is None else date.fromordinal(self.known_from + EPOCH)
        return DefinitionChange(*about, int(old.sum()), int((old & new).sum()), day)


def _tallies(snapshot: Snapshot, since: int | None) -> Iterator[_Tally]:
    stated = snapshot.editions.stated
    if since is None:
        steps = [(place - 1, place) for place in range(1, len(stated))]
    else:
        steps = [(next(i for i, v in enumerate(snapshot.chain) if v.version == since), len(stated) - 1)]
    for old, new in steps:
        if stated[old] != stated[new]:
            yield from (_tally(snapshot, code, part, old, new) for code, part in _changed(stated[old], stated[new]))


def _changed(then: Mapping[str, Edition], now: Mapping[str, Edition]) -> list[tuple[str, str]]:
    parts = [(code, changed_part(code, then, now)) for code in now if code in then]
    return [(code, part) for code, part in parts if part is not None]


def _tally(snapshot: Snapshot, code: str, part: str, old: int, new: int) -> _Tally:
    stated, chain = snapshot.editions.stated, snapshot.chain
    bases: dict[str, str] = {}
    for place, (version, then) in enumerate(zip(chain, stated, strict=True)):
        if changed_part(code, then, stated[new]) is None:
            bases[version.batch] = "new"
        elif place <= old and changed_part(code, then, stated[old]) is None:
            bases[version.batch] = "old"
    first = next(v.version for v in chain[old + 1 :] if bases.get(v.batch) == "new")
    return _Tally(code, part, stated[old][part].version, stated[new][part].version, first, bases)


def _count(snapshot: Snapshot, tallies: Sequence[_Tally]) -> None:
    """Mark which cells are known on either basis."""
    first, last = snapshot.span
    units = pa.array([str(code) for code in snapshot.tree.codes], pa.string())
    for tally in tallies:
        tally.cells = {basis: np.zeros((last - first + 1) * len(units), dtype=bool) for basis in ("old", "new")}
    batches = pa.array([version.batch for version in snapshot.chain], pa.string())
    codes = list(dict.fromkeys(tally.code for tally in tallies))
    for rows in snapshot.figures(indicators=codes, any_definition=True):
        code = positions_in(rows.column("indicator"), pa.array(codes, pa.string()))
        batch, unit = positions_in(rows.column("batch"), batches), positions_in(rows.column("unit"), units)
        days = rows.column("known_on").cast(pa.int32()).to_numpy()
        cell = (rows.column("period").to_numpy().astype(np.int64) - first) * len(units) + unit
        for tally in tallies:
            for basis, known in tally.cells.items():
                theirs = [place for place, v in enumerate(snapshot.chain) if tally.batches.get(v.batch) == basis]
                ours = (code == codes.index(tally.code)) & np.isin(batch, theirs) & (unit >= 0)
                known[cell[ours]] = True
                if basis == "new" and ours.any():
                    first_day = int(days[ours].min())
                    tally.known_from = first_day if tally.known_from is None else min(tally.known_from, first_day)
