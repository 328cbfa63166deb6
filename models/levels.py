"""The target problems of a panel: one for each indicator and level of the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.basis import same_basis
from features.errors import LoadlineError
from features.in_year import InYear, cut_years, total_in_year
from features.indicators import Indicator
from features.panel import Panel
from features.years import YearFigures, total_pairs, year_figures, year_pairs
from models.in_year.rest import expected_rest, expected_year
from models.in_year.so_far import SoFar, of_year
from models.outcome.distribution import TargetDistribution
from models.outcome.problem import TargetProblem

FEWEST_UNITS = 8
"""A level with fewer units is not learned from by itself: the spread of so few says little. Its distribution is that of
the sum of what is below."""
LEAVES = "leaves"


@dataclass(frozen=True)
class Level:
    """One indicator at one level of the tree, seen from one origin.

    Attributes
    ----------
    indicator : Indicator
    name : str
        `leaves`, or `depth-0` for roots, `depth-1` for the units below them, and so on.
    problem : TargetProblem
        Of the level's units that have any figure. Within a year whose every period counts, it is about the rest of the
        year, at the rate of a whole one; before such a year it starts from the trailing year, carried over.
    numbers : np.ndarray
        The units' positions in the tree.
    figures : YearFigures
        How the year's figure was taken, for display.
    learned : bool
        False where the level has too few units to learn from and there are units below to add up.
    trailing : np.ndarray
        (T, U) the figure of the year that ends at each row's origin; NaN where a period is missing. The problem starts
        from it as it is, or from what it leads to expect.
    cut : InYear or None
        The years cut at the origin's place, where the problem is about the rest of the year.
    so_far : SoFar or None
        How the year follows from its rest.
    """

    indicator: Indicator
    name: str
    problem: TargetProblem
    numbers: np.ndarray
    figures: YearFigures
    learned: bool
    trailing: np.ndarray
    cut: InYear | None = None
    so_far: SoFar | None = None

    @property
    def latest(self) -> np.ndarray:
        """Give the figure (U,) of the year that ends at the origin, for display; NaN where a period is missing."""
        return self.trailing[-1]

    @property
    def key(self) -> str:
        """Name the level's model within a bundle; a model of the rest of a year is for a rest of that length only."""
        rest = "" if self.cut is None else f".rest{self.cut.left}"
        return f"{self.indicator.code}.{self.name}{rest}"

    def of_year(self, predicted: TargetDistribution) -> TargetDistribution:
        """Turn what a model of the level predicts into the distribution of the year's outcome."""
        return predicted if self.so_far is None else of_year(predicted, self.so_far)


def target_codes(panel: Panel) -> list[str]:
    """List the indicators of a panel that may have targets and have figures."""
    return [code for code in panel.codes if panel.indicator(code).is_target and np.isfinite(panel.array(code)).any()]


def horizon_periods(panel: Panel, year: int, origin: int) -> int:
    """Count the periods from an origin to the end of a year.

    Raises
    ------
    LoadlineError
        Where the year is over by then.
    """
    ahead = panel.calendar.last_of_year(year) - origin
    if ahead < 1:
        raise LoadlineError(
            f"the year {year} is over by {panel.calendar.format(origin)}",
            where="year",
            hint="Ask for a later year, or use an earlier --as-of.",
        )
    return ahead


def _behind(figures: np.ndarray, indicator: Indicator, *, row: int) -> int:
    """Count the periods by which the latest figures lag behind the origin, at most the publication lag."""
    for behind in range(indicator.publication_lag + 1):
        if 0 <= row - behind < len(figures) and np.isfinite(figures[row - behind]).any():
            return behind
    return 0


def levels_of(panel: Panel, code: str, *, year: int, origin: int) -> list[Level]:
    """Set up the problems of one indicator, leaves first, then upwards to the roots.

    Where figures are published late, the problem starts from the latest that were out, in every past year alike.

    Parameters
    ----------
    panel : Panel
        As it was known at `origin`; history is restated to the units that exist then.
    code : str
    year : int
        Fiscal year asked about, not over at `origin`.
    origin : int
        Ordinal of the last period that may be used.
    """
    ahead = horizon_periods(panel, year, origin)
    indicator = panel.indicator(code)
    parts = {part for part in (code, indicator.denominator) if part is not None and part in panel}
    basis = same_basis(panel.only(sorted(parts)), origin)
    figures = year_figures(basis, code)
    behind = _behind(figures.value, indicator, row=origin - panel.first)
    pairs = year_pairs(basis, figures, year=year, origin=origin - behind)
    averaged = indicator.kind in ("ratio", "level")
    pairs = total_pairs(pairs, panel.tree, ordinal=origin, averaged=averaged)
    cut = cut_years(basis, figures, code, year=year, origin=origin - behind)
    if cut is not None:
        cut = total_in_year(cut, panel.tree, ordinal=origin, averaged=averaged)
    tree, years_ahead = panel.tree, -(-(ahead + behind) // panel.calendar.per_year)
    leaf, depth, valid = tree.leaves(origin), tree.depths(origin), tree.valid(origin)
    names = [(LEAVES, leaf)]
    names += [(f"depth-{d}", valid & ~leaf & (depth == d)) for d in range(int(depth.max(initial=0)), -1, -1)]
    peers = tree.peer_groups()
    levels = []
    for name, members in names:
        if indicator.entity_only:
            members = members & (depth == 0)
        observed = pairs.base if cut is None else np.concatenate([pairs.base, cut.start])
        numbers = np.flatnonzero(members & np.isfinite(observed).any(axis=0))
        if not len(numbers):
            continue
        learned = name == LEAVES or len(numbers) >= FEWEST_UNITS or not levels
        ours = None if cut is None else cut.take(numbers)
        trailing = base = pairs.base[:, numbers]
        outcome = pairs.outcome[:, numbers]
        if ours is not None and ours.done:
            base, outcome = expected_rest(indicator, ours), ours.rest.value
        elif ours is not None:
            # A total that is added up grows from its parts' own figures.
            base = expected_year(indicator, ours, basis=figures.basis) if learned else base
            ours = None
        if not np.isfinite(base).any():  # an indicator of this year only: nothing to start from yet
            continue
        problem = TargetProblem(
            indicator,
            tree.codes[numbers],
            pairs.years,
            base,
            outcome,
            weight=pairs.base_weight[:, numbers] if averaged and figures.weighted else None,
            peers=peers[numbers] if name == LEAVES else None,
            horizon=years_ahead,
        )
        so_far = None if ours is None else _so_far(ours)
        levels.append(Level(indicator, name, problem, numbers, figures, learned, trailing, ours, so_far))
    return levels


def _so_far(cut: InYear) -> SoFar:
    """Say what is in of the year; a unit with a gap in it is judged by the other part of the year alone."""
    in_already, left = cut.so_far.value[-1], cut.weight_left
    whole = np.isfinite(in_already)
    known = np.where(whole, (1 - left) * np.nan_to_num(in_already), 0.0)
    text = f"{cut.done} of {cut.done + cut.left} periods are in"
    return SoFar(known, np.where(whole, left, 1.0), whole, text)
