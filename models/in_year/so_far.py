"""The distribution of a year that has begun: what is in already, plus the distribution of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from models.joint.kinship import Kinship
from models.judging.calibration import Calibration
from models.outcome.distribution import TargetDistribution

ROUNDING = 1e-9
"""Share by which a value may miss what is in and count as equal to it: the rounding of floating-point sums."""


@dataclass(frozen=True)
class SoFar:
    """How the outcome of a year follows from its rest: `known + share * rest`, each (U,).

    Attributes
    ----------
    known : np.ndarray
        What the outcome would be if the rest came to nothing.
    share : np.ndarray
        Share of the year that the rest stands for; the rest is given at the rate of a whole year.
    whole : np.ndarray
        True where every period of the year to date is in; otherwise the rest stands for the whole year.
    text : str
        Says in a few words how much of the year is in.
    """

    known: np.ndarray
    share: np.ndarray
    whole: np.ndarray
    text: str

    def year(self, rest: np.ndarray) -> np.ndarray:
        """Turn figures of the rest (..., U), at the rate of a whole year, into figures of the year."""
        return self.known + self.share * rest

    def take(self, columns: np.ndarray) -> SoFar:
        """Keep some units, by position, in the order given."""
        return replace(self, known=self.known[columns], share=self.share[columns], whole=self.whole[columns])


def of_year(rest: TargetDistribution, so_far: SoFar) -> YearDistribution:
    """Give the distribution of the year from that of its rest."""
    inherited = {f.name: getattr(rest, f.name) for f in fields(TargetDistribution)}
    gap = np.array([f"low: a gap in the year to date, judged by its other part; {text}" for text in rest.evidence])
    told = np.array([f"{text}; {so_far.text}" for text in rest.evidence], dtype=object)
    nothing = np.array([str(text).startswith("none") for text in rest.evidence], dtype=bool)
    inherited["evidence"] = np.where(nothing, rest.evidence, np.where(so_far.whole, told, gap.astype(object)))
    inherited["low_evidence"] = rest.low_evidence | ~so_far.whole
    return YearDistribution(**inherited, rest=rest, so_far=so_far)


@dataclass(frozen=True, eq=False)
class YearDistribution(TargetDistribution):
    """Joint distribution of the units' outcomes in a year that has begun.

    It answers like any target distribution, and never claims what the part that is in rules out: a flow that cannot
    fall has attained for certain what the year to date already came to.

    Attributes
    ----------
    rest : TargetDistribution
        Of the rest of the year, at the rate of a whole year; location, spread and transform are its own.
    so_far : SoFar
    """

    rest: TargetDistribution = field(kw_only=True)
    so_far: SoFar = field(kw_only=True)

    @property
    def known(self) -> np.ndarray:
        """Tell for which units (U,) there is a distribution."""
        return self.rest.known & np.isfinite(self.so_far.known) & np.isfinite(self.so_far.share)

    def quantile(self, q: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """Give quantiles of the outcome: (U,) for one probability, (U, Q) for several."""
        found = self.rest.quantile(q)
        return self._year(found) if found.ndim == 1 else self._year(found.T).T

    def quantile_each(self, q: np.ndarray) -> np.ndarray:
        """Give each unit's quantile at a probability of its own: (U,) from (U,)."""
        return self._year(self.rest.quantile_each(q))

    def cdf(self, values: np.ndarray | float) -> np.ndarray:
        """Give the probability (U,) of an outcome of at most the value (U,)."""
        return self._share_under(np.asarray(values, dtype=float), or_equal=True)

    def below(self, values: np.ndarray | float) -> np.ndarray:
        """Give the probability (U,) of an outcome of less than the value (U,)."""
        return self._share_under(np.asarray(values, dtype=float), or_equal=False)

    def sample(self, n: int, *, seed: int) -> np.ndarray:
        """Draw n joint outcomes (n, U); the common shock is shared by all units of a draw."""
        return self._year(self.rest.sample(n, seed=seed))

    def take(self, columns: np.ndarray) -> YearDistribution:
        """Keep some units, by position, in the order given."""
        found = of_year(self.rest.take(columns), self.so_far.take(columns))
        return replace(found, evidence=self.evidence[columns], low_evidence=self.low_evidence[columns])

    def given_common(self, growth: float) -> YearDistribution:
        """Give the distribution when the rest's common growth, on the latent scale, is taken as known or stated."""
        return self._with(self.rest.given_common(growth))

    def recalibrated(self, calibration: Calibration) -> YearDistribution:
        """Widen or narrow the rest as past years ask for; what is in stays."""
        return self._with(self.rest.recalibrated(calibration))

    def tied(self, kinship: Kinship | None) -> YearDistribution:
        """Let the residuals of units of one group go together in joint draws."""
        return self._with(self.rest.tied(kinship))

    def _with(self, rest: TargetDistribution) -> YearDistribution:
        return replace(of_year(rest, self.so_far), evidence=self.evidence, low_evidence=self.low_evidence)

    def _year(self, rest: np.ndarray) -> np.ndarray:
        """Turn figures of the rest (..., U) into figures of the year, within the indicator's bounds."""
        low, high = self.indicator.limits
        return np.clip(self.so_far.year(rest), low, high)

    def _share_under(self, values: np.ndarray, *, or_equal: bool) -> np.ndarray:
        values = np.broadcast_to(values, (len(self.units),))
        ahead = values - self.so_far.known
        ahead = np.where(np.abs(ahead) <= ROUNDING * np.abs(values), 0.0, ahead)
        nothing_left = self.so_far.share == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.where(nothing_left, 0.0, ahead / self.so_far.share)
        found = self.rest.cdf(needed) if or_equal else self.rest.below(needed)
        settled = (ahead >= 0 if or_equal else ahead > 0).astype(float)
        return np.where(self.known & np.isfinite(values), np.where(nothing_left, settled, found), np.nan)
