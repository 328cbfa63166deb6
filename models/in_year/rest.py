"""What a year, or its rest, starts from: the latest pace, learned across units and years, never twelfths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.in_year import InYear
from features.indicators import Indicator
from models.outcome.growth import Transform, choose_transform
from models.outcome.history import row_median

PRIOR = {"so_far": 0.75, "quarter": 0.0, "latest": 0.0, "habit": 0.0}
"""What the rest is expected to follow before anything is learned, on the latent scale and against the year that ends at
the cut: three quarters of the departure of the year to date. `quarter` and `latest` are the departures of the last
quarter and period, `habit` how far the unit's own later periods usually depart from its earlier ones."""

PRIOR_ROWS = 100.0
"""Unit-years that the prior counts as: one year of a small panel moves it little, years of hundreds of units decide."""

HABIT_YEARS = 3.0
"""Pseudo-years with which a unit's own habit is drawn towards the group's."""

FEWEST_YEARS = 3
"""Years below which the common weight stays as expected: two points always lie on a line. Before a year begins nothing
common moves with fewer: a season could not be told from a trend."""

COMMON_DEVIATION = 1.0
"""Standard deviation of the common weight around what is expected, before it is learned. Where a moving New Year falls
into the first month in some years, what that month lacks comes later: the weight is then negative."""


@dataclass(frozen=True)
class CarryOver:
    """What of the last periods' departure from the trailing year is expected to last, before anything is learned.

    Attributes
    ----------
    quarter, latest : float
        Part of the last quarter's and the last period's departure, of a unit against the group.
    usual_quarter, usual_latest : float
        The same of what the unit's last quarter and period usually depart by: its season.
    common_by : {"quarter", "latest"}
        Whose departure, less its mean over the years, moves all units alike.
    common : float
        Part of that which is expected to last.
    """

    quarter: float
    latest: float
    usual_quarter: float
    usual_latest: float
    common_by: str
    common: float

    @property
    def prior(self) -> np.ndarray:
        """Give the weights before anything is learned, in the order of `AHEAD`."""
        return np.array([getattr(self, name) for name in AHEAD])


AHEAD = ("quarter", "latest", "usual_quarter", "usual_latest")
"""What moves the start of a year that has not begun."""

CARRIED = {
    "sum": CarryOver(0.25, 0.0, -0.25, 0.0, "quarter", 0.5),
    "average": CarryOver(0.0, 0.75, 0.0, 0.0, "latest", 1.0),
    "ratio of sums": CarryOver(0.25, 0.0, -0.25, 0.0, "quarter", 0.0),
}
"""By the basis of a year's figure. A balance stays where it is: next year's average begins at the last period's level.
A flow is seasonal, so that its last quarter is held against the unit's own usual one. The common departure of ratios
did not pay."""

CARRIED_DEVIATION = 0.3
"""Standard deviation of the common part that lasts around what is expected: a handful of years decides little."""

REACH = 1.0
"""A departure beyond this (a factor of e) is a merger or a correction, not a pace: cut back to here."""


def expected_rest(indicator: Indicator, cut: InYear) -> np.ndarray:
    """Give what the rest of each year is expected to be (T, U), at the rate of a year; NaN where nothing is known.

    The year that ends at the cut, moved by how far the year to date, the last quarter and the last period depart from
    it, each against the group, and by the unit's own habit. The weights are learned by a ridge towards `PRIOR`; a
    year's own rest never enters those that are used for it. What all units have in common moves by a weight of its own:
    at first the share of the year that is in, then what past years show.
    """
    known = np.stack([cut.trailing.value, cut.rest.value, cut.so_far.value])
    if not np.isfinite(known).any():
        return np.full(cut.trailing.value.shape, np.nan)
    transform = choose_transform(indicator, known)
    trailing, rest = transform.latent(cut.trailing.value), transform.latent(cut.rest.value)
    departures = _departures(cut, transform, trailing)
    centred = {name: _centred(values) for name, values in departures.items()}
    X = np.stack([centred[name] for name in PRIOR], axis=-1)
    y = np.clip(rest - trailing - row_median(rest - trailing), -REACH, REACH)
    weights = _weights(X, y, prior=np.array(list(PRIOR.values())))
    moved, came = _unusual(departures["so_far"]), _row_median_known(rest - trailing)
    in_already = cut.done / (cut.done + cut.left)
    common = _common_weight(moved, came, expected=in_already, deviation=COMMON_DEVIATION) * moved[:, None]
    base = trailing + common + np.einsum("tuk,tk->tu", X, weights)
    found = transform.value(base + _usual_gap(rest - base))
    still = ~np.isfinite(trailing) & np.isfinite(cut.trailing.value)  # nothing for a year: a zero behind a hurdle
    return np.where(still, cut.trailing.value, np.where(np.isfinite(base), found, np.nan))


def expected_year(indicator: Indicator, cut: InYear, *, basis: str) -> np.ndarray:
    """Give what a year that has not begun starts from (T, U): the year that ends at the cut, carried over (翘尾).

    That year, moved by how far the last quarter and the last period depart from it: of each unit against the group, by
    weights learned as in `expected_rest`, and of all units alike. The mean over the years stays that of the trailing
    year, so that growth keeps its meaning. While no outcome is known, nothing moves.

    Parameters
    ----------
    indicator : Indicator
    cut : InYear
        With nothing in of the year asked about.
    basis : str
        Of the year's figure, a key of `CARRIED`.
    """
    if not (np.isfinite(cut.rest.value) & np.isfinite(cut.trailing.value)).any():
        return cut.trailing.value
    expected = CARRIED[basis]
    transform = choose_transform(indicator, np.stack([cut.trailing.value, cut.rest.value]))
    trailing, rest = transform.latent(cut.trailing.value), transform.latent(cut.rest.value)
    departures = {name: transform.latent(getattr(cut, name).value) - trailing for name in ("quarter", "latest")}
    found = {name: _centred(values) for name, values in departures.items()}
    found |= {f"usual_{name}": np.clip(_habit(values), -REACH, REACH) for name, values in departures.items()}
    X = np.stack([found[name] for name in AHEAD], axis=-1)
    y = np.clip(rest - trailing - row_median(rest - trailing), -REACH, REACH)
    moved, came = _unusual(departures[expected.common_by]), _row_median_known(rest - trailing)
    weight = 0.0  # of a few years it cannot be told what is usual
    if expected.common and np.isfinite(came).sum() >= FEWEST_YEARS:
        weight = _common_weight(moved, came, expected=expected.common, deviation=CARRIED_DEVIATION)
    move = weight * moved[:, None] + np.einsum("tuk,tk->tu", X, _weights(X, y, prior=expected.prior))
    return np.where(np.isfinite(trailing) & (move != 0), transform.value(trailing + move), cut.trailing.value)


def _departures(cut: InYear, transform: Transform, trailing: np.ndarray) -> dict[str, np.ndarray]:
    so_far = transform.latent(cut.so_far.value)
    found = {name: transform.latent(getattr(cut, name).value) - trailing for name in ("so_far", "quarter", "latest")}
    return found | {"habit": _habit(transform.latent(cut.rest.value) - so_far)}


def _habit(pace: np.ndarray) -> np.ndarray:
    """Give each unit's mean departure of later from earlier periods in the years before (T, U), against the group."""
    relative = pace - row_median(pace)
    seen = np.isfinite(relative)
    total, count = np.cumsum(np.where(seen, relative, 0.0), axis=0), np.cumsum(seen, axis=0)
    mean = np.zeros_like(pace)
    mean[1:] = total[:-1] / (count[:-1] + HABIT_YEARS)
    return mean


def _centred(values: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(values - row_median(values)), -REACH, REACH)


def _weights(X: np.ndarray, y: np.ndarray, *, prior: np.ndarray) -> np.ndarray:
    """Learn the weights for each year (T, features) from all other years."""
    seen = np.isfinite(y)
    ready = np.where(seen[..., None], X, 0.0)
    squares = np.einsum("tuj,tuk->tjk", ready, ready)
    products = np.einsum("tuk,tu->tk", ready, np.where(seen, y, 0.0))
    rows = max(1, int(seen.sum()))
    # The penalty is in rows of average size, so that the indicator's scale has no say.
    penalty = PRIOR_ROWS / rows * np.diag(np.maximum(np.diagonal(squares.sum(axis=0)), 1e-12))
    others, their = squares.sum(axis=0) - squares, products.sum(axis=0) - products
    return np.linalg.solve(others + penalty, (their + penalty @ prior)[..., None])[..., 0]


def _row_median_known(values: np.ndarray) -> np.ndarray:
    """Give each row's median (T,), NaN for a row without values."""
    return np.where(np.isfinite(values).any(axis=1), row_median(values)[:, 0], np.nan)


def _unusual(values: np.ndarray) -> np.ndarray:
    """Give each row's median (T,) less its mean over the rows; 0 for a row without values."""
    middle = _row_median_known(values)
    usual = float(np.mean(middle[np.isfinite(middle)])) if np.isfinite(middle).any() else 0.0
    return np.nan_to_num(middle - usual)


def _common_weight(moved: np.ndarray, came: np.ndarray, *, expected: float, deviation: float) -> float:
    """Learn how far the rest follows what all units did before it, from all years that are over.

    The posterior mean of a slope whose prior is normal around what is expected. One weight for all years: with so few
    years, a weight of each year's own would scatter more than what it is to explain.
    """
    seen = np.isfinite(came)
    if seen.sum() < FEWEST_YEARS:
        return expected
    x, y = moved[seen] - moved[seen].mean(), came[seen] - came[seen].mean()
    left = y - expected * x
    noise = float(left @ left) / (len(x) - 1) / deviation**2
    power = float(x @ x)
    return expected + (float(x @ left) / (power + noise) if power > 0 else 0.0)


def _usual_gap(gap: np.ndarray) -> float:
    """Give the middle of the years' middle gaps: a constant, so that the base stands where the rest usually is."""
    years = np.isfinite(gap).any(axis=1)
    return float(np.mean(row_median(gap)[years])) if years.any() else 0.0
