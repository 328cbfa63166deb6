"""Files with which people steer a plan: goals, pins, floors, caps, and the units flagged for risk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches, TableError
from features.errors import LoadlineError
from features.outcomes_goals import read_goals
from features.reading import frame_of, read_table, require_table
from features.store import Snapshot

KEY = ("unit", "indicator")
LIMITS = "unit, indicator, value"
FLAGS = "unit, indicator (blank for all), and if wanted growth"


def read_goal_file(path: Path, snapshot: Snapshot, year: int) -> pd.DataFrame:
    """Read goals: `unit, indicator, year, value`; those of other years are left out.

    Raises
    ------
    LoadlineError
        With every problem of the file, or where it has no goal for the year.
    """
    require_table(path, "unit, indicator, year, value")
    breaches = Breaches()
    goals = read_goals(path, snapshot.tree, snapshot.indicators, breaches)
    breaches.raise_if_any(str(path), error=TableError)
    ours = goals[goals["year"] == year]
    if ours.empty:
        raise LoadlineError(f"no goal is for the year {year}", where=str(path), hint="Check the column `year`.")
    return ours


def read_pin_file(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read pins: `unit, indicator, value`, targets that a person has fixed.

    Raises
    ------
    LoadlineError
        With every problem of the file.
    """
    return read_limit_file(path, snapshot)


def read_limit_file(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read pins, floors or caps: `unit, indicator, value`.

    Raises
    ------
    LoadlineError
        With every problem of the file.
    """
    require_table(path, LIMITS)
    breaches = Breaches()
    rows = frame_of(read_table(path, required=[*KEY, "value"], optional=[], breaches=breaches))
    breaches.raise_if_any(str(path), error=TableError)
    _require_rows(path, rows, LIMITS)
    numbers = _numbers(rows["value"])
    _check_keys(path, rows, snapshot, breaches, blank_indicator=False)
    for line, text, number in zip(rows.index, rows["value"], numbers, strict=True):
        if not np.isfinite(number):
            breaches.add(path.name, line, "value", text, expected="a finite number")
    breaches.raise_if_any(str(path), error=TableError)
    return rows.assign(value=numbers)


def read_flagged_file(path: Path, snapshot: Snapshot) -> pd.DataFrame:
    """Read units flagged for risk: `unit`, `indicator` (blank: every one), and if wanted `growth`.

    `growth` is the most that a unit may be asked to grow, in percent; blank for the policy's rule. A unit that has
    others below it stands for all of them.

    Raises
    ------
    LoadlineError
        With every problem of the file.
    """
    require_table(path, FLAGS)
    breaches = Breaches()
    rows = frame_of(read_table(path, required=list(KEY), optional=["growth"], breaches=breaches))
    breaches.raise_if_any(str(path), error=TableError)
    _require_rows(path, rows, FLAGS)
    if "growth" not in rows:
        rows["growth"] = ""
    rows = rows.assign(indicator=rows["indicator"].fillna(""), growth=rows["growth"].fillna(""))
    numbers = _numbers(rows["growth"])
    _check_keys(path, rows, snapshot, breaches, blank_indicator=True)
    for line, text, number in zip(rows.index, rows["growth"], numbers, strict=True):
        if str(text).strip() and not (np.isfinite(number) and number > -100):
            breaches.add(path.name, line, "growth", text, expected="a percentage above -100, or nothing")
    breaches.raise_if_any(str(path), error=TableError)
    return rows.assign(growth=numbers)


def _require_rows(path: Path, rows: pd.DataFrame, columns: str) -> None:
    if rows.empty:
        raise LoadlineError("the file holds no row", where=str(path), hint=f"Columns: {columns}.")


def _numbers(texts: pd.Series | Sequence[str]) -> np.ndarray:
    """Read numbers; NaN for what is none."""
    return pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)


def _check_keys(
    path: Path, rows: pd.DataFrame, snapshot: Snapshot, breaches: Breaches, *, blank_indicator: bool
) -> None:
    """Note units and indicators that are unknown, indicators that take no target, and keys given twice."""
    units, indicators = set(snapshot.tree.codes), snapshot.indicators
    for line, unit, code in zip(rows.index, rows["unit"], rows["indicator"], strict=True):
        if unit not in units:
            hint = "Use the labels of `units.csv`."
            breaches.add(path.name, line, "unit", unit, expected="a unit of the data", hint=hint)
        if blank_indicator and not code:
            continue
        if code not in indicators:
            hint = "Use the codes of `indicators.yaml`."
            breaches.add(path.name, line, "indicator", code, expected="an indicator of the data", hint=hint)
        elif not indicators[code].is_target:
            hint = "It is only monitored, or describes the surroundings."
            expected = "an indicator that may have targets"
            breaches.add(path.name, line, "indicator", code, expected=expected, hint=hint)
    again = rows[rows.duplicated(list(KEY))]
    breaches.add_rows(
        path.name,
        again.index.to_numpy(),
        ", ".join(KEY),
        again["unit"].iloc.__getitem__,
        expected="each key once",
        hint="Remove one of the two.",
    )
