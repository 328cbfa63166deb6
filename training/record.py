"""The record of a training run: what the model card says, and what is logged beside the registered model."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import version as installed
from typing import Any

from features.store import Snapshot
from models.bundle import ModelBundle
from training.gates import BASELINE, Gate, IndicatorEvidence
from training.track import Tracker

LIBRARIES = ("numpy", "pandas", "scikit-learn", "lightgbm", "deltalake", "mlflow")
"""Named with their versions on the card."""


def record_run(
    name: str, bundle: ModelBundle, evidence: tuple[IndicatorEvidence, ...], card: str, *, tracker: Tracker
) -> int:
    """Log a run with its metrics and its card, and register the model as challenger; give its number there."""
    meta = bundle.meta
    params = {key: meta[key] for key in ("dataset", "data_version", "fingerprint", "as_of", "policy_version", "seed")}
    with tracker.run(name, f"{meta['as_of']} data version {meta['data_version']}", params=params) as run:
        for e in evidence:
            measured = {"loss_ratio": e.loss_ratio, "coverage_80": e.coverage}
            run.log_metrics({f"{e.indicator}.{key}": value for key, value in measured.items() if value == value})
        run.log_text(card, "model_card.md")
        return tracker.register(name, run, bundle, alias="challenger")


def card_facts(
    snapshot: Snapshot,
    name: str,
    bundle: ModelBundle,
    evidence: tuple[IndicatorEvidence, ...],
    methods: dict[str, str],
    gates: tuple[Gate, ...],
    *,
    by: str,
    at: datetime,
) -> dict[str, Any]:
    """Collect what the model card says.

    Parameters
    ----------
    snapshot : Snapshot
    name : str
        Of the model in the registry.
    bundle : ModelBundle
    evidence : tuple of IndicatorEvidence
    methods : dict
        What serves each indicator, in words.
    gates : tuple of Gate
    by : str
        Who asked.
    at : datetime
    """
    about, meta = snapshot.about, bundle.meta
    environment = ", ".join(f"{name} {installed(name)}" for name in LIBRARIES)
    figures = sum(version.added for version in snapshot.chain)
    return {
        "model": name,
        "version": bundle.version,
        "kind": bundle.kind,
        "baseline": BASELINE,
        "data": {
            "dataset": f"{about.dataset}: {snapshot.description.title.en} · {snapshot.description.title.zh}",
            "source": snapshot.description.source,
            "period": f"{about.first_period} - {about.last_period}",
            "as_of": meta["as_of"],
            "known_on": meta["known_on"],
            "volume": f"{about.units:,} units, {about.indicators} indicators, {figures:,} figures",
            "data_version": about.version,
            "checksum": about.fingerprint,
        },
        "training": {
            "method": "growth split into a common and a relative part; learners blended by their loss at past origins",
            "code_version": meta["code_version"],
            "policy_version": meta["policy_version"],
            "seed": meta["seed"],
            "operator": by,
            "trained_at": at.isoformat(timespec="seconds"),
            "environment": f"Python {platform.python_version()}, {environment}",
        },
        "metrics": [
            {
                "indicator": e.indicator,
                "method": methods[e.indicator],
                "origins": e.origins,
                "outcomes": e.outcomes,
                "loss_ratio": e.loss_ratio,
                "low_evidence": e.low_evidence,
            }
            for e in evidence
        ],
        "calibration": [{"indicator": e.indicator, "coverage": e.coverage} for e in evidence],
        "gates": [gate.as_dict() for gate in gates],
        "deployment": "A verified local copy; the promotion record names the champion.",
        "monitoring": "Coverage and attained shares of past suggestions, with each new year of figures.",
        "exit": "Roll back to the champion before; without a model, pooled growth is fitted on the spot.",
    }
