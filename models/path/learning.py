"""Learning paths: the base learner and single-series models combined by what they said from past origins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.path.draws import PathModel
from models.path.learners import LEARNERS, forecast_each
from models.path.problem import PathProblem
from models.path.series import Forecasts

BASE = "pooled season"
"""Names the base learner."""
MOST_SERIES = 700
"""Series that single-series models are run for, at a few tenths of a second each; beyond it only the totals have them,
from the root downwards: there is where a series has a model of its own to show."""
DRAWN = 1_000
"""Joint draws where memory allows: the sampling error of a 5% quantile is then 0.7 points."""
FEWEST_DRAWN = 200
FIGURES_AT_ONCE = 8_000_000
"""Figures (draws x series) held at a time."""
MOST_RECORD = 30_000_000
"""Figures of past forecasts (origins x horizon x series) held; origins are thinned out for more."""
JUDGED_SERIES = 8
"""Series of each level on which the learners' record is taken: each costs as much again as the forecast itself."""
JUDGED_ORIGINS = 2
"""Past origins for that record, a year apart."""
TRUST = 0.5
"""The record's part in the weights; the rest is equal weights, which are hard to beat (Claeskens and others 2016)."""
NARROWEST = 0.85
"""Combining is not believed to take away more than this of the base learner's error."""


@dataclass(frozen=True)
class PathSettings:
    """What bounds the work.

    Attributes
    ----------
    seed : int
    series : int
        Most series that single-series models are run for; 0 for none.
    draws : int
        Most joint draws.
    """

    seed: int = 0
    series: int = MOST_SERIES
    draws: int = DRAWN


@dataclass(frozen=True)
class LearnedPath:
    """A path model and what it rests on, in a sentence."""

    model: PathModel
    evidence: str


def learn_path(problem: PathProblem, horizon: int, *, settings: PathSettings) -> LearnedPath:
    """Learn the paths of one indicator.

    Parameters
    ----------
    problem : PathProblem
    horizon : int
        Periods after the problem's last row.
    settings : PathSettings
    """
    count = len(problem.summing)
    length = len(problem.values)
    rough = min(8 * problem.per_year, length) * horizon * count
    record = problem.learn(horizon, stride=max(1, -(-rough // MOST_RECORD)))
    columns = _columns(problem, settings.series)
    working = problem.working
    said = forecast_each(working, horizon, per_year=problem.per_year, columns=columns, learners=LEARNERS)
    names = [name for name in said if np.isfinite(said[name]).any()]
    ahead, narrowing, base_share = record.ahead, np.ones(count), np.ones(count)
    evidence = f"{BASE} from {length} periods"
    if names:
        weights, narrowing = _weights(problem, record, columns, names, horizon)
        ahead = _mixed([record.ahead, *[said[name] for name in names]], weights)
        others = np.any([np.isfinite(said[name]).any(axis=0) for name in names], axis=0)
        base_share = np.where(others, weights[0], 1.0)
        evidence = f"{BASE} and {', '.join(names)} from {length} periods"
    if problem.scale.nonnegative and problem.scale.transform is None:
        ahead = np.maximum(ahead, 0.0)
    draws = int(np.clip(FIGURES_AT_ONCE // max(count, 1), min(FEWEST_DRAWN, settings.draws), settings.draws))
    model = PathModel(
        summing=problem.summing,
        scale=problem.scale,
        ahead=ahead,
        record=record,
        weight=problem.weight,
        narrowing=narrowing,
        base_share=base_share,
        per_year=problem.per_year,
        seed=settings.seed,
        draws=draws,
    )
    how = "own past errors" if model.own_record else "past errors of all units together"
    if not len(record.origins):
        how = "no past errors: a wide spread stands in"
    return LearnedPath(model, f"{evidence}; spread from {how}")


def _columns(problem: PathProblem, most: int) -> np.ndarray:
    """Choose the series for single-series models: all within the budget, else the totals from the root downwards."""
    summing = problem.summing
    if len(summing) <= most:
        return np.arange(len(summing))
    totals = np.flatnonzero(~summing.bottom)
    return totals[:most] if problem.weight is None else np.zeros(0, dtype=int)


def _mixed(forecasts: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Average forecasts (L x (H, N)) by weights (L, N), over those that have said anything."""
    every = np.stack(forecasts)
    used = np.isfinite(every) * weights[:, None, :]
    total = used.sum(axis=0)
    mean = (np.nan_to_num(every) * used).sum(axis=0)
    return np.divide(mean, total, out=np.full(mean.shape, np.nan), where=total > 0)


def _weights(
    problem: PathProblem, record: Forecasts, columns: np.ndarray, names: list[str], horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the learners (L, N) level by level, and tell how much less their mixture errs than the base (N,)."""
    count, depths = len(problem.summing), problem.summing.depths
    weights = np.full((len(names) + 1, count), 1 / (len(names) + 1))
    narrowing = np.ones(count)
    judged = [o for o in _judged_origins(record, problem) if o is not None]
    if not judged:
        return weights, narrowing
    working = problem.working
    for depth in np.unique(depths[columns]):
        members = columns[depths[columns] == depth]
        # Spread evenly over the sizes of the level: columns are in order of size.
        chosen = members[np.unique(np.linspace(0, len(members) - 1, JUDGED_SERIES).astype(int))]
        sums, base, mixture = np.zeros(len(names) + 1), 0.0, 0.0
        for place in judged:
            row = int(record.origins[place])
            cut = working[: row + 1][:, chosen]
            learners = {name: LEARNERS[name] for name in names}
            every = np.arange(len(chosen))
            said = forecast_each(cut, horizon, per_year=problem.per_year, columns=every, learners=learners)
            came = record.actual[place][:, chosen]
            size = _usual_size(cut) if problem.scale.multiplicative else 1.0
            options = [record.past[place][:, chosen], *[said[name] for name in names]]
            whole = np.isfinite(np.stack([*options, came])).all(axis=0)
            off = np.array([np.where(whole, np.abs(option - came) / size, 0.0).sum() for option in options])
            mean = np.where(whole, np.abs(np.mean(options, axis=0) - came) / size, 0.0).sum()
            sums, base, mixture = sums + off, base + off[0], mixture + mean
        if base <= 0 or (sums <= 0).any():
            continue
        own = sums**-2 / (sums**-2).sum()
        weights[:, depths == depth] = (TRUST * own + (1 - TRUST) / len(own))[:, None]
        narrowing[members] = np.clip(mixture / base, NARROWEST, 1.0)
    return weights, narrowing


def _usual_size(values: np.ndarray) -> np.ndarray:
    """Give the mean absolute figure of each series (N,); NaN for one that had none yet."""
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    return np.where(count > 0, np.abs(np.where(seen, values, 0.0)).sum(axis=0) / np.maximum(count, 1), np.nan)


def _judged_origins(record: Forecasts, problem: PathProblem) -> list[int | None]:
    """Choose the past origins, a horizon of which has come."""
    last = len(problem.values) - 1
    found: list[int | None] = []
    for back in range(1, JUDGED_ORIGINS + 1):
        near = np.flatnonzero(record.origins <= last - back * max(problem.per_year, record.past.shape[1]))
        found.append(int(near[-1]) if len(near) else None)
    return found
