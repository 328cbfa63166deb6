"""A request for training on the small bank of `warning_bank`, and a home that holds it."""

from __future__ import annotations

from pathlib import Path

import warning_bank

from features.dataset import open_dataset
from serving.advisor import Advisor
from serving.settings import Settings
from training.retraining.request import TrainingRequest

REQUEST = TrainingRequest(
    dataset="small",
    data_version=0,
    fingerprint="a" * 64,
    as_of="2021",
    latest=True,
    policy="default",
    code_version="0.1.0",
    seed=7,
    trials=0,
    by="Li Ming",
    reason="a test",
    at="2024-06-01T00:00:00+00:00",
)


def advisor_at(home: Path) -> Advisor:
    """Give an advisor on a home that holds the bank, at the same hour always."""
    advisor = Advisor(Settings(home=home), clock=lambda: warning_bank.NOW)
    if not (home / "store").exists():
        advisor.store.ingest(
            open_dataset(warning_bank.write_bank(home.parent / f"{home.name}-bank")), now=warning_bank.NOW
        )
    return advisor
