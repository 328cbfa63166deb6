"""What the checks of a target model look at: the years that it learned from, the newest, and what it foretold of those
that came since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from features.basis import same_basis
from features.errors import LoadlineError
from features.panel import Panel
from features.snapshot import Snapshot
from features.units import UnitTree
from features.years import rows_at, year_figures
from models.levels import LEAVES, levels_of
from models.outcome.distribution import TargetDistribution
from models.outcome.problem import TargetProblem
from models.outcome.target import TargetModel
from training.monitoring.standing import StandingModel
from training.progress import Progress, silent

MOST_YEARS = 15
"""Years looked at: the usual differences of years are known by then, and older ones were another time."""
FEWEST_REGIONS = 4
"""Regions from which one can tell how far their units go together; below, units are taken one by one."""
RESTATED = 0.005
"""A figure that now stands more than half a percent elsewhere was restated: what was foretold from the old one is not
held against the new."""


@dataclass(frozen=True, eq=False)
class WatchedLevel:
    """The leaves of one indicator, year by year at the place in the year that is looked at.

    Attributes
    ----------
    problem : TargetProblem
        The figures of the year that ends at each row, as they are known now; the last row is the newest.
    learned : np.ndarray
        (T,) booleans: rows that the model learned from.
    model : TargetModel
    """

    problem: TargetProblem
    learned: np.ndarray
    model: TargetModel

    @property
    def code(self) -> str:
        """Give the indicator's code."""
        return self.problem.indicator.code

    @property
    def growth(self) -> np.ndarray:
        """Give the growth (T-1, U) from each row to the next, on the scale that the model learned on."""
        return np.diff(self.model.transform.latent(self.problem.base), axis=0)


@dataclass(frozen=True, eq=False)
class JudgedYear:
    """What was foretold of a year that is over, and what came of it.

    Attributes
    ----------
    code : str
        Of the indicator.
    year : int
    distribution : TargetDistribution
        As the model gave it before, or at its origin within, the year.
    actual : np.ndarray
        (U,) outcomes as known now; NaN where there is none that may be compared.
    groups : np.ndarray
        (U,) whole numbers: the unit right above each.
    years : int
        Years that the model had learned from.
    restated : int
        Units left out, since what was foretold started from figures that have changed.
    """

    code: str
    year: int
    distribution: TargetDistribution
    actual: np.ndarray
    groups: np.ndarray
    years: int
    restated: int


@dataclass(frozen=True, eq=False)
class TargetWatch:
    """Everything that the checks of a target model may use.

    Attributes
    ----------
    standing : StandingModel
    snapshot : Snapshot
    panel : Panel
        As known when it is looked at; nothing in it came later.
    origin : int
        Last period (ordinal).
    levels : tuple of WatchedLevel
    judged : tuple of JudgedYear
    kept : tuple of JudgedTargets
        Targets on record of years that are over; see `training.monitoring.promises`.
    """

    standing: StandingModel
    snapshot: Snapshot
    panel: Panel
    origin: int
    levels: tuple[WatchedLevel, ...]
    judged: tuple[JudgedYear, ...]
    kept: tuple[object, ...] = field(default=())

    @property
    def newer(self) -> bool:
        """Tell whether there are figures that the model has not learned from."""
        return self.origin > self.standing.as_of

    @property
    def period(self) -> str:
        """Give the last period as the calendar writes it."""
        return self.panel.calendar.format(self.origin)


def target_watch(
    snapshot: Snapshot, standing: StandingModel, *, origin: int, latest: bool, progress: Progress = silent
) -> TargetWatch:
    """Gather what the checks of a target model look at.

    Parameters
    ----------
    snapshot : Snapshot
    standing : StandingModel
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    progress : Progress
    """
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    codes = sorted({key.split(".")[0] for key in standing.models if key.split(".")[1] == LEAVES})
    codes = [code for code in codes if code in panel]
    levels: list[WatchedLevel] = []
    judged: list[JudgedYear] = []
    for number, code in enumerate(codes):
        progress("looking", number, len(codes))
        found = watched_level(panel, standing, code, origin=origin)
        if found is not None:
            levels.append(found)
        judged += judged_years(snapshot, panel, standing, code, origin=origin)
    progress("looking", len(codes), len(codes))
    return TargetWatch(standing, snapshot, panel, origin, tuple(levels), tuple(judged))


def watched_level(panel: Panel, standing: StandingModel, code: str, *, origin: int) -> WatchedLevel | None:
    """Lay an indicator's year figures out a year apart, up to the newest that are out; None where there are none."""
    model = next(iter(_models(standing, code)), None)
    if model is None:
        return None
    basis = same_basis(_only(panel, code), origin)
    figures = year_figures(basis, code)
    newest = _newest(figures.value, panel.indicator(code).publication_lag, row=origin - panel.first)
    if newest is None:
        return None
    ordinals = np.arange(panel.first + newest, panel.first - 1, -panel.calendar.per_year)[MOST_YEARS::-1]
    values = rows_at(basis, figures.value, ordinals, origin=origin)
    numbers = np.flatnonzero(panel.tree.leaves(origin) & np.isfinite(values).any(axis=0))
    if len(ordinals) < 2 or not len(numbers):
        return None
    averaged = panel.indicator(code).kind in ("ratio", "level") and figures.weighted
    weight = rows_at(basis, figures.weight, ordinals, origin=origin)[:, numbers] if averaged else None
    problem = TargetProblem.annual(
        panel.indicator(code),
        np.asarray(panel.calendar.year(ordinals)),
        values[:, numbers],
        units=panel.tree.codes[numbers],
        weight=weight,
        peers=panel.tree.peer_groups()[numbers],
    )
    return WatchedLevel(problem, ordinals <= standing.as_of, model)


def judged_years(
    snapshot: Snapshot, panel: Panel, standing: StandingModel, code: str, *, origin: int
) -> Iterator[JudgedYear]:
    """Ask the model, as it stands, about each year that has ended since it learned, from what was known then."""
    calendar = panel.calendar
    first = int(calendar.year(standing.as_of + 1))
    last = int(calendar.year(origin + 1)) - 1
    for year in range(first, last + 1):
        asked_at = calendar.last_of_year(year) - standing.horizon
        known_on = max(calendar.end(asked_at), standing.known_on if year == first else date.min)
        if asked_at < panel.first or known_on >= calendar.end(calendar.last_of_year(year)):
            continue
        then = snapshot.panel(asked_at, known_on=known_on, indicators=sorted(_parts(panel, code)))
        yield from _judged(then, panel, standing, code, year=year, asked_at=asked_at)


def outcomes_of(panel: Panel, code: str, *, year: int, asked_at: int, units) -> tuple[np.ndarray, np.ndarray]:
    """Give what a year came to (U,) as known now, and the figure (U,) that it started from as it stands now.

    Units that took over others, or were taken over, within the year have no outcome of their own.
    """
    calendar = panel.calendar
    end = calendar.last_of_year(year)
    figures = year_figures(_only(panel, code), code)
    late = panel.indicator(code).publication_lag
    ordinals = np.array([asked_at, end])
    base, outcome = rows_at(panel, figures.value, ordinals, origin=panel.last)
    if not np.isfinite(base).any() and late:  # the latest that were out then
        rows = rows_at(panel, figures.value, asked_at - np.arange(1, late + 1), origin=panel.last)
        base = next((row for row in rows if np.isfinite(row).any()), base)
    outcome = np.where(_changed_hands(panel.tree, asked_at, end), np.nan, outcome)
    place = panel.tree.codes.get_indexer(units)
    return outcome[place], base[place]


def kin(tree: UnitTree, numbers: np.ndarray, ordinal: int) -> np.ndarray:
    """Give the unit right above each of some units (n,), or the unit itself where hardly any are above."""
    parents = tree.parents(ordinal)[numbers]
    return parents if len(np.unique(parents)) >= FEWEST_REGIONS else np.asarray(numbers)


def _judged(
    then: Panel, panel: Panel, standing: StandingModel, code: str, *, year: int, asked_at: int
) -> Iterator[JudgedYear]:
    try:
        levels = levels_of(then, code, year=year, origin=asked_at)
    except LoadlineError:
        return
    for level in levels:
        if level.name != LEAVES or level.key not in standing.models:
            continue
        model = standing.models[level.key]()
        found = level.of_year(model.predict(level.problem))
        actual, base = outcomes_of(panel, code, year=year, asked_at=asked_at, units=level.problem.units)
        before = level.latest
        with np.errstate(invalid="ignore"):
            moved = np.abs(base - before) > RESTATED * np.maximum(np.abs(before), np.abs(base))
        moved &= np.isfinite(base) & np.isfinite(before)
        groups = kin(then.tree, level.numbers, asked_at)
        yield JudgedYear(
            code,
            year,
            found,
            np.where(moved, np.nan, actual),
            groups,
            model.years,
            int((moved & np.isfinite(actual)).sum()),
        )


def _models(standing: StandingModel, code: str) -> Iterator[TargetModel]:
    wanted = f"{code}.{LEAVES}"
    for key, build in standing.models.items():
        if key == wanted or key.startswith(f"{wanted}."):
            yield build()


def _newest(figures: np.ndarray, lag: int, *, row: int) -> int | None:
    """Find the last row with figures, at most the publication lag before the last."""
    for behind in range(lag + 1):
        if 0 <= row - behind < len(figures) and np.isfinite(figures[row - behind]).any():
            return row - behind
    return None


def _changed_hands(tree: UnitTree, first: int, last: int) -> np.ndarray:
    """Tell which units (U,) ended between two periods, or took over from one that did."""
    ends = tree.spells.groupby("unit")["last"].max()
    gone = [int(unit) for unit, end in ends.items() if first <= end < last]  # pyright: ignore[reportArgumentType]
    changed = np.zeros(len(tree), dtype=bool)
    for unit in gone:
        changed[[unit, *tree.successors.get(unit, ())]] = True
    return changed


def _parts(panel: Panel, code: str) -> set[str]:
    indicator = panel.indicator(code)
    return {part for part in (code, indicator.denominator) if part is not None and part in panel}


def _only(panel: Panel, code: str) -> Panel:
    return panel.only(sorted(_parts(panel, code)))


def with_targets(watch: TargetWatch, kept: tuple[object, ...]) -> TargetWatch:
    """Add the targets on record."""
    return replace(watch, kept=kept)
