"""Goals and pins on top of suggestions: a group's goal broken down to its leaves at equal difficulty."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.outcomes_goals import read_goals
from features.reading import Breaches, frame_of, read_table
from features.store import Snapshot
from features.units import UnitTree
from models.allocation import Constraints, allocate
from models.distribution import TargetDistribution
from models.levels import LEAVES
from training.suggest import SuggestedLevel, Suggestions


def read_goal_file(path: Path, snapshot: Snapshot, year: int) -> pd.DataFrame:
    """Read goals: `unit, indicator, year, value`; those of other years are left out.

    Raises
    ------
    LoadlineError
        With every problem of the file, or where it has no goal for the year.
    """
    if not path.is_file():
        raise LoadlineError("there is no such file", where=str(path), hint="Columns: unit, indicator, year, value.")
    breaches = Breaches()
    goals = read_goals(path, snapshot.tree, snapshot.indicators, breaches)
    breaches.raise_if_any(str(path))
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
    if not path.is_file():
        raise LoadlineError("there is no such file", where=str(path), hint="Columns: unit, indicator, value.")
    breaches, columns = Breaches(), ["unit", "indicator", "value"]
    pins = frame_of(read_table(path, required=columns, optional=[], breaches=breaches))
    breaches.raise_if_any(str(path))
    numbers = pd.to_numeric(pins["value"], errors="coerce").to_numpy(dtype=float) if len(pins) else np.empty(0)
    known_units, known_indicators = set(snapshot.tree.codes), snapshot.indicators
    for (line, row), number in zip(pins.iterrows(), numbers, strict=True):
        if row["unit"] not in known_units:
            breaches.add(path.name, line, "unit", row["unit"], expected="a unit of the data")  # type: ignore[arg-type]
        if row["indicator"] not in known_indicators or not known_indicators[row["indicator"]].is_target:
            expected = "an indicator that may have targets"
            breaches.add(path.name, line, "indicator", row["indicator"], expected=expected)  # type: ignore[arg-type]
        if not np.isfinite(number):
            breaches.add(path.name, line, "value", row["value"], expected="a finite number")  # type: ignore[arg-type]
    again = pins[pins.duplicated(["unit", "indicator"])] if len(pins) else pins
    breaches.add_rows(
        path.name, again.index.to_numpy(), "unit, indicator", again["unit"].iloc.__getitem__, expected="each key once"
    )
    breaches.raise_if_any(str(path))
    return pins.assign(value=numbers)


def break_down(
    suggested: Suggestions, *, goals: pd.DataFrame | None, pins: pd.DataFrame | None, tree: UnitTree, origin: int
) -> pd.DataFrame:
    """Replace targets by what goals and pins make of them; floors and stretches move only where they would cross.

    A pin on a unit that has others below it is a goal for it. Goals of lower units are broken down first and stand when
    those above them are.

    Returns
    -------
    pd.DataFrame
        The suggestions' frame, with `target` and the probabilities changed and the reason in `evidence`.

    Raises
    ------
    LoadlineError
        Where a goal cannot be met, with how much is missing.
    """
    frame = suggested.frame.copy()
    columns = ["unit", "indicator", "value"]
    asked = pd.concat([f[columns] for f in (goals, pins) if f is not None], ignore_index=True)
    if pins is not None and goals is not None:
        asked = asked.drop_duplicates(["unit", "indicator"], keep="last")
    for code, rows in asked.groupby("indicator", sort=False):
        parts = [part for part in suggested.parts if part.level.indicator.code == code]
        task = _Indicator(parts, tree, origin)
        depth = tree.depths(origin)[[tree.number(unit) for unit in rows["unit"]]]
        for place in np.argsort(-depth, kind="stable"):
            task.set(str(rows["unit"].iloc[place]), float(rows["value"].iloc[place]))
        frame = task.apply(frame)
    return frame


@dataclass
class _Indicator:
    """One indicator's targets while goals are being set: values fixed so far, by unit, each with its reason."""

    parts: list[SuggestedLevel]
    tree: UnitTree
    origin: int
    fixed: dict[str, float] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def leaves(self) -> tuple[SuggestedLevel, TargetDistribution] | None:
        for part in self.parts:
            if part.level.name == LEAVES and isinstance(part.distribution, TargetDistribution):
                return part, part.distribution
        return None

    def set(self, unit: str, value: float) -> None:
        """Fix a leaf's target, or break a goal down to the leaves below a unit."""
        if self.leaves is None:
            raise LoadlineError(
                f"no unit below {unit} has figures", where=unit, hint="Bring the figures of the units below."
            )
        part, distribution = self.leaves
        if unit in part.level.problem.units:
            self.fixed[unit], self.why[unit] = value, "fixed by a person"
            return
        inside = self.tree.subtree(unit, self.origin)[part.level.numbers] & distribution.known
        if not inside.any():
            raise LoadlineError(
                f"no unit below {unit} has figures", where=unit, hint="Bring the figures of the units below."
            )
        members = np.flatnonzero(inside)
        below = distribution.take(members)
        weights = None
        if part.level.indicator.kind in ("ratio", "level") and part.level.problem.weight is not None:
            weights = np.nan_to_num(part.level.problem.weight[-1][members])
        labels = [str(code) for code in below.units]
        pinned = {label: self.fixed[label] for label in labels if label in self.fixed}
        try:
            found = allocate(below, value, constraints=Constraints(pins=pinned), weights=weights)
        except LoadlineError as error:
            where = f"goal of {unit} for {part.level.indicator.code}"
            raise LoadlineError(error.what, where=where, hint=error.hint) from error
        reason = f"goal of {unit} broken down at a common probability of {found.probability:.0%}"
        for label, amount in zip(labels, found.values, strict=True):
            if label not in pinned:
                self.fixed[label], self.why[label] = float(amount), reason
        self.fixed[unit], self.why[unit] = value, "goal as given"
        self._add_up(unit)

    def _add_up(self, goal: str) -> None:
        """Give the units between a goal and its leaves what their leaves come to."""
        if self.leaves is None:
            return
        part, _ = self.leaves
        leaf_values = np.array([self.fixed.get(str(code), np.nan) for code in part.level.problem.units])
        averaged = part.level.indicator.kind in ("ratio", "level")
        weight = np.ones(len(leaf_values))
        if averaged and part.level.problem.weight is not None:
            weight = np.nan_to_num(part.level.problem.weight[-1])
        below_goal = self.tree.subtree(goal, self.origin)
        for other in self.parts:
            if other.level.name == LEAVES:
                continue
            for code, number in zip(other.level.problem.units, other.level.numbers, strict=True):
                unit = str(code)
                if unit == goal or not below_goal[number] or self.why.get(unit) == "goal as given":
                    continue
                inside = self.tree.subtree(unit, self.origin)[part.level.numbers] & np.isfinite(leaf_values)
                if inside.any():
                    total = float((leaf_values * weight)[inside].sum())
                    self.fixed[unit] = total / weight[inside].sum() if averaged else round(total, 9)
                    self.why[unit] = "sum of the units below" if not averaged else "average of the units below"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Write the fixed targets into the frame, with their probabilities."""
        for part in self.parts:
            units = [str(code) for code in part.level.problem.units]
            target = np.array([self.fixed.get(unit, np.nan) for unit in units])
            if not np.isfinite(target).any():
                continue
            rows = frame.index[(frame["indicator"] == part.level.indicator.code) & frame["unit"].isin(units)]
            order = pd.Index(units).get_indexer(pd.Index(frame.loc[rows, "unit"]))
            given = np.isfinite(target)
            lower = part.level.indicator.direction == "lower"
            easier, harder = (np.fmax, np.fmin) if lower else (np.fmin, np.fmax)
            current = frame.loc[rows].set_index("unit").reindex(units)
            new = {
                "target": np.where(given, target, current["target"]),
                "floor": np.where(given, easier(current["floor"], target), current["floor"]),
                "stretch": np.where(given, harder(current["stretch"], target), current["stretch"]),
            }
            for name, values in new.items():
                frame.loc[rows, name] = values[order]
                frame.loc[rows, f"p_{name}"] = part.distribution.attain(values)[order]
            reason = np.array([f"; {self.why[unit]}" if unit in self.why else "" for unit in units], dtype=object)
            frame.loc[rows, "evidence"] = frame.loc[rows, "evidence"].astype(str) + reason[order]
        return frame
