"""The pace of the year (序时进度): what share of its total each unit usually has in hand by each period, learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.calendar import holiday_days
from features.periods import Calendar

FEWEST_YEARS = 2
"""Complete years from which a pace is learned: one year alone is mostly chance."""
YEARLY_DISCOUNT = 0.85
"""A year counts this much less than the one after it: the pace follows how a bank sets its campaigns."""
LEAST_GAIN = 0.02
"""The New Year's effect is used where it lowers the error of the group's shares, tested year by year on the others, by
at least this share: in less there is only chance."""


@dataclass(frozen=True, eq=False)
class Pace:
    """The cumulative pace of one coming year.

    Attributes
    ----------
    share : np.ndarray
        (m, U): the share of the year's total in hand at the end of each period; the last row is one. NaN for units of
        a panel that has no complete years.
    spread : np.ndarray
        (m, U): standard deviation, over years, of a unit's share around its pace; the last row is zero.
    own : np.ndarray
        (U,): how much of the pace is the unit's own, from 0 (that of its peers) to 1.
    new_year : float
        Change of a period's log weight for each day of the Chinese New Year holiday in it; 0 where not borne out.
    """

    share: np.ndarray
    spread: np.ndarray
    own: np.ndarray
    new_year: float


def pace_curve(
    values: np.ndarray,
    calendar: Calendar,
    *,
    first: int,
    year: int | None = None,
    peers: np.ndarray | None = None,
) -> Pace:
    """Learn the pace of a flow from its complete fiscal years.

    Parameters
    ----------
    values : np.ndarray
        (P, U), not negative; NaN where not observed.
    calendar : Calendar
    first : int
        Ordinal of the first row.
    year : int, optional
        Fiscal year that the pace is for, as the New Year moves; by default the one after the last complete year.
    peers : np.ndarray, optional
        (U,) numbers of peer groups, -1 for none; by default all units are peers of each other.

    Returns
    -------
    Pace
        Rising and ending at one for every unit: shares of negative figures count as none.

    Notes
    -----
    The weights of a unit's periods are shrunk towards those of its peers by the share of the squared distance that is
    not their own sampling error (James and Stein 1961).
    """
    length, count = calendar.per_year, values.shape[1]
    years, folded = _complete_years(values, calendar, first)
    blank = np.full((length, count), np.nan)
    if not len(years):
        return Pace(blank, blank.copy(), np.zeros(count), 0.0)
    year = int(years[-1]) + 1 if year is None else year
    weights, usable = _weights(folded)
    days = np.array([_holidays(calendar, int(y)) for y in years])
    groups = np.zeros(count, dtype=int) if peers is None else peers
    effect = _new_year_effect(folded, days) if len(years) > FEWEST_YEARS else 0.0
    still = _shifted(weights, -effect * days)
    ahead = effect * _holidays(calendar, year)
    discount = YEARLY_DISCOUNT ** np.arange(len(years) - 1, -1, -1)[:, None] * usable
    with np.errstate(invalid="ignore", divide="ignore"):
        part = discount / discount.sum(axis=0)
    mean = np.nansum(still * part[:, None], axis=0)
    off = np.where(usable[:, None], still - mean, 0.0)
    effective = 1 / np.maximum((np.nan_to_num(part) ** 2).sum(axis=0), 1 / len(years))
    scatter = (np.nan_to_num(part)[:, None] * off**2).sum(axis=0).mean(axis=0)
    enough = usable.sum(axis=0) >= FEWEST_YEARS
    noise = np.where(enough, scatter / np.maximum(effective - 1, 0.5), np.inf)
    seen = np.asarray(usable.any(axis=0))
    typical, own = np.empty((length, count)), np.zeros(count)
    size = np.nansum(np.where(usable, folded.sum(axis=1), 0.0), axis=0)
    for group in np.unique(groups):
        ours = groups == group
        typical[:, ours] = _typical(mean, size, ours, seen)[:, None]
        learned = ours & enough
        if learned.any():
            distance = ((mean - typical) ** 2).mean(axis=0)
            between = max(float(np.mean(distance[learned] - noise[learned])), 0.0)
            own[learned] = between / (between + noise[learned]) if between > 0 else 0.0
    shrunk = typical + own * np.where(enough, mean - typical, 0.0)
    shrunk = _shifted(shrunk[None], ahead[None])[0]
    share = np.cumsum(shrunk, axis=0)
    share /= share[-1]
    return Pace(share, _spread(still, shrunk, usable), own, effect)


def _complete_years(values: np.ndarray, calendar: Calendar, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Fold the whole fiscal years of a panel: their numbers (Y,) and (Y, m, U)."""
    length = calendar.per_year
    skipped = -int(calendar.position(first)) % length
    years = max(0, (len(values) - skipped) // length)
    folded = values[skipped : skipped + years * length].reshape(years, length, values.shape[1])
    return int(calendar.year(first + skipped)) + np.arange(years), folded


def _holidays(calendar: Calendar, year: int) -> np.ndarray:
    start = calendar.first_of_year(year)
    days = np.array([holiday_days(calendar, start + place) for place in range(calendar.per_year)])
    return np.nan_to_num(days)


def _weights(folded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each period's share of its year (Y, m, U), and which years of which units are complete (Y, U)."""
    positive = np.maximum(folded, 0.0)
    total = positive.sum(axis=1)
    usable = np.isfinite(total) & (total > 0)
    shares = np.divide(positive, total[:, None], out=np.zeros_like(folded), where=usable[:, None])
    return shares, usable


def _shifted(weights: np.ndarray, log_change: np.ndarray) -> np.ndarray:
    """Change weights (Y, m, U) by log factors (Y, m) and let them add up to one again."""
    moved = weights * np.exp(log_change)[:, :, None]
    total = moved.sum(axis=1, keepdims=True)
    return np.divide(moved, total, out=np.zeros_like(moved), where=total > 0)


def _new_year_effect(folded: np.ndarray, days: np.ndarray) -> float:
    """Learn the log change of a period's weight a day of holiday; 0 unless it foretells the years left out."""
    whole = np.isfinite(folded).all(axis=(0, 1))
    total = np.maximum(folded[:, :, whole], 0.0).sum(axis=2)
    if not whole.any() or (total <= 0).any() or np.ptp(days, axis=0).max() == 0:
        return 0.0
    logs = np.log(total / total.sum(axis=1, keepdims=True))

    def slope(rows: np.ndarray) -> float:
        x = days[rows] - days[rows].mean(axis=0)
        return float((x * (logs[rows] - logs[rows].mean(axis=0))).sum() / max((x**2).sum(), np.finfo(float).tiny))

    everything = np.arange(len(days))
    plain = moved = 0.0
    for left_out in everything:
        rows = everything[everything != left_out]
        off = logs[left_out] - logs[rows].mean(axis=0)
        plain += float((off**2).sum())
        moved += float(((off - slope(rows) * (days[left_out] - days[rows].mean(axis=0))) ** 2).sum())
    return slope(everything) if moved < (1 - LEAST_GAIN) * plain else 0.0


def _typical(mean: np.ndarray, size: np.ndarray, ours: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give the weights (m,) of a peer group: half those of its sum, half those of its mean unit."""
    used = ours & known if (ours & known).any() else known
    if not used.any():
        return np.full(len(mean), 1 / len(mean))
    by_size = (mean[:, used] * size[used]).sum(axis=1) / size[used].sum()
    return (by_size + mean[:, used].mean(axis=1)) / 2


def _spread(still: np.ndarray, shrunk: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Give the deviation (m, U) of cumulative shares over years, a unit's own averaged with that of all."""
    off = np.where(usable[:, None], np.cumsum(still, axis=1) - np.cumsum(shrunk, axis=0), 0.0)
    number = usable.sum(axis=0)
    own = (off**2).sum(axis=0)
    pooled = own.sum(axis=1, keepdims=True) / max(int(number.sum()), 1)
    variance = (own + FEWEST_YEARS * pooled) / (number + FEWEST_YEARS)
    variance[-1] = 0.0
    return np.sqrt(variance)
