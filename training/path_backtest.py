"""The backtest of paths: scaled CRPS level by level, beside a seasonal naive and AutoETS, bottom-up and reconciled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from features.panel import Panel
from models.path.problem import PathProblem, path_problem
from models.path.reconciliation import MOST_DENSE, Summing, keep_nonnegative, projection, shrunk_covariance
from training.forecast import SEED, path_of

DRAWN = 500
"""Draws of each baseline."""

LOADLINE, NAIVE, RECONCILED, BOTTOM_UP = "loadline", "seasonal naive", "AutoETS, MinTrace", "AutoETS, bottom-up"

Fitted = tuple[np.ndarray, np.ndarray]
"""Forecasts (H, N) and one-step errors (T, N), both on the values themselves."""


def scaled_crps(draws: np.ndarray, actual: np.ndarray, summing: Summing) -> np.ndarray:
    """Score joint draws (D, H, N) against what came (H, N), for each depth of the tree.

    The sum of the continuous ranked probability scores over series and periods, over the sum of the absolute figures.

    Notes
    -----
    Gneiting and Raftery (2007), equation 21, for the draws as they are.
    """
    ordered = np.sort(draws, axis=0)
    count = len(ordered)
    rank = (2 * np.arange(1, count + 1) - count - 1) / count**2
    score = np.abs(ordered - actual).mean(axis=0) - np.tensordot(rank, ordered, (0, 0))
    known = np.isfinite(score)
    out = []
    for depth in range(int(summing.depths.max(initial=0)) + 1):
        used = known & (summing.depths == depth)
        size = np.abs(actual[used]).sum()
        out.append(float(score[used].sum() / size) if size > 0 else np.nan)
    return np.array(out)


def path_backtest(
    panel: Panel,
    code: str,
    *,
    origins: Sequence[int],
    horizon: int,
    baselines: Sequence[str] = (NAIVE, RECONCILED, BOTTOM_UP),
    seed: int = SEED,
) -> pd.DataFrame:
    """Score the paths of an indicator that adds up, from past origins.

    Parameters
    ----------
    panel : Panel
        With what came after the origins; each forecast sees its rows up to the origin only.
    code : str
    origins : sequence of int
        Ordinals, each a horizon before the end of the panel at the latest.
    horizon : int
    baselines : sequence of str
        AutoETS takes tenths of a second for each series and origin.
    seed : int

    Returns
    -------
    pd.DataFrame
        `model`, `origin`, `depth` (0 for the roots), `scaled_crps`.
    """
    rows = []
    for origin in origins:
        path = path_of(panel.up_to(origin), code, origin=origin, horizon=horizon, seed=seed)
        later = path_problem(panel, code, origin=origin + horizon, horizon=1)
        if path is None or later is None:
            continue
        actual = _actual(path.problem, later, horizon)
        scores = {LOADLINE: scaled_crps(path.draws(), actual, path.problem.summing)}
        for name in baselines:
            draws = baseline_draws(path.problem, name, horizon=horizon, seed=seed)
            scores[name] = scaled_crps(draws, actual, path.problem.summing)
        rows += [
            (name, panel.calendar.format(origin), depth, value)
            for name, values in scores.items()
            for depth, value in enumerate(values)
        ]
    return pd.DataFrame(rows, columns=["model", "origin", "depth", "scaled_crps"])


def _actual(problem: PathProblem, later: PathProblem, horizon: int) -> np.ndarray:
    """Give what came (H, N), in the order of the problem's series; NaN for units that have gone."""
    place = {int(number): column for column, number in enumerate(later.numbers)}
    columns = np.array([place.get(int(number), -1) for number in problem.numbers])
    padded = np.concatenate([later.values, np.full((later.behind, len(later.numbers)), np.nan)])[-horizon:]
    return np.where(columns >= 0, padded[:, columns], np.nan)


def baseline_draws(problem: PathProblem, name: str, *, horizon: int, seed: int) -> np.ndarray:
    """Draw the paths of a named baseline: (D, H, N), for the periods after the origin.

    Forecasts are widened by blocks of past errors of all series on the same dates; where they are reconciled, by MinT
    with a shrunk covariance, each draw is (Panagiotelis and others 2023).
    """
    ahead, errors = BASELINES[name](problem, horizon + problem.behind)
    whole = errors[np.isfinite(errors).all(axis=1)]
    reach = len(ahead)
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, max(len(whole) - reach, 0) + 1, DRAWN)
    draws = ahead + np.stack([np.resize(whole[start : start + reach], ahead.shape) for start in starts])
    draws = draws[:, problem.behind :]
    summing = problem.summing
    if name == RECONCILED and len(summing) <= MOST_DENSE:
        project = projection(summing, shrunk_covariance(whole, independent=len(whole)))
        draws = (draws @ project.T) @ summing.matrix.T
    else:
        draws = summing.add_up(draws)
    return keep_nonnegative(summing, draws) if problem.scale.nonnegative else draws


def _naive(problem: PathProblem, horizon: int) -> Fitted:
    """Repeat the last year; errors are those of repeating a year before."""
    values = np.nan_to_num(problem.values)
    length = min(problem.per_year, len(values))
    ahead = values[len(values) - length + np.arange(horizon) % length]
    errors = np.full(values.shape, np.nan)
    errors[length:] = values[length:] - values[:-length]
    return ahead, errors


def _ets(problem: PathProblem, horizon: int) -> Fitted:
    """Fit AutoETS to each series; one that cannot be fitted repeats the last year."""
    from statsforecast.models import AutoETS

    ahead, errors = _naive(problem, horizon)
    values = np.nan_to_num(problem.values)
    for column in np.flatnonzero(np.ptp(values, axis=0) > 0):
        try:
            found = AutoETS(season_length=problem.per_year).forecast(values[:, column], h=horizon, fitted=True)
        except Exception:  # noqa: S112 - a library that raises plain Exception for series too short or too odd for it
            continue
        ahead[:, column], errors[:, column] = found["mean"], values[:, column] - found["fitted"]
    return ahead, errors


BASELINES: dict[str, Callable[[PathProblem, int], Fitted]] = {NAIVE: _naive, RECONCILED: _ets, BOTTOM_UP: _ets}
"""By name: forecasts and one-step errors."""
