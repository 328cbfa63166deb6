"""Training the warning model: matured labels, the model of the last year that is over, past years replayed."""

from __future__ import annotations

from features.indicators import Title
from training.card import warning_facts
from training.card.drivers import warning_drivers
from training.card.warning import detector_record, warning_groups
from training.gating.warning_comparison import compare_warning
from training.gating.warning_gates import check_warning
from training.gating.warning_stability import overlap_warning
from training.record import record_run
from training.retraining.trainee import Done, Trainee
from training.review.labels import reviewed_labels
from training.tuning.tuned import Tuned
from training.tuning.warning import tune_warning
from training.warning.champion import warning_bundle
from training.warning.fitting import Fitted, fitted, model_name
from training.warning.forward_chain import ForwardChain, forward_chain
from training.warning.gathering import gathered
from training.warning.looking import Looked
from training.warning.material import Material
from training.warning.schedule import training_origin


class WarningTrainee(Trainee):
    """The warning model within a run."""

    kind = "warning"

    @property
    def name(self) -> str:
        """Give the name in the registry."""
        return model_name(self.context.request.dataset)

    @property
    def _gathered(self) -> tuple[Looked, Material]:
        """Give what the patterns found and what is learned from, gathered once a process."""
        found = self.context.memory.get("gathered")
        if found is None:
            context = self.context
            reviewed = reviewed_labels(context.home, context.request.dataset)
            progress = context.progress("warning.features")
            found = gathered(context.snapshot, context.origin, reviewed=reviewed, progress=progress)
            self.context.memory["gathered"] = found
        return found

    @property
    def material(self) -> Material:
        """Give what is learned from."""
        return self._gathered[1]

    @property
    def origin(self) -> int:
        """Give the last training date (ordinal) that has passed."""
        calendar = self.context.snapshot.description.calendar
        return training_origin(calendar, self.context.origin, begin=self.material.first)

    @property
    def learned(self) -> bool:
        """Tell whether there was enough to learn from."""
        return bool(self.context.kept("warning/fitted")["learned"])

    def features(self) -> Done:
        """Gather features, patterns and labels."""
        known = self.material.labels_at(self.context.origin)
        matured = known.known & self.material.leaves
        rows, positives = int(matured.sum()), int((known.y[matured] == 1).sum())
        text = Title(
            en=f"{rows:,} unit-periods have a matured label, {positives:,} of them deteriorated.",
            zh=f"{rows:,} 个单位期间的标签已到期，其中 {positives:,} 个恶化。",
        )
        return Done(text, {"rows": rows, "positives": positives, "columns": len(self.material.matrix.names)})

    @property
    def tuned(self) -> Tuned:
        """Read the settings chosen."""
        return Tuned.from_dict(self.context.kept("warning/tuned"))

    def tune(self) -> Done:
        """Choose settings for the learners."""
        request = self.context.request
        found = tune_warning(
            self.material,
            self.origin,
            seed=request.seed,
            trials=request.trials,
            folder=self.context.path("warning/tuning"),
            progress=self.context.progress("warning.tune"),
        )
        self.context.keep("warning/tuned", found.as_dict())
        return Done(found.text, {"tried": len(found.tried), "settings": found.settings.as_dict()})

    @property
    def fitted(self) -> Fitted:
        """Give the model, fitted once and kept in the home."""
        found = self.context.memory.get("fitted")
        if found is None:
            found = fitted(
                self.material,
                self.origin,
                seed=self.context.request.seed,
                home=self.context.home,
                settings=self.tuned.settings,
            )
            self.context.memory["fitted"] = found
        return found

    def fit(self) -> Done:
        """Learn; where too little has matured, say so."""
        found = self.fitted
        note = {"en": found.note.en, "zh": found.note.zh}
        self.context.keep("warning/fitted", {"learned": found.model is not None, "note": note})
        return Done(found.note, {"rows": found.rows, "positives": found.positives, "waves": found.waves})

    @property
    def chain(self) -> ForwardChain:
        """Give the answers of replayed years; their models are kept in the home."""
        found = self.context.memory.get("chain")
        if found is None:
            known = self.material.labels_at(self.context.origin)
            found = forward_chain(
                self.material,
                known,
                seed=self.context.request.seed,
                home=self.context.home,
                settings=self.tuned.settings,
            )
            self.context.memory["chain"] = found
        return found

    def judge(self) -> Done:
        """Replay past years beside what has to be beaten, and compare with the champion."""
        compared = compare_warning(
            self.material,
            self.fitted,
            self.chain,
            self.champion,
            seed=self.context.request.seed,
            home=self.context.home,
            progress=self.context.progress("warning.judge"),
        )
        overlap = overlap_warning(self.material, self.fitted, self.champion)
        self.context.keep("warning/compared", compared.as_dict())
        self.context.keep("warning/overlap", overlap.as_dict())
        return Done(compared.text, {"years": list(self.chain.years)})

    def gates(self) -> Done:
        """Put the model into a bundle, and check it."""
        gates = check_warning(self.rules, self.fitted, self.chain, self.compared, self.overlap)
        request = self.context.request
        bundle = warning_bundle(self.material, self.fitted, seed=request.seed, policy=request.policy)
        return self.keep_gates(bundle, gates)

    def card(self) -> Done:
        """Write the card."""
        looked, material = self._gathered
        facts = warning_facts(
            self.context.snapshot,
            self.name,
            self.bundle,
            found=self.fitted,
            chain=self.chain,
            gates=self.seen,
            comparison=self.compared,
            overlap=self.overlap,
            tuned=self.tuned,
            decision=self.context.decision,
            request=self.context.request,
            home=self.context.home,
            detectors=detector_record(looked, material.labels_at(self.context.origin), material.leaves),
            drivers=warning_drivers(material, self.fitted),
            groups=warning_groups(material, self.chain),
        )
        return self.write_card(facts)

    def record(self) -> int:
        """Record the run in MLflow and register the model."""
        table = self.chain.table() if self.chain.years else None
        measured: dict[str, float] = {}
        for row in [] if table is None else table.to_dict("records"):
            ranking = str(row["name"]).replace(" ", "_")
            for key in ("auc_within", "auc", "average_precision", "precision", "recall"):
                value = float(row[key])
                if value == value:
                    measured[f"{ranking}.{key}"] = value
        return record_run(
            self.name,
            self.bundle,
            run=self.context.run.name,
            card=self.cards,
            metrics=measured,
            by_origin=self.compared.by_origin(),
            params=self.context.request.as_dict() | {"settings": self.tuned.settings.as_dict()},
            tables={"tuning": self.tuned.table()},
            documents={"gates": self.context.kept("warning/gates"), "decision": self.context.kept("decision")},
            tracker=self.context.place.tracker,
        )
