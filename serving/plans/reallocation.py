"""Breaking goals down again around what people hold: what is asked then, and which lines change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from serving.plans.drafting import CHANCES
from serving.plans.editing import Change
from serving.plans.plan import LEVELS, Line
from serving.plans.steering import Asked, Steering

Key = tuple[str, str]
"""Unit and indicator."""


def constraints_around(lines: Sequence[Line], asked: Steering, given: set[Key]) -> tuple[Steering, Steering]:
    """Put held lines beside goals: the constraints to break down within, and what the plan then asks.

    A held line of a unit with a goal of old stands in the goal's place; a goal given now stands before the line.
    """
    held = {(line.unit, line.indicator): line for line in lines if line.held and line.target is not None}
    pins = tuple(Asked(line.unit, line.indicator, line.target) for key, line in held.items() if key not in given)
    goals = tuple(goal for goal in asked.goals if (goal.unit, goal.indicator) not in held or _key(goal) in given)
    clear = {kind: tuple(row for row in getattr(asked, kind) if _key(row) not in held) for kind in ("floors", "caps")}
    return replace(asked, goals=goals, pins=pins, **clear), replace(asked, goals=goals)


def _key(row: Asked) -> Key:
    return row.unit, row.indicator


def changes_of(lines: Sequence[Line], frame: pd.DataFrame, roles: Mapping[Key, str], given: set[Key]) -> list[Change]:
    """Find the lines that nobody holds and that are not what was allocated."""
    names = [*LEVELS, *CHANCES, "evidence"]
    table = frame.assign(unit=frame["unit"].astype(str), indicator=frame["indicator"].astype(str))
    columns = [table[name].astype(object).where(table[name].notna(), None).tolist() for name in names]
    keys = zip(table["unit"], table["indicator"], strict=True)
    new = {key: dict(zip(names, values, strict=True)) for key, *values in zip(keys, *columns, strict=True)}
    changes: list[Change] = []
    for line in lines:
        key = (line.unit, line.indicator)
        wanted: dict[str, Any] = {"role": roles.get(key, "")}
        if not line.held or key in given:
            wanted |= new[key]
        if key in given and line.held:
            wanted |= {"pinned": False, "overridden": False, "reason": ""}
        if any(line.content[name] != value for name, value in wanted.items()):
            changes.append((line, wanted))
    return changes
