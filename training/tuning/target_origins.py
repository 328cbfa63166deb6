"""Levels at past origins as the trials of settings see them: all that does not depend on the settings, made once.

Of large data a sample is seen, so that a trial costs about a second; see the constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.judging.metrics import SCORED_QUANTILES, latent_loss, mean_known
from models.levels import Level
from models.outcome.baselines import Learned
from models.outcome.entry import Start, start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.opinions import GLOBAL, POOLED, RECIPE, Asked
from models.outcome.problem import TargetProblem
from models.outcome.recipe import FEWEST_YEARS, Recipe
from models.outcome.relative import RelativeGrowth, matrix
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.stacking import BLENDS, Blend, opinions
from models.outcome.trial import blended, evenly_spread

MOST_INDICATORS = 6
"""Of a level of the tree: evenly spread over the codes. Settings are the same for all, and six show what they do."""
MOST_ROWS = 2_000
"""Known growths of a level, its units evenly spread over the order of their last figures: four times what trees start
from. Less is learned from fewer rows, so that settings found on a sample err on the side of caution."""
MOST_ORIGINS = 7
"""Past origins, the newest; older ones say less."""
BASELINE, *JUDGED = (
    next(blend for blend in BLENDS if set(blend.shares) == learners)
    for learners in ({POOLED}, {RECIPE}, {RECIPE, GLOBAL})
)
"""Pooled growth, and the blends on which settings are judged: those made of nothing but what they change."""


@dataclass(frozen=True, eq=False)
class Origin:
    """One level at one past origin.

    Attributes
    ----------
    level : str
        Its name in the tree.
    past : TargetProblem
        As seen from the origin.
    outcome : np.ndarray
        (U,) what came of it.
    seed : int
    """

    level: str
    past: TargetProblem
    outcome: np.ndarray
    seed: int

    @cached_property
    def learned(self) -> Learned:
        """Read what could be learned from then."""
        return Learned.of(self.past)

    @cached_property
    def usual(self) -> Recipe:
        """Fit the recipe with the usual settings: its shock and its spread are what trials keep."""
        return Recipe.fit(self.learned, seed=self.seed)

    @cached_property
    def begin(self) -> Start:
        """Find where each unit started."""
        learned = self.learned
        return start(self.past, learned.transform, learned.zero, deviation=learned.history.deviation)

    def tried(self, settings: TargetSettings) -> Recipe:
        """Fit relative growth anew, around the usual shock and spread: a ninth of the work of the whole recipe."""
        learned = self.learned
        seen = np.isfinite(learned.relative)
        growth = RelativeGrowth.fit(
            matrix(learned.history)[seen],
            learned.relative[seen],
            deviation=learned.history.deviation,
            seed=self.seed,
            settings=settings,
        )
        return replace(self.usual, relative=growth)

    def fitted(self, settings: TargetSettings) -> Recipe:
        """Fit the whole recipe."""
        if settings == DEFAULT:
            return self.usual
        return Recipe.fit(self.learned, seed=self.seed, settings=settings)

    def losses(self, recipe: Recipe, shared: GlobalGrowth | None) -> np.ndarray:
        """Give each unit's loss (U,), averaged over the blends judged; NaN where it is not known."""
        blends = JUDGED if shared is not None else JUDGED[:1]
        return self._loss(Asked(self.past, self.begin, recipe, shared), blends)

    @cached_property
    def pooled_loss(self) -> float:
        """Give the mean loss of pooled growth."""
        return mean_known(self._loss(Asked(self.past, self.begin, self.usual, None), [BASELINE]))

    @property
    def counts(self) -> bool:
        """Tell whether there is something to judge by."""
        if self.learned.known_years < FEWEST_YEARS:
            return False
        return bool(np.isfinite(self.pooled_loss) and self.pooled_loss > 0)

    def _loss(self, asked: Asked, blends: Sequence[Blend]) -> np.ndarray:
        found = opinions(asked, of=blends)
        quantiles, transform = np.array(SCORED_QUANTILES), self.learned.transform
        given = [blended(asked, found, blend.shares, transform, method="") for blend in blends]
        return np.mean([latent_loss(one, self.outcome, transform, quantiles) for one in given], axis=0)


def sampled(levels: Sequence[Level]) -> list[tuple[str, TargetProblem]]:
    """Choose indicators of each level of the tree, and units of each; give the levels' names and their problems."""
    by_name: dict[str, list[TargetProblem]] = {}
    for level in sorted(levels, key=lambda one: one.key):
        by_name.setdefault(level.name, []).append(level.problem)
    found = []
    for name, problems in sorted(by_name.items()):
        places = np.unique(np.linspace(0, len(problems) - 1, min(len(problems), MOST_INDICATORS)).astype(int))
        for place in places:
            problem = problems[place]
            years = max(1, int(problem.known.any(axis=1).sum()))
            found.append((name, problem.take(evenly_spread(problem.base[-1], MOST_ROWS // years))))
    return found


def origins_of(problems: Sequence[tuple[str, TargetProblem]], *, seed: int) -> dict[int, list[Origin]]:
    """Set up the past origins by the year asked about, the newest `MOST_ORIGINS` of them."""
    found: dict[int, list[Origin]] = {}
    for name, problem in problems:
        for row in np.flatnonzero(problem.known.any(axis=1))[FEWEST_YEARS:]:
            one = Origin(name, problem.at(int(row)), problem.outcome[row], seed)
            found.setdefault(one.past.asked, []).append(one)
    kept: dict[int, list[Origin]] = {}
    for year in sorted(found, reverse=True):
        counted = [one for one in found[year] if one.counts]
        if counted and len(kept) < MOST_ORIGINS:
            kept[year] = counted
    return dict(sorted(kept.items()))
