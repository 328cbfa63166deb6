"""The rolling trial within a problem: every blend at past origins, from what was known then, against pooled growth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.judging.calibration import NEUTRAL, Calibration
from models.judging.metrics import SCORED_QUANTILES, covered, latent_loss, mean_known
from models.judging.origin_score import score_origin
from models.outcome.baselines import Learned
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.growth import Transform
from models.outcome.opinions import RECIPE, Asked, Opinion
from models.outcome.problem import TargetProblem
from models.outcome.recipe import FEWEST_YEARS, Recipe
from models.outcome.stacking import Choice, as_plain, choose, mixed, opinions, possible

TRIAL_ORIGINS = 6
"""Past origins over which the blends are tested; older ones say less and cost as much."""

TRIAL_UNITS = 4000
"""With more units than this, blends are told apart on that many, spread evenly over the order of their last figures:
the sampling error of a loss is then under one percent of it."""


@dataclass(frozen=True)
class Trial:
    """What the past origins showed.

    Attributes
    ----------
    choice : Choice
    coverage : float or None
        Of the chosen blend's 80% band.
    calibration : Calibration
        Factors on its width.
    origins, outcomes : int
        Tested.
    """

    choice: Choice
    coverage: float | None
    calibration: Calibration
    origins: int
    outcomes: int

    def as_plain(self) -> dict[str, Any]:
        """Give the record as plain data."""
        counts = {"origins": self.origins, "outcomes": self.outcomes, "coverage": self.coverage}
        return as_plain(self.choice) | counts


def blended(
    asked: Asked, found: Mapping[str, Opinion], shares: Mapping[str, float], transform: Transform, *, method: str
) -> TargetDistribution:
    """Blend opinions to a distribution; newcomers are shifted and widened as earlier ones were."""
    opinion = mixed(found, shares)
    shift, factor = asked.newcomers
    return asked.begin.distribution(
        asked.problem,
        transform,
        growth=opinion.growth + shift,
        shock=opinion.shock,
        residual=opinion.residual,
        scale=opinion.scale * factor,
        method=method,
    )


def past_trial(problem: TargetProblem, *, seed: int, shared: Mapping[int, GlobalGrowth]) -> Trial:
    """Hold the blends against pooled growth at past origins, and judge the one that is chosen.

    Parameters
    ----------
    problem : TargetProblem
    seed : int
    shared : Mapping
        Models over all indicators by the year asked about, each of what was known before that year.
    """
    quantiles = np.array(SCORED_QUANTILES)
    losses: list[dict[str, float]] = []
    kept: list[tuple[dict[str, TargetDistribution], np.ndarray, int]] = []
    for row in np.flatnonzero(problem.known.any(axis=1))[FEWEST_YEARS:][-TRIAL_ORIGINS:]:
        past = problem.at(int(row))
        learned = Learned.of(past)
        if learned.known_years < FEWEST_YEARS:
            continue
        recipe = Recipe.fit(learned, seed=seed)
        begin = start(past, learned.transform, learned.zero, deviation=learned.history.deviation)
        asked = Asked(past, begin, recipe, shared.get(past.asked))
        found = opinions(asked)
        some = _sample(past.base[-1])
        actual = problem.outcome[row][some]
        given = {
            blend.name: blended(asked, found, blend.shares, learned.transform, method="").take(some)
            for blend in possible(found)
        }
        loss = {name: mean_known(latent_loss(one, actual, one.transform, quantiles)) for name, one in given.items()}
        if np.all(np.isfinite(list(loss.values()))) and min(loss.values()) > 0:
            losses.append(loss)
            kept.append((given, actual, past.asked))
    choice = choose(losses)
    if not losses:
        return Trial(choice, None, NEUTRAL, 0, 0)
    held, scores = [], []
    for given, actual, year in kept:
        own = given.get(choice.blend.name, given[RECIPE])
        held.append(covered(own, actual))
        scores.append(score_origin(own, actual, year=year))
    coverage = float(np.mean([mean_known(hits) for hits in held]))
    outcomes = sum(int(np.isfinite(hits).sum()) for hits in held)
    return Trial(choice, coverage, Calibration.fit(scores), len(losses), outcomes)


def _sample(base: np.ndarray) -> np.ndarray:
    """Choose at most `TRIAL_UNITS` units by the order of their figures, whatever their labels and places."""
    if len(base) <= TRIAL_UNITS:
        return np.arange(len(base))
    order = np.argsort(base, kind="stable")
    return np.sort(order[np.linspace(0, len(order) - 1, TRIAL_UNITS).astype(int)])
