"""Small models with what the gates found of them, offered and promoted in a home of a test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.bundle import ModelBundle
from training.gating.gate import Gate
from training.promote import Candidate, Promotion, champion_digest, offer, promote_candidate

NAME = "target-tests"
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
PASSED = Gate("coverage", True, 0.81, (0.65, 0.95), {"en": "The bands hold.", "zh": "区间可靠。"})
WORSE = Gate("champion", False, 1.4, (1.0,), {"en": "It is worse by 40%.", "zh": "损失高出 40%。"})
UNSTABLE = Gate(
    "stability", False, 0.7, (0.9,), {"en": "Reasons differ by 30%.", "zh": "主要因素有 30% 不同。"}, effect="sign_off"
)


def model(number: int) -> ModelBundle:
    """Make a model of a few hundred bytes."""
    meta = {"as_of": "2024-12", "data_version": 3, "fingerprint": "ab12", "number": number}
    return ModelBundle("target", meta, {"m": f"tree {number}"}, {"a": np.arange(3.0) + number})


def offered(home: Path, number: int, *gates: Gate, **changes) -> Candidate:
    """Offer a model asked for by Li Ming."""
    usual = {"run": f"run-{number}", "by": "Li Ming", "clock": lambda: NOON, "name": NAME}
    settled = usual | changes
    return offer(home, settled.pop("name"), model(number), gates=gates or (PASSED,), **settled)


def promoted(home: Path, number: int, **changes) -> Promotion:
    """Promote an offered model in the name of Wang Fang."""
    usual = {
        "by": "Wang Fang",
        "reason": "better",
        "expected_champion": champion_digest(home, NAME),
        "clock": lambda: NOON,
        "two_people": False,
    }
    return promote_candidate(home, NAME, model(number).version, **(usual | changes))


def serving(home: Path, number: int) -> Promotion:
    """Offer a model and promote it."""
    offered(home, number)
    return promoted(home, number)
