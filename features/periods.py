"""Fiscal periods as whole numbers: parsing, writing, ends, years and positions within the year."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from features.errors import LoadlineError

Frequency = Literal["A", "Q", "M"]

EARLIEST_YEAR, LATEST_YEAR = 1800, 2199
"""A year outside is a slip of the keyboard: a panel that reached there would be almost all empty. Histories of whole
economies' banking begin in the nineteenth century."""

PER_YEAR: dict[Frequency, int] = {"A": 1, "Q": 4, "M": 12}
_PATTERN: dict[Frequency, re.Pattern[str]] = {
    "A": re.compile(r"(\d{4})"),
    "Q": re.compile(r"(\d{4})-Q([1-4])"),
    "M": re.compile(r"(\d{4})-(0[1-9]|1[0-2])"),
}
EXAMPLES: dict[Frequency, str] = {"A": "2024", "Q": "2024-Q3", "M": "2024-07"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The periods of a dataset, numbered so that the next period is the next whole number (its *ordinal*).

    Months are calendar months. Years and quarters are fiscal: `2024` is the fiscal year that ends in 2024, as in
    pandas' `Y-JUN` and `Q-JUN`.

    Examples
    --------
    >>> calendar = Calendar("M", fiscal_year_end_month=6)
    >>> july = calendar.parse("2024-07")
    >>> calendar.year(july), calendar.position(july), calendar.format(july + 1)
    (2025, 0, '2024-08')
    """

    frequency: Frequency
    fiscal_year_end_month: int = 12

    @property
    def per_year(self) -> int:
        """Count the periods of a year."""
        return PER_YEAR[self.frequency]

    @property
    def _shift(self) -> int:
        return (12 - self.fiscal_year_end_month) if self.frequency == "M" else 0

    def parse(self, text: str) -> int:
        """Read a period such as `2024`, `2024-Q3` or `2024-07`.

        Raises
        ------
        LoadlineError
            Where the text does not fit the frequency, or the year cannot be meant.
        """
        match = _PATTERN[self.frequency].fullmatch(text.strip())
        if match is None:
            raise LoadlineError(
                f"{text!r} is not a period of a dataset of frequency {self.frequency}",
                hint=f"Write it like {EXAMPLES[self.frequency]}.",
            )
        year, within = int(match[1]), int(match[2]) - 1 if match.lastindex == 2 else 0
        if not EARLIEST_YEAR <= year <= LATEST_YEAR:
            raise LoadlineError(
                f"{text!r} lies outside the years {EARLIEST_YEAR} to {LATEST_YEAR}", hint="Correct the year."
            )
        return year * self.per_year + within

    def format(self, ordinal: int) -> str:
        """Write a period as the contract has it."""
        year, within = divmod(int(ordinal), self.per_year)
        if self.frequency == "A":
            return f"{year:04d}"
        return f"{year:04d}-Q{within + 1}" if self.frequency == "Q" else f"{year:04d}-{within + 1:02d}"

    def year(self, ordinal):
        """Give the fiscal year of a period (a number or an array of them)."""
        return (ordinal + self._shift) // self.per_year

    def position(self, ordinal):
        """Give the period's place within its fiscal year, from 0."""
        return (ordinal + self._shift) % self.per_year

    def first_of_year(self, year: int) -> int:
        """Give the first period of a fiscal year."""
        return year * self.per_year - self._shift

    def last_of_year(self, year: int) -> int:
        """Give the last period of a fiscal year."""
        return self.first_of_year(year + 1) - 1

    def _end_month(self, ordinal: int) -> int:
        """Give the calendar month (year x 12 + month - 1) in which a period ends."""
        if self.frequency == "M":
            return ordinal
        year, within = divmod(ordinal, self.per_year)
        to_go = (self.per_year - 1 - within) * (12 // self.per_year)
        return year * 12 + self.fiscal_year_end_month - 1 - to_go

    def end(self, ordinal: int) -> date:
        """Give the last day of a period."""
        year, month = divmod(self._end_month(int(ordinal)), 12)
        return date(year, month + 1, monthrange(year, month + 1)[1])

    def start(self, ordinal: int) -> date:
        """Give the first day of a period."""
        previous = self.end(int(ordinal) - 1)
        return date.fromordinal(previous.toordinal() + 1)

    def containing(self, day: date) -> int:
        """Give the period in which a day falls."""
        month = day.year * 12 + day.month - 1
        if self.frequency == "M":
            return month
        months = 12 // self.per_year
        return (month + (12 - self.fiscal_year_end_month)) // months

    def last_complete(self, day: date) -> int:
        """Give the last period that had ended by the close of a day."""
        ordinal = self.containing(day)
        return ordinal if self.end(ordinal) == day else ordinal - 1

    def index(self, ordinals: np.ndarray) -> pd.PeriodIndex:
        """Give ordinals as a pandas index of periods."""
        month = {1: "JAN", 2: "FEB", 3: "MAR", 4: "APR", 5: "MAY", 6: "JUN", 7: "JUL", 8: "AUG"}
        month |= {9: "SEP", 10: "OCT", 11: "NOV", 12: "DEC"}
        freq = {"A": f"Y-{month[self.fiscal_year_end_month]}", "Q": f"Q-{month[self.fiscal_year_end_month]}", "M": "M"}
        return pd.PeriodIndex.from_ordinals(  # pyright: ignore[reportAttributeAccessIssue]
            np.asarray(ordinals) - 1970 * self.per_year, freq=freq[self.frequency], name="period"
        )
