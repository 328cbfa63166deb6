"""How likely any value of a line is attained: a curve of a few dozen points kept with the line.

A person changes a line long after the distribution that it came from is gone from memory, so the line keeps enough of
it. The points are values at some probabilities and the suggested figures themselves, each with its exact probability;
between them the curve is straight in the logarithm of the odds, off by at most a quarter of a percentage point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from features.indicators import Indicator
from models.joint.drawn import off_band

if TYPE_CHECKING:
    from training.suggest import SuggestedLevel

EASY = (0.0005, 0.002, 0.01, 0.03, 0.07, 0.12, 0.2, 0.3, 0.4)
POINTS = (*EASY, 0.5, *(1 - point for point in reversed(EASY)))
"""Probabilities of the points, even on the scale of odds. Beyond one in two thousand distributions claim nothing."""
LEAST = 1e-5
"""Odds need chances between 0 and 1: nearer to these than that, nothing is told apart."""
DIGITS = 10
"""Significant digits of a kept value: more than any stated figure has."""
CHANCE_DECIMALS = 6


def hardness(indicator: Indicator, values: np.ndarray | float) -> np.ndarray:
    """Give values on a scale on which more is harder to attain, in the indicator's own direction.

    A value of a `band` indicator stands for its distance from the band.

    >>> rate = Indicator.model_validate({"code": "X", "name": {"en": "x", "zh": "x"}, "unit": "%",
    ...     "direction": "lower", "kind": "ratio", "perspective": "risk"})
    >>> hardness(rate, 1.5).item()
    -1.5
    """
    values = np.asarray(values, dtype=float)
    if indicator.direction == "band":
        return -off_band(indicator, values)
    return -values if indicator.direction == "lower" else values


def curves(part: SuggestedLevel, figures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay out the curves of the units of a level.

    Parameters
    ----------
    part : SuggestedLevel
        Of U units.
    figures : np.ndarray
        (3, U) the suggested figures.

    Returns
    -------
    hard : np.ndarray
        (U, K) ascending, see `hardness`; NaN for units without a distribution.
    chance : np.ndarray
        (U, K) descending, the probability of attaining each.
    """
    indicator, distribution = part.level.indicator, part.distribution
    values = np.stack([*(distribution.quantile(point) for point in POINTS), *figures])
    if indicator.band is not None:  # a value stands for its distance, on either side alike
        values = indicator.band[1] + off_band(indicator, values)
    chance = np.stack([distribution.attain(row) for row in values], axis=1)
    hard = hardness(indicator, values).T
    order = np.argsort(hard, axis=1, kind="stable")
    hard, chance = np.take_along_axis(hard, order, axis=1), np.take_along_axis(chance, order, axis=1)
    return _significant(hard), np.round(np.minimum.accumulate(chance, axis=1), CHANCE_DECIMALS)


def chance_of(curve: Sequence[Sequence[float]], indicator: Indicator, value: float | None) -> float | None:
    """Give the probability of attaining a value; None where nothing is known of the line, or there is no value.

    Parameters
    ----------
    curve : pair of sequences
        Hardness, ascending, and the probability of attaining it; empty where nothing is known.
    indicator : Indicator
    value : float or None
    """
    if value is None or not curve or not len(curve[0]):
        return None
    chance = np.clip(np.asarray(curve[1], dtype=float), LEAST, 1 - LEAST)
    odds = np.interp(hardness(indicator, value), curve[0], np.log(chance / (1 - chance)))
    return float(1 / (1 + np.exp(-odds)))


def chances_of(basis: Mapping[str, Any], indicator: Indicator, levels: Mapping[str, float | None]) -> dict[str, Any]:
    """Give the probabilities of the levels of a line as its columns: `p_floor`, `p_target`, `p_stretch`."""
    return {f"p_{name}": chance_of(basis["curve"], indicator, value) for name, value in levels.items()}


def _significant(values: np.ndarray) -> np.ndarray:
    """Round each row (U, K) to `DIGITS` digits of its largest value."""
    largest = np.nanmax(np.abs(np.where(np.isfinite(values), values, 0.0)), axis=1, keepdims=True)
    decimals = DIGITS - 1 - np.floor(np.log10(np.maximum(largest, 1e-300)))
    scale = 10.0 ** np.clip(decimals, -300, 15)
    return np.rint(values * scale) / scale
