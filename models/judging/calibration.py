"""Calibration by year: how wide the past years turned out against what had been said of them, and what follows.

Outcomes of one year share its shock, so a thousand units in one year are nearly one observation of how far a year may
depart, but a thousand of how far units lie from each other. The two are therefore judged apart, each year has one vote,
and few years hardly move anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from features.errors import LoadlineError

FEWEST_ORIGINS = 5
"""Below this many past years nothing is changed: split conformal on one year covered 39% to 75% of a nominal 80%."""

WHOLE_PRIOR = 10.0
"""Pseudo-years without any correction that the width of the whole starts from. On held-out years of 18 public series
the pinball loss fell by 0.7% on average and rose by 1.2% at the worst; with 5 it fell by 0.8% and rose by up to 2%."""

OWN_PRIOR = 3.0
"""The same for the units' own residuals, of which each year shows many: 1 and 5 differ from 3 by less than 0.1%."""

BANDS = (0.6, 0.7, 0.8, 0.9)
"""Central bands whose reach is compared for the residuals: around the 80% band that is judged, and more steady than it
alone. Squares would weigh the tails: they left 84% in the 80% band where tails are heavy."""

CUT = 3.0
"""Normal scores beyond this count as this: a merger says nothing of the width of other units."""

REACH = 2.0
"""No correction by more than this factor either way: a model that is off by more needs another model."""


def normal_scores(shares: np.ndarray) -> np.ndarray:
    """Give the normal score of each probability integral transform, cut off at `CUT`; NaN stays."""
    return np.clip(ndtri(np.clip(shares, 0.0, 1.0)), -CUT, CUT)


@dataclass(frozen=True)
class OriginScore:
    """How the outcomes of one past year fell within the distributions given before it.

    Attributes
    ----------
    year : int
    whole : float
        Mean squared normal score of the outcomes: 1 where the distribution was right, 4 where it was half as wide as
        it should have been.
    own : float
        How far the central bands given the common growth that the year really brought had to reach to hold their share
        of the units, over how far they reached: 1 where they were right, 2 where they were half as wide.
    outcomes : int
        How many units it rests on.
    """

    year: int
    whole: float
    own: float
    outcomes: int

    @classmethod
    def of(cls, whole: np.ndarray, own: np.ndarray, *, year: int) -> OriginScore | None:
        """Score a year from the probability integral transforms (U,) of its outcomes; None where fewer than two count.

        Parameters
        ----------
        whole, own : np.ndarray
            (U,) before anything of the year is known, and given its common growth; NaN where there is no outcome.
        year : int
        """
        seen = np.isfinite(whole) & np.isfinite(own)
        count = int(seen.sum())
        if count < 2:
            return None
        reach = np.quantile(np.abs(normal_scores(own[seen])), BANDS)
        ratio = np.maximum(reach, np.finfo(float).tiny) / ndtri((1 + np.array(BANDS)) / 2)
        # The common growth is the middle of these very units, which takes one degree of freedom.
        own_reach = float(np.exp(np.mean(np.log(ratio)))) * np.sqrt(count / (count - 1))
        return cls(int(year), float(np.mean(normal_scores(whole[seen]) ** 2)), float(own_reach), count)

    def as_dict(self) -> dict[str, Any]:
        """Give the score as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Calibration:
    """Factors on the width of a distribution around its middle, on the latent scale: a monotone map of quantiles.

    Attributes
    ----------
    whole : float
        On the deviations of the common growth from its middle.
    own : float
        On the units' own residuals.
    origins : int
        Past years that it rests on.

    Raises
    ------
    LoadlineError
        Where a factor is not positive.
    """

    whole: float = 1.0
    own: float = 1.0
    origins: int = 0

    def __post_init__(self) -> None:
        if not (self.whole > 0 and self.own > 0):
            raise LoadlineError(f"calibration factors {self.whole} and {self.own} are not both positive")

    @classmethod
    def fit(cls, scores: Sequence[OriginScore | None]) -> Calibration:
        """Learn from the scores of past years, each with one vote; nothing changes below `FEWEST_ORIGINS`.

        Parameters
        ----------
        scores : sequence of OriginScore or None
            One for each past year, in any order, each of a distribution that was given before its year.

        Notes
        -----
        Conformal in that only the outcomes' places within the model's own distributions are used, and grouped by year
        as cross-conformal prediction groups by fold (Vovk 2015; CV+, Barber et al. 2021). One factor instead of a free
        map: with 5 to 30 votes a free map was no better on held-out years, and a shifted middle worse.
        """
        found = [score for score in scores if score is not None]
        if len(found) < FEWEST_ORIGINS:
            return cls(origins=len(found))
        squares = np.array([score.whole for score in found])
        reach = np.array([score.own for score in found])
        tiny = np.finfo(float).tiny
        return cls(
            _shrunk(0.5 * np.log(max(float(np.mean(squares)), tiny)), len(found), WHOLE_PRIOR),
            _shrunk(float(np.mean(np.log(np.maximum(reach, tiny)))), len(found), OWN_PRIOR),
            len(found),
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the calibration as plain data."""
        return asdict(self)


NEUTRAL = Calibration()
"""Changes nothing."""


def _shrunk(asked: float, count: int, prior: float) -> float:
    """Give the factor whose logarithm the years ask for, drawn towards one and kept within reach."""
    return float(np.clip(np.exp(asked * count / (count + prior)), 1 / REACH, REACH))
