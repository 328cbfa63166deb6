"""Time progress (序时进度): what a unit that will just attain its target would have by now, by the pace of the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from models.levels import Level
from models.outcome.growth import choose_transform
from models.outcome.history import row_median

OWN_YEARS = 3.0
"""Pseudo-years with which a unit's own pace is drawn towards its group's."""


@dataclass(frozen=True)
class TimeProgress:
    """What is in of the year, and what was in at the same place of past years; (T, U), the last row being this year.

    Attributes
    ----------
    level : Level
    so_far : np.ndarray
        The year to date: a flow's sum, an average or ratio to date, the latest figure of what is taken at the year's
        end; NaN where nothing of the year is in.
    outcome : np.ndarray
        What each year came to; NaN for this year.
    """

    level: Level
    so_far: np.ndarray
    outcome: np.ndarray

    @classmethod
    def of(cls, level: Level, *, begun: bool) -> TimeProgress:
        """Read a level; `begun` tells whether the origin lies inside the year asked about."""
        cut, problem = level.cut, level.problem
        if cut is None:
            at_end = level.figures.basis == "end" and begun
            so_far = problem.base if at_end else np.full(problem.base.shape, np.nan)
            return cls(level, so_far, problem.outcome)
        length = cut.done + cut.left
        if level.figures.basis == "sum":
            part = cut.done / length
            return cls(level, cut.so_far.value * part, cut.so_far.value * part + cut.rest.value * (1 - part))
        both = cut.so_far.weight + cut.rest.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            outcome = (cut.so_far.value * cut.so_far.weight + cut.rest.value * cut.rest.weight) / both
        return cls(level, cut.so_far.value, outcome)

    @property
    def to_date(self) -> np.ndarray:
        """Give what is in of this year (U,)."""
        return self.so_far[-1]

    def expected_by_now(self, targets: np.ndarray) -> np.ndarray:
        """Give what a unit that attains its target (U,) exactly would have by now (U,), never by equal twelfths.

        The usual distance of the year to date from the year's outcome, on the scale of the indicator's growth: the
        unit's own in past years, drawn towards its group's. NaN where no past year tells.
        """
        found = at_usual_pace(self.level.indicator, self.so_far[:-1], self.outcome[:-1], targets)
        return np.where(np.isfinite(self.to_date), found, np.nan)


def at_usual_pace(indicator: Indicator, so_far: np.ndarray, outcome: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Give what a unit that attains its target exactly would have by a place in the year.

    Parameters
    ----------
    indicator : Indicator
    so_far, outcome : np.ndarray
        (T, U) what was in at that place of past years, and what those years came to.
    targets : np.ndarray
        (..., U) of a year.

    Returns
    -------
    np.ndarray
        (..., U); NaN where there is no target, and everywhere where no past year tells.
    """
    targets = np.asarray(targets, dtype=float)
    known = np.stack([so_far, outcome])
    if not np.isfinite(known).any():
        return np.full(targets.shape, np.nan)
    transform = choose_transform(indicator, known)
    distance = transform.latent(known[0]) - transform.latent(known[1])
    told = np.isfinite(distance)
    if not told.any():
        return np.full(targets.shape, np.nan)
    usual = row_median(distance)
    own = np.where(told, distance - usual, 0.0).sum(axis=0) / (told.sum(axis=0) + OWN_YEARS)
    pace = float(np.mean(usual[told.any(axis=1)])) + own
    low, high = indicator.limits
    latent = transform.latent(np.clip(targets, low, high))
    return np.where(np.isfinite(latent), transform.value(latent + pace), np.nan)


def pace_ratio(to_date: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Give what is in over what would be; NaN where that is zero or less, where a ratio says nothing."""
    sensible = np.isfinite(expected) & (expected > 0)
    return np.where(sensible, to_date / np.where(sensible, expected, 1.0), np.nan)
