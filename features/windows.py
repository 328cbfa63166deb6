"""Array operations down the rows of a frame (periods x units). None of them looks further down than its own row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.periods import Calendar

IQR_PER_SD = 1.3489795
"""Interquartile range of a normal distribution in standard deviations: makes the quartiles a robust scale."""
QUARTILES = (0.25, 0.5, 0.75)
TINY = 1e-290
"""Added to a size so that zero over it is zero; too small to change any other size."""


def lagged(x: np.ndarray, periods: int) -> np.ndarray:
    """Give the figures of some periods ago; the first rows become NaN."""
    out = np.empty(x.shape)
    out[:periods] = np.nan
    out[periods:] = x[: max(0, len(x) - periods)]
    return out


def change(x: np.ndarray, periods: int) -> np.ndarray:
    """Give the difference from some periods ago; the first rows become NaN."""
    out = np.empty(x.shape)
    out[:periods] = np.nan
    np.subtract(x[periods:], x[: max(0, len(x) - periods)], out=out[periods:])
    return out


def over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide; NaN where the divisor is zero."""
    zero = bottom == 0
    return top / (np.where(zero, np.nan, bottom) if zero.any() else bottom)


def over_positive(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide; NaN where the divisor is not positive."""
    bad = bottom <= 0
    return top / (np.where(bad, np.nan, bottom) if bad.any() else bottom)


def midpoint_growth(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give the change over the mean of both sizes, between -2 and 2; 0 from zero to zero.

    Within 1% of the logarithmic growth up to a third either way, but defined for zeros and negative figures too.

    Source: S. Davis, J. Haltiwanger, S. Schuh, Job Creation and Destruction (1996).
    """
    size = np.abs(now)
    size += np.abs(before)
    size *= 0.5
    size += TINY
    difference = now - before
    difference /= size
    return difference


def window_sum(x: np.ndarray, window: int) -> np.ndarray:
    """Sum the rows of a window that ends at each row; rows before the first count as zero, NaN spreads.

    Sums of 1, 2, 4, ... rows are combined, so there is no running total to cancel against, and few passes.
    """
    total: np.ndarray | None = None
    power, size, done = x, 1, 0
    while size <= window:
        if window & size:
            if total is None:
                total = power.copy()
            elif done < len(x):
                total[done:] += power[: len(x) - done]
            done += size
        if size < len(x) and 2 * size <= window:
            doubled = power.copy()
            doubled[size:] += power[:-size]
            power = doubled
        size *= 2
    return np.zeros_like(x) if total is None else total


@dataclass(frozen=True)
class Trailing:
    """Sums over a window that ends at each row, of what is known in it.

    Attributes
    ----------
    total, count : np.ndarray
        (P, U): the sum of the known figures and their number.
    """

    total: np.ndarray
    count: np.ndarray

    def mean(self, least: int) -> np.ndarray:
        """Give the mean of what is known, NaN where fewer than `least` figures are."""
        return self.total / _enough(self.count, max(1, least))

    def whole_total(self, window: int) -> np.ndarray:
        """Give the sum where all of the window is known, NaN elsewhere."""
        return np.where(self.count == window, self.total, np.nan)


@dataclass(frozen=True)
class Known:
    """A frame with its missing figures put to zero and marked, ready for sums over windows.

    Attributes
    ----------
    figures : np.ndarray
        (P, U), zero where missing.
    known : np.ndarray
        (P, U) whole numbers: 1 where known, else 0.
    """

    figures: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Known:
        """Split a frame."""
        finite = np.isfinite(x)
        figures = x.copy()
        figures[~finite] = 0.0
        return cls(figures, finite.astype(np.int16))

    def counts(self, window: int) -> np.ndarray:
        """Count what is known over a window."""
        return window_sum(self.known, window)

    def sums(self, window: int) -> Trailing:
        """Add up what is known over a window."""
        return Trailing(window_sum(self.figures, window), self.counts(window))


def _enough(count: np.ndarray, least: int) -> np.ndarray:
    """Give the counts, NaN where there are too few."""
    return np.where(count < least, np.nan, count)


def trailing_mean(x: np.ndarray, window: int, *, least: int) -> np.ndarray:
    """Give the mean over a window, NaN where fewer than `least` figures are known."""
    return Known.of(x).sums(window).mean(least)


def trailing_deviation(parts: Known, window: int, *, least: int) -> np.ndarray:
    """Give the standard deviation (n - 1) over a window, NaN where fewer than `least` figures are known."""
    sums = parts.sums(window)
    squares = window_sum(parts.figures * parts.figures, window)
    count = _enough(sums.count, max(2, least))
    squares -= sums.total * sums.total / count
    squares /= count - 1
    np.maximum(squares, 0.0, out=squares)
    return np.sqrt(squares, out=squares)


def running_maximum(x: np.ndarray) -> np.ndarray:
    """Give the largest figure so far, NaN before the first."""
    return np.fmax.accumulate(x, axis=0) if len(x) else x.copy()


def rows_since(event: np.ndarray) -> np.ndarray:
    """Count the rows since the last event, counting from just before the first row where there was none."""
    row = np.arange(len(event), dtype=np.float64)[:, None]
    last = np.where(event, row, -1.0)
    return row - np.maximum.accumulate(last, axis=0) if len(event) else last


def robust_z(x: np.ndarray, quartiles: np.ndarray) -> np.ndarray:
    """Give the distance from the median in robust standard deviations, NaN where the quartiles coincide.

    Parameters
    ----------
    x : np.ndarray
        (P, U).
    quartiles : np.ndarray
        (3, P, U): lower quartile, median, upper quartile.
    """
    low, middle, high = quartiles
    return over((x - middle) * IQR_PER_SD, high - low)


@dataclass(frozen=True)
class YearGrid:
    """The rows of a frame laid out by fiscal year and position in it."""

    calendar: Calendar
    first: int
    periods: int

    @cached_property
    def _lead(self) -> int:
        return int(self.calendar.position(self.first))

    def fold(self, x: np.ndarray) -> np.ndarray:
        """Lay a (P, U) frame out as (years, positions, U), with NaN where the frame does not reach."""
        per_year = self.calendar.per_year
        years = -(-(self._lead + self.periods) // per_year)
        out = np.full((years * per_year, x.shape[1]), np.nan)
        out[self._lead : self._lead + self.periods] = x
        return out.reshape(years, per_year, x.shape[1])

    def unfold(self, folded: np.ndarray) -> np.ndarray:
        """Lay a folded array out as the (P, U) frame again."""
        return folded.reshape(-1, folded.shape[2])[self._lead : self._lead + self.periods]

    def past_mean(self, folded: np.ndarray, *, least: int) -> np.ndarray:
        """Average each position over the years before each year, NaN where fewer than `least` are known."""
        known = np.isfinite(folded)
        total = np.zeros(folded.shape)
        count = np.zeros(folded.shape)
        np.cumsum(np.where(known, folded, 0.0)[:-1], axis=0, out=total[1:])
        np.cumsum(known[:-1], axis=0, out=count[1:])
        return total / np.where(count >= least, count, np.nan)

    def past_quartiles(self, folded: np.ndarray, years: int, *, least: int) -> np.ndarray:
        """Give the quartiles of the whole years before each year, the same for all positions of a year.

        Parameters
        ----------
        folded : np.ndarray
            (Y, positions, U).
        years : int
            How many years before each year are taken, where there are as many.
        least : int
            Fewest known figures.

        Returns
        -------
        np.ndarray
            (3, P, U): lower quartile, median and upper quartile.
        """
        units = folded.shape[2]
        by_year = np.full((3, len(folded), units), np.nan)
        columns = np.arange(units)
        for year in range(1, len(folded)):
            past = folded[max(0, year - years) : year].reshape(-1, units).T.copy()
            past.sort(axis=1)
            count = np.isfinite(past).sum(axis=1)
            for number, share in enumerate(QUARTILES):
                place = share * np.maximum(count - 1, 0)
                below = place.astype(np.intp)
                low = past[columns, below]
                high = past[columns, below + (place > below)]
                by_year[number, year] = low + (place - below) * (high - low)
            by_year[:, year, count < least] = np.nan
        row = np.arange(self._lead, self._lead + self.periods) // self.calendar.per_year
        return by_year[:, row]
