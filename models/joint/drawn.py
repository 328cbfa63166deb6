"""Outcomes known as draws: quantiles and probabilities of attaining, by counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator

ROUNDING = 1e-9
"""Share by which a sum of draws may miss a value and count as equal to it: the rounding of many floating-point sums."""


def off_band(indicator: Indicator, values: np.ndarray) -> np.ndarray:
    """Give the distance of values from an indicator's band; 0 inside it."""
    low, high = indicator.band or (-np.inf, np.inf)
    return np.maximum(np.maximum(low - values, values - high), 0.0)


def meets(indicator: Indicator, draws: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Tell in which draws (n, G) the values (G,) are attained, in the indicator's direction; False if unknown."""
    if indicator.band is not None:
        return off_band(indicator, draws) <= off_band(indicator, values)
    slack = ROUNDING * np.abs(values)
    return draws <= values + slack if indicator.direction == "lower" else draws >= values - slack


@dataclass(frozen=True, eq=False)
class DrawnDistribution:
    """Outcomes of G units as sorted draws, (n, G); NaN throughout where nothing is known."""

    indicator: Indicator
    draws: np.ndarray
    evidence: np.ndarray

    def quantile(self, q: float) -> np.ndarray:
        """Give a quantile of each unit's outcome: (G,)."""
        place = q * (len(self.draws) - 1)
        low = int(np.floor(place))
        high = min(low + 1, len(self.draws) - 1)
        return self.draws[low] + (place - low) * (self.draws[high] - self.draws[low])

    def value_at(self, probability: float) -> np.ndarray:
        """Give the value (G,) that each unit attains with a probability, in the indicator's own direction."""
        if self.indicator.band is None:
            return self.quantile(probability if self.indicator.direction == "lower" else 1 - probability)
        low, high = self.indicator.band
        median = self.quantile(0.5)
        distance = np.quantile(off_band(self.indicator, self.draws), probability, axis=0)
        edge = np.where(median > (low + high) / 2, high + distance, low - distance)
        return np.where(distance > 0, edge, np.clip(median, low, high))

    def attain(self, values: np.ndarray) -> np.ndarray:
        """Give the probability (G,) of attaining a value; of ending no farther from the band, where there is one."""
        met = meets(self.indicator, self.draws, values)
        return np.where(np.isfinite(self.draws[0]) & np.isfinite(values), met.mean(axis=0), np.nan)
