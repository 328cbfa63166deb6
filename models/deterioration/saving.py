"""Learners as texts, arrays and plain figures, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from features.errors import LoadlineError
from models.deterioration.boosted import Boosted
from models.deterioration.contenders import Learner
from models.deterioration.forest import Forest
from models.deterioration.linear import Linear

Parts = tuple[dict[str, str], dict[str, np.ndarray], dict[str, dict[str, Any]]]
"""Texts, arrays, and what else there is to know of each learner."""


def parts_of(learners: Mapping[str, Learner]) -> Parts:
    """Take learners apart, by name."""
    texts: dict[str, str] = {}
    arrays: dict[str, np.ndarray] = {}
    kinds: dict[str, dict[str, Any]] = {}
    for name, learner in learners.items():
        if isinstance(learner, Linear):
            arrays |= {f"{name}.coefficients": learner.coefficients, f"{name}.gaps": learner.gaps}
            kinds[name] = {"kind": "linear", "intercept": learner.intercept}
        elif isinstance(learner, Forest):
            texts[f"{name}.lgb.txt"] = learner.text
            kinds[name] = {"kind": "forest", "rate": learner.rate}
        elif isinstance(learner, Boosted):
            texts |= {f"{name}-{number}.lgb.txt": text for number, text in enumerate(learner.texts)}
            kinds[name] = {"kind": "boosted", "models": len(learner.texts)}
    return texts, arrays, kinds


def learner_from(name: str, described: Mapping[str, Any], parts: Mapping[str, Any]) -> Learner:
    """Put a learner together again.

    Raises
    ------
    LoadlineError
        Where it is of a kind that there is not.
    """
    texts, arrays, kind = parts["texts"], parts["arrays"], described["kind"]
    if kind == "linear":
        return Linear(described["intercept"], arrays[f"{name}.coefficients"], arrays[f"{name}.gaps"])
    if kind == "forest":
        return Forest(texts[f"{name}.lgb.txt"], described["rate"])
    if kind == "boosted":
        return Boosted(tuple(texts[f"{name}-{number}.lgb.txt"] for number in range(described["models"])))
    raise LoadlineError(f"there is no learner of kind {kind!r}", hint="Train the model again.")
