"""The target problems of a panel: one for each indicator and level of the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.basis import same_basis
from features.errors import LoadlineError
from features.indicators import Indicator
from features.panel import Panel
from features.years import YearFigures, total_pairs, year_figures, year_pairs
from models.problem import TargetProblem

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
        Of the level's units that have any figure.
    numbers : np.ndarray
        The units' positions in the tree.
    figures : YearFigures
        How the year's figure was taken, for display.
    learned : bool
        False where the level has too few units to learn from and there are units below to add up.
    """

    indicator: Indicator
    name: str
    problem: TargetProblem
    numbers: np.ndarray
    figures: YearFigures
    learned: bool

    @property
    def key(self) -> str:
        """Name the level's model within a bundle."""
        return f"{self.indicator.code}.{self.name}"


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
    tree, years_ahead = panel.tree, -(-(ahead + behind) // panel.calendar.per_year)
    leaf, depth, valid = tree.leaves(origin), tree.depths(origin), tree.valid(origin)
    names = [(LEAVES, leaf)]
    names += [(f"depth-{d}", valid & ~leaf & (depth == d)) for d in range(int(depth.max(initial=0)), -1, -1)]
    peers = tree.peer_groups()
    levels = []
    for name, members in names:
        if indicator.entity_only:
            members = members & (depth == 0)
        numbers = np.flatnonzero(members & np.isfinite(pairs.base).any(axis=0))
        if not len(numbers):
            continue
        weighted = averaged and figures.weighted
        problem = TargetProblem(
            indicator,
            tree.codes[numbers],
            pairs.years,
            pairs.base[:, numbers],
            pairs.outcome[:, numbers],
            weight=pairs.base_weight[:, numbers] if weighted else None,
            peers=peers[numbers] if name == LEAVES else None,
            horizon=years_ahead,
        )
        learned = name == LEAVES or len(numbers) >= FEWEST_UNITS or not levels
        levels.append(Level(indicator, name, problem, numbers, figures, learned))
    return levels
