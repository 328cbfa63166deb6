"""The rolling trial within a problem: every blend at past origins, from what was known then, against pooled growth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.judging.calibration import NEUTRAL, Calibration
from models.judging.group_record import GroupedOrigin, group_records, groups_at
from models.judging.metrics import SCORED_QUANTILES, covered, latent_loss, mean_known
from models.judging.origin_record import origin_record
from models.judging.origin_score import score_origin
from models.outcome.baselines import Learned
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.growth import Transform
from models.outcome.opinions import RECIPE, Asked, Opinion
from models.outcome.problem import TargetProblem
from models.outcome.recipe import FEWEST_YEARS, Recipe
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.stacking import FALLBACK, Choice, as_plain, choose, mixed, opinions, possible

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
    by_origin : tuple of dict
        The record of each, oldest first, of the chosen blend before its width was calibrated; see `origin_record`.
    by_group : tuple of dict
        The same of groups of units over all of them; see `group_records`.
    """

    choice: Choice
    coverage: float | None
    calibration: Calibration
    origins: int
    outcomes: int
    by_origin: tuple[dict[str, Any], ...] = ()
    by_group: tuple[dict[str, Any], ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """Give the record as plain data."""
        counts = {"origins": self.origins, "outcomes": self.outcomes, "coverage": self.coverage}
        return as_plain(self.choice) | counts | {"by_origin": list(self.by_origin), "by_group": list(self.by_group)}


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


def past_trial(
    problem: TargetProblem, *, seed: int, shared: Mapping[int, GlobalGrowth], settings: TargetSettings = DEFAULT
) -> Trial:
    """Hold the blends against pooled growth at past origins, and judge the one that is chosen.

    Parameters
    ----------
    problem : TargetProblem
    seed : int
    shared : Mapping
        Models over all indicators by the year asked about, each of what was known before that year.
    settings : TargetSettings
    """
    quantiles = np.array(SCORED_QUANTILES)
    losses: list[dict[str, float]] = []
    kept: list[tuple[dict[str, TargetDistribution], np.ndarray, int, dict[str, np.ndarray]]] = []
    for row in np.flatnonzero(problem.known.any(axis=1))[FEWEST_YEARS:][-TRIAL_ORIGINS:]:
        past = problem.at(int(row))
        learned = Learned.of(past)
        if learned.known_years < FEWEST_YEARS:
            continue
        recipe = Recipe.fit(learned, seed=seed, settings=settings)
        begin = start(past, learned.transform, learned.zero, deviation=learned.history.deviation)
        asked = Asked(past, begin, recipe, shared.get(past.asked))
        found = opinions(asked)
        some = evenly_spread(past.base[-1], TRIAL_UNITS)
        actual = problem.outcome[row][some]
        given = {
            blend.name: blended(asked, found, blend.shares, learned.transform, method="").take(some)
            for blend in possible(found)
        }
        loss = {name: mean_known(latent_loss(one, actual, one.transform, quantiles)) for name, one in given.items()}
        if np.all(np.isfinite(list(loss.values()))) and min(loss.values()) > 0:
            losses.append(loss)
            kept.append((given, actual, past.asked, groups_at(past, some)))
    choice = choose(losses)
    if not losses:
        return Trial(choice, None, NEUTRAL, 0, 0)
    held, scores, records, grouped = [], [], [], []
    for (given, actual, year, labels), loss in zip(kept, losses, strict=True):
        name = choice.blend.name if choice.blend.name in given else RECIPE
        own = given[name]
        records.append(origin_record(own, actual, year=year, loss_ratio=loss[name] / loss[FALLBACK.name]))
        each, base = (latent_loss(one, actual, one.transform, quantiles) for one in (own, given[FALLBACK.name]))
        held.append(covered(own, actual))
        grouped.append(GroupedOrigin(labels, each, base, held[-1]))
        scores.append(score_origin(own, actual, year=year))
    coverage = float(np.mean([mean_known(hits) for hits in held]))
    outcomes = sum(int(np.isfinite(hits).sum()) for hits in held)
    counts = len(losses), outcomes
    return Trial(choice, coverage, Calibration.fit(scores), *counts, tuple(records), tuple(group_records(grouped)))


def evenly_spread(base: np.ndarray, most: int) -> np.ndarray:
    """Choose at most so many units by the order of their figures (U,), whatever their labels and places."""
    if len(base) <= most:
        return np.arange(len(base))
    order = np.argsort(base, kind="stable")
    return np.sort(order[np.linspace(0, len(order) - 1, most).astype(int)])
