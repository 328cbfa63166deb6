"""The distribution of what each unit can achieve in the year asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator
from models.joint.kinship import Kinship
from models.judging.calibration import Calibration
from models.outcome.growth import Transform
from models.outcome.spread import Spread


@dataclass(frozen=True)
class TargetLevels:
    """The probabilities of attaining that floor, target and stretch stand for (domain brief, "Achievable").

    Raises
    ------
    LoadlineError
        Where they are not strictly descending between 0 and 1.
    """

    floor: float = 0.85
    target: float = 0.60
    stretch: float = 0.20

    def __post_init__(self) -> None:
        if not 1 > self.floor > self.target > self.stretch > 0:
            raise LoadlineError(
                f"target levels {self.floor}, {self.target}, {self.stretch} are not descending probabilities",
                hint="The floor is the level most often attained: for instance 0.85, 0.60 and 0.20.",
            )

    def as_dict(self) -> dict[str, float]:
        """Give the levels by name."""
        return {"floor": self.floor, "target": self.target, "stretch": self.stretch}


@dataclass(frozen=True, eq=False)
class TargetDistribution:
    """Joint distribution of the units' outcomes; NaN throughout for units of which nothing can be said.

    Attributes
    ----------
    indicator : Indicator
    units : pd.Index
        U labels.
    transform : Transform
        To the latent scale.
    location : np.ndarray
        (U,) latent position before the common shock: last figure plus the unit's own expected growth.
    spread : Spread
        Common shock and own residuals around it.
    zero : np.ndarray
        (U,) probability of an outcome of exactly zero, where that is an event of its own; 0 elsewhere.
    evidence : np.ndarray
        (U,) a short English text each: what the distribution rests on, or why there is none.
    low_evidence : np.ndarray
        (U,) bool: to be shown as such.
    kinship : Kinship or None
        Ties the residuals of units of one group in joint draws; each unit's own distribution is as without it.
    """

    indicator: Indicator
    units: pd.Index
    transform: Transform
    location: np.ndarray
    spread: Spread
    zero: np.ndarray
    evidence: np.ndarray
    low_evidence: np.ndarray
    kinship: Kinship | None = None

    @property
    def known(self) -> np.ndarray:
        """Tell for which units (U,) there is a distribution."""
        return np.isfinite(self.location) & np.isfinite(self.spread.scale)

    def quantile(self, q: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """Give quantiles of the outcome: (U,) for one probability, (U, Q) for several."""
        if np.ndim(q) == 0:
            return self.quantile_each(np.full(len(self.units), float(q)))  # type: ignore[arg-type]
        return np.stack([self.quantile(level) for level in np.asarray(q, dtype=float)], axis=1)

    def quantile_each(self, q: np.ndarray) -> np.ndarray:
        """Give each unit's quantile at a probability of its own: (U,) from (U,).

        Raises
        ------
        LoadlineError
            Where a probability lies outside 0 to 1.
        """
        if np.any((q < 0) | (q > 1)):
            raise LoadlineError("a probability lies between 0 and 1")
        positive = np.clip((q - self.zero) / np.maximum(1 - self.zero, 1e-12), 0.0, 1.0)
        value = self.transform.value(self.location + self.spread.quantile(positive))
        return np.where(self.known, np.where(q <= self.zero, np.where(self.zero > 0, 0.0, value), value), np.nan)

    def cdf(self, values: np.ndarray | float) -> np.ndarray:
        """Give the probability (U,) of an outcome of at most the value (U,)."""
        values = self._values(values)
        share = np.where(values >= self.transform.high, 1.0, self._latent_share(values))
        return self._with_zero(values, share, values >= 0)

    def below(self, values: np.ndarray | float) -> np.ndarray:
        """Give the probability (U,) of an outcome of less than the value (U,)."""
        values = self._values(values)
        share = np.where(values <= self.transform.low, 0.0, self._latent_share(values))
        return self._with_zero(values, share, values > 0)

    def attain(self, values: np.ndarray | float) -> np.ndarray:
        """Give the probability (U,) of attaining the value, in the indicator's own direction.

        `higher` is the probability of reaching it, `lower` of staying at or under it. For a `band` indicator a value
        stands for its distance from the band: the probability of ending no farther from the band, on either side.
        """
        values = self._values(values)
        if self.indicator.direction == "higher":
            return 1 - self.below(values)
        if self.indicator.direction == "lower":
            return self.cdf(values)
        low, high = self._band
        distance = np.maximum(np.maximum(low - values, values - high), 0.0)
        return self.cdf(high + distance) - self.below(low - distance)

    def value_at(self, probability: float) -> np.ndarray:
        """Give the value (U,) that each unit attains with a probability, in the indicator's own direction.

        For a `band` indicator: the nearest value to the band that is attained with at least that probability, on the
        side where the unit's median lies; the median itself where the band is kept often enough already.
        """
        if self.indicator.direction == "higher":
            return self.quantile(1 - probability)
        if self.indicator.direction == "lower":
            return self.quantile(probability)
        return self._band_value(probability)

    def level_values(self, levels: TargetLevels | Mapping[str, float]) -> dict[str, np.ndarray]:
        """Give the value (U,) of each named level, such as floor, target and stretch."""
        named = levels.as_dict() if isinstance(levels, TargetLevels) else levels
        return {name: self.value_at(probability) for name, probability in named.items()}

    def sample(self, n: int, *, seed: int) -> np.ndarray:
        """Draw n joint outcomes (n, U); the common shock is shared by all units of a draw.

        A unit's draws depend on its label and on the other units' labels, not on their order.
        """
        rng = np.random.default_rng(seed)
        order = np.argsort(self.units.astype(str).to_numpy(), kind="stable")
        back = np.argsort(order)
        common = rng.standard_normal(n)
        own = rng.standard_normal((n, len(order)))
        if np.any(back[1:] < back[:-1]):
            own = own[:, back]
        if self.kinship is not None:
            own = self.kinship.related(own, rng)
        values = self.transform.value(self.location + self.spread.draw(own, common))
        if np.any(self.zero > 0):
            values = np.where(rng.random((n, len(order)))[:, back] < self.zero, 0.0, values)
        return np.where(self.known, values, np.nan)

    def take(self, columns: np.ndarray) -> TargetDistribution:
        """Keep some units, by position, in the order given."""
        return replace(
            self,
            units=self.units[columns],
            location=self.location[columns],
            spread=self.spread.take(columns),
            zero=self.zero[columns],
            evidence=self.evidence[columns],
            low_evidence=self.low_evidence[columns],
            kinship=None if self.kinship is None else self.kinship.take(columns),
        )

    def given_common(self, growth: float) -> TargetDistribution:
        """Give the distribution when the group's common growth, on the latent scale, is taken as known or stated."""
        return replace(self, spread=replace(self.spread, shock=np.array([growth])))

    def recalibrated(self, calibration: Calibration) -> TargetDistribution:
        """Widen or narrow the distribution as past years ask for.

        The parts are changed and not the probabilities, so quantiles, probabilities, joint draws and what follows from
        a known common growth stay consistent with each other. The middle stays.
        """
        return replace(self, spread=self.spread.widened(common=calibration.whole, own=calibration.own))

    def tied(self, kinship: Kinship | None) -> TargetDistribution:
        """Let the residuals of units of one group go together in joint draws."""
        return replace(self, kinship=kinship)

    @property
    def common_growth(self) -> float:
        """Give the middle of the common growth, on the latent scale."""
        return float(np.median(self.spread.shock))

    @property
    def _band(self) -> tuple[float, float]:
        if self.indicator.band is None:
            raise LoadlineError(f"{self.indicator.code} has no band")
        return self.indicator.band

    def _band_value(self, probability: float) -> np.ndarray:
        low, high = self._band
        median = self.quantile(0.5)
        side = np.where(median > (low + high) / 2, 1.0, -1.0)
        edge = np.where(side > 0, high, low)
        inside = np.clip(median, low, high)
        far = np.nanmax(np.abs(self.quantile([0.0, 1.0])[self.known] - (low + high) / 2), initial=high - low)
        near, distance = np.zeros(len(median)), np.full(len(median), float(far))
        for _ in range(60):  # halvings: to the last bit of a double
            middle = (near + distance) / 2
            enough = self.attain(edge + side * middle) >= probability
            near, distance = np.where(enough, near, middle), np.where(enough, middle, distance)
        kept = self.attain(edge) >= probability
        return np.where(self.known, np.where(kept, inside, edge + side * distance), np.nan)

    def _values(self, values: np.ndarray | float) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, dtype=float), (len(self.units),))

    def _latent_share(self, values: np.ndarray) -> np.ndarray:
        inside = np.clip(values, self.transform.low, self.transform.high)
        latent = self.transform.latent(inside)
        share = self.spread.cdf(latent - self.location)
        share = np.where(np.isnan(latent) & (inside <= self.transform.low), 0.0, share)
        share = np.where(np.isnan(latent) & (inside >= self.transform.high), 1.0, share)
        return np.where(values < self.transform.low, 0.0, np.where(values > self.transform.high, 1.0, share))

    def _with_zero(self, values: np.ndarray, share: np.ndarray, counted: np.ndarray) -> np.ndarray:
        share = np.where(self.zero > 0, self.zero * counted + (1 - self.zero) * np.where(values > 0, share, 0.0), share)
        return np.where(self.known & np.isfinite(values), share, np.nan)
