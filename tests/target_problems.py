"""Problems and indicators that tests of target models share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.indicators import Indicator
from models.outcome.problem import TargetProblem


def make_indicator(**changes: Any) -> Indicator:
    """Declare an indicator; deposits unless changed."""
    entry = {
        "code": "DEPOSITS",
        "name": {"en": "Deposits", "zh": "存款"},
        "unit": "CNY m",
        "direction": "higher",
        "kind": "stock",
        "perspective": "performance",
    }
    return Indicator.model_validate(entry | changes)


RATE = {"code": "NPL", "unit": "%", "direction": "lower", "kind": "ratio", "bounds": [0, 100], "perspective": "risk"}
SIGNED = {"code": "ROA", "unit": "%", "kind": "ratio"}


def growing_values(units: int = 31, years: int = 8, *, seed: int = 0, shock: float = 0.04) -> np.ndarray:
    """Make a positive panel (years, units): a shared shock, steady units, volatile units."""
    rng = np.random.default_rng(seed)
    common = 0.06 + shock * rng.standard_normal((years, 1))
    width = np.exp(rng.normal(-3.5, 0.8, units))
    drift = 0.02 * rng.standard_normal(units)
    start = rng.normal(6, 1, units)
    return np.exp(start + np.cumsum(common + drift + width * rng.standard_t(4, (years, units)), axis=0))


def values_of_kind(kind: str, **size: Any) -> tuple[Indicator, np.ndarray]:
    """Make an indicator and a panel of each kind of scale."""
    values = growing_values(**size)
    if kind == "log":
        return make_indicator(), values
    latent = np.log(values) - np.log(values).mean()
    if kind == "logit":
        return make_indicator(**RATE), 100 / (1 + np.exp(4 - latent))
    if kind == "difference":
        return make_indicator(**SIGNED), latent
    if kind == "asinh":
        return make_indicator(code="PROFIT", kind="flow"), 40 * np.sinh(latent)
    zeros = values.copy()
    zeros[np.random.default_rng(1).random(values.shape) < 0.08] = 0.0
    return make_indicator(), zeros


KINDS = ("log", "logit", "difference", "asinh", "hurdle")


def make_problem(kind: str = "log", **size: Any) -> TargetProblem:
    """Ask for the year after a panel of the kind; peers in three groups."""
    indicator, values = values_of_kind(kind, **size)
    units = pd.Index([f"u{number:03d}" for number in range(values.shape[1])])
    years = np.arange(2010, 2010 + len(values))
    return TargetProblem.annual(indicator, years, values, units=units, peers=np.arange(len(units)) % 3)
