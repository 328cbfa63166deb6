"""Scorecards whose items' figures are their points, with one more indicator N that gates and adjustments look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from scoring_cases import TITLE, one_indicator, plain_policy, score_one

from features.indicators import IndicatorSet
from models.policy.document import Policy
from models.scoring.engine import CardScores

FIVE = ("X1", "X2", "X3", "X4", "X5")
RETAIL = ("30", "25", "20", "15", "10")
"""Weights of a retail line."""
GRADES = [{"name": "A", "from": 80}, {"name": "B", "from": 65}, {"name": "C", "from": 50}, {"name": "D"}]
KNOWN = IndicatorSet([one_indicator(code, "higher") for code in (*FIVE, "N")])


def card_of(weights: tuple[str, ...] = RETAIL, **rest: Any) -> Policy:
    """Make a policy that scores X1, X2 ... by ratio against 100, so that a figure is its points."""
    items = [
        {"indicator": code, "weight": weight, "against": "fixed", "value": 100, "rule": {"kind": "ratio"}}
        for code, weight in zip(FIVE, weights, strict=False)
    ]
    return plain_policy(items, **({"grades": GRADES} | rest))


def of_points(policy: Policy, *points: float, months: float = np.inf, **rest: Any) -> CardScores:
    """Score figures that are their points; `rest` are figures of N: actual, last_year, target."""
    actual = dict(zip(FIVE, points, strict=False)) | {"N": rest.pop("actual", np.nan)}
    figures = {"actual": actual} | {kind: {"N": value} for kind, value in rest.items()}
    return score_one(policy, KNOWN, figures, opened=months, moved=months)


def gate(kind: str, **rest: Any) -> dict[str, Any]:
    """Make a gate."""
    return {"kind": kind, "id": f"g-{kind.replace('_', '-')}", "title": TITLE} | rest


def adjustment(kind: str = "bonus", **rest: Any) -> dict[str, Any]:
    """Make an adjustment when N is above 0."""
    return {"id": "a", "title": TITLE, "kind": kind, "when": {"indicator": "N", "above": 0}, "points": "0.5"} | rest
