"""The path through the year for every unit and every total: quantiles period by period, known at the origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.panel import Panel
from features.snapshot import Snapshot
from models.levels import target_codes
from models.path.draws import quantiles, year_draws
from models.path.learning import LearnedPath, PathSettings, learn_path
from models.path.problem import PathProblem, path_problem
from training.progress import Progress, silent

SEED = 20240101
"""Of the joint draws: the same question gets the same answer."""
MOST_HORIZON_YEARS = 5
"""A path further ahead than this is not learned from anything: no past origin has seen so far."""
SERIES_IN_ALL = 1_400
"""Single-series models run for one question, over all its indicators: some minutes on one core."""


def forecast_path(
    snapshot: Snapshot,
    *,
    horizon: int,
    origin: int,
    latest: bool,
    quantiles: Sequence[float],
    indicators: Sequence[str] | None = None,
    series: int = SERIES_IN_ALL,
    seed: int = SEED,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Forecast every unit and every rolled-up unit, period by period.

    Parameters
    ----------
    snapshot : Snapshot
    horizon : int
        Periods after the origin.
    origin : int
        Last period (ordinal) that may be used.
    latest : bool
        True to use everything known by now about the periods up to `origin`.
    quantiles : sequence of float
    indicators : sequence of str, optional
        Codes; by default all that may have targets.
    series : int
        Most series that single-series models are run for, shared out over indicators; 0 for the base learner alone,
        which takes seconds.
    seed : int
    progress : Progress

    Returns
    -------
    pd.DataFrame
        `unit`, `indicator`, `period` and a column `q<level>` for each quantile; units from the highest down. All
        quantiles of an indicator come from one set of joint draws in which every total is the sum (for ratios the
        average by forecast denominators) of what is below it. `attrs["notes"]` says what each indicator rests on and
        which units are missing, and why.

    Raises
    ------
    LoadlineError
        For a horizon or quantile that makes no sense, an unknown indicator, or where nothing has figures.
    """
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    levels = checked_quantiles(quantiles)
    _check_horizon(horizon, panel)
    codes = target_codes(panel) if indicators is None else [panel.indicators.find(name).code for name in indicators]
    frames: list[pd.DataFrame] = []
    notes: list[str] = []
    for number, code in enumerate(codes):
        progress("forecasting", number, len(codes))
        path = path_of(panel, code, origin=origin, horizon=horizon, series=series // len(codes), seed=seed)
        if path is None:
            notes.append(f"{code}: no unit that exists by then has a figure")
            continue
        frames.append(path.frame(levels))
        notes += path.notes()
    progress("forecasting", len(codes), len(codes))
    if not frames:
        raise LoadlineError(
            "no indicator has figures of units that exist by then",
            where=snapshot.about.dataset,
            hint="Use a later --as-of, name other indicators, or bring more history.",
        )
    frame = pd.concat(frames, ignore_index=True)
    frame.attrs["notes"] = tuple(notes)
    return frame


def checked_quantiles(quantiles: Sequence[float]) -> np.ndarray:
    """Check the levels of quantiles: between 0 and 1, in rising order.

    Raises
    ------
    LoadlineError
        Where there is none, or one that is no probability.
    """
    levels = np.array(sorted(set(quantiles)), dtype=float)
    if not len(levels) or not ((levels > 0) & (levels < 1)).all():
        raise LoadlineError(
            f"quantiles have to lie between 0 and 1, found {list(quantiles)}", hint="Write them like 0.05,0.5,0.95."
        )
    return levels


def _check_horizon(horizon: int, panel: Panel) -> None:
    most = MOST_HORIZON_YEARS * panel.calendar.per_year
    if not 1 <= horizon <= most:
        raise LoadlineError(
            f"a horizon of {horizon} periods cannot be forecast",
            where="--horizon",
            hint=f"Ask for 1 to {most} periods.",
        )


@dataclass(frozen=True, eq=False)
class IndicatorPath:
    """The paths of one indicator from one origin.

    Attributes
    ----------
    panel : Panel
    problem : PathProblem
    learned : LearnedPath
    origin, horizon : int
    """

    panel: Panel
    problem: PathProblem
    learned: LearnedPath
    origin: int
    horizon: int

    @property
    def units(self) -> np.ndarray:
        """Give the labels of the series: (N,)."""
        return self.panel.tree.codes.to_numpy()[self.problem.numbers]

    def draws(self) -> np.ndarray:
        """Give the joint draws (D, H, N) of all periods; for panels that fit into memory."""
        behind = self.problem.behind
        return np.stack([drawn for step, drawn in enumerate(self.learned.model.steps()) if step >= behind], axis=1)

    def frame(self, levels: np.ndarray) -> pd.DataFrame:
        """Write the quantiles, periods within units, units from the highest down."""
        behind, found = self.problem.behind, []
        for step, drawn in enumerate(self.learned.model.steps()):
            if step >= behind:
                found.append(quantiles(drawn, levels))
        table = np.stack(found)
        depths = self.problem.summing.depths
        units = self.units
        order = np.lexsort((units.astype(str), depths))
        order = order[np.isfinite(table[0, 0, order])]
        periods = [self.panel.calendar.format(self.origin + 1 + step) for step in range(len(table))]
        columns = {
            "unit": np.repeat(units[order], len(periods)),
            "indicator": self.problem.indicator.code,
            "period": np.tile(periods, len(order)),
        }
        columns |= {f"q{level:g}": table[:, place, order].T.ravel() for place, level in enumerate(levels)}
        return pd.DataFrame(columns)

    def notes(self) -> list[str]:
        """Say what the paths rest on and who is left out."""
        code, missing = self.problem.indicator.code, self.problem.missing
        notes = [f"{code}: {self.learned.evidence}"]
        if len(missing):
            first = ", ".join(self.panel.tree.codes[missing[:3]])
            more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
            notes.append(f"{code}: no figure at all, so no path, for {first}{more}")
        if self.problem.indicator.kind in ("ratio", "level") and self.problem.indicator.denominator is None:
            notes.append(f"{code}: units count alike in averages, as there is no denominator")
        return notes


def path_of(
    panel: Panel, code: str, *, origin: int, horizon: int, series: int = SERIES_IN_ALL, seed: int = SEED
) -> IndicatorPath | None:
    """Learn the paths of one indicator; None where no unit that exists at the origin has a figure.

    Parameters
    ----------
    panel : Panel
        As it was known at `origin`.
    code : str
    origin, horizon : int
    series : int
        Most series that single-series models are run for; 0 for none.
    seed : int
    """
    problem = path_problem(panel, code, origin=origin, horizon=horizon)
    if problem is None:
        return None
    learned = learn_path(problem, horizon + problem.behind, settings=PathSettings(seed=seed, series=series))
    return IndicatorPath(panel, problem, learned, origin, horizon)


def year_paths(path: IndicatorPath, year: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the year as the path implies it: what is in already and, joint for all units, draws of the rest.

    Parameters
    ----------
    path : IndicatorPath
        Its horizon has to reach the end of the year.
    year : int
        Fiscal year, not over at the origin.

    Returns
    -------
    units : np.ndarray
        (N,) labels.
    draws : np.ndarray
        (D, N): of a flow's sum over the year, of a stock's figure at its end, of the mean of a ratio or level over its
        periods. NaN where a period that is over has no figure.

    Raises
    ------
    LoadlineError
        Where the path does not reach the end of the year.
    """
    calendar, problem = path.panel.calendar, path.problem
    first, last = calendar.first_of_year(year), calendar.last_of_year(year)
    start = path.origin - problem.behind + 1
    reach = start + len(path.learned.model.ahead) - 1
    if last > reach or last < start:
        raise LoadlineError(
            f"the path does not reach the end of {year}",
            where="horizon",
            hint=f"Ask for at least {last - path.origin} periods from an origin within or before the year.",
        )
    if problem.indicator.kind == "stock":
        return path.units, year_draws(path.learned.model, steps=range(last - start, last - start + 1), averaged=False)
    steps = range(max(first - start, 0), last - start + 1)
    rest = year_draws(path.learned.model, steps=steps, averaged=False)
    done = start - first
    if done > 0:
        rows = problem.values[-done:]
        rest = rest + (rows.sum(axis=0) if len(rows) == done else np.nan)
    averaged = problem.indicator.kind in ("ratio", "level")
    return path.units, rest / calendar.per_year if averaged else rest
