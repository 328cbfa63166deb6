"""Features of the economy around a unit, and a national or regional figure handed down to the units below."""

from __future__ import annotations

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.indicators import Indicator
from features.panel import Panel
from features.performance import INNER_PERSPECTIVES, PAST_PERIODS, PAST_YEARS
from features.windows import lagged, midpoint_growth, trailing_mean

AROUND = Applies(perspectives=("context",))


def handed_down(panel: Panel) -> Panel:
    """Give each unit without a context figure that of the nearest unit above which has one, period by period.

    A figure of the economy is often known for the country or region only; the units in it live in the same economy.
    """
    codes = [code for code in panel.codes if panel.indicator(code).perspective == "context"]
    if not codes:
        return panel
    values = dict(panel.values)
    filled = {code: values[code].copy() for code in codes}
    for first, last in panel.tree.segments(panel.first, panel.last):
        rows = slice(first - panel.first, last - panel.first + 1)
        parents, depths = panel.tree.parents(first), panel.tree.depths(first)
        for depth in range(1, int(depths.max(initial=0)) + 1):
            below = np.flatnonzero((depths == depth) & (parents >= 0))
            for array in filled.values():
                own = array[rows][:, below]
                array[rows, below] = np.where(np.isfinite(own), own, array[rows][:, parents[below]])
    return panel.with_values({**values, **filled})


@feature(
    title=("Against its own mean", "较自身均值"),
    unit="growth",
    reason=("Tells a good time from a bad one.", "区分景气与不景气。"),
    applies=AROUND,
)
def context_deviation(value: np.ndarray, spec: Indicator, per_year: int) -> np.ndarray:
    """Give the distance from the mean of the last three years: in points for ratios and levels, else as growth."""
    mean = trailing_mean(value, max(PAST_YEARS * per_year, PAST_PERIODS), least=2)
    return midpoint_growth(value, mean) if spec.kind in ("flow", "stock") else value - mean


@step(lags=(1,))
def context_growth(context: np.ndarray, per_year: int) -> np.ndarray:
    """Give the yearly growth of the economy around the unit."""
    return midpoint_growth(context, lagged(context, per_year))


@feature(
    title=("Growth above the economy's", "增速较外部环境"),
    unit="share",
    reason=("Growth that the surroundings do not explain.", "外部环境无法解释的增长。"),
    applies=Applies(kinds=("flow", "stock"), perspectives=INNER_PERSPECTIVES),
)
def growth_above_context(growth_1y: np.ndarray, context_growth: np.ndarray) -> np.ndarray:
    """Give the yearly growth less that of the first context figure that has a size."""
    return growth_1y - context_growth


STEPS: tuple[Step, ...] = (context_growth,)
FEATURES: tuple[Feature, ...] = (context_deviation, growth_above_context)
