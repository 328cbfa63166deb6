"""Levels whose growth can be foretold better than the usual settings dare, or not at all, to tune on in seconds."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from target_problems import make_indicator

from models.levels import Level
from models.outcome.problem import TargetProblem

YEARS = np.arange(2010, 2019)


def make_levels(*, falling_back: float, indicators: int = 2, units: int = 120, seed: int = 0) -> list[Level]:
    """Make indicators whose units fall back to their own level by a share of the distance a year; 0 is pure chance."""
    return [_level(number, falling_back, units, seed) for number in range(indicators)]


def _level(number: int, falling_back: float, units: int, seed: int) -> Level:
    rng = np.random.default_rng([seed, number])
    own = rng.normal(6, 1, units)
    away, rows = np.zeros(units), []
    for year in range(len(YEARS)):
        away = (1 - falling_back) * away + 0.1 * rng.standard_normal(units)
        rows.append(np.exp(own + away + 0.03 * year + 0.02 * rng.standard_normal()))
    names = pd.Index([f"u{unit:03d}" for unit in range(units)])
    indicator = make_indicator(code=f"I{number}")
    problem = TargetProblem.annual(indicator, YEARS, np.array(rows), units=names)
    figures = cast(Any, None)  # for display only
    return Level(indicator, "leaves", problem, np.arange(units), figures, learned=True, trailing=problem.base)
