"""How the sample bank's years come about: annual drivers whose conditional distributions are known.

The outcome of a year is a monotone function of one Gaussian number, the growth G of log level (or of log NPL ratio):

    G = loc + shared + own,    shared ~ N(0, scale_shared^2),    own ~ N(0, scale_own^2),

where `loc` depends only on what the generator knew at the end of the year before. `sample_months` draws the months so
that the year's figure comes out as G says, to rounding: the true distribution of each outcome is known in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.sample.units import PROVINCES, YEARS, Layout

Basis = Literal["year_end", "year_average", "year_sum"]

CYCLE = (1.1, -0.5)
"""The macro cycle, an AR(2) with complex roots: a wave of about nine years."""
CYCLE_SHOCK = 0.8
REGION_PERSISTENCE = 0.5
OWN_PERSISTENCE = 0.4
SIZE_EXPONENT = 0.15
"""Volatility falls with this power of size: a large branch averages over more customers."""
BURN_IN = 30
"""Years drawn before the first, to start from the stationary state."""


@dataclass(frozen=True)
class Driver:
    """How an indicator's years move, in logs.

    Attributes
    ----------
    code, basis
        The indicator and what its outcome of a year is.
    growth : tuple
        Yearly growth at the start for coastal, central and western regions.
    slowdown : float
        By how much that falls from year to year.
    cycle, common, regional, own : float
        Loading on the macro cycle, standard deviation of the driver's own common shock, loading on the regional factor
        (whose shock has unit variance), standard deviation of the unit's shock.
    spread : float
        Standard deviation of the units' lasting differences in growth (in level for a mean-reverting driver).
    reversion : float
        Pull towards the unit's own level each year; 0 for growth that persists instead.
    """

    code: str
    basis: Basis
    growth: tuple[float, float, float]
    slowdown: float
    cycle: float
    common: float
    regional: float
    own: float
    spread: float
    reversion: float = 0.0


DRIVERS = (
    Driver("LOANS", "year_end", (0.10, 0.115, 0.12), 0.004, 0.012, 0.006, 0.010, 0.042, 0.015),
    Driver("P01", "year_average", (0.085, 0.09, 0.10), 0.003, 0.006, 0.008, 0.008, 0.036, 0.012),
    Driver("P08", "year_sum", (0.06, 0.065, 0.07), 0.003, 0.025, 0.020, 0.015, 0.075, 0.015),
    Driver("U01", "year_sum", (0.03, 0.05, 0.06), 0.004, 0.020, 0.025, 0.020, 0.110, 0.015),
    Driver("R01", "year_end", (0.0, 0.0, 0.0), 0.0, -0.040, 0.030, -0.040, 0.160, 0.250, reversion=0.35),
    Driver("PROFIT", "year_sum", (0.0, 0.0, 0.0), 0.0, 0.030, 0.015, 0.020, 0.085, 0.120, reversion=0.55),
)
CODES = tuple(driver.code for driver in DRIVERS)
OWN_CORRELATION = np.array(
    [
        [1.0, 0.3, 0.3, 0.1, 0.0, 0.25],
        [0.3, 1.0, 0.2, 0.2, 0.0, 0.15],
        [0.3, 0.2, 1.0, 0.3, 0.0, 0.35],
        [0.1, 0.2, 0.3, 1.0, 0.0, 0.10],
        [0.0, 0.0, 0.0, 0.0, 1.0, -0.35],
        [0.25, 0.15, 0.35, 0.10, -0.35, 1.0],
    ]
)
"""Correlation of a unit's own shocks across drivers, in the order of `DRIVERS`."""

NPL_LEVEL = {"coastal": 1.15, "central": 1.55, "western": 1.75}
"""Usual NPL ratio in %, by region type."""
PROFIT_MARGIN = 0.38
LENDING_MARGIN, DEPOSIT_MARGIN = 0.017, 0.009
"""Yearly net interest earned on loans and on deposits, after funds transfer pricing."""


@dataclass(frozen=True)
class Course:
    """One driver's course: arrays of years x branches unless stated.

    Attributes
    ----------
    driver : Driver
    level : np.ndarray
        (Y + 1, B) log level at each year's end (log sum of the year for `year_sum`); on top, before the first year.
    loc : np.ndarray
        Expected growth given the end of the year before.
    shared, own : np.ndarray
        What the year's common and regional shocks, and the unit's own, added.
    scale_shared : float
    scale_own : np.ndarray
        (B,) standard deviations of the two.
    """

    driver: Driver
    level: np.ndarray
    loc: np.ndarray
    shared: np.ndarray
    own: np.ndarray
    scale_shared: float
    scale_own: np.ndarray

    @property
    def growth(self) -> np.ndarray:
        """Give the year's growth: (Y, B)."""
        return self.loc + self.shared + self.own

    @property
    def scale(self) -> np.ndarray:
        """Give the standard deviation of the year's growth: (B,)."""
        return np.hypot(self.scale_shared, self.scale_own)


@dataclass(frozen=True)
class Dynamics:
    """The courses by indicator code, with the macro cycle (Y + 1,) and the regional factors (Y + 1, R) behind them."""

    courses: dict[str, Course]
    cycle: np.ndarray
    regional: np.ndarray


def draw_dynamics(layout: Layout, rng: np.random.Generator) -> Dynamics:
    """Draw the years of all drivers."""
    years, branches = len(YEARS), len(layout)
    cycle, cycle_expected, cycle_shock = _draw_cycle(rng, years)
    regional, regional_expected, regional_shock = _draw_regional(rng, years)
    volatility = np.clip(np.exp(-SIZE_EXPONENT * (layout.size - np.median(layout.size))), 0.65, 1.6)
    mixing = np.linalg.cholesky(OWN_CORRELATION)
    own = np.einsum("kj,jyb->kyb", mixing, rng.standard_normal((len(DRIVERS), years, branches)))
    starts = _starting_levels(layout, rng)
    courses: dict[str, Course] = {}
    for number, driver in enumerate(DRIVERS):
        scale_own = driver.own * volatility
        common = driver.common * rng.standard_normal(years)
        known = driver.cycle * cycle_expected[:, None] + driver.regional * regional_expected[:, layout.region]
        shared = (
            driver.cycle * cycle_shock[:, None] + common[:, None] + driver.regional * regional_shock[:, layout.region]
        )
        trend = np.array(driver.growth)[layout.region_type] - driver.slowdown * np.arange(years)[:, None]
        lasting = driver.spread * rng.standard_normal(branches)
        momentum = rng.standard_normal(branches) * scale_own / np.sqrt(1 - OWN_PERSISTENCE**2)
        courses[driver.code] = _run(
            driver,
            start=starts[driver.code],
            known=known + trend,
            shared=shared,
            own=scale_own * own[number],
            lasting=lasting,
            momentum=momentum,
            anchor=_anchor(driver, layout, courses, lasting),
            scale_shared=float(np.sqrt((driver.cycle * CYCLE_SHOCK) ** 2 + driver.common**2 + driver.regional**2)),
            scale_own=scale_own,
        )
    return Dynamics(courses, cycle, regional)


def _draw_cycle(rng: np.random.Generator, years: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the macro cycle: its values (Y + 1,), what was to be expected of each year (Y,), and the shocks (Y,)."""
    shocks = CYCLE_SHOCK * rng.standard_normal(BURN_IN + years + 1)
    values = np.zeros(len(shocks))
    for t in range(2, len(shocks)):
        values[t] = CYCLE[0] * values[t - 1] + CYCLE[1] * values[t - 2] + shocks[t]
    return values[-years - 1 :], (values - shocks)[-years:], shocks[-years:]


def _draw_regional(rng: np.random.Generator, years: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the regional factors, alike in form, unit variance of the shocks: (Y + 1, R), (Y, R), (Y, R)."""
    shocks = rng.standard_normal((BURN_IN + years + 1, len(PROVINCES)))
    values = np.zeros(shocks.shape)
    for t in range(1, len(shocks)):
        values[t] = REGION_PERSISTENCE * values[t - 1] + shocks[t]
    return values[-years - 1 :], (values - shocks)[-years:], shocks[-years:]


def _starting_levels(layout: Layout, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw each branch's log levels before the first year."""
    noise = rng.standard_normal((4, len(layout)))
    retail, corporate = layout.line == 1, layout.line == 2
    size = layout.size
    npl = np.log(np.array([NPL_LEVEL[province.region_type] for province in PROVINCES]) / 100)[layout.region]
    deposits = size + 0.15 + 0.25 * noise[0] + 0.25 * retail - 0.15 * corporate
    fees = size + np.log(0.006) + 0.3 * noise[1] + 0.3 * retail - 0.1 * corporate
    customers = 0.75 * size + np.log(5.0) + 0.3 * noise[2] + 0.6 * retail - 0.7 * corporate
    return {
        "LOANS": size,
        "P01": deposits,
        "P08": fees,
        "U01": customers,
        "R01": npl + 0.15 * (layout.peer == 0) + 0.3 * noise[3],
        "PROFIT": np.log(PROFIT_MARGIN) + log_revenue(size, deposits, fees),
    }


def log_revenue(loans: np.ndarray, deposits: np.ndarray, fees: np.ndarray) -> np.ndarray:
    """Give the log of a year's revenue as the branch's profit is expected to follow it, from three log levels."""
    return np.log(LENDING_MARGIN * np.exp(loans) + DEPOSIT_MARGIN * np.exp(deposits) + np.exp(fees))


def _anchor(driver: Driver, layout: Layout, courses: dict[str, Course], lasting: np.ndarray) -> np.ndarray | None:
    """Give what a mean-reverting driver returns to, each year from the state of the year before: (Y, B)."""
    if not driver.reversion:
        return None
    if driver.code == "PROFIT":
        levels = (courses[code].level[:-1] for code in ("LOANS", "P01", "P08"))
        return np.log(PROFIT_MARGIN) + lasting + log_revenue(*levels) + 0.07
    usual = np.log(np.array([NPL_LEVEL[province.region_type] for province in PROVINCES]) / 100)[layout.region]
    return np.tile(usual + 0.15 * (layout.peer == 0) + lasting, (len(YEARS), 1))


def _run(
    driver: Driver,
    *,
    start: np.ndarray,
    known: np.ndarray,
    shared: np.ndarray,
    own: np.ndarray,
    lasting: np.ndarray,
    momentum: np.ndarray,
    anchor: np.ndarray | None,
    scale_shared: float,
    scale_own: np.ndarray,
) -> Course:
    """Run the years one after another."""
    level = np.empty((len(known) + 1, len(start)))
    loc = np.empty(known.shape)
    level[0] = start
    for t in range(len(known)):
        if anchor is None:
            loc[t] = known[t] + lasting + OWN_PERSISTENCE * momentum
            momentum = OWN_PERSISTENCE * momentum + own[t]
        else:
            loc[t] = known[t] + driver.reversion * (anchor[t] - level[t])
        level[t + 1] = level[t] + loc[t] + shared[t] + own[t]
    return Course(driver, level, loc, shared, own, scale_shared, scale_own)
