"""What a procedure of the target model would have answered at past origins, each time from what was known then.

A procedure is a choice of blend and a set of settings. At every origin the blend and the factors on its width are
chosen again from the origins before it, as training then would have done, so neither knows how the year came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.judging.calibration import Calibration
from models.judging.metrics import SCORED_QUANTILES, latent_loss, mean_known
from models.judging.origin_score import score_origin
from models.outcome.baselines import Learned
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.growth import Transform, choose_transform
from models.outcome.opinions import RECIPE, Asked
from models.outcome.problem import TargetProblem
from models.outcome.recipe import FEWEST_YEARS, Recipe
from models.outcome.settings import TargetSettings
from models.outcome.stacking import FALLBACK, choose, opinions, possible
from models.outcome.trial import TRIAL_ORIGINS, TRIAL_UNITS, blended, evenly_spread

JUDGED_ORIGINS = 6
"""Past origins at which procedures are compared; older ones say less and cost as much."""
REPLAYED_ORIGINS = JUDGED_ORIGINS + TRIAL_ORIGINS
"""Origins that are fitted: those judged, and as many before as a choice of blend looks at."""


@dataclass(frozen=True, eq=False)
class _Origin:
    """Every blend's answer at one origin, with what came of it."""

    given: Mapping[str, TargetDistribution]
    actual: np.ndarray
    losses: Mapping[str, float]
    year: int

    def of(self, blend: str) -> TargetDistribution:
        """Give a blend's answer; the recipe's where the blend could not be had."""
        return self.given.get(blend, self.given[RECIPE])


def judging_scale(problem: TargetProblem) -> Transform:
    """Give the scale on which every model of a problem is judged."""
    return choose_transform(problem.indicator, np.stack([problem.base, problem.outcome]))


def judged_units(problem: TargetProblem) -> np.ndarray:
    """Choose the units that are judged: all, or `TRIAL_UNITS` spread evenly over the order of their last figures."""
    return evenly_spread(problem.base[-1], TRIAL_UNITS)


def losses_of(found: TargetDistribution, actual: np.ndarray, scale: Transform) -> np.ndarray:
    """Give the pinball loss (U,) on the latent scale."""
    return latent_loss(found, actual, scale, np.array(SCORED_QUANTILES))


def replay(
    problem: TargetProblem, *, seed: int, shared: Mapping[int, GlobalGrowth], settings: TargetSettings
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Answer the last years that have outcomes.

    Parameters
    ----------
    problem : TargetProblem
    seed : int
    shared : Mapping
        Models over all indicators with the same settings, by the year asked, `REPLAYED_ORIGINS` back.
    settings : TargetSettings

    Returns
    -------
    dict
        By year: losses (n,) of the procedure and of pooled growth, of the n `judged_units`. Years before which there
        was no other to choose a blend by are left out.
    """
    some, scale = judged_units(problem), judging_scale(problem)
    rows = np.flatnonzero(problem.known.any(axis=1))[FEWEST_YEARS:][-REPLAYED_ORIGINS:]
    found = [
        one
        for row in rows
        if (one := _origin(problem, int(row), some, seed=seed, shared=shared, settings=settings)) is not None
    ]
    out = {}
    for one in found[-JUDGED_ORIGINS:]:
        tried = [old for old in found if old.year <= one.year - problem.horizon][-TRIAL_ORIGINS:]
        if not tried:
            continue
        blend = choose([old.losses for old in tried]).blend.name
        width = Calibration.fit([score_origin(old.of(blend), old.actual, year=old.year) for old in tried])
        mine = losses_of(one.of(blend).recalibrated(width), one.actual, scale)
        out[one.year] = mine, losses_of(one.of(FALLBACK.name), one.actual, scale)
    return out


def _origin(
    problem: TargetProblem,
    row: int,
    some: np.ndarray,
    *,
    seed: int,
    shared: Mapping[int, GlobalGrowth],
    settings: TargetSettings,
) -> _Origin | None:
    """Fit at one origin and ask every blend; None where there was too little to learn from or to judge by."""
    past = problem.at(row)
    learned = Learned.of(past)
    if learned.known_years < FEWEST_YEARS:
        return None
    recipe = Recipe.fit(learned, seed=seed, settings=settings)
    begin = start(past, learned.transform, learned.zero, deviation=learned.history.deviation)
    asked = Asked(past, begin, recipe, shared.get(past.asked))
    found = opinions(asked)
    given = {
        blend.name: blended(asked, found, blend.shares, learned.transform, method="").take(some)
        for blend in possible(found)
    }
    # Judged on what was observed at the origin, so that all answer for the same units.
    actual = np.where(np.isfinite(past.base[-1]), problem.outcome[row], np.nan)[some]
    losses = {name: mean_known(losses_of(one, actual, one.transform)) for name, one in given.items()}
    if not np.all(np.isfinite(list(losses.values()))) or min(losses.values()) <= 0:
        return None
    return _Origin(given, actual, losses, past.asked)
