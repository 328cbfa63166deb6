"""Array operations down the rows of a frame (periods x units). None of them looks further down than its own row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.periods import Calendar

IQR_PER_SD = 1.3489795
"""Interquartile range of a normal distribution in standard deviations: makes the quartiles a robust scale."""


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
    return top / np.where(bottom != 0, bottom, np.nan)


def midpoint_growth(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give the change over the mean of both sizes, between -2 and 2; 0 from zero to zero.

    Within 1% of the logarithmic growth up to a third either way, but defined for zeros and negative figures too.

    Source: S. Davis, J. Haltiwanger, S. Schuh, Job Creation and Destruction (1996).
    """
    size = np.abs(now)
    size += np.abs(before)
    size *= 0.5
    difference = now - before
    np.divide(difference, size, out=difference, where=size != 0)
    return difference


def window_sum(x: np.ndarray, window: int) -> np.ndarray:
    """Sum the rows of a window that ends at each row; rows before the first count as zero, NaN spreads.

    Sums of 1, 2, 4, ... rows are combined, so there is no running total to cancel against, and few passes.
    """
    total: np.ndarray | None = None
    power, size, done = x, 1, 0
    while True:
        if window & size:
            if total is None:
                total = power.copy()
            elif done < len(x):
                total[done:] += power[: len(x) - done]
            done += size
        if size * 2 > window or size >= len(x):
            return x.copy() if total is None else total
        doubled = power.copy()
        doubled[size:] += power[:-size]
        power, size = doubled, size * 2


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

    @classmethod
    def of(cls, x: np.ndarray, window: int) -> Trailing:
        """Add up a frame over a window."""
        window = min(window, max(1, len(x)))
        known = np.isfinite(x)
        return cls(window_sum(np.where(known, x, 0.0), window), window_sum(known.astype(np.float64), window))

    def mean(self, least: int) -> np.ndarray:
        """Give the mean of what is known, NaN where fewer than `least` figures are."""
        return self.total / np.where(self.count >= max(1, least), self.count, np.nan)


def trailing_mean(x: np.ndarray, window: int, *, least: int) -> np.ndarray:
    """Give the mean over a window, NaN where fewer than `least` figures are known."""
    return Trailing.of(x, window).mean(least)


def trailing_deviation(x: np.ndarray, window: int, *, least: int) -> np.ndarray:
    """Give the standard deviation (n - 1) over a window, NaN where fewer than `least` figures are known."""
    sums = Trailing.of(x, window)
    squares = window_sum(np.where(np.isfinite(x), x * x, 0.0), min(window, max(1, len(x))))
    count = np.where(sums.count >= max(2, least), sums.count, np.nan)
    squares -= sums.total * sums.total / count
    squares /= count - 1
    return np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)


def running_maximum(x: np.ndarray) -> np.ndarray:
    """Give the largest figure so far, NaN before the first."""
    return np.fmax.accumulate(x, axis=0) if len(x) else x.copy()


def rows_since(event: np.ndarray) -> np.ndarray:
    """Count the rows since the last event, counting from just before the first row where there was none."""
    row = np.arange(len(event), dtype=np.float64)[:, None]
    last = np.where(event, row, -1.0)
    return row - np.maximum.accumulate(last, axis=0) if len(event) else last


def trailing_quartiles(x: np.ndarray, window: int, *, least: int) -> np.ndarray:
    """Give the quartiles of the rows of a window that ends just before each row.

    A sorted window moves down the frame: in each step the oldest figure is taken out and the newest put in, for all
    units at once. Missing figures are kept as infinity, at the end.

    Returns
    -------
    np.ndarray
        (3, P, U): lower quartile, median and upper quartile; NaN where fewer than `least` figures are known.
    """
    periods, units = x.shape
    known = np.isfinite(x)
    filled = np.where(known, x, np.inf)
    count = window_sum(known.astype(np.float64), window)
    shares = np.array([0.25, 0.5, 0.75])[:, None]
    columns = np.arange(units)
    ordered = np.full((window, units), np.inf)
    rest, spare = np.empty((window - 1, units)), np.empty((window - 1, units))
    out = np.full((3, periods, units), np.nan)
    for row in range(1, periods):
        new = filled[row - 1]
        if row > window:
            stays = ordered[:-1] < filled[row - 1 - window]
            np.copyto(rest, ordered[1:])
            np.copyto(rest, ordered[:-1], where=stays)
        else:
            np.copyto(rest, ordered[:-1])
        np.minimum(rest, new, out=ordered[:-1])
        np.maximum(rest[:-1], ordered[1:-1], out=ordered[1:-1])
        np.maximum(rest[-1], new, out=ordered[-1])
        if row < least:
            continue
        known_now = count[row - 1]
        place = shares * np.maximum(known_now - 1, 0)
        below = np.floor(place)
        place -= below
        first = below.astype(np.intp)
        np.multiply(first, units, out=first)
        first += columns
        low = ordered.ravel().take(first)
        first += units * (place > 0)
        high = ordered.ravel().take(first)
        quartiles = low + place * (high - low)
        np.copyto(out[:, row], quartiles, where=known_now >= least)
    del spare
    return out


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
