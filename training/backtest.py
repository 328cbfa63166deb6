"""The backtest of a data version: past years stand in for the future, every model and baseline beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from models.judging.evaluation import FEWEST_TRAINING_YEARS
from models.judging.fairness import fairness_table, unit_groups
from models.levels import LEAVES, Level, levels_of, target_codes
from models.outcome.problem import TargetProblem
from models.outcome.series_baselines import SeriesBudget
from models.policy.targets import DEFAULT_POLICY, TargetPolicy
from training.progress import Progress, silent
from training.question import LOADLINE, REFERENCE, Findings, Question, answer_all
from training.target_model import level_seed

ETS_FITS = 6_000
ARIMA_FITS = 240
"""Fits of AutoETS and AutoARIMA in a whole backtest, shared out evenly over indicators, levels and origins: at some
7 ms and 250 ms each, a minute for either."""

FEWEST_SAMPLED = 4
"""Units that each forecaster is fitted on at the least, or at all where there are fewer."""

FIRST_COLUMNS = ("model", "indicator", "level", "year", "n", "loss", "relative_loss", "coverage")
ATTAINED = ("attained_floor", "attained_target", "attained_stretch", "attained_p70", "attained_p90")
EVERY_INDICATOR = "all"
"""Stands for all indicators together in the fairness table."""


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest.

    Attributes
    ----------
    metrics : pd.DataFrame
        One row a model, indicator, level and origin year: `n` outcomes, `loss` (pinball, on the scale of growth),
        `relative_loss`, `coverage` of the 80% band, `attained_floor`, `attained_target`, `attained_stretch`,
        `attained_p70`, `attained_p90`, `pit`, `zero_brier`, `pit_spread`; and against pooled growth on the units that
        both answered for: `common` units, `loss_ratio`, `relative_loss_ratio`.
    as_of : str
        Last period used.
    skipped : tuple of str
        Indicators and levels with too little history, and why.
    by_group : pd.DataFrame
        The same metrics for peer groups and region types of five units or more: with `grouping` and `group`.
    fairness : pd.DataFrame
        As `models.judging.fairness.fairness_table` gives it, by model, indicator (also `all` together) and level.
    calibration : pd.DataFrame
        As `models.judging.reliability.reliability` gives it for the model that serves, by indicator, level and year.
    notes : tuple of str
        What a reader has to know, such as how many units a costly baseline was fitted on.
    """

    metrics: pd.DataFrame
    as_of: str
    skipped: tuple[str, ...]
    by_group: pd.DataFrame
    fairness: pd.DataFrame
    calibration: pd.DataFrame
    notes: tuple[str, ...]

    def summary(self) -> pd.DataFrame:
        """Average over origins: one row an indicator, level and model, the loss as a ratio to pooled growth's.

        The ratio is the geometric mean over origins, so that a year and its opposite cancel; each is taken on the
        units that both models answered for.
        """
        return summarised(self.metrics, ["indicator", "level", "model"])

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give every table under the name of its file."""
        return {
            "metrics.csv": self.metrics,
            "summary.csv": self.summary(),
            "by_group.csv": self.by_group,
            "fairness.csv": self.fairness,
            "calibration.csv": self.calibration,
        }


def summarised(metrics: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Average rows of `Backtest.metrics` or `by_group`: loss ratios geometrically, shares plainly.

    Parameters
    ----------
    metrics : pd.DataFrame
    by : list of str
        Columns to keep apart, `model` the last.
    """
    if metrics.empty:
        return metrics
    ratios = metrics[[*by]].copy()
    for name in ("loss_ratio", "relative_loss_ratio"):
        ratio = metrics[name].to_numpy(dtype=float)
        ratios[name] = np.log(np.where(ratio > 0, ratio, np.nan))
    means = ratios.groupby(by, sort=False).mean().map(np.exp)
    rows = metrics.groupby(by, sort=False)
    shares = rows[["coverage", *ATTAINED]].mean()
    counts = rows.agg(origins=("year", "nunique"), outcomes=("n", "sum"))
    joined = means[["loss_ratio"]].join(shares[["coverage", *ATTAINED[:3]]]).join(counts)
    joined = joined.join(shares[[*ATTAINED[3:]]]).join(means[["relative_loss_ratio"]])
    joined = joined[joined["loss_ratio"].notna()].reset_index()
    return joined.sort_values([*by[:-1], "loss_ratio"], kind="stable").reset_index(drop=True)


def run_backtest(
    snapshot: Snapshot,
    *,
    origin: int,
    origins: int,
    seed: int,
    progress: Progress = silent,
    policy: TargetPolicy = DEFAULT_POLICY,
    workers: int = 1,
) -> Backtest:
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
    policy : TargetPolicy
        Whose levels are judged.
    workers : int
        Processes; with one, everything happens in this one. More than one needs a program whose main module can be
        imported again.

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
    outcomes = {
        code: levels_of(now, code, year=last_year + 1, origin=calendar.last_of_year(last_year))
        for code in target_codes(now)
    }
    learned = sum(level.learned for levels in outcomes.values() for level in levels)
    budget = _shared_out(max(1, learned * origins))
    steps = len(outcomes) * origins

    def questions() -> Iterator[Question]:
        done = 0
        for year in years:
            start = calendar.last_of_year(year - 1)
            then = snapshot.panel(start) if start > now.first else None
            for code, came in outcomes.items():
                progress("backtest", done, steps)
                done += 1
                if then is None or code not in then:
                    continue
                for level in levels_of(then, code, year=year, origin=start):
                    problem = _question(level, came, year)
                    if problem is not None:
                        groups, own_seed = unit_groups(level, then.tree), level_seed(level.key, seed)
                        yield Question(problem, level.name, groups, policy.levels, budget, own_seed)

    found = Findings.joined(answer_all(questions(), workers=workers))
    progress("backtest", steps, steps)
    if found.metrics.empty:
        raise LoadlineError(
            f"no indicator has the {FEWEST_TRAINING_YEARS} years of growth before an origin that a backtest needs",
            where=snapshot.about.dataset,
            hint="Bring more history, or ask for fewer origins.",
        )
    tested = set(zip(found.metrics["indicator"], found.metrics["level"], strict=True))
    skipped = [
        f"{level.key}: fewer than {FEWEST_TRAINING_YEARS} years of growth before any origin, or too few units"
        for levels in outcomes.values()
        for level in levels
        if level.learned and (level.indicator.code, level.name) not in tested
    ]
    rest = [name for name in found.metrics if name not in FIRST_COLUMNS]
    return Backtest(
        metrics=found.metrics[[*FIRST_COLUMNS, *rest]],
        as_of=calendar.format(origin),
        skipped=tuple(skipped),
        by_group=found.by_group,
        fairness=_fairness(found.fairness, seed=seed),
        calibration=found.calibration,
        notes=_notes(found.metrics),
    )


def _shared_out(problems: int) -> SeriesBudget:
    """Share the fits out over the problems."""
    return SeriesBudget(max(FEWEST_SAMPLED, ETS_FITS // problems), max(FEWEST_SAMPLED, ARIMA_FITS // problems))


def _fairness(counts: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Give the fairness of each indicator and, of the leaves, of all together."""
    by = ["model", "indicator", "level"]
    single = fairness_table(counts, by=by, seed=seed)
    leaves = counts[counts["level"] == LEAVES].assign(indicator=EVERY_INDICATOR)
    return pd.concat([fairness_table(leaves, by=by, seed=seed), single], ignore_index=True)


def _notes(metrics: pd.DataFrame) -> tuple[str, ...]:
    """Say which models answered for fewer units than pooled growth, and for how many."""
    every = int(metrics.loc[metrics["model"] == REFERENCE, "n"].sum())
    notes = []
    for model, count in metrics.groupby("model", sort=True)["common"].sum().items():
        if model not in (LOADLINE, REFERENCE) and int(count) < every:
            share = int(count) / every
            notes.append(
                f"{model} answered for {int(count):,} of {every:,} outcomes ({share:.1%}): a fixed sample of the units "
                "where each costs too much time, or an indicator that it is not made for. Its ratio compares it with "
                "pooled growth on those alone."
            )
    return tuple(notes)


def _question(level: Level, now: list[Level], year: int) -> TargetProblem | None:
    """Give what is asked of a level at one origin, with its outcome; None where it cannot be."""
    came = next((other for other in now if other.name == level.name), None)
    if not level.learned or came is None:
        return None
    if level.problem.known.any(axis=1).sum() < FEWEST_TRAINING_YEARS:
        return None
    problem = _with_outcome(level, came, year)
    return problem if problem.known[-1].any() else None


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
            growth = came / now.trailing[row]
        came = np.where(np.isfinite(growth), growth, np.nan)[np.maximum(place, 0)] * then.latest
    else:
        came = came[np.maximum(place, 0)]
    outcome = problem.outcome.copy()
    outcome[-1] = np.where(place >= 0, came, np.nan)
    return replace(problem, outcome=outcome)
