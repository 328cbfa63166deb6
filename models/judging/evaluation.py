"""The rolling backtest of target models on one problem: at every origin only what was known then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.judging.metrics import (
    CHECKED_LEVELS,
    SCORED_QUANTILES,
    attained,
    covered,
    latent_loss,
    mean_known,
    pit,
    relative_loss,
    zero_brier,
)
from models.outcome.baselines import ModelFitter
from models.outcome.distribution import TargetDistribution, TargetLevels
from models.outcome.growth import Transform, choose_transform
from models.outcome.problem import TargetProblem

FEWEST_TRAINING_YEARS = 3
"""Origins with fewer years of growth to learn from are not asked by default."""


@dataclass(frozen=True, eq=False)
class UnitScores:
    """How one model did at one origin, unit by unit.

    Attributes
    ----------
    judged : np.ndarray
        (U,) bool: there was a distribution and an outcome.
    scores : mapping of str to np.ndarray
        (U,) each: `loss` (pinball, latent scale), `relative_loss` (over the size of the unit's last figure),
        `coverage` of the 80% band, `attained_*` by level, `pit`, `zero_brier`; NaN where not judged.
    """

    judged: np.ndarray
    scores: Mapping[str, np.ndarray]

    def mean(self, chosen: np.ndarray | None = None) -> dict[str, float]:
        """Average over the judged units, or the chosen ones (U,) of them; `n` alone where there is none."""
        judged = self.judged if chosen is None else self.judged & chosen
        if not judged.any():
            return {"n": 0}
        averages = {name: mean_known(values[judged]) for name, values in self.scores.items()}
        spread = self.scores["pit"][judged]
        averages["pit_spread"] = float(np.std(spread[np.isfinite(spread)])) if np.isfinite(spread).any() else np.nan
        return {"n": int(judged.sum())} | averages


@dataclass(frozen=True, eq=False)
class Answer:
    """What one model said of a year, and how it did."""

    found: TargetDistribution
    units: UnitScores


def backtest_origins(problem: TargetProblem, *, fewest: int = FEWEST_TRAINING_YEARS) -> list[int]:
    """List the rows that have outcomes and at least some earlier rows known at their origin."""
    rows = np.flatnonzero(problem.known.any(axis=1))
    return [int(row) for row in rows if problem.at(int(row)).known.any(axis=1).sum() >= fewest]


def answers_at(
    problem: TargetProblem,
    models: Mapping[str, ModelFitter],
    *,
    row: int,
    quantiles: Sequence[float] = SCORED_QUANTILES,
    levels: TargetLevels | None = None,
    seed: int = 0,
) -> dict[str, Answer]:
    """Fit every model on what was known at a row's origin, ask it for that year, and judge it by what came.

    Parameters
    ----------
    problem : TargetProblem
    models : mapping of str to ModelFitter
    row : int
        The row asked about, whose outcome is in the problem.
    quantiles : sequence of float
        Those of the pinball loss.
    levels : TargetLevels, optional
    seed : int
    """
    transform = choose_transform(problem.indicator, np.stack([problem.base, problem.outcome]))
    past = problem.at(row)
    # Judge on what was observed at the origin, so that all models answer for the same units.
    actual = np.where(np.isfinite(past.base[-1]), problem.outcome[row], np.nan)
    answers = {}
    for name, fit in models.items():
        found = fit(past, seed=seed).predict(past)
        scores = score_units(
            found, actual, transform=transform, quantiles=quantiles, levels=levels or TargetLevels(), size=past.base[-1]
        )
        answers[name] = Answer(found, scores)
    return answers


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
        size of the unit's last figure), `coverage, attained_floor, attained_target, attained_stretch, attained_p70,
        attained_p90, pit, zero_brier, pit_spread`, averages over units with an outcome.
    """
    rows = []
    for row in backtest_origins(problem) if origins is None else origins:
        answers = answers_at(problem, models, row=row, quantiles=quantiles, levels=levels, seed=seed)
        about = {"indicator": problem.indicator.code, "year": int(problem.years[row])}
        rows += [{"model": name} | about | answer.units.mean() for name, answer in answers.items()]
    return pd.DataFrame(rows)


def against(model: UnitScores, reference: UnitScores, chosen: np.ndarray | None = None) -> dict[str, float]:
    """Compare a model's losses with a reference's on the units that both answered for.

    Parameters
    ----------
    model, reference : UnitScores
        Of the same units at the same origin.
    chosen : np.ndarray, optional
        (U,) bool: compare on these units only.

    Returns
    -------
    dict
        `common` units, `loss_ratio` on the latent scale and `relative_loss_ratio` on the value's own; NaN where the
        reference lost nothing or nothing is common.
    """
    both = model.judged & reference.judged
    both = both if chosen is None else both & chosen
    out: dict[str, float] = {"common": int(both.sum())}
    for name in ("loss", "relative_loss"):
        mine, theirs = model.scores[name], reference.scores[name]
        seen = both & np.isfinite(mine) & np.isfinite(theirs)
        total = float(theirs[seen].sum())
        out[f"{name}_ratio"] = float(mine[seen].sum()) / total if total > 0 else float("nan")
    return out


def score_units(
    found: TargetDistribution,
    actual: np.ndarray,
    *,
    transform: Transform,
    quantiles: Sequence[float] = SCORED_QUANTILES,
    levels: TargetLevels,
    size: np.ndarray,
) -> UnitScores:
    """Score one distribution unit by unit.

    Parameters
    ----------
    found : TargetDistribution
    actual : np.ndarray
        (U,) outcomes; NaN where there is none.
    transform : Transform
        On whose latent scale losses are taken, the same for all models.
    quantiles : sequence of float
    levels : TargetLevels
    size : np.ndarray
        (U,) last figures, over which relative losses are taken.
    """
    q = np.array(quantiles)
    came = np.abs(actual[np.isfinite(actual)])
    typical = float(np.median(came)) if len(came) else 1.0  # of all units, so that it is the same for every model
    judged = found.known & np.isfinite(actual)
    actual = np.where(judged, actual, np.nan)
    scale = np.maximum(np.abs(size), 0.1 * (typical or 1.0))  # a tenth of the typical: units near zero would swamp
    hits = attained(found, actual, levels.as_dict() | CHECKED_LEVELS)
    return UnitScores(
        judged,
        {
            "loss": latent_loss(found, actual, transform, q),
            "relative_loss": relative_loss(found, actual, q, scale=scale),
            "coverage": covered(found, actual),
            **{f"attained_{name}": values for name, values in hits.items()},
            "pit": pit(found, actual),
            "zero_brier": zero_brier(found, actual),
        },
    )
