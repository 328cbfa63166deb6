"""How the sample bank's years unfold month by month: paces, seasons, the moving New Year, and noise."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from features.calendar import new_year
from training.sample.dynamics import Course
from training.sample.units import YEARS

HOLIDAY_BEFORE, HOLIDAY_AFTER = 6, 15
"""Days around the Chinese New Year in which business rests: from a week before to the Lantern Festival."""
HOLIDAY_DEPTH = 0.6
"""Part of a day's business lost on such a day."""

# Weight of each month in the year's loan growth, in new customers and in fees: an opening push, then quarter ends.
LOAN_PACE = (17.0, 9.5, 11.0, 7.0, 6.5, 9.0, 6.0, 6.0, 8.0, 5.5, 6.5, 8.0)
DEPOSIT_PACE = (16.0, 11.0, 12.0, 5.5, 7.0, 9.0, 5.0, 6.5, 8.5, 5.0, 6.5, 8.0)
CUSTOMER_PACE = (12.5, 11.0, 12.0, 7.5, 7.0, 8.5, 7.0, 7.0, 8.0, 6.5, 6.5, 6.5)
FEE_PACE = (11.0, 8.5, 10.5, 7.5, 7.5, 9.0, 7.5, 7.5, 8.5, 7.0, 7.5, 8.0)
PROFIT_PACE = (9.5, 8.0, 10.0, 8.5, 8.0, 9.5, 8.0, 8.0, 8.5, 7.5, 7.5, 7.0)
NPL_PACE = (5.0, 6.0, 6.0, 7.5, 8.0, 8.0, 9.0, 9.5, 9.5, 10.0, 10.5, 11.0)
OVERDUE_PACE = (13.0, 12.0, 11.0, 10.0, 9.0, 8.5, 8.0, 7.0, 6.5, 5.5, 5.0, 4.5)
"""Arrears move early in the year and NPL late, so that the first foretells the second."""
DEPOSIT_SEASON = (0.4, 1.2, 0.9, 0.0, -0.2, 0.5, -0.3, -0.3, 0.4, -0.4, -0.2, 0.5)
"""Daily-average deposits above their trend, in %."""
NPL_SEASON = (2.0, 2.5, -1.5, 1.0, 2.0, -1.5, 1.5, 2.0, -1.0, 2.0, 2.5, 0.0)
"""NPL ratio above its trend, in log points: it is cleaned up for quarter ends."""
MONTHLY_NOISE = {"LOANS": 0.004, "P01": 0.006, "P08": 0.05, "U01": 0.07, "PROFIT": 0.05, "R01": 0.012}
"""Standard deviation of a month's log noise around the year's path."""


def holiday_factor(year: int) -> np.ndarray:
    """Give the part of each month's business that the New Year holiday leaves: (12,)."""
    lost = np.zeros(12)
    middle = new_year(year)
    if middle is None:
        return np.ones(12)
    for offset in range(-HOLIDAY_BEFORE, HOLIDAY_AFTER + 1):
        lost[(middle + timedelta(days=offset)).month - 1] += HOLIDAY_DEPTH
    return 1 - lost / np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def month_weights(code: str) -> np.ndarray:
    """Give each month's expected share of a year's growth, or of a year's flow: (Y, 12), rows adding up to one."""
    table = {
        "LOANS": LOAN_PACE,
        "P01": DEPOSIT_PACE,
        "P08": FEE_PACE,
        "U01": CUSTOMER_PACE,
        "PROFIT": PROFIT_PACE,
        "R01": NPL_PACE,
        "R04": OVERDUE_PACE,
    }
    weights = np.tile(table[code], (len(YEARS), 1)).astype(float)
    if code in ("LOANS", "P08", "U01"):
        weights *= np.array([holiday_factor(int(year)) for year in YEARS])
    return weights / weights.sum(axis=1, keepdims=True)


def pace_of(code: str) -> np.ndarray:
    """Give the part of a year's growth reached by each month's end: (Y, 12), last column one."""
    return np.cumsum(month_weights(code), axis=1)


def season_of(code: str) -> np.ndarray:
    """Give a stock's log season: (12,)."""
    season = {"P01": DEPOSIT_SEASON, "R01": NPL_SEASON}.get(code, (0.0,) * 12)
    return np.array(season) / 100


def year_path(code: str, growth: np.ndarray) -> np.ndarray:
    """Give a stock's expected log path above the state before the year: (Y, 12, B) for growth (Y, B)."""
    return growth[:, None, :] * pace_of(code)[:, :, None] + season_of(code)[:, None]


def monthly_stock(course: Course, rng: np.random.Generator) -> np.ndarray:
    """Draw a stock's months, so that the year's end, or its average, is as the course says: (12 Y, B), not logs."""
    code = course.driver.code
    path = np.exp(course.level[:-1, None, :] + year_path(code, course.growth))
    noise = _bridge(rng, path.shape) * MONTHLY_NOISE[code]
    if course.driver.basis == "year_average":
        # A hump that vanishes in December takes back what the noise would add to the year's average.
        hump = np.sin(np.pi * np.arange(1, 13) / 12)[:, None]
        hump[-1] = 0.0
        noise -= hump * ((path * noise).sum(axis=1) / (path * hump).sum(axis=1))[:, None, :]
        return (path * (1 + noise)).reshape(-1, path.shape[2])
    return (path * np.exp(noise)).reshape(-1, path.shape[2])


def monthly_flow(course: Course, rng: np.random.Generator) -> np.ndarray:
    """Draw a flow's months, which add up to the year's sum: (12 Y, B)."""
    code = course.driver.code
    growth = course.growth
    tilt = growth[:, None, :] * ((np.arange(1, 13) - 6.5) / 12)[:, None]
    noise = MONTHLY_NOISE[code] * rng.standard_normal((len(YEARS), 12, growth.shape[1]))
    weights = month_weights(code)[:, :, None] * np.exp(tilt + noise)
    weights /= weights.sum(axis=1, keepdims=True)
    return (np.exp(course.level[1:, None, :]) * weights).reshape(-1, growth.shape[1])


def _bridge(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw random walks of twelve steps that end where they began: (Y, 12, B)."""
    walk = np.cumsum(rng.standard_normal(shape), axis=1)
    return walk - walk[:, -1:, :] * (np.arange(1, 13) / 12)[:, None]
