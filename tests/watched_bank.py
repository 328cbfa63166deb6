"""A small bank in which nothing is wrong, with an indicator for every role, into which a test plants a pattern."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from features.indicators import IndicatorSet, library
from features.panel import Panel
from features.periods import Calendar, Frequency
from features.units import UnitTree
from models.detectors.situation import Situation

FIRST = {"M": "2019-01", "Q": "2015-Q1", "A": "2000"}
PLANTED = 3
"""Number of the unit into which patterns are planted: the first branch (the group and two regions come before)."""

VOLUMES = {
    "LOANS": 3000.0,
    "DEPOSITS": 3200.0,
    "P01": 3150.0,
    "P07": 4000.0,
    "SME_LOANS": 700.0,
    "BILLS": 60.0,
    "PROVISIONS": 95.0,
    "CUSTOMERS": 30000.0,
    "STAFF": 70.0,
}
"""Balances and heads of a branch of usual size."""
FLOWS = {"P04": 130.0, "P08": 1.4, "REVENUE": 8.0, "PROFIT": 3.0, "SALES": 40.0, "MATURED_LOANS": 110.0,
         "NEW_ACCOUNTS": 300.0, "POLICIES_ISSUED": 200.0, "U01": 130.0, "WRITE_OFFS": 1.2}  # fmt: skip
"""Amounts of a month."""
PARTS = {
    "NPL": ("LOANS", 0.016),
    "SPECIAL_MENTION": ("LOANS", 0.026),
    "OVERDUE": ("LOANS", 0.022),
    "DPD90": ("NPL", 0.78),
    "COLLECTED_LOANS": ("MATURED_LOANS", 0.965),
    "EXTENDED_LOANS": ("MATURED_LOANS", 0.10),
    "PLEDGED_DEPOSITS": ("DEPOSITS", 0.05),
    "COMPLIANT_SALES": ("SALES", 0.96),
}
"""What is a part of something else, and the usual part."""
COUNTED = {
    "COMPLAINTS": ("CUSTOMERS", 1.5e-4),
    "LEAVERS": ("STAFF", 0.012),
    "INCIDENTS": ("STAFF", 0.004),
    "POLICIES_CANCELLED": ("POLICIES_ISSUED", 0.03),
}
"""Events, drawn by chance at a monthly rate."""
SHARES = {"R02": 0.06, "R07": 2.5, "R13": 0.3, "R14": 30.0, "TOP3_GROWTH_SHARE": 20.0, "S01": 9.0,
          "CAP_TICKET_SHARE": 6.0, "LAST_DAYS_SHARE": 15.0, "ACTIVATION_90D": 55.0, "NEW_LOAN_YIELD": 4.2}  # fmt: skip
"""Ratios that no amounts at hand give, in percent."""
LEVELS = {"CREDIT_RATING": 4.0, "U07": 2.8}
DERIVED = ("R01", "R03", "R04", "R05", "R08", "R11", "R12", "C01", "C03", "U04", "H01", "CANCELLATION_RATE",
           "PLEDGED_DEPOSIT_SHARE")  # fmt: skip
"""Ratios of the amounts above."""

Plant = Callable[[dict[str, np.ndarray]], None]


def make_tree(calendar: Calendar, leaves: int) -> UnitTree:
    """Make a group, two regions and branches of one peer group each region."""
    branches = [f"B{number:03d}" for number in range(leaves)]
    frame = pd.DataFrame(
        {
            "unit": ["G", "R0", "R1", *branches],
            "parent": ["", "G", "G", *[f"R{number % 2}" for number in range(leaves)]],
            "level": ["group", "region", "region", *["branch"] * leaves],
            "peer_group": ["", "", "", *[f"P{number % 2}" for number in range(leaves)]],
            "region_type": "",
        }
    )
    return UnitTree.from_frame(frame.assign(name=frame["unit"]), calendar)


def watched_bank(
    plant: Plant | None = None,
    *,
    frequency: Frequency = "M",
    periods: int = 48,
    leaves: int = 40,
    seed: int = 0,
) -> Panel:
    """Make the bank's panel.

    Parameters
    ----------
    plant : callable, optional
        Changes amounts, events and shares in place, before ratios are derived from them.
    frequency, periods, leaves, seed
        What the bank is like.
    """
    rng = np.random.default_rng(seed)
    calendar = Calendar(frequency)
    tree = make_tree(calendar, leaves)
    shape = (periods, len(tree))
    size = np.exp(rng.normal(0, 0.5, len(tree)))

    def wobble(scale: float) -> np.ndarray:
        """Give noise that keeps half of itself from period to period."""
        noise = rng.normal(0, scale, shape)
        for row in range(1, periods):
            noise[row] = 0.5 * noise[row - 1] + noise[row] * 0.87
        noise[:, PLANTED] = 0  # so that nothing shows there but what is planted, and chance counts
        return noise

    trend = np.linspace(0, 0.08 * periods / calendar.per_year, periods)[:, None]
    values = {code: level * size * np.exp(trend + wobble(0.01)) for code, level in VOLUMES.items()}
    values |= {code: level * size * np.exp(trend + wobble(0.05)) for code, level in FLOWS.items()}
    for code, (whole, part) in PARTS.items():
        gap = (1 - part) * np.exp(wobble(0.05)) if part > 0.9 else None
        values[code] = values[whole] * (part * np.exp(wobble(0.05)) if gap is None else 1 - gap)
    for code, (whole, rate) in COUNTED.items():
        values[code] = rng.poisson(values[whole] * rate).astype(np.float64)
    values["C04"] = rng.poisson(1.0, shape).astype(np.float64)
    values |= {code: level * np.exp(wobble(0.05)) for code, level in SHARES.items()}
    values |= {code: level * np.exp(wobble(0.02)) for code, level in LEVELS.items()}
    if plant is not None:
        plant(values)
    indicators = IndicatorSet(library()[code] for code in (*values, *DERIVED))
    for code in DERIVED:
        spec = indicators[code]
        assert spec.numerator is not None
        assert spec.denominator is not None
        values[code] = spec.ratio_scale * values[spec.numerator] / values[spec.denominator]
    for array in values.values():
        array[:, tree.ever_parent] = np.nan
    return Panel(calendar, tree, indicators, calendar.parse(FIRST[frequency]), values, date(2040, 1, 1))


def situation(
    plant: Plant | None = None,
    *,
    disturbed: Mapping[str, np.ndarray] | None = None,
    **about: object,
) -> Situation:
    """Make the bank and the usual delays of its figures, ready for detectors."""
    panel = watched_bank(plant, **about)  # type: ignore[arg-type]
    delays = {code: panel.indicator(code).publication_lag for code in panel.codes}
    return Situation(panel, delays=delays, disturbed=disturbed)


def ramp(first: int, last: int, *, periods: int = 48) -> np.ndarray:
    """Rise from 0 before `first` to 1 from `last` on: (periods,)."""
    return np.clip((np.arange(periods) - first + 1) / max(last - first + 1, 1), 0.0, 1.0)


def swell(code: str, factor: float, *, first: int, last: int) -> Plant:
    """Plant a rise of one indicator by a factor, spread over some months, that stays."""

    def plant(values: dict[str, np.ndarray]) -> None:
        periods = len(values[code])
        values[code][:, PLANTED] *= factor ** ramp(first, last, periods=periods)

    return plant


def all_of(*plants: Plant) -> Plant:
    """Plant several things at once."""

    def plant(values: dict[str, np.ndarray]) -> None:
        for each in plants:
            each(values)

    return plant
