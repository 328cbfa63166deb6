"""Figures of a year: what an indicator came to over the year that ends with each period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from features.indicators import Indicator
from features.panel import Panel
from features.units import UnitTree


@dataclass(frozen=True)
class YearFigures:
    """An indicator over the year that ends with each period, as (P, U) arrays.

    Attributes
    ----------
    value : np.ndarray
        A flow summed, a stock at the year's end or averaged over it, a ratio at the year's end or over the year. NaN
        unless every period of the year that it needs was observed.
    weight : np.ndarray
        What a ratio counts by in a total: its denominator over the same year; 1 where there is none, or for volumes.
    basis : str
        `sum`, `average`, `end` or `ratio of sums`, for display.
    weighted : bool
        False for a ratio or level whose weights are not known.
    """

    value: np.ndarray
    weight: np.ndarray
    basis: str
    weighted: bool


def year_figures(panel: Panel, code: str) -> YearFigures:
    """Take an indicator over the year that ends with each period.

    A ratio with a flow in it, or one that is assessed on averages, is taken over the whole year, weighted by its
    denominator where there is one; any other ratio as it stands at the year's end.
    """
    indicator, value, length = panel.indicator(code), panel.array(code), panel.calendar.per_year
    weight = _weight(panel, indicator)
    ones = np.ones(value.shape)
    if indicator.kind == "flow":
        return YearFigures(trailing_sum(value, length), ones, "sum", True)
    if indicator.kind == "stock":
        averaged = indicator.averaging != "point" and length > 1
        figure = trailing_sum(value, length) / length if averaged else value
        return YearFigures(figure, ones, "average" if averaged else "end", True)
    over_the_year = _over_the_year(panel, indicator) and length > 1
    if weight is None:
        figure = trailing_sum(value, length) / length if over_the_year else value
        return YearFigures(figure, ones, "average" if over_the_year else "end", False)
    if over_the_year:
        both = np.where(np.isfinite(value) & (weight > 0), value * weight, np.nan)
        bottom = trailing_sum(np.where(np.isfinite(both), weight, np.nan), length)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = trailing_sum(both, length) / bottom
        return YearFigures(np.where(np.isfinite(ratio), ratio, np.nan), bottom, "ratio of sums", True)
    return YearFigures(value, weight, "end", True)


def trailing_sum(array: np.ndarray, length: int) -> np.ndarray:
    """Sum each column over the last `length` rows; NaN until there are as many, and where any is missing."""
    if length == 1:
        return array.astype(float, copy=True)
    result = np.full(array.shape, np.nan)
    if len(array) >= length:
        result[length - 1 :] = sliding_window_view(array, length, axis=0).sum(axis=-1)
    return result


def _weight(panel: Panel, indicator: Indicator) -> np.ndarray | None:
    below = indicator.denominator
    return panel.array(below) if below is not None and below in panel else None


def _over_the_year(panel: Panel, indicator: Indicator) -> bool:
    if indicator.averaging != "point":
        return True
    parts = (indicator.numerator, indicator.denominator)
    return any(code in panel.indicators and panel.indicators[code].kind == "flow" for code in parts if code)


@dataclass(frozen=True)
class YearPairs:
    """What was known at the same place of each year, and what the year asked about came to: (T, U) arrays.

    The last row is the year asked about; its outcome is NaN. `years` are the fiscal years of the outcomes.
    """

    years: np.ndarray
    base: np.ndarray
    outcome: np.ndarray
    base_weight: np.ndarray
    outcome_weight: np.ndarray


def year_pairs(panel: Panel, figures: YearFigures, *, year: int, origin: int) -> YearPairs:
    """Pair each past year's outcome with what was known at the place in time that `origin` has to `year`.

    Parameters
    ----------
    panel : Panel
        Holding nothing known after `origin`.
    figures : YearFigures
        Of the indicator.
    year : int
        The fiscal year asked about.
    origin : int
        Ordinal of the last period that may be used; before the end of `year`.
    """
    calendar = panel.calendar
    horizon = calendar.last_of_year(year) - origin
    first_year = int(calendar.year(panel.first + horizon))
    years = np.arange(min(first_year, year), year + 1)
    ends = np.array([calendar.last_of_year(int(y)) for y in years])

    def rows(array: np.ndarray, ordinals: np.ndarray) -> np.ndarray:
        return rows_at(panel, array, ordinals, origin=origin)

    base, outcome = rows(figures.value, ends - horizon), rows(figures.value, ends)
    return YearPairs(years, base, outcome, rows(figures.weight, ends - horizon), rows(figures.weight, ends))


def rows_at(panel: Panel, array: np.ndarray, ordinals: np.ndarray, *, origin: int) -> np.ndarray:
    """Pick the rows of an array (P, U) at some periods; NaN where there is none, or where it lies after the origin."""
    inside = (ordinals >= panel.first) & (ordinals <= min(origin, panel.last))
    picked = np.full((len(ordinals), array.shape[1]), np.nan)
    picked[inside] = array[ordinals[inside] - panel.first]
    return picked


def total_pairs(pairs: YearPairs, tree: UnitTree, *, ordinal: int, averaged: bool) -> YearPairs:
    """Total the pairs of leaves for every unit above, over the leaves that have both a base and an outcome.

    So a total grows by what its leaves grew, not by leaves that come into view or go out of it. The last row, whose
    outcome is not known, is over all leaves that have a base. Leaves keep their own pairs, and so does a unit above
    them for which the latest figure was given.

    Parameters
    ----------
    averaged : bool
        True for ratios and levels: averages by weight instead of sums.
    """
    both = np.isfinite(pairs.base) & np.isfinite(pairs.outcome)
    both[-1] = np.isfinite(pairs.base[-1])
    leaf = tree.leaves(ordinal)
    base_weight = np.where(both & leaf, pairs.base_weight, 0.0)
    outcome_weight = np.where(both & leaf, np.where(np.isfinite(pairs.outcome_weight), pairs.outcome_weight, 0.0), 0.0)
    factor_base = base_weight if averaged else np.where(both & leaf, 1.0, 0.0)
    factor_outcome = outcome_weight if averaged else factor_base
    sums = [np.nan_to_num(pairs.base) * factor_base, np.nan_to_num(pairs.outcome) * factor_outcome]
    sums += [np.nan_to_num(base_weight), np.nan_to_num(outcome_weight), (both & leaf).astype(float)]
    summed_up(sums, tree, ordinal=ordinal)
    base, outcome, weight_base, weight_outcome, count = sums
    if averaged:
        with np.errstate(invalid="ignore", divide="ignore"):
            base, outcome = base / weight_base, outcome / weight_outcome
    base, outcome = np.where(count > 0, base, np.nan), np.where(count > 0, outcome, np.nan)
    outcome[-1] = np.nan
    own = leaf | np.isfinite(pairs.base[-1])
    return YearPairs(
        pairs.years,
        np.where(own, pairs.base, base),
        np.where(own, pairs.outcome, outcome),
        np.where(own, pairs.base_weight, weight_base),
        np.where(own, pairs.outcome_weight, weight_outcome),
    )


def summed_up(arrays: list[np.ndarray], tree: UnitTree, *, ordinal: int) -> None:
    """Add to every unit above what the units below it have, in place, in arrays of (T, U)."""
    parents, depths = tree.parents(ordinal), tree.depths(ordinal)
    for depth in range(int(depths.max(initial=0)), 0, -1):
        children = np.flatnonzero((depths == depth) & (parents >= 0))
        for array in arrays:
            np.add.at(array.T, parents[children], array.T[children])
