"""Grounds for training a model again or for leaving it: what has changed, in a sentence, and whether it asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from features.indicators import Title
from features.matrix import parse_column
from features.periods import Calendar
from features.snapshot import Snapshot
from models.bundle import ModelBundle
from training.retraining.request import TrainingRequest
from training.warning.schedule import training_origin

NAMED = 8
"""Indicators that a sentence names; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that has changed, or that has not.

    Attributes
    ----------
    code : str
        Such as `figures` or `definition`.
    asks : bool
        Whether the model must learn again.
    text : Title
    figures : Mapping
        Plain JSON.
    """

    code: str
    asks: bool
    text: Title
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What is to be decided: a model of some kind, now, beside its champion.

    Attributes
    ----------
    snapshot : Snapshot
    home : Path
    origin : int
        Last period (ordinal) that may be learned from.
    latest : bool
        Whether everything known by now about the periods up to `origin` is used.
    request : TrainingRequest
    kind : str
        `target` or `warning`.
    champion : ModelBundle or None
    """

    snapshot: Snapshot
    home: Path
    origin: int
    latest: bool
    request: TrainingRequest
    kind: str
    champion: ModelBundle | None

    @property
    def calendar(self) -> Calendar:
        """Give the calendar of the periods."""
        return self.snapshot.description.calendar

    @cached_property
    def place(self) -> int | None:
        """Find the champion's data version in the chain; None where it is of another history."""
        if self.champion is None:
            return None
        meta = self.champion.meta
        known = {(v.version, v.fingerprint): place for place, v in enumerate(self.snapshot.chain)}
        return known.get((meta["data_version"], meta["fingerprint"]))

    @cached_property
    def past(self) -> Snapshot | None:
        """Open the champion's data version; None where it is of another history."""
        if self.place is None:
            return None
        return Snapshot(self.snapshot.tables, self.snapshot.chain[: self.place + 1])

    @cached_property
    def learns_to(self) -> int:
        """Give the last period (ordinal) that the model would learn from."""
        if self.kind == "target":
            return self.origin
        return training_origin(self.calendar, self.origin, begin=self.snapshot.span[0])

    @cached_property
    def learned_to(self) -> int:
        """Give the last period (ordinal) that the champion learned from."""
        assert self.champion is not None
        return self.calendar.parse(self.champion.meta["as_of"])

    @property
    def known_now(self) -> date:
        """Give the last day whose figures the model would know."""
        return date.max if self.kind == "target" and self.latest else self.calendar.end(self.learns_to)

    @property
    def known_then(self) -> date:
        """Give the last day whose figures the champion knew."""
        assert self.champion is not None
        ended = self.calendar.end(self.learned_to)
        return ended if self.champion.meta["known_on"] == ended.isoformat() else date.max

    @cached_property
    def names(self) -> tuple[str, ...]:
        """List what the champion holds: `LOANS.leaves`, its levels, or `LOANS.growth_1y`, its columns."""
        assert self.champion is not None
        meta = self.champion.meta
        return tuple(meta["levels"] if self.kind == "target" else meta["fitted"]["names"])

    @cached_property
    def codes(self) -> frozenset[str]:
        """Give the indicators that the champion holds."""
        if self.kind == "target":
            return frozenset(name.partition(".")[0] for name in self.names)
        return frozenset(code for name in self.names if (code := parse_column(name)[1]) is not None)

    def holding(self, code: str) -> int:
        """Count the champion's levels or columns of an indicator."""
        return sum(name.startswith(f"{code}.") for name in self.names)


def listed(codes: list[str], *, joint: str = ", ") -> str:
    """Name the first of some codes, and count the others."""
    more = f" (+{len(codes) - NAMED})" if len(codes) > NAMED else ""
    return joint.join(codes[:NAMED]) + more
