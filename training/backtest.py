"""The backtest of a data version: past years stand in for the future, every model and baseline beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from models.baselines import BASELINES
from models.evaluation import FEWEST_TRAINING_YEARS, rolling_backtest
from models.levels import LEAVES, Level, levels_of, target_codes
from models.problem import TargetProblem
from models.target import TargetModel
from training.progress import Progress, silent
from training.retrain import level_seed

LOADLINE = "loadline"
"""Name of the model that serves, in the metrics."""
REFERENCE = "pooled_growth"
"""What losses are measured against."""


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest.

    Attributes
    ----------
    metrics : pd.DataFrame
        One row a model, indicator, level and origin year: `n` outcomes, `loss` (pinball, on the scale of growth),
        `relative_loss`, `coverage` of the 80% band, `attained_floor`, `attained_target`, `attained_stretch`, `pit`.
    as_of : str
        Last period used.
    skipped : tuple of str
        Indicators and levels with too little history, and why.
    """

    metrics: pd.DataFrame
    as_of: str
    skipped: tuple[str, ...]

    def summary(self) -> pd.DataFrame:
        """Average over origins: one row an indicator, level and model, the loss as a ratio to pooled growth's.

        The ratio is the geometric mean over origins, so that a year and its opposite cancel.
        """
        if self.metrics.empty:
            return self.metrics
        losses = self.metrics.pivot_table(index=["indicator", "level", "year"], columns="model", values="loss")
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = losses.div(losses[REFERENCE], axis=0).map(np.log).replace([np.inf, -np.inf], np.nan)
        means = logs.groupby(level=["indicator", "level"]).mean().map(np.exp)
        ratio = means.reset_index().melt(["indicator", "level"], value_name="loss_ratio").dropna()
        shares = ["coverage", "attained_floor", "attained_target", "attained_stretch"]
        averages = self.metrics.groupby(["indicator", "level", "model"], sort=False)[shares].mean().reset_index()
        counts = self.metrics.groupby(["indicator", "level", "model"], sort=False).agg(
            origins=("year", "nunique"), outcomes=("n", "sum")
        )
        joined = ratio.merge(averages, on=["indicator", "level", "model"]).merge(
            counts.reset_index(), on=["indicator", "level", "model"]
        )
        return joined.sort_values(["indicator", "level", "loss_ratio"], kind="stable").reset_index(drop=True)


def run_backtest(snapshot: Snapshot, *, origin: int, origins: int, seed: int, progress: Progress = silent) -> Backtest:
    """Ask every model, at each of the last years, what the year after would bring, from what was known then.

    At each origin the panel is read again as it was known on that day, so a figure restated later counts as it stood.

    Parameters
    ----------
    snapshot : Snapshot
    origin : int
        Last period (ordinal) whose figures may be used to judge.
    origins : int
        Number of past years to replay.
    seed : int
    progress : Progress

    Raises
    ------
    LoadlineError
        Where no indicator has history enough for a single origin.
    """
    if origins < 1:
        raise LoadlineError("at least one origin is needed", where="--origins", hint="Use 3 or more.")
    now = snapshot.panel(origin)
    calendar = now.calendar
    last_year = int(calendar.year(origin + 1)) - 1
    years = range(last_year - origins + 1, last_year + 1)
    codes = target_codes(now)
    outcomes = {
        code: levels_of(now, code, year=last_year + 1, origin=calendar.last_of_year(last_year)) for code in codes
    }
    frames: list[pd.DataFrame] = []
    done = 0
    for year in years:
        start = calendar.last_of_year(year - 1)
        then = snapshot.panel(start) if start > now.first else None
        for code in codes:
            progress("backtest", done, len(codes) * origins)
            done += 1
            if then is not None and code in then:
                frames += _one_origin(levels_of(then, code, year=year, origin=start), outcomes[code], year, seed=seed)
    progress("backtest", done, len(codes) * origins)
    columns = ["model", "indicator", "level", "year", "n", "loss", "relative_loss", "coverage"]
    metrics = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    if metrics.empty:
        raise LoadlineError(
            f"no indicator has the {FEWEST_TRAINING_YEARS} years of growth before an origin that a backtest needs",
            where=snapshot.about.dataset,
            hint="Bring more history, or ask for fewer origins.",
        )
    tested = set(zip(metrics["indicator"], metrics["level"], strict=True))
    skipped = [
        f"{level.key}: fewer than {FEWEST_TRAINING_YEARS} years of growth before any origin, or too few units"
        for levels in outcomes.values()
        for level in levels
        if level.learned and (level.indicator.code, level.name) not in tested
    ]
    first = [name for name in columns if name in metrics]
    return Backtest(metrics[[*first, *(c for c in metrics if c not in first)]], calendar.format(origin), tuple(skipped))


def _one_origin(then: Sequence[Level], now: Sequence[Level], year: int, *, seed: int) -> list[pd.DataFrame]:
    """Judge every model on one indicator at one origin, level by level."""
    came = {level.name: level for level in now}
    frames = []
    for level in then:
        if not level.learned or level.name not in came:
            continue
        if level.problem.known.any(axis=1).sum() < FEWEST_TRAINING_YEARS:
            continue
        problem = _with_outcome(level, came[level.name], year)
        if not problem.known[-1].any():
            continue
        models = dict(BASELINES) | {LOADLINE: TargetModel.fit}
        metrics = rolling_backtest(problem, models, origins=[len(problem.years) - 1], seed=level_seed(level.key, seed))
        frames.append(metrics[metrics["n"] > 0].assign(level=level.name))
    return frames


def _with_outcome(then: Level, now: Level, year: int) -> TargetProblem:
    """Put what came of the year beside what was known at its origin.

    A total is judged by the growth of the leaves that it had at both times, so that leaves which went out of view are
    no loss.
    """
    problem = then.problem
    row = int(np.flatnonzero(now.problem.years == year)[0])
    place = now.problem.units.get_indexer(problem.units)
    came = now.problem.outcome[row]
    if then.name != LEAVES and then.indicator.kind in ("flow", "stock"):
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = came / now.problem.base[row]
        came = np.where(np.isfinite(growth), growth, np.nan)[np.maximum(place, 0)] * problem.base[-1]
    else:
        came = came[np.maximum(place, 0)]
    outcome = problem.outcome.copy()
    outcome[-1] = np.where(place >= 0, came, np.nan)
    return replace(problem, outcome=outcome)
