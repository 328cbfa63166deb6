"""The sample bank's monthly reports: every line follows from the drivers, the breaks and the planted events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from training.sample.dynamics import DEPOSIT_MARGIN, LENDING_MARGIN, Dynamics
from training.sample.episodes import Events
from training.sample.months import holiday_factor, monthly_flow, monthly_stock, year_path
from training.sample.structure import structural_shifts
from training.sample.units import MONTHS, YEARS, Layout

MONEY, PERCENT = 2, 4
"""Decimals of reported amounts (CNY m) and ratios (%)."""
LEAST_FORMATION = 3e-5
"""Bad loans formed in the best of months, as a part of all loans; where NPL fall by more, the rest was disposed of."""
WRITE_OFF_RATE = 0.03
"""Part of the NPL written off in an average month."""
CHURN = 0.004
"""Part of the customers who leave in a month."""
COMPLAINT_RATE = 0.8e-4
"""Complaints a customer and month."""
TURNOVER_RATE = 0.01
"""Leavers a member of staff and month."""
POLICY_RATE_START, POLICY_RATE_FALL = 4.3, 1.2

QUARTER_RHYTHM = np.array([0.6, 0.6, 1.8] * 4)
"""Write-offs come before a quarter's end."""
MATURITY_SEASON = np.array([1.0, 0.95, 1.15, 0.95, 0.95, 1.15, 0.95, 0.95, 1.1, 0.9, 0.95, 1.0])
COST_SEASON = np.array([0.9, 0.9, 1.0, 0.95, 0.95, 1.05, 0.95, 0.95, 1.05, 0.95, 1.0, 1.35])
DEPOSIT_PUSH = np.array([-0.1, -0.1, 1.0, -0.15, -0.1, 1.1, -0.15, -0.1, 1.0, -0.15, -0.1, 1.4])
"""Month-end deposits above the month's average, as a multiple of the unit's push: at quarter ends, then undone."""


@dataclass(frozen=True)
class Ledger:
    """The reports of all branches, before gaps and ends of lives are cut out.

    Attributes
    ----------
    values : dict[str, np.ndarray]
        By indicator code: (MONTHS, B) reported figures.
    structure : dict[str, np.ndarray]
        By driver code: (MONTHS, B) log factors of mergers, splits and openings.
    gdp_growth : np.ndarray
        (MONTHS, R) in %.
    policy_rate : np.ndarray
        (MONTHS,) in %.
    """

    values: dict[str, np.ndarray]
    structure: dict[str, np.ndarray]
    gdp_growth: np.ndarray
    policy_rate: np.ndarray


@dataclass
class _Book:
    """What the lines are drawn from, and the lines so far."""

    layout: Layout
    dynamics: Dynamics
    shifts: Mapping[str, np.ndarray]
    base: Mapping[str, np.ndarray]
    structure: Mapping[str, np.ndarray]
    rng: np.random.Generator
    lines: dict[str, np.ndarray] = field(default_factory=dict)

    def moved(self, code: str) -> np.ndarray:
        """Give a driver's months with all that was planted."""
        return self.base[code] * np.exp(self.shifts[code] + self.structure[code])

    def opening(self, code: str) -> np.ndarray:
        """Give loans or NPL at the month's start, as if a merger or split had been in force: (MONTHS, B)."""
        change = self.structure["LOANS"] + (self.structure["R01"] if code == "NPL" else 0.0)
        courses = self.dynamics.courses
        level = courses["LOANS"].level[0] + (courses["R01"].level[0] if code == "NPL" else 0.0)
        previous = np.vstack([np.exp(level + change[0])[None, :], self.lines[code][:-1]])
        return np.round(previous * np.exp(np.diff(change, axis=0, prepend=change[:1])), MONEY)

    def share(self, code: str, numerator: str, denominator: str, *, scale: float = 100.0) -> None:
        """Report a ratio of two reported lines."""
        self.lines[code] = np.round(scale * self.lines[numerator] / self.lines[denominator], PERCENT)

    def unit_level(self, centre: float, spread: float) -> np.ndarray:
        """Draw a lasting level around a centre, log-normally: (B,)."""
        return centre * np.exp(spread * self.rng.standard_normal(len(self.layout)))

    def wander(self, spread: float, *, memory: float = 0.7) -> np.ndarray:
        """Draw noise that remembers: stationary AR(1), (MONTHS, B)."""
        noise = spread * self.rng.standard_normal((MONTHS, len(self.layout)))
        noise[1:] *= np.sqrt(1 - memory**2)
        for row in range(1, MONTHS):
            noise[row] += memory * noise[row - 1]
        return noise

    def every_year(self, months: np.ndarray) -> np.ndarray:
        """Repeat a season over the years: (MONTHS, 1)."""
        return np.tile(months, len(YEARS))[:, None]


def keep_books(
    layout: Layout, dynamics: Dynamics, events: Events, *, rng: np.random.Generator, extra: np.random.Generator
) -> Ledger:
    """Draw the reports. `extra` draws only what planted events add, so that a calm bank is the same elsewhere."""
    base = {}
    for code, course in dynamics.courses.items():
        base[code] = (monthly_flow if course.driver.basis == "year_sum" else monthly_stock)(course, rng)
    structure = structural_shifts(layout, base)
    book = _Book(layout, dynamics, events.shifts, base, structure, rng)
    policy_rate = _policy_rate(dynamics)
    _loans(book)
    _quality(book)
    _turnover_of_loans(book)
    _deposits(book)
    _income(book, policy_rate)
    _customers(book, extra, events.in_episode)
    _staff(book, extra, events.in_episode)
    return Ledger(book.lines, structure, _gdp_growth(dynamics, rng), policy_rate)


def _loans(book: _Book) -> None:
    lines = book.lines
    lines["LOANS"] = np.round(book.moved("LOANS"), MONEY)
    lines["NPL"] = np.maximum(np.round(lines["LOANS"] * book.moved("R01"), MONEY), 0.01)
    book.share("R01", "NPL", "LOANS")
    opening, npl_opening = book.opening("LOANS"), book.opening("NPL")
    rhythm = book.every_year(QUARTER_RHYTHM) * np.exp(0.3 * book.rng.standard_normal(opening.shape))
    least = LEAST_FORMATION * opening - (lines["NPL"] - npl_opening)
    lines["WRITE_OFFS"] = np.round(np.maximum(WRITE_OFF_RATE * rhythm * npl_opening, least), MONEY)
    lines["R02"] = np.round(100 * (lines["NPL"] - npl_opening + lines["WRITE_OFFS"]) / opening, PERCENT)


def _quality(book: _Book) -> None:
    """Report arrears, special-mention loans and provisions: early movers, late movers, and a cushion."""
    lines, course = book.lines, book.dynamics.courses["R01"]
    early = np.exp(course.level[:-1, None, :] + year_path("R04", course.growth)).reshape(MONTHS, -1)
    early = early * np.exp(book.structure["R01"])
    dpd_share = np.clip(0.78 + 0.05 * book.rng.standard_normal(len(book.layout)) + book.wander(0.04), 0.5, 0.97)
    lines["DPD90"] = np.round(dpd_share * lines["NPL"], MONEY)
    overdue = early * book.unit_level(1.4, 0.12) * np.exp(book.wander(0.09, memory=0.85) + book.shifts["R04"])
    lines["OVERDUE"] = np.round(np.maximum(overdue * lines["LOANS"], 1.03 * lines["DPD90"] + 0.01), MONEY)
    watched = early * book.unit_level(1.7, 0.2) * np.exp(book.wander(0.11, memory=0.85) + book.shifts["R03"])
    lines["SPECIAL_MENTION"] = np.round(watched * lines["LOANS"], MONEY)
    coverage = book.unit_level(2.1, 0.15) * np.exp(book.wander(0.03) - 0.4 * book.shifts["R01"])
    lines["PROVISIONS"] = np.round(coverage * lines["NPL"], MONEY)
    for code, numerator, denominator in (
        ("R03", "SPECIAL_MENTION", "LOANS"),
        ("R04", "OVERDUE", "LOANS"),
        ("R05", "DPD90", "NPL"),
        ("R08", "PROVISIONS", "NPL"),
    ):
        book.share(code, numerator, denominator)


def _turnover_of_loans(book: _Book) -> None:
    """Report loans falling due, collected, extended and drawn: opening + drawn - collected - written off = closing."""
    lines = book.lines
    opening = book.opening("LOANS")
    holiday = np.concatenate([holiday_factor(int(year)) for year in YEARS])[:, None]
    due = 0.042 * book.every_year(MATURITY_SEASON) * holiday * np.exp(book.wander(0.06, memory=0.3))
    lines["MATURED_LOANS"] = np.round(opening * due, MONEY)
    missed = book.unit_level(0.035, 0.3) * np.exp(book.wander(0.2)) * (1 - book.shifts["R11"])
    lines["COLLECTED_LOANS"] = np.round(lines["MATURED_LOANS"] * (1 - np.clip(missed, 0.0, 0.15)), MONEY)
    extended = book.unit_level(0.10, 0.3) * np.exp(book.wander(0.16, memory=0.8) + book.shifts["R12"])
    lines["EXTENDED_LOANS"] = np.round(lines["MATURED_LOANS"] * np.minimum(extended, 0.65), MONEY)
    drawn = lines["LOANS"] - opening + lines["COLLECTED_LOANS"] + lines["WRITE_OFFS"]
    lines["P04"] = np.round(np.maximum(drawn, 0.002 * opening), MONEY)
    book.share("R11", "COLLECTED_LOANS", "MATURED_LOANS")
    book.share("R12", "EXTENDED_LOANS", "MATURED_LOANS")


def _deposits(book: _Book) -> None:
    lines = book.lines
    lines["P01"] = np.round(book.moved("P01"), MONEY)
    push = book.every_year(DEPOSIT_PUSH) * np.minimum(book.unit_level(0.014, 0.45), 0.05)
    deviation = push + 0.005 * book.rng.standard_normal(push.shape)
    lines["DEPOSITS"] = np.round(lines["P01"] * (1 + deviation), MONEY)
    share = np.clip(book.unit_level(0.42, 0.15) * np.exp(book.wander(0.03, memory=0.9) + book.shifts["P03"]), 0.1, 0.9)
    lines["DEMAND_DEPOSITS"] = np.round(lines["DEPOSITS"] * share, MONEY)
    book.share("P03", "DEMAND_DEPOSITS", "DEPOSITS")
    lines["R13"] = np.round(100 * (lines["DEPOSITS"] - lines["P01"]) / lines["P01"], PERCENT)


def _income(book: _Book, policy_rate: np.ndarray) -> None:
    lines = book.lines
    loans, good = lines["LOANS"], 1 - 0.5 * lines["R01"] / 100
    rate = policy_rate[:, None] + book.unit_level(0.9, 0.25)
    lines["P09"] = np.round(loans * good * rate / 1200 * np.exp(0.01 * book.rng.standard_normal(loans.shape)), MONEY)
    lines["P08"] = np.round(book.moved("P08"), MONEY)
    lending = LENDING_MARGIN / 12 * book.unit_level(1.0, 0.06) * np.exp(book.wander(0.02))
    deposit = DEPOSIT_MARGIN / 12 * book.unit_level(1.0, 0.06) * np.exp(book.wander(0.02))
    lines["REVENUE"] = np.round(loans * good * lending + lines["P01"] * deposit + lines["P08"], MONEY)
    cost = np.clip(book.unit_level(0.33, 0.12), 0.22, 0.48) * book.every_year(COST_SEASON) * np.exp(book.wander(0.04))
    smooth = _recent_mean(lines["REVENUE"] * np.exp(-book.structure["LOANS"])) * np.exp(book.structure["LOANS"])
    lines["OPEX"] = np.round(smooth * cost, MONEY)
    book.share("P15", "OPEX", "REVENUE")
    lines["PROFIT"] = np.round(book.moved("PROFIT"), MONEY)


def _customers(book: _Book, extra: np.random.Generator, planted: np.ndarray) -> None:
    lines = book.lines
    lines["U01"] = np.round(book.moved("U01"))
    stock = np.exp(book.dynamics.courses["U01"].level[0]) / 0.06
    calm = _accumulate(stock, book.base["U01"])
    customers = _accumulate(stock, book.base["U01"] * np.exp(book.shifts["U01"]))
    lines["CUSTOMERS"] = np.maximum(np.round(customers * np.exp(book.structure["U01"])), 100.0)
    rate = book.unit_level(COMPLAINT_RATE, 0.3)
    usual = rate * calm * np.exp(book.structure["U01"])
    lines["COMPLAINTS"] = _counts(usual, book.shifts["U04"], rng=book.rng, extra=extra, planted=planted)
    book.share("U04", "COMPLAINTS", "CUSTOMERS", scale=10_000.0)


def _staff(book: _Book, extra: np.random.Generator, planted: np.ndarray) -> None:
    lines = book.lines
    size = 0.75 * np.exp(0.6 * book.layout.size + 0.15 * book.rng.standard_normal(len(book.layout)))
    drift = np.cumsum(0.004 * book.rng.standard_normal((MONTHS, len(book.layout))), axis=0)
    staff = size * np.exp(drift + 0.6 * book.structure["LOANS"])
    lines["STAFF"] = np.maximum(np.round(staff), 8.0)
    usual = book.unit_level(TURNOVER_RATE, 0.2) * lines["STAFF"]
    leavers = _counts(usual, book.shifts["H01"], rng=book.rng, extra=extra, planted=planted)
    lines["LEAVERS"] = np.minimum(leavers, np.floor(lines["STAFF"] / 2))
    book.share("H01", "LEAVERS", "STAFF")


def _counts(
    usual: np.ndarray,
    shift: np.ndarray,
    *,
    rng: np.random.Generator,
    extra: np.random.Generator,
    planted: np.ndarray,
) -> np.ndarray:
    """Draw counts, and apart from them what an event adds, episodes last: the sum is Poisson with the raised rate."""
    added = np.maximum(np.expm1(shift), 0.0) * usual
    counts = rng.poisson(usual).astype(float)
    for units in (~planted, planted):
        rising = (added > 0) & units
        counts[rising] += extra.poisson(added[rising])
    return counts


def _accumulate(stock: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """Run a stock of customers: (MONTHS, B)."""
    customers = np.empty(gained.shape)
    for row in range(MONTHS):
        stock = stock * (1 - CHURN) + 0.9 * gained[row]
        customers[row] = stock
    return customers


def _recent_mean(values: np.ndarray) -> np.ndarray:
    """Average the months so far, twelve at most: (MONTHS, B)."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    rows = np.arange(1, MONTHS + 1)
    first = np.maximum(rows - 12, 0)
    return (total[rows] - total[first]) / (rows - first)[:, None]


def _within_years(values: np.ndarray) -> np.ndarray:
    """Interpolate year-end values to months, none of which knows a later year: (Y + 1, ...) to (MONTHS, ...)."""
    part = (np.arange(1, 13) / 12).reshape(1, 12, *([1] * (values.ndim - 1)))
    months = values[:-1, None] * (1 - part) + values[1:, None] * part
    return months.reshape(MONTHS, *values.shape[1:])


def _gdp_growth(dynamics: Dynamics, rng: np.random.Generator) -> np.ndarray:
    trend = 6.4 - 0.25 * np.arange(MONTHS) / 12
    regional = _within_years(dynamics.regional)
    growth = trend[:, None] + 0.8 * _within_years(dynamics.cycle)[:, None] + 0.4 * regional
    return np.round(growth + 0.1 * rng.standard_normal(regional.shape), 2)


def _policy_rate(dynamics: Dynamics) -> np.ndarray:
    """Follow a falling path that leans on the cycle, in steps of five basis points."""
    trend = POLICY_RATE_START - POLICY_RATE_FALL * np.arange(MONTHS) / (MONTHS - 1)
    return np.round((trend + 0.1 * _within_years(dynamics.cycle)) * 20) / 20
