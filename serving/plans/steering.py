"""What people ask of a plan besides what was suggested: goals, pins, floors, caps, flagged units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.errors import LoadlineError
from serving.request_schemas import MOST_GROWTH

if TYPE_CHECKING:
    from features.store import Snapshot

KINDS = ("goals", "pins", "floors", "caps", "flagged")


@dataclass(frozen=True, slots=True)
class Asked:
    """A value asked of a unit on an indicator.

    Attributes
    ----------
    unit, indicator : str
        A blank indicator, of a flagged unit, stands for all.
    value : float or None
        Of a flagged unit the most it may be asked to grow, in percent; None for the policy's rule.
    """

    unit: str
    indicator: str
    value: float | None = None


@dataclass(frozen=True)
class Steering:
    """All that is asked of a plan.

    Attributes
    ----------
    goals, pins, floors, caps, flagged : tuple of Asked
    cap_ratchet : bool
        True to hold units to the policy's cap on passing on last year's out-performance.
    """

    goals: tuple[Asked, ...] = ()
    pins: tuple[Asked, ...] = ()
    floors: tuple[Asked, ...] = ()
    caps: tuple[Asked, ...] = ()
    flagged: tuple[Asked, ...] = ()
    cap_ratchet: bool = False

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Steering:
        """Read what `document` wrote."""
        rows = {kind: tuple(Asked(*row) for row in document[kind]) for kind in KINDS}
        return cls(**rows, cap_ratchet=document["cap_ratchet"])

    @classmethod
    def of_frames(cls, frames: Mapping[str, pd.DataFrame | None], *, cap_ratchet: bool = False) -> Steering:
        """Take what was read from files: by kind `unit, indicator` and `value` or, of flagged units, `growth`."""
        return cls(**{kind: rows_of(frames.get(kind)) for kind in KINDS}, cap_ratchet=cap_ratchet)

    def document(self) -> dict[str, Any]:
        """Write it as plain data."""
        rows = {kind: [[row.unit, row.indicator, row.value] for row in getattr(self, kind)] for kind in KINDS}
        return rows | {"cap_ratchet": self.cap_ratchet}

    def frame(self, kind: str) -> pd.DataFrame | None:
        """Give the rows of a kind as `training.plan.make_plan` takes them; None where there are none."""
        rows = getattr(self, kind)
        if not rows:
            return None
        column = "growth" if kind == "flagged" else "value"
        table = pd.DataFrame([(row.unit, row.indicator, row.value) for row in rows], columns=["unit", "indicator", "v"])
        return table.rename(columns={"v": column}).astype({column: float})

    def with_goals(self, goals: Iterable[Asked]) -> Steering:
        """Put goals in the place of those of the same unit and indicator, or beside the others."""
        merged = {(goal.unit, goal.indicator): goal for goal in (*self.goals, *goals)}
        return replace(self, goals=tuple(merged.values()))

    def merged(self, other: Steering) -> Steering:
        """Take everything but the goals from another."""
        return replace(other, goals=self.goals)

    def check(self, snapshot: Snapshot) -> None:
        """Refuse units and indicators that are unknown, values that are no numbers, and keys given twice.

        Raises
        ------
        LoadlineError
            Saying the first thing that is wrong.
        """
        units = set(map(str, snapshot.tree.codes))
        codes = {code for code, indicator in snapshot.indicators.items() if indicator.is_target}
        for kind in KINDS:
            seen: set[tuple[str, str]] = set()
            for row in getattr(self, kind):
                where = f"{kind}: {row.unit} on {row.indicator or 'all indicators'}"
                if row.unit not in units:
                    raise LoadlineError(f"there is no unit {row.unit!r}", where=where, hint="See the list of units.")
                if row.indicator not in codes and not (kind == "flagged" and not row.indicator):
                    hint = "See the list of indicators: some are only monitored, or describe the surroundings."
                    raise LoadlineError(f"no targets are set on {row.indicator!r}", where=where, hint=hint)
                if (row.unit, row.indicator) in seen:
                    raise LoadlineError(f"{row.unit} on {row.indicator} is given twice", where=where)
                if kind != "flagged" and (row.value is None or not math.isfinite(row.value)):
                    raise LoadlineError("a finite number is needed", where=where)
                if kind == "flagged" and row.value is not None and not -100 < row.value <= MOST_GROWTH:
                    raise LoadlineError(f"a growth between -100 and {MOST_GROWTH:g} percent is needed", where=where)
                seen.add((row.unit, row.indicator))


def rows_of(frame: pd.DataFrame | None) -> tuple[Asked, ...]:
    """Take the rows of a table: `unit, indicator`, then `value` or `growth`; NaN is None."""
    if frame is None:
        return ()
    values = frame["growth" if "growth" in frame else "value"].tolist()
    triples = zip(frame["unit"].astype(str), frame["indicator"].astype(str), values, strict=True)
    return tuple(Asked(unit, code, None if value != value else float(value)) for unit, code, value in triples)
