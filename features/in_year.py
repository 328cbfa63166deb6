"""A year cut in two: what its first periods brought, and what the rest brought, at the same place of every year.

Before the year begins nothing is in, and its rest is the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.panel import Panel
from features.units import UnitTree
from features.years import YearFigures, rows_at, summed_up, trailing_sum

OVER_THE_YEAR = frozenset({"sum", "average", "ratio of sums"})
"""Bases on which every period of a year counts; a figure at the year's end has no part that is in already."""


@dataclass(frozen=True)
class Part:
    """A stretch of each year, (T, U): its figure at the rate of a whole year, and what it counts by in a total."""

    value: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class InYear:
    """Each year cut at the place that the origin has in the year asked about, which is the last row.

    Every part is given at the rate of a whole year, so that parts of any length compare: a flow's sum is scaled up by
    the periods it lacks, averages and ratios stand as they are.

    Attributes
    ----------
    years : np.ndarray
        (T,) fiscal years.
    done, left : int
        Periods of the year that are in, and those from the origin to its end: more than a year has where it begins
        later.
    so_far, rest : Part
        The year's first periods and its others; the last row of the rest is not known. Where nothing is in, `so_far` is
        NaN and the rest is the year.
    trailing, quarter, latest : Part
        The year, the quarter and the single period that end at the cut.
    """

    years: np.ndarray
    done: int
    left: int
    so_far: Part
    rest: Part
    trailing: Part
    quarter: Part
    latest: Part

    @property
    def parts(self) -> dict[str, Part]:
        """Give all parts by name."""
        return {name: getattr(self, name) for name in ("so_far", "rest", "trailing", "quarter", "latest")}

    def take(self, columns: np.ndarray) -> InYear:
        """Keep some units, by position."""
        kept = {name: Part(p.value[:, columns], p.weight[:, columns]) for name, p in self.parts.items()}
        return replace(self, **kept)

    @property
    def start(self) -> np.ndarray:
        """Give the figures (T, U) without which nothing is known of a unit at the cut."""
        return self.so_far.value if self.done else self.trailing.value

    @property
    def weight_left(self) -> np.ndarray:
        """Give the share (U,) of the asked year's weight that the rest will have: its periods, or its denominators.

        Denominators are expected to grow on the rest of last year as they grew on the year to date.
        """
        usual = np.full(self.so_far.value.shape[1], self.left / (self.done + self.left))
        if len(self.years) < 2:
            return usual
        now, before, after = self.so_far.weight[-1], self.so_far.weight[-2], self.rest.weight[-2]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = after / (before + after)
        return np.where(np.isfinite(share) & np.isfinite(now) & (share > 0) & (share < 1), share, usual)


def cut_years(panel: Panel, figures: YearFigures, code: str, *, year: int, origin: int) -> InYear | None:
    """Cut every year where the origin cuts the year asked about.

    Parameters
    ----------
    panel : Panel
        Holding nothing known after `origin`.
    figures : YearFigures
        Of the indicator.
    code : str
    year : int
        The fiscal year asked about.
    origin : int
        Ordinal of the last period that may be used.

    Returns
    -------
    InYear or None
        None where the year's figure is that of its end, or years have no parts. Rows are those of
        `features.years.year_pairs`.
    """
    calendar = panel.calendar
    end, length = calendar.last_of_year(year), calendar.per_year
    left = end - origin
    done = max(length - left, 0)
    if figures.basis not in OVER_THE_YEAR or length == 1 or left <= 0:
        return None
    years = np.arange(min(int(calendar.year(panel.first + left)), year), year + 1)
    cuts = np.array([calendar.last_of_year(int(y)) for y in years]) - left

    def part(periods: int, ordinals: np.ndarray) -> Part:
        value, weight = _over(panel, figures, code, periods)
        return Part(*(rows_at(panel, array, ordinals, origin=origin) for array in (value, weight)))

    latest = part(1, cuts)
    quarter, trailing = part(max(1, length // 4), cuts), part(length, cuts)
    nothing = np.full(trailing.value.shape, np.nan)
    so_far = part(done, cuts) if done else Part(nothing, np.zeros(nothing.shape))
    found = InYear(years, done, left, so_far, part(min(left, length), cuts + left), trailing, quarter, latest)
    return replace(found, trailing=_stood_in(trailing, so_far), quarter=_stood_in(quarter, so_far))


def _over(panel: Panel, figures: YearFigures, code: str, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Take an indicator over the periods that end with each row, at the rate of a year: (P, U), and its weights."""
    value, length = panel.array(code), panel.calendar.per_year
    if figures.basis == "ratio of sums":
        below = panel.indicator(code).denominator
        weight = panel.array(below) if below is not None and below in panel else np.ones(value.shape)
        both = np.where(np.isfinite(value) & (weight > 0), value * weight, np.nan)
        bottom = trailing_sum(np.where(np.isfinite(both), weight, np.nan), periods)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = trailing_sum(both, periods) / bottom
        return np.where(np.isfinite(ratio), ratio, np.nan), bottom
    rate = length if figures.basis == "sum" else 1.0
    return trailing_sum(value, periods) * (rate / periods), np.full(value.shape, float(periods))


def _stood_in(longer: Part, so_far: Part) -> Part:
    """Put the year to date, moved by what usually lies between, where a unit is too young for a longer stretch."""
    missing = np.isfinite(so_far.value) & ~np.isfinite(longer.value)
    if not missing.any():
        return longer
    value, weight = longer.value.copy(), np.where(missing, so_far.weight, longer.weight)
    for row in np.flatnonzero(missing.any(axis=1)):
        known = np.isfinite(longer.value[row]) & np.isfinite(so_far.value[row])
        if not known.any():  # the panel itself is too young
            continue
        whole, part = longer.value[row, known], so_far.value[row, known]
        factor = float(np.median(whole / part)) if min(whole.min(), part.min()) > 0 else 1.0
        value[row, missing[row]] = so_far.value[row, missing[row]] * factor
    return Part(value, weight)


def total_in_year(cut: InYear, tree: UnitTree, *, ordinal: int, averaged: bool) -> InYear:
    """Total the parts of leaves for every unit above, over the leaves that have all parts of a year.

    The last row, whose rest is not known, is over the leaves whose year to date is (before the year begins, whose
    trailing year is). Leaves keep their own parts, and so does a unit above them for which that was given.
    """
    leaf = tree.leaves(ordinal)
    there = np.isfinite(cut.start) & np.isfinite(cut.trailing.value) & leaf
    there[:-1] &= np.isfinite(cut.rest.value[:-1])
    own = leaf | np.isfinite(cut.start[-1])
    totals = {}
    for name, part in cut.parts.items():
        weight = np.where(there, np.nan_to_num(part.weight), 0.0)
        factor = weight if averaged else there.astype(float)
        sums = [np.nan_to_num(part.value) * factor, weight, there.astype(float)]
        summed_up(sums, tree, ordinal=ordinal)
        value, total_weight, count = sums
        if averaged:
            with np.errstate(invalid="ignore", divide="ignore"):
                value = value / total_weight
        value = np.where((count > 0) & np.isfinite(value), value, np.nan)
        if name == "rest":
            value[-1] = np.nan
        if not averaged:
            total_weight = np.broadcast_to(np.nanmax(part.weight, initial=1.0), value.shape)
        totals[name] = Part(np.where(own, part.value, value), np.where(own, part.weight, total_weight))
    return replace(cut, **totals)
