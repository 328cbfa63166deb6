"""Two replays of the same history side by side: what became of each score, and which lines moved it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from models.scoring.comparison import ROUNDING, Line, ScoreLines, all_lines
from training.simulation.ranks import rank_groups, ranked
from training.simulation.replay import Replay

BOTH, BEFORE_ONLY, AFTER_ONLY, NEITHER = "both", "before only", "after only", "no score"
"""On which sides a unit has a score."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Scores of N rows before and after a change, on the same L lines.

    Attributes
    ----------
    before, after : Replay
        As they were replayed.
    about : pd.DataFrame
        N rows, units in periods of either side, in order; see `training.simulation.replay.Replay`.
    old, new : ScoreLines
    """

    before: Replay
    after: Replay
    about: pd.DataFrame
    old: ScoreLines
    new: ScoreLines

    @property
    def lines(self) -> tuple[Line, ...]:
        """Give the lines of both."""
        return self.old.lines

    @cached_property
    def both(self) -> np.ndarray:
        """Tell which rows (N,) have a score on both sides."""
        return self.old.scored & self.new.scored

    @cached_property
    def status(self) -> np.ndarray:
        """Give for each row (N,) on which sides it has a score."""
        old, new = self.old.scored, self.new.scored
        return np.select([old & new, old, new], [BOTH, BEFORE_ONLY, AFTER_ONLY], NEITHER).astype(object)

    @cached_property
    def difference(self) -> np.ndarray:
        """Give the change of each stated score: (N,) tenths, 0 where it is not on both sides."""
        return np.where(self.both, self.new.tenths - self.old.tenths, 0)

    @cached_property
    def moved(self) -> np.ndarray:
        """Give what each line did to the change: (L, N) cents; a row's lines add up to ten times its `difference`."""
        return np.where(self.both, self.new.cents - self.old.cents, 0)

    @cached_property
    def groups(self) -> np.ndarray:
        """Give the groups in which rows are ranked: (N,)."""
        return rank_groups(self.about)

    @cached_property
    def ranks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give ranks before and after, among the rows with a score on both sides, and how many those are: (N,) each."""
        before, sizes = ranked(self.old.tenths, self.both, self.groups)
        return before, ranked(self.new.tenths, self.both, self.groups)[0], sizes

    @cached_property
    def main_line(self) -> np.ndarray:
        """Give the number of the line that moved each score most in the direction it went: (N,), -1 where none did.

        Rounding is named only where nothing else went that way.
        """
        way = np.sign(self.difference)
        pushed = self.moved * way
        rounding = np.array([line == ROUNDING for line in self.lines])[:, None]
        told = np.where(rounding, np.minimum(pushed, 0), pushed)
        found = np.where(told.max(axis=0) > 0, told.argmax(axis=0), pushed.argmax(axis=0))
        return np.where((way != 0) & (pushed.max(axis=0) > 0), found, -1)


def compare(before: Replay, after: Replay) -> Compared:
    """Put two replays side by side; a unit in a period that is only on one side has no score on the other."""
    keys = ["period", "unit"]
    index = [pd.MultiIndex.from_frame(side.about[keys]) for side in (before, after)]
    every = index[0].append(index[1][~index[1].isin(index[0])]) if len(index[0]) else index[1]
    about = pd.concat([before.about, after.about], ignore_index=True).drop_duplicates(keys).reset_index(drop=True)
    order = np.lexsort((about["unit"].astype(str), about["period"]))
    about, every = about.iloc[order].reset_index(drop=True), every[order]
    lines = all_lines(before.lines.lines, after.lines.lines)
    old, new = (
        side.lines.on(lines).take(at.get_indexer(every)) for side, at in zip((before, after), index, strict=True)
    )
    return Compared(before, after, about, old, new)
