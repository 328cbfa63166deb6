"""The target model: the fits of its levels, what past origins show of them, and the bundle that holds them all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.bundle import ModelBundle
from models.levels import Level
from models.outcome.global_growth import GlobalGrowth, rolling_growth
from models.outcome.problem import TargetProblem
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.target import TargetModel
from models.outcome.trial import TRIAL_ORIGINS
from training.gating.gate import COVERAGE_LIMITS, FEWEST_ORIGINS, FEWEST_OUTCOMES, IndicatorEvidence

KIND = "target"
LONGEST_NAME = 60
"""Characters of a model's name that its folder and the registry take; longer ones end in a hash."""


def model_name(dataset: str) -> str:
    """Name the target model of a dataset in the registry."""
    name = f"{KIND}-{dataset}"
    return name if len(name) <= LONGEST_NAME else f"{name[:48]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


LevelTask = tuple[str, TargetProblem, int, Mapping[int, GlobalGrowth], TargetSettings]
"""Key of a level, its problem, its seed, the models over all indicators of such levels by year, and the settings."""


def fit_level(task: LevelTask) -> tuple[str, TargetModel]:
    """Fit one level of one indicator; a task of its own, so that it may run elsewhere."""
    key, problem, seed, shared, settings = task
    return key, TargetModel.fit(problem, seed=seed, shared=shared, settings=settings)


def level_tasks(levels: Sequence[Level], *, seed: int, settings: TargetSettings = DEFAULT) -> list[LevelTask]:
    """Set up the fits of all levels; what their indicators have in common is learned first, level by level."""
    together: dict[str, list[TargetProblem]] = {}
    for level in levels:
        together.setdefault(level.name, []).append(level.problem)
    shared = {
        name: rolling_growth(problems, origins=TRIAL_ORIGINS, seed=level_seed(name, seed), settings=settings)
        for name, problems in together.items()
    }
    return [(level.key, level.problem, level_seed(level.key, seed), shared[level.name], settings) for level in levels]


def level_seed(key: str, seed: int) -> int:
    """Give a seed of its own to each level, the same whatever else is fitted."""
    return (seed + sum(ord(letter) * 31**place for place, letter in enumerate(key[:12]))) % (2**31)


def level_evidence(level: Level, model: TargetModel) -> IndicatorEvidence:
    """Say what the past origins show of one level; thin or badly covering ones are marked as low evidence."""
    test = model.test
    coverage = float("nan") if test.get("coverage") is None else float(test["coverage"])
    thin = test["origins"] < FEWEST_ORIGINS or test["outcomes"] < FEWEST_OUTCOMES
    off = not thin and not COVERAGE_LIMITS[0] <= coverage <= COVERAGE_LIMITS[1]
    return IndicatorEvidence(
        indicator=level.key,
        origins=test["origins"],
        outcomes=test["outcomes"],
        loss_ratio=_loss_ratio(test, thin=thin),
        coverage=coverage,
        fallback=model.weight == 0,
        low_evidence=bool(thin or off),
    )


def _loss_ratio(test: dict[str, Any], *, thin: bool) -> float:
    """Give the loss to that of pooled growth: as measured, or drawn to the blend's record where origins are few."""
    if not test["origins"]:
        return float("nan")
    return float(test["expected"] if thin else test["ratios"][test["blend"]])


def bundle_of(models: dict[str, TargetModel], about: dict[str, Any]) -> ModelBundle:
    """Put the models of all levels into one bundle."""
    texts: dict[str, str] = {}
    arrays = {}
    metas: dict[str, dict[str, Any]] = {}
    for number, (key, model) in enumerate(models.items()):
        parts = model.to_parts()
        texts |= {_part(number, name): text for name, text in parts["texts"].items()}
        arrays |= {_part(number, name): array for name, array in parts["arrays"].items()}
        metas[key] = parts["meta"] | {"number": number}
    return ModelBundle(KIND, about | {"levels": metas}, texts, arrays)


def _part(number: int, name: str) -> str:
    """Name a part of a level's model within the bundle; a level's key may be longer than a file's name can be."""
    return f"level-{number:04d}.{name}"


def models_in(bundle: ModelBundle) -> dict[str, Callable[[], TargetModel]]:
    """Give the levels that a bundle holds, each put together when it is asked for."""

    def put_together(meta: dict[str, Any]) -> Callable[[], TargetModel]:
        def build() -> TargetModel:
            prefix = _part(meta["number"], "")
            texts = {name[len(prefix) :]: t for name, t in bundle.texts.items() if name.startswith(prefix)}
            arrays = {name[len(prefix) :]: a for name, a in bundle.arrays.items() if name.startswith(prefix)}
            return TargetModel.from_parts({"texts": texts, "arrays": arrays, "meta": meta})

        return build

    return {key: put_together(meta) for key, meta in bundle.meta["levels"].items()}
