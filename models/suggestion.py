"""Target suggestions: floor, target and stretch in the indicator's own steps, each with its probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.indicators import COUNT_UNITS, Indicator
from models.joint.totals import DrawnDistribution
from models.levels import Level
from models.outcome.distribution import TargetDistribution, TargetLevels
from models.reasons import like_the_group

SIGNIFICANT = 4
"""Digits that a stated target keeps at the least, whatever the size of the indicator."""

COLUMNS = (
    "unit",
    "indicator",
    "year",
    "last_actual",
    "floor",
    "target",
    "stretch",
    "p_floor",
    "p_target",
    "p_stretch",
    "evidence",
)

MILESTONES = ("like_group", "expected", "suggested")
"""What lies between the last figure and the target, for explanation: see `models.reasons`."""


def display_step(indicator: Indicator, figures: np.ndarray) -> float:
    """Give the step in which targets are stated: the indicator's own, or finer where its figures are small.

    >>> import numpy as np
    >>> rate = Indicator.model_validate({"code": "X", "name": {"en": "x", "zh": "x"}, "unit": "share",
    ...     "direction": "higher", "kind": "ratio", "perspective": "performance"})
    >>> display_step(rate, np.array([0.031, 0.027]))
    1e-05
    """
    if indicator.decimals is not None or (indicator.unit in COUNT_UNITS and indicator.kind != "ratio"):
        return indicator.smallest_unit
    sizes = np.abs(figures[np.isfinite(figures) & (figures != 0)])
    if not len(sizes):
        return indicator.smallest_unit
    decimals = SIGNIFICANT - 1 - int(np.floor(np.log10(np.median(sizes))))
    return 10.0 ** -min(max(decimals, 2), 9)


def rounded(values: np.ndarray, step: float, limits: tuple[float, float]) -> np.ndarray:
    """Round to whole steps, inside the bounds."""
    decimals = max(0, round(-np.log10(step)))
    return np.clip(np.round(np.asarray(values, dtype=float), decimals), *limits)


def suggest(
    level: Level,
    distribution: TargetDistribution | DrawnDistribution,
    levels: TargetLevels,
    *,
    quantiles: Sequence[float] = (),
) -> pd.DataFrame:
    """Suggest targets for the units of one level.

    A figure is rounded first, and its probability is that of the rounded figure. Units of which nothing can be said
    have a row without figures, whose evidence says why.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`, then `MILESTONES`, then `q<quantile>` as asked; one row a unit.
    """
    problem = level.problem
    step = display_step(level.indicator, problem.base[-1])
    frame: dict[str, object] = {
        "unit": problem.units.astype(str),
        "indicator": level.indicator.code,
        "year": problem.asked,
        "last_actual": problem.base[-1],
    }
    chances: dict[str, np.ndarray] = {}
    for name, probability in levels.as_dict().items():
        frame[name] = rounded(distribution.value_at(probability), step, level.indicator.limits)
        chances[f"p_{name}"] = distribution.attain(np.asarray(frame[name], dtype=float))
    frame |= chances | {"evidence": distribution.evidence}
    frame |= {"like_group": like_the_group(level, distribution), "expected": distribution.quantile(0.5)}
    frame |= {"suggested": frame["target"]}
    frame |= {f"q{q:g}": distribution.quantile(q) for q in quantiles}
    return pd.DataFrame(frame)
