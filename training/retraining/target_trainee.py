"""Training the target model: levels of indicators, fitted one by one, held against pooled growth and the champion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import LoadlineError
from features.indicators import Title
from models.bundle import ModelBundle
from models.levels import Level, horizon_periods, levels_of, target_codes
from models.outcome.target import TargetModel
from training.card import target_facts
from training.card.drivers import target_drivers
from training.distributed import run_tasks
from training.gating.gate import IndicatorEvidence
from training.gating.target_comparison import compare_target
from training.gating.target_gates import check_target
from training.gating.target_stability import overlap_target
from training.record import record_run
from training.retraining.trainee import Done, Trainee
from training.target_model import bundle_of, fit_level, level_evidence, level_tasks, model_name, models_in
from training.tuning.target import tune_target
from training.tuning.tuned import Tuned

FITTED = "target-level"
"""Kind of the bundles that hold one fitted level each, until the model is whole."""


class TargetTrainee(Trainee):
    """The target model within a run."""

    kind = "target"

    @property
    def name(self) -> str:
        """Give the name in the registry."""
        return model_name(self.context.request.dataset)

    @property
    def levels(self) -> list[Level]:
        """Give the levels that are learned, made once a process."""
        found = self.context.memory.get("levels")
        if found is None:
            found = self.context.memory["levels"] = self._levels()
        return found

    def _levels(self) -> list[Level]:
        context = self.context
        snapshot, origin, request = context.snapshot, context.origin, context.request
        panel = snapshot.panel(origin, known_on=date.max if request.latest else None)
        calendar = panel.calendar
        year, codes = int(calendar.year(origin + 1)), target_codes(panel)
        if not codes:
            hint = "Give at least one indicator whose perspective is not context and whose target_allowed is true."
            raise LoadlineError("no indicator of the data may have targets", where=request.dataset, hint=hint)
        progress = context.progress("target.features")
        levels: list[Level] = []
        for number, code in enumerate(codes):
            progress("reading", number, len(codes))
            levels += [level for level in levels_of(panel, code, year=year, origin=origin) if level.learned]
        progress("reading", len(codes), len(codes))
        if not levels:
            raise LoadlineError(
                f"no unit has a whole year of figures by {calendar.format(origin)}",
                where=request.dataset,
                hint="Use a later --as-of, or bring more history.",
            )
        context.memory["horizon"] = horizon_periods(panel, year, origin)
        return levels

    def features(self) -> Done:
        """Put together the problems of all indicators and levels."""
        levels = self.levels
        outcomes = sum(int(level.problem.known.sum()) for level in levels)
        indicators = len({level.indicator.code for level in levels})
        text = Title(
            en=f"{indicators} indicators at {len(levels)} levels, with {outcomes:,} outcomes of past years.",
            zh=f"{indicators} 项指标、{len(levels)} 个层级，历史年度结果 {outcomes:,} 个。",
        )
        return Done(text, {"indicators": indicators, "levels": len(levels), "outcomes": outcomes})

    @property
    def tuned(self) -> Tuned:
        """Read the settings chosen."""
        return Tuned.from_dict(self.context.kept("target/tuned"))

    def tune(self) -> Done:
        """Choose settings for the trees."""
        request = self.context.request
        found = tune_target(
            self.levels,
            seed=request.seed,
            trials=request.trials,
            folder=self.context.path("target/tuning"),
            progress=self.context.progress("target.tune"),
        )
        self.context.keep("target/tuned", found.as_dict())
        return Done(found.text, {"tried": len(found.tried), "settings": found.settings.as_dict()})

    def fit(self) -> Done:
        """Fit the levels that are not fitted yet; each is kept as soon as it is."""
        missing = [level for level in self.levels if not self._place(level).is_dir()]
        if missing:
            request = self.context.request
            tasks = level_tasks(self.levels, seed=request.seed, settings=self.tuned.settings)
            wanted = {level.key for level in missing}

            def keep(result: tuple[str, TargetModel]) -> None:
                key, model = result
                parts = model.to_parts()
                bundle = ModelBundle(FITTED, {"key": key, "model": parts["meta"]}, parts["texts"], parts["arrays"])
                bundle.save(self._place(next(level for level in missing if level.key == key)))

            run_tasks(
                fit_level,
                [task for task in tasks if task[0] in wanted],
                cluster=request.cluster or None,
                stage="fitting",
                progress=self.context.progress("target.fit"),
                taken=keep,
            )
        learned = sum(model.weight > 0 for model in self.models.values())
        text = Title(
            en=f"{learned} of {len(self.levels)} indicators and levels by a learned blend, others by pooled growth.",
            zh=f"{len(self.levels)} 个指标层级中 {learned} 个采用学习所得的组合，其余采用合并增速。",
        )
        return Done(text, {"fitted": len(self.levels), "learned": learned, "again": len(self.levels) - len(missing)})

    def _place(self, level: Level) -> Path:
        number = [other.key for other in self.levels].index(level.key)
        return self.context.path(f"target/fitted/{number:04d}")

    @property
    def models(self) -> Mapping[str, TargetModel]:
        """Give the fitted models by key of their level, as they were kept."""
        found = self.context.memory.get("models")
        if found is None:
            found = {}
            for level in self.levels:
                bundle = ModelBundle.load(self._place(level))
                parts = {"texts": dict(bundle.texts), "arrays": dict(bundle.arrays), "meta": bundle.meta["model"]}
                found[bundle.meta["key"]] = TargetModel.from_parts(parts)
            self.context.memory["models"] = found
        return found

    @property
    def evidence(self) -> tuple[IndicatorEvidence, ...]:
        """Say what past origins show of each level."""
        return tuple(level_evidence(level, self.models[level.key]) for level in self.levels)

    def judge(self) -> Done:
        """Compare with the champion at past origins, and see whether explanations stay."""
        seed, progress = self.context.request.seed, self.context.progress("target.judge")
        before = {} if self.champion is None else models_in(self.champion)
        tree = self.context.snapshot.tree
        compared = compare_target(
            self.levels, self.models, before, seed=seed, champion_bundle=self.champion, tree=tree, progress=progress
        )
        champion = None if self.champion is None else self.champion.version
        overlap = overlap_target(self.levels, self.models, before, champion=champion)
        self.context.keep("target/evidence", {"rows": self._rows()})
        self.context.keep("target/compared", compared.as_dict())
        self.context.keep("target/overlap", overlap.as_dict())
        ratios = [e.loss_ratio for e in self.evidence if e.origins]
        middle = float(pd.Series(ratios).median()) if ratios else None
        against = {
            "en": "no past origin to test at" if middle is None else f"{middle:.3f} of pooled growth's in the middle",
            "zh": "没有可检验的历史起点" if middle is None else f"中位数为合并增速的 {middle:.3f} 倍",
        }
        text = Title(
            en=f"Loss at past origins: {against['en']}. {compared.text.en}",
            zh=f"历史起点损失：{against['zh']}。{compared.text.zh}",
        )
        return Done(text, {"loss_ratio": middle})

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "indicator": e.indicator,
                "served_by": self.models[e.indicator].method,
                "origins": e.origins,
                "outcomes": e.outcomes,
                "loss_to_pooled_growth": e.loss_ratio if e.loss_ratio == e.loss_ratio else None,
                "coverage_80": e.coverage if e.coverage == e.coverage else None,
                "low_evidence": e.low_evidence,
            }
            for e in self.evidence
        ]

    def gates(self) -> Done:
        """Put the model into a bundle, and check it."""
        gates = check_target(self.rules, self.evidence, self.compared, self.overlap)
        return self.keep_gates(bundle_of(dict(self.models), self._about()), gates)

    def _about(self) -> dict[str, Any]:
        request, snapshot = self.context.request, self.context.snapshot
        _ = self.levels  # which also finds the horizon
        known_on = snapshot.last_known if request.latest else snapshot.description.calendar.end(self.context.origin)
        return {
            "dataset": request.dataset,
            "data_version": request.data_version,
            "fingerprint": request.fingerprint,
            "as_of": request.as_of,
            "known_on": str(known_on),
            "horizon": self.context.memory["horizon"],
            "policy_version": request.policy,
            "code_version": request.code_version,
            "seed": request.seed,
            "settings": self.tuned.settings.as_dict(),
        }

    def card(self) -> Done:
        """Write the card."""
        facts = target_facts(
            self.context.snapshot,
            self.name,
            self.bundle,
            evidence=self.evidence,
            methods={key: model.method for key, model in self.models.items()},
            gates=self.seen,
            comparison=self.compared,
            overlap=self.overlap,
            tuned=self.tuned,
            decision=self.context.decision,
            request=self.context.request,
            home=self.context.home,
            drivers=target_drivers(self.levels, self.models),
        )
        return self.write_card(facts)

    def record(self) -> int:
        """Record the run in MLflow and register the model."""
        measured = {
            f"{e.indicator}.{key}": value
            for e in self.evidence
            for key, value in (("loss_ratio", e.loss_ratio), ("coverage_80", e.coverage))
            if value == value
        }
        return record_run(
            self.name,
            self.bundle,
            run=self.context.run.name,
            card=self.cards,
            metrics=measured,
            by_origin=self.compared.by_origin(),
            params=self.context.request.as_dict() | {"settings": self.tuned.settings.as_dict()},
            tables={"tuning": self.tuned.table(), "by_group": self.compared.by_group()},
            documents={"gates": self.context.kept("target/gates"), "decision": self.context.kept("decision")},
            tracker=self.context.place.tracker,
        )
