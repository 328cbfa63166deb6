"""Training from a data version: fit every indicator and level, register, check the gates, promote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import LoadlineError
from features.store import Snapshot
from models.bundle import ModelBundle
from models.levels import Level, horizon_periods, levels_of, target_codes
from models.outcome.global_growth import GlobalGrowth, rolling_growth
from models.outcome.problem import TargetProblem
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.target import TargetModel
from models.outcome.trial import TRIAL_ORIGINS
from training.card import target_facts, write_cards
from training.distributed import run_tasks
from training.gating.gate import COVERAGE_LIMITS, FEWEST_ORIGINS, FEWEST_OUTCOMES, Gate, IndicatorEvidence
from training.gating.rules import GateRules
from training.gating.target_gates import check_evidence
from training.progress import Progress, silent
from training.promote import MODELS, champion_digest, promote
from training.record import record_run
from training.track import Tracker

KIND = "target"
POLICY = "default-1"
"""The target levels that stand in where no policy is active: attained with 85, 60 and 20% probability."""
LONGEST_NAME = 60
"""Characters of a model's name that its folder and the registry take; longer ones end in a hash."""


@dataclass(frozen=True)
class Training:
    """What a training run came to.

    Attributes
    ----------
    model : str
        Name in the registry.
    model_version : str
        Digest of the bundle, shortened.
    registered : int
        Version number in the registry.
    as_of : str
        Last period learned from.
    evidence : tuple of IndicatorEvidence
    methods : dict
        What serves each indicator, in words.
    gates : tuple of Gate
    promoted : bool
    """

    model: str
    model_version: str
    registered: int
    as_of: str
    evidence: tuple[IndicatorEvidence, ...]
    methods: dict[str, str]
    gates: tuple[Gate, ...]
    promoted: bool

    @property
    def outcome(self) -> str:
        """Say in a sentence what happened to the model."""
        if self.promoted:
            return "promoted; it serves from now on"
        failed = "; ".join(gate.text["en"] for gate in self.gates if not gate.passed)
        return f"not promoted; the champion stays. {failed}"

    def table(self) -> pd.DataFrame:
        """Give a row an indicator and level: what serves it and how it did at past origins."""
        rows = [
            {
                "indicator": e.indicator,
                "served_by": self.methods[e.indicator],
                "origins": e.origins,
                "outcomes": e.outcomes,
                "loss_to_pooled_growth": e.loss_ratio,
                "coverage_80": e.coverage,
                "low_evidence": e.low_evidence,
            }
            for e in self.evidence
        ]
        return pd.DataFrame(rows)

    def summary(self) -> list[str]:
        """Say how it did in a few lines."""
        measured = [e.loss_ratio for e in self.evidence if e.origins]
        used = sum(not e.fallback for e in self.evidence)
        low = sum(e.low_evidence for e in self.evidence)
        lines = [
            f"{used} of {len(self.evidence)} indicators and levels by a learned blend, the others by pooled growth"
        ]
        if measured:
            middle = pd.Series(measured).median()
            lines.append(f"Pinball loss at past origins against pooled growth: {middle:.3f} in the middle")
        if low:
            lines.append(f"{low} marked as resting on little evidence")
        return lines


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


def retrain(
    snapshot: Snapshot,
    *,
    home: Path,
    origin: int,
    latest: bool,
    tracker: Tracker,
    seed: int,
    by: str,
    clock: Callable[[], datetime],
    cluster: str | None = None,
    progress: Progress = silent,
) -> Training:
    """Train on what a data version held as of a period, and promote the model if it passes the gates.

    Parameters
    ----------
    snapshot : Snapshot
        The data version.
    home : Path
        Where promoted models are kept.
    origin : int
        Last period (ordinal) to learn from.
    latest : bool
        True to use everything known by now about the periods up to `origin`; False for what was known at its end.
    tracker : Tracker
    seed : int
    by : str
        Who asked, for the record.
    clock : callable
    cluster : str, optional
        Address of a Dask scheduler to fit on.
    progress : Progress

    Raises
    ------
    LoadlineError
        Where the data has no indicator that targets may be set on.
    """
    panel = snapshot.panel(origin, known_on=date.max if latest else None)
    calendar = panel.calendar
    year = int(calendar.year(origin + 1))
    codes = target_codes(panel)
    if not codes:
        hint = "Give at least one indicator whose perspective is not context and whose target_allowed is true."
        raise LoadlineError("no indicator of the data may have targets", where=snapshot.about.dataset, hint=hint)
    progress("reading", 0, len(codes))
    levels: list[Level] = []
    for number, code in enumerate(codes, start=1):
        levels += [level for level in levels_of(panel, code, year=year, origin=origin) if level.learned]
        progress("reading", number, len(codes))
    if not levels:
        raise LoadlineError(
            f"no unit has a whole year of figures by {calendar.format(origin)}",
            where=snapshot.about.dataset,
            hint="Use a later --as-of, or bring more history.",
        )
    tasks = level_tasks(levels, seed=seed)
    models = dict(run_tasks(fit_level, tasks, cluster=cluster, stage="fitting", progress=progress))
    evidence = tuple(level_evidence(level, models[level.key]) for level in levels)
    about = {
        "dataset": snapshot.about.dataset,
        "data_version": snapshot.about.version,
        "fingerprint": snapshot.about.fingerprint,
        "as_of": calendar.format(origin),
        "known_on": str(snapshot.last_known if latest else calendar.end(origin)),
        "horizon": horizon_periods(panel, year, origin),
        "policy_version": POLICY,
        "code_version": installed("loadline"),
        "seed": seed,
    }
    bundle = bundle_of(models, about)
    gates = check_evidence(GateRules.packaged(), evidence)
    methods = {key: model.method for key, model in models.items()}
    name = model_name(snapshot.about.dataset)
    facts = target_facts(
        snapshot, name, bundle, evidence=evidence, gates=gates, home=home, by=by, at=clock().isoformat()
    )
    card = Path(home) / MODELS / name / "cards" / bundle.version
    write_cards(facts, card)
    registered = record_run(
        name, bundle, run=f"{KIND}-{bundle.version}", card=card, metrics=_figures(evidence), tracker=tracker
    )
    training = Training(name, bundle.version, registered, about["as_of"], evidence, methods, gates, promoted=False)
    if not all(gate.passed for gate in gates):
        return training
    promote(
        home,
        training.model,
        bundle,
        by=by,
        reason=f"trained on data version {snapshot.about.version} as of {about['as_of']}; all gates passed",
        expected_champion=champion_digest(home, training.model),
        gates=gates,
        clock=clock,
        tracker=tracker,
    )
    return Training(**{**training.__dict__, "promoted": True})


def _figures(evidence: Sequence[IndicatorEvidence]) -> dict[str, float]:
    return {
        f"{e.indicator}.{key}": value
        for e in evidence
        for key, value in (("loss_ratio", e.loss_ratio), ("coverage_80", e.coverage))
        if value == value
    }


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
