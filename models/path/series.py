"""A base learner for many series at once: a level with a learned season, several speeds of learning combined.

Every step is an array operation across series, so that a hundred thousand branches take no longer than their figures
take to read, and the errors that it made from past origins, at every distance ahead, come out of the same pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.path.reconciliation import Summing
from models.path.season import flat, season_of


@dataclass(frozen=True)
class Speed:
    """How fast a candidate learns.

    Attributes
    ----------
    level : float
        Share of a surprise that moves the level.
    trend : float
        Share of that which moves the trend; 0 for none.
    damping : float
        Share of the trend that is left after one period.
    drift : bool
        The trend is the mean of all steps so far (a random walk with drift), half its own, half the group's.
    """

    level: float
    trend: float = 0.0
    damping: float = 1.0
    drift: bool = False


SPEEDS = (
    Speed(0.04),
    Speed(0.1),
    Speed(0.2),
    Speed(0.4),
    Speed(0.8),
    Speed(0.1, 0.05, 0.97),
    Speed(0.3, 0.1, 0.95),
    Speed(0.8, 0.2, 0.9),
    Speed(1.0, drift=True),
)
"""From an almost constant level to the last figure, without trend, with a damped one and with a drift: the range over
which automatic smoothing chooses; combining does as well as choosing and is steadier (Petropoulos, Svetunkov 2020)."""

SHARPNESS = 4.0
"""Weights fall with this power of a series' own loss: twice the loss is a sixteenth of the weight."""
LEVEL_SHARPNESS = 12.0
"""And with this power of its level's: what fails for a whole level, such as a slow average of yearly ratios, is out."""
LEAST_LOSS = 1e-3
"""A candidate that is right to the last digit does not drive the others out altogether."""
POOLED_ORIGINS = 24
"""A series' own record of a candidate counts by its past origins against this many of its level's together: origins of
twelve months overlap, so two years of them are little evidence."""
PAST_YEARS = 8
"""Errors of past origins are kept for this many years: older ones tell of a scale and a season that have passed."""
SERIES_AT_ONCE = 1_000
"""Series handled at a time, so that memory stays bounded."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What the learner says from the last row on, and what it said from past rows.

    Attributes
    ----------
    ahead : np.ndarray
        (H, N): the next H periods.
    origins : np.ndarray
        (O,): rows from which it forecast in the past, using nothing after them.
    past : np.ndarray
        (O, H, N): those forecasts.
    actual : np.ndarray
        (O, H, N): what came; NaN where not observed.
    fitted : np.ndarray
        (T, N): the one-step forecasts, with the season as learned at the end; fills gaps of a series.
    season : np.ndarray
        (m, N): the season by position of the year, a multiple or an addend.
    widening : float
        What past errors are multiplied by: above one where their own periods were used to learn the season.
    """

    ahead: np.ndarray
    origins: np.ndarray
    past: np.ndarray
    actual: np.ndarray
    fitted: np.ndarray
    season: np.ndarray
    widening: float = 1.0

    @property
    def errors(self) -> np.ndarray:
        """Give what came less what was forecast: (O, H, N)."""
        return (self.actual - self.past) * self.widening


def forecast_series(
    values: np.ndarray,
    horizon: int,
    *,
    per_year: int,
    parents: np.ndarray,
    multiplicative: bool,
    stride: int = 1,
) -> Forecasts:
    """Forecast every series, now and from past rows.

    Parameters
    ----------
    values : np.ndarray
        (T, N) on the working scale, oldest first; NaN where not observed. The last row is the origin.
    horizon : int
        Periods ahead.
    per_year : int
        Periods of a year.
    parents : np.ndarray
        (N,) column of the series above each, -1 for none: whose season it leans on. A parent comes before its children.
    multiplicative : bool
        The season multiplies the level; else it is added.
    stride : int
        Distance between past origins.

    Returns
    -------
    Forecasts
        A series that was never observed is NaN.

    Notes
    -----
    Exponential smoothing with damped trend (Gardner 1985) on figures freed of a season that is shrunk towards the
    season of the parent (Dekker, van Donselaar and Ouwehand 2004). A gap leaves the level as it is; a young series
    learns by the mean of its figures until that is slower than the candidate's own speed.
    """
    length = len(values)
    cuts = _cuts(length, per_year, stride)
    seasons = [season_of(values[:end], per_year, parents, multiplicative) for end, _ in cuts]
    now = season_of(values, per_year, parents, multiplicative) if length else flat(values, per_year, multiplicative)
    drift = _group_drift(values, now, multiplicative)
    work = _Work(values, now, seasons, cuts, drift, horizon, multiplicative)
    return work.forecasts(Summing(parents).depths)


def _cuts(length: int, per_year: int, stride: int) -> list[tuple[int, np.ndarray]]:
    """Give the past years: up to which row the season is learned, and the rows forecast from with it."""
    cuts = []
    for years_ago in range(PAST_YEARS, 0, -1):
        end = length - years_ago * per_year
        if end >= 2 * per_year:
            rows = np.arange(end - 1, end - 1 + per_year)
            cuts.append((end, rows[::stride]))
    if not cuts:
        # Too short to leave a year out: the season is that of all rows, and only the level is forecast blindly.
        rows = np.arange(max(1, length // 2), length - 1)
        return [(length, rows)] if len(rows) else []
    return cuts


def _season_rows(season: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return season[rows % len(season)]


def _group_drift(values: np.ndarray, season: np.ndarray, multiplicative: bool) -> np.ndarray:
    """Give the group's mean step up to each row (T,): relative to the level where the season multiplies it."""
    rows = _season_rows(season, np.arange(len(values)))
    free = values / rows if multiplicative else values - rows
    steps = np.diff(free, axis=0)
    if multiplicative:
        known = np.isfinite(free)
        size = np.where(known, np.abs(free), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        steps = steps / np.where(size > 0, size, np.nan)
    typical = np.zeros(len(values))
    for row in range(len(steps)):
        known = steps[row][np.isfinite(steps[row])]
        typical[row + 1] = np.median(known) if len(known) else 0.0
    return np.cumsum(typical) / np.maximum(np.arange(len(values)), 1)


def _run(
    values: np.ndarray, season: np.ndarray, drift: np.ndarray, multiplicative: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pass over the rows: levels and trends after each (T, K, N), and one-step forecasts free of the season."""
    rate, tilt, damp, drifts = (
        np.array([getattr(speed, name) for speed in SPEEDS])[:, None] for name in ("level", "trend", "damping", "drift")
    )
    length, count = values.shape
    rows = _season_rows(season, np.arange(length))
    free = values / rows if multiplicative else values - rows
    shape = (len(SPEEDS), count)
    level, trend, seen = np.full(shape, np.nan), np.zeros(shape), np.zeros(count)
    levels, trends, ahead = (np.full((length, *shape), np.nan) for _ in range(3))
    for row in range(length):
        known = np.isfinite(free[row])
        born = known & (seen == 0)
        level[:, born] = free[row, born]
        expected = level + damp * trend
        ahead[row] = expected
        surprise = np.where(known & ~born, free[row] - expected, 0.0)
        young = 1 / (seen + 1)
        gain = np.maximum(rate, young)
        level = expected + gain * surprise
        steps = np.where(drifts > 0, 1 / np.maximum(seen, 1), tilt * gain)
        trend = damp * trend + steps * surprise
        seen += known
        levels[row] = level
        scale = level if multiplicative else 1.0
        trends[row] = np.where(drifts > 0, 0.5 * trend + 0.5 * drift[row] * scale, trend)
    return levels, trends, ahead


def _paths(
    levels: np.ndarray, trends: np.ndarray, season: np.ndarray, origins: np.ndarray, horizon: int, multiplicative: bool
) -> np.ndarray:
    """Extend levels and trends at some rows: (O, H, K, N)."""
    damp = np.array([speed.damping for speed in SPEEDS])[:, None]
    reach = np.cumsum(damp[None] ** np.arange(1, horizon + 1)[:, None, None], axis=0)
    paths = levels[origins][:, None] + trends[origins][:, None] * reach[None]
    rows = _season_rows(season, origins[:, None] + np.arange(1, horizon + 1))[:, :, None, :]
    return np.maximum(paths, 0.0) * rows if multiplicative else paths + rows


@dataclass(frozen=True, eq=False)
class _Work:
    """One question to the learner: the figures, and the seasons as they were learned at each cut."""

    values: np.ndarray
    season: np.ndarray
    seasons: list[np.ndarray]
    cuts: list[tuple[int, np.ndarray]]
    drift: np.ndarray
    horizon: int
    multiplicative: bool

    def past(self, part: slice) -> list[tuple[np.ndarray, np.ndarray]]:
        """Forecast some series from past rows (O, H, K, N) and give what came (O, H, N), cut by cut."""
        values = self.values[:, part]
        padded = np.concatenate([values, np.full((self.horizon, values.shape[1]), np.nan)])
        found = []
        for season, (_, origins) in zip(self.seasons, self.cuts, strict=True):
            end = int(origins[-1]) + 1
            levels, trends, _ = _run(values[:end], season[:, part], self.drift[:end], self.multiplicative)
            paths = _paths(levels, trends, season[:, part], origins, self.horizon, self.multiplicative)
            rows = origins[:, None] + np.arange(1, self.horizon + 1)
            found.append((paths, padded[np.minimum(rows, len(padded) - 1)]))
        return found

    def forecasts(self, depth: np.ndarray) -> Forecasts:
        """Weigh the candidates by their record, each series' own leaning on that of its level, and combine them."""
        length, count = self.values.shape
        parts = [slice(start, start + SERIES_AT_ONCE) for start in range(0, count, SERIES_AT_ONCE)]
        loss, seen = np.full((len(SPEEDS), count), np.nan), np.zeros(count)
        kept = None
        for part in parts:
            kept = self.past(part)
            if kept:
                loss[:, part], seen[part] = _losses(kept)
        weights = _weights(loss, seen / self.horizon, depth)
        origins = np.concatenate([rows for _, rows in self.cuts]) if self.cuts else np.zeros(0, dtype=int)
        past, actual = (np.empty((len(origins), self.horizon, count)) for _ in range(2))
        ahead, fitted = np.empty((self.horizon, count)), np.empty((length, count))
        for part in parts:
            # The record of one part at a time is held; where there are several it is made again.
            record = kept if len(parts) == 1 and kept is not None else self.past(part)
            if record:
                past[:, :, part] = np.concatenate([np.einsum("ohkn,kn->ohn", p, weights[:, part]) for p, _ in record])
                actual[:, :, part] = np.concatenate([came for _, came in record])
            ahead[:, part], fitted[:, part] = self._now(part, weights[:, part])
        return Forecasts(ahead, origins, past, actual, fitted, self.season, self._widening)

    @property
    def _widening(self) -> float:
        """Give the ratio of an error out of the years that a season was learned from to one within: of a mean of n."""
        length, per_year = len(self.values), len(self.season)
        years = length // per_year
        within = bool(self.cuts) and self.cuts[0][0] == length and per_year > 1 and years > 1
        return float(np.sqrt((years + 1) / (years - 1))) if within else 1.0

    def _now(self, part: slice, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Forecast from the last row (H, N), and give the one-step forecasts of all rows (T, N)."""
        length, season = len(self.values), self.season[:, part]
        levels, trends, one_step = _run(self.values[:, part], season, self.drift, self.multiplicative)
        last = np.array([length - 1])
        paths = _paths(levels, trends, season, last, self.horizon, self.multiplicative)
        smooth = np.einsum("tkn,kn->tn", one_step, weights)
        rows = _season_rows(season, np.arange(length))
        fitted = smooth * rows if self.multiplicative else smooth + rows
        return np.einsum("hkn,kn->hn", paths[0], weights), fitted


def _losses(record: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean absolute error of each candidate (K, N), and the figures (N,) it rests on."""
    sums, known = 0.0, 0.0
    for paths, actual in record:
        sums = sums + np.nansum(np.abs(paths - actual[:, :, None]), axis=(0, 1))
        known = known + np.isfinite(actual).sum(axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / known), np.asarray(known)


def _weights(loss: np.ndarray, seen: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Turn losses (K, N) into weights that add up to one for each series; alike where there is no record."""
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = loss / loss.mean(axis=0)
    known = np.isfinite(relative).all(axis=0)
    weights = np.full(loss.shape, 1 / len(loss))
    for level in np.unique(depth):
        ours = known & (depth == level)
        if ours.any():
            typical = relative[:, ours].mean(axis=1, keepdims=True)
            share = seen[ours] / (seen[ours] + POOLED_ORIGINS)
            typical = np.maximum(typical, LEAST_LOSS)
            own = np.maximum(relative[:, ours], LEAST_LOSS)
            logs = -LEVEL_SHARPNESS * (1 - share) * np.log(typical) - SHARPNESS * share * np.log(own)
            raised = np.exp(logs - logs.max(axis=0))
            weights[:, ours] = raised / raised.sum(axis=0)
            blank = ~known & (depth == level)
            weights[:, blank] = (raised / raised.sum(axis=0)).mean(axis=1, keepdims=True)
    return weights
