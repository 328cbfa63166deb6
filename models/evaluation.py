"""The rolling backtest of target models on one problem: at every origin only what was known then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from models.baselines import ModelFitter
from models.distribution import TargetDistribution, TargetLevels
from models.growth import Transform, choose_transform
from models.metrics import SCORED_QUANTILES, attained, covered, latent_loss, mean_known, pit, relative_loss, zero_brier
from models.problem import TargetProblem

FEWEST_TRAINING_YEARS = 3
"""Origins with fewer years of growth to learn from are not asked by default."""


def backtest_origins(problem: TargetProblem, *, fewest: int = FEWEST_TRAINING_YEARS) -> list[int]:
    """List the rows that have outcomes and at least some earlier rows known at their origin."""
    rows = np.flatnonzero(problem.known.any(axis=1))
    return [int(row) for row in rows if problem.at(int(row)).known.any(axis=1).sum() >= fewest]


def rolling_backtest(
    problem: TargetProblem,
    models: Mapping[str, ModelFitter],
    *,
    origins: Iterable[int] | None = None,
    quantiles: Sequence[float] = SCORED_QUANTILES,
    levels: TargetLevels | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit every model at every origin, ask it for the year after, and judge it by what came.

    Parameters
    ----------
    problem : TargetProblem
        All rows; at each origin it is cut to what was known.
    models : mapping of str to ModelFitter
        For instance `BASELINES | {"target": TargetModel.fit}`.
    origins : iterable of int, optional
        Rows to ask; all from the fourth year of growth on where not given.
    quantiles : sequence of float
        Those of the pinball loss.
    levels : TargetLevels, optional
    seed : int

    Returns
    -------
    pd.DataFrame
        One row for each model and year: `model, indicator, year, n, loss` (latent scale), `relative_loss` (over the
        size of the unit's last figure), `coverage, attained_floor, attained_target, attained_stretch, pit, pit_spread,
        zero_brier`, averages over units with an outcome.
    """
    transform = choose_transform(problem.indicator, np.stack([problem.base, problem.outcome]))
    levels = levels or TargetLevels()
    rows = []
    for row in backtest_origins(problem) if origins is None else origins:
        past = problem.at(row)
        # Judge on what was observed at the origin, so that all models answer for the same units.
        actual = np.where(np.isfinite(past.base[-1]), problem.outcome[row], np.nan)
        for name, fit in models.items():
            found = fit(past, seed=seed).predict(past)
            rows.append(
                {"model": name, "indicator": problem.indicator.code, "year": past.asked}
                | judge(found, actual, transform=transform, quantiles=quantiles, levels=levels, size=past.base[-1])
            )
    return pd.DataFrame(rows)


def judge(
    found: TargetDistribution,
    actual: np.ndarray,
    *,
    transform: Transform,
    quantiles: Sequence[float] = SCORED_QUANTILES,
    levels: TargetLevels,
    size: np.ndarray,
) -> dict[str, float]:
    """Average the metrics of one distribution over the units that have an outcome (U,)."""
    q = np.array(quantiles)
    judged = found.known & np.isfinite(actual)
    if not judged.any():
        return {"n": 0}
    typical = float(np.median(np.abs(actual[judged]))) or 1.0
    scale = np.maximum(np.abs(size), 0.1 * typical)  # a tenth of the typical size: units near zero would swamp the rest
    shares = pit(found, actual)
    return {
        "n": int(judged.sum()),
        "loss": mean_known(latent_loss(found, actual, transform, q)),
        "relative_loss": mean_known(relative_loss(found, actual, q, scale=scale)),
        "coverage": mean_known(covered(found, actual)),
        **{f"attained_{name}": mean_known(hits) for name, hits in attained(found, actual, levels).items()},
        "pit": mean_known(shares),
        "pit_spread": float(np.std(shares[np.isfinite(shares)])),
        "zero_brier": mean_known(zero_brier(found, actual)),
    }
