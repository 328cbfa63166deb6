"""What moves a model's answers on the whole: the mean size of each driver's contributions, in parts of all drivers'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.indicators import Title
from models.wording import COURSE_WORDS

if TYPE_CHECKING:
    from models.levels import Level
    from models.outcome.target import TargetModel
    from training.warning.fitting import Fitted
    from training.warning.material import Material

MOST = 12
"""Drivers that are listed, the largest; the rest of them hardly counts."""


def target_drivers(levels: Sequence[Level], models: Mapping[str, TargetModel]) -> pd.DataFrame:
    """Give a row a driver of a target model: `driver`, `share`; each indicator and level has one vote.

    Contributions set a unit apart from the middle of its level, as the gate on explanations takes them. A level that
    is served by pooled growth alone has none.
    """
    from models.explanation.own_course import Course
    from models.outcome.trial import evenly_spread
    from training.gating.stability import UNITS
    from training.gating.target_stability import DRIVERS, set_apart

    parts = []
    for level in levels:
        base = level.problem.base[-1]
        known = np.flatnonzero(np.isfinite(base))
        if level.key not in models or not len(known):
            continue
        some = known[evenly_spread(base[known], UNITS)]
        size = np.abs(set_apart(Course.of(level, models[level.key]), some)).mean(axis=0)
        if size.sum() > 0:
            parts.append(size / size.sum())
    titles = [Title(**COURSE_WORDS[code]) for code in DRIVERS]
    return _largest(titles, np.mean(parts, axis=0)) if parts else pd.DataFrame()


def warning_drivers(material: Material, found: Fitted) -> pd.DataFrame:
    """Give a row a driver of a warning model: `driver`, `share`; over the units most at risk in the last period."""
    from models.alert_story.drivers import driver_players, driver_title
    from models.deterioration.model import middle
    from training.gating.stability import UNITS
    from training.warning.fitting import THREADS, columns

    asked = np.zeros(material.leaves.shape, dtype=bool)
    asked[-1] = material.leaves[-1]
    if found.model is None or not asked.any():
        return pd.DataFrame()
    X = columns(material, found.names, asked)
    some = np.argsort(-found.model.predict(X, threads=THREADS), kind="stable")[:UNITS]
    players = driver_players(found.names)
    values, _ = found.model.contributions(X[some], players=players, reference=middle(X))
    size = np.abs(values).mean(axis=0)
    indicators = material.snapshot.indicators
    titles = [Title(**driver_title(code, indicators)) for code in players.names]
    return _largest(titles, size / size.sum()) if size.sum() > 0 else pd.DataFrame()


def _largest(titles: Sequence[Title], share: np.ndarray) -> pd.DataFrame:
    order = [int(place) for place in np.argsort(-share, kind="stable")[:MOST] if share[place] > 0]
    return pd.DataFrame({"driver": [titles[place] for place in order], "share": share[order]})
