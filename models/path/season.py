"""Seasons of many series at once, each shrunk towards the season of the series above it."""

from __future__ import annotations

import numpy as np

from models.path.reconciliation import Summing

YEARLY_DISCOUNT = 0.9
"""A year counts this much less than the one after it: seasons move, but slowly, and noisy leaves need many years."""
FEWEST_YEARS = 2
"""Fewest years from which a season is learned: one year alone is mostly chance."""
LEAST_MULTIPLE = 0.05
"""A season's multiple is not taken for less: what is divided by it would outweigh the rest of the year."""


def flat(values: np.ndarray, per_year: int, multiplicative: bool) -> np.ndarray:
    """Give no season: (m, N) ones or zeros."""
    return np.full((per_year, values.shape[1]), 1.0 if multiplicative else 0.0)


def season_of(values: np.ndarray, per_year: int, parents: np.ndarray, multiplicative: bool) -> np.ndarray:
    """Learn the season of each series from the years that end with the last row.

    Parameters
    ----------
    values : np.ndarray
        (T, N), oldest first; NaN where not observed.
    per_year : int
        Periods of a year, m.
    parents : np.ndarray
        (N,) column of the series above, -1 for none; a parent comes before its children.
    multiplicative : bool

    Returns
    -------
    np.ndarray
        (m, N), at the place `row % m`: multiples that average one, or addends that average zero.

    Notes
    -----
    Each figure is taken against its year's mean, on the straight line through the means of the years around it. The
    mean over years is then shrunk towards the parent's season, a root's towards none, by the share of the squared
    distance that is not the season's own sampling error (James and Stein 1961; Chen and Boylan 2007 for seasons).
    """
    length, count = values.shape
    years = length // per_year
    base = flat(values, per_year, multiplicative)
    if per_year == 1 or years < FEWEST_YEARS:
        return base
    recent = values[length - years * per_year :].reshape(years, per_year, count)
    own, error = _own_season(recent, multiplicative)
    season = base.copy()
    for members, above in _by_depth(parents):
        target = np.where(above >= 0, season[:, above], base[:, members])
        distance = np.mean((own[:, members] - target) ** 2, axis=0)
        noise = error[members]
        learned = np.isfinite(distance) & np.isfinite(noise)
        between = np.maximum(distance - noise, 0.0)
        typical = between[learned].mean() if learned.any() else 0.0
        between = 0.5 * (between + typical)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(learned & (between > 0), between / (between + noise), 0.0)
        season[:, members] = target + share * np.where(learned, own[:, members] - target, 0.0)
    if multiplicative:
        season = np.maximum(season, LEAST_MULTIPLE)
        season /= season.mean(axis=0)
    else:
        season -= season.mean(axis=0)
    # The first of the years used begins at this row; put the season where `row % m` finds it.
    return np.roll(season, (length - years * per_year) % per_year, axis=0)


def _own_season(recent: np.ndarray, multiplicative: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give each series' own season (m, N) and the variance (N,) of its sampling error, from (years, m, N)."""
    years, per_year, _ = recent.shape
    seen = np.isfinite(recent)
    enough = seen.sum(axis=1) > per_year // 2
    mean = np.where(seen, recent, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    mean = np.where(enough, mean, np.nan)
    slope = _slopes(mean)
    place = (np.arange(per_year) - (per_year - 1) / 2) / per_year
    line = mean[:, None] + slope[:, None] * place[None, :, None]
    weight = YEARLY_DISCOUNT ** np.arange(years - 1, -1, -1)[:, None, None]
    used = seen & np.isfinite(line) & (~np.bool_(multiplicative) | (line > 0))
    weight = weight * used
    if multiplicative:
        size = np.where(used, line, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            own = (weight * np.where(used, recent, 0.0)).sum(axis=0) / (weight * size).sum(axis=0)
            off = np.where(used, recent / line - own, 0.0)
            weight = weight * size
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            own = (weight * np.where(used, recent - line, 0.0)).sum(axis=0) / weight.sum(axis=0)
            off = np.where(used, recent - line - own, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weight / weight.sum(axis=0)
        squares = (share**2 * off**2).sum(axis=0)
        effective = 1 / (share**2).sum(axis=0)
        error = np.where(effective > 1.5, squares * effective / (effective - 1), np.nan).mean(axis=0)
    return own, error


def _slopes(mean: np.ndarray) -> np.ndarray:
    """Give the change a year of the yearly means (Y, N), from the years on both sides where both are known."""
    change = np.diff(mean, axis=0)
    before = np.concatenate([np.full((1, mean.shape[1]), np.nan), change])
    after = np.concatenate([change, np.full((1, mean.shape[1]), np.nan)])
    known = np.isfinite(before).astype(float) + np.isfinite(after)
    total = np.nan_to_num(before) + np.nan_to_num(after)
    return total / np.maximum(known, 1)


def _by_depth(parents: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Group series by their depth, the roots first: their columns and those of the series above them."""
    summing = Summing(parents)
    members = [np.flatnonzero(parents < 0), *summing.levels[::-1]]
    return [(columns, parents[columns]) for columns in members]
