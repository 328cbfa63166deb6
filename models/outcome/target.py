"""What a unit can achieve: base learners, held against pooled growth at past origins and blended as far as they earn.

Growth on the latent scale is split into a common part, shared by all units in a year, and each unit's relative part.
`models.outcome.opinions` lists the learners, `models.outcome.stacking` the blends that are tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.errors import LoadlineError
from models.judging.calibration import Calibration
from models.outcome.baselines import Learned
from models.outcome.distribution import TargetDistribution
from models.outcome.entry import ZeroEvent, start
from models.outcome.global_growth import GlobalGrowth
from models.outcome.growth import Transform
from models.outcome.opinions import GLOBAL, POOLED, Asked
from models.outcome.problem import TargetProblem
from models.outcome.recipe import Recipe
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.stacking import BLENDS, Blend, described, opinions
from models.outcome.trial import blended, past_trial

FORMAT = 2
"""Version of the parts."""


@dataclass(frozen=True)
class TargetModel:
    """A fitted target model.

    Attributes
    ----------
    transform : Transform
    zero : ZeroEvent or None
    recipe : Recipe
    shared : GlobalGrowth or None
        The model over all indicators, where the blend has a share of it.
    blend : Blend
        Base learners and their shares.
    calibration : Calibration
        Factors on the width that past origins ask for.
    years : int
        Years of growth learned from.
    test : dict
        The record at past origins: `blend` chosen, `ratios` of its and the others' loss to that of pooled growth,
        `expected` ratio of the chosen one, `coverage` of the 80% band, and the `origins` and `outcomes` tested.
    settings : TargetSettings
        What it was fitted with.
    """

    transform: Transform
    zero: ZeroEvent | None
    recipe: Recipe
    shared: GlobalGrowth | None
    blend: Blend
    calibration: Calibration
    years: int
    test: dict[str, Any]
    settings: TargetSettings = DEFAULT

    @classmethod
    def fit(
        cls,
        problem: TargetProblem,
        *,
        seed: int,
        shared: Mapping[int, GlobalGrowth] | None = None,
        settings: TargetSettings = DEFAULT,
    ) -> TargetModel:
        """Learn from every row whose outcome is known, and choose the blend by a rolling backtest within them.

        Parameters
        ----------
        problem : TargetProblem
        seed : int
        shared : Mapping, optional
            Of `models.outcome.global_growth.rolling_growth` over the indicators of the same level, by the year asked,
            with the same settings.
        settings : TargetSettings
        """
        learned = Learned.of(problem)
        recipe = Recipe.fit(learned, seed=seed, settings=settings)
        trial = past_trial(problem, seed=seed, shared=shared or {}, settings=settings)
        used = shared.get(problem.asked) if shared and GLOBAL in trial.choice.blend.shares else None
        return cls(
            learned.transform,
            learned.zero,
            recipe,
            used,
            trial.choice.blend,
            trial.calibration,
            int(learned.known_years),
            trial.as_plain(),
            settings,
        )

    def predict(self, problem: TargetProblem) -> TargetDistribution:
        """Give the distribution for the last year of a problem, whose units need not be those learned from."""
        begin = start(problem, self.transform, self.zero, deviation=self.recipe.relative.deviation)
        asked = Asked(problem, begin, self.recipe, self.shared)
        found = blended(asked, opinions(asked, of=(self.blend,)), self.blend.shares, self.transform, method=self.method)
        return found.recalibrated(self.calibration)

    @property
    def weight(self) -> float:
        """Give the share of all that is not pooled growth."""
        return 1.0 - self.blend.shares.get(POOLED, 0.0)

    @property
    def method(self) -> str:
        """Say in a few words what is used and why."""
        years = f"{self.years} year{'s' if self.years != 1 else ''}"
        if self.weight > 0:
            return f"{described(self.blend.shares)}; {years}"
        why = "nothing beat it" if self.test["origins"] else "too few years to test the recipe"
        return f"pooled growth ({why}); {years}"

    def to_parts(self) -> dict[str, Any]:
        """Take the model apart into what can be saved without pickle.

        Returns
        -------
        dict
            `texts` (name to str), `arrays` (name to np.ndarray) and `meta` (JSON-able).
        """
        parts = self.recipe.to_parts()
        return {
            "texts": parts["texts"] | ({"global.lgb.txt": self.shared.trees} if self.shared else {}),
            "arrays": parts["arrays"],
            "meta": parts["meta"]
            | {
                "format": FORMAT,
                "transform": self.transform.as_dict(),
                "zero": None if self.zero is None else self.zero.as_dict(),
                "blend": self.blend.name,
                "calibration": self.calibration.as_dict(),
                "years": self.years,
                "test": self.test,
                "settings": self.settings.as_dict(),
            },
        }

    @classmethod
    def from_parts(cls, parts: dict[str, Any]) -> TargetModel:
        """Put a model together again.

        Raises
        ------
        LoadlineError
            Where the parts are of another format.
        """
        meta = parts["meta"]
        blends = {blend.name: blend for blend in BLENDS}
        if meta.get("format") != FORMAT or meta["blend"] not in blends:
            raise LoadlineError(
                f"a target model of format {meta.get('format')}, expected {FORMAT}", hint="Train the model again."
            )
        trees = parts["texts"].get("global.lgb.txt")
        settings = TargetSettings.from_dict(meta["settings"]) if "settings" in meta else DEFAULT
        return cls(
            Transform.from_dict(meta["transform"]),
            None if meta["zero"] is None else ZeroEvent(**meta["zero"]),
            Recipe.from_parts(parts),
            None if trees is None else GlobalGrowth(trees, settings.kept),
            blends[meta["blend"]],
            Calibration(**meta["calibration"]),
            meta["years"],
            meta["test"],
            settings,
        )
