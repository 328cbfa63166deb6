"""Targets as scores need them: of whole years, and paced to a place within one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.units import UnitTree
from models.in_year.time_progress import at_usual_pace
from training.scoring.stretches import Stretches

LEVELS = ("floor", "target", "stretch")


@dataclass(frozen=True)
class TargetTable:
    """Targets by fiscal year and indicator, as (3, U) arrays: floor, target, stretch; NaN where none is set."""

    by_year: Mapping[tuple[int, str], np.ndarray]

    @classmethod
    def of(cls, frame: pd.DataFrame, tree: UnitTree, *, years: set[int]) -> TargetTable:
        """Lay out targets.

        Parameters
        ----------
        frame : pd.DataFrame
            `unit, indicator, year, target`, and perhaps `floor` and `stretch`.
        tree : UnitTree
        years : set of int
            Fiscal years that are scored.

        Raises
        ------
        LoadlineError
            Where there is none of a year that is scored.
        """
        there = {int(year) for year in frame.loc[frame["target"].notna(), "year"]}
        lacking = sorted(years - there)
        if lacking:
            told = ", ".join(map(str, sorted(there))) or "no year"
            raise LoadlineError(
                f"the targets are of {told}, not of {', '.join(map(str, lacking))}",
                where="--targets",
                hint="Give the targets that were set for the year that is scored.",
            )
        found: dict[tuple[int, str], np.ndarray] = {}
        for code, of_code in frame.groupby("indicator", sort=False):
            for year in years:
                rows = of_code[of_code["year"] == year]
                if rows.empty:
                    continue
                at = tree.codes.get_indexer(pd.Index(rows["unit"], dtype=object))
                laid = np.full((len(LEVELS), len(tree)), np.nan)
                for place, level in enumerate(LEVELS):
                    if level in rows:
                        laid[place, at[at >= 0]] = rows[level].to_numpy(dtype=float)[at >= 0]
                found[year, str(code)] = laid
        return cls(found)

    def get(self, year: int, code: str) -> np.ndarray | None:
        """Give the targets (3, U) of an indicator, if any are set."""
        return self.by_year.get((year, code))


def paced(targets: np.ndarray, stretches: Stretches, code: str, *, ordinal: int) -> np.ndarray:
    """Give what a unit that attains its targets (3, U) exactly would have by a period: (3, U), never by twelfths.

    The pace is learned from the past years alone, of leaves and of each level above by themselves, the unit's own
    drawn towards its level's; see `models.in_year.time_progress`.
    """
    panel, calendar = stretches.panel, stretches.panel.calendar
    year, length = int(calendar.year(ordinal)), calendar.per_year
    done = int(calendar.position(ordinal)) + 1
    ago = range(year - int(calendar.year(panel.first)), 0, -1)
    found = np.full(targets.shape, np.nan)
    if not ago:
        return found
    so_far = np.stack([stretches.over(code, ordinal - back * length, done) for back in ago])
    outcome = np.stack([stretches.over(code, calendar.last_of_year(year - back), length) for back in ago])
    depth, leaf, valid = panel.tree.depths(ordinal), panel.tree.leaves(ordinal), panel.tree.valid(ordinal)
    depth = np.where(leaf, -1, depth)
    for level in np.unique(depth[valid]):
        here = valid & (depth == level)
        found[:, here] = at_usual_pace(panel.indicator(code), so_far[:, here], outcome[:, here], targets[:, here])
    return np.where(targets == 0, 0.0, found)
