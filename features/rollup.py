"""Rolling figures up the tree, exactly by the kind of indicator, and checking given parents against their children."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from features.indicators import Indicator
from features.panel import Panel

MISMATCH_SHARE = 1e-6
"""A parent may differ from its children by this share, for floating-point sums, besides the rounding of each child."""


@dataclass(frozen=True)
class RollUp:
    """An indicator at every unit.

    Attributes
    ----------
    values : np.ndarray
        (P, U): as given where a figure was given, else rolled up from the units below; NaN where nothing is known.
    coverage : np.ndarray
        (P, U): the share of the leaves below that have a figure; 1 for a figure that was given.
    weighted : bool
        False where a ratio or level has no denominator at hand, so that the children count alike.
    """

    values: np.ndarray
    coverage: np.ndarray
    weighted: bool


@dataclass(frozen=True)
class Mismatch:
    """A parent's given figure that differs from what its children, all of them known, come to."""

    unit: str
    period: str
    indicator: str
    given: float
    rolled_up: float


def roll_up(panel: Panel, code: str) -> RollUp:
    """Roll one indicator up the tree as it stood in each period.

    Flows and stocks are sums. A ratio is the sum of its numerators over the sum of its denominators; with a
    denominator alone, each ratio counts by its denominator; with none, each leaf counts alike, as it does for a level.
    A figure that is given for a parent stands, and is what the parent passes upwards.

    Returns
    -------
    RollUp
        Arrays of P periods x U units.
    """
    parts = _parts(panel, code)
    return parts.finish()


def check_parents(panel: Panel, code: str, *, limit: int = 100) -> list[Mismatch]:
    """Compare the figures given for parents with those of their children, where every leaf below has one.

    Ratios without a numerator and levels are not compared: how they were averaged is not known.
    """
    indicator = panel.indicator(code)
    given = panel.array(code)
    if indicator.kind in ("ratio", "level") or not np.isfinite(given[:, panel.tree.ever_parent]).any():
        return []
    parts = _parts(panel, code, compare=True)
    rolled, coverage = parts.below, parts.below_coverage
    allowed = MISMATCH_SHARE * np.abs(rolled) + 0.5 * indicator.smallest_unit * (1 + parts.leaf_count)
    with np.errstate(invalid="ignore"):
        wrong = np.isfinite(given) & (coverage >= 1) & (np.abs(given - rolled) > allowed)
    found = []
    for row, column in zip(*(axis[:limit] for axis in np.nonzero(wrong)), strict=True):
        period = panel.calendar.format(panel.first + row)
        found.append(
            Mismatch(str(panel.units[column]), period, code, float(given[row, column]), float(rolled[row, column]))
        )
    return found


def rolled_up(panel: Panel) -> Panel:
    """Give the panel with every parent filled in; see `roll_up` for how much of each total was observed."""
    return panel.with_values({code: roll_up(panel, code).values for code in panel.codes})


class _Parts:
    """Numerators, denominators and leaf counts of one indicator on their way up the tree."""

    def __init__(
        self, indicator: Indicator, given: np.ndarray, top: np.ndarray, bottom: np.ndarray, weighted: bool
    ) -> None:
        self.ratio = indicator.kind in ("ratio", "level")
        self.scale = indicator.ratio_scale if weighted and indicator.numerator else 1.0
        self.given, self.top, self.bottom, self.weighted = given, top, bottom, weighted
        self.leaf_count = np.zeros(given.shape)
        self.seen = np.isfinite(top).astype(float)
        self.below = np.full(given.shape, np.nan)
        self.below_coverage = np.zeros(given.shape)

    def finish(self) -> RollUp:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = self.scale * self.top / self.bottom if self.ratio else self.top
            coverage = self.seen / np.maximum(self.leaf_count, 1)
        value = np.where(np.isfinite(self.given), self.given, np.where(self.seen > 0, value, np.nan))
        return RollUp(np.where(np.isfinite(value), value, np.nan), np.minimum(coverage, 1.0), self.weighted)


def _numerators(panel: Panel, indicator: Indicator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Give what is summed above and below the line for each unit, and whether the weights are real."""
    given = panel.array(indicator.code)
    if indicator.kind in ("flow", "stock"):
        return given.copy(), np.ones(given.shape), True
    below = indicator.denominator
    if below is None or below not in panel:
        return given.copy(), np.where(np.isfinite(given), 1.0, np.nan), False
    bottom = panel.array(below)
    if indicator.numerator is not None and indicator.numerator in panel:
        top = panel.array(indicator.numerator)
        both = np.isfinite(top) & np.isfinite(bottom)
        return np.where(both, top, np.nan), np.where(both, bottom, np.nan), True
    both = np.isfinite(given) & np.isfinite(bottom)
    return np.where(both, given * bottom, np.nan), np.where(both, bottom, np.nan), True


def _parts(panel: Panel, code: str, *, compare: bool = False) -> _Parts:
    indicator = panel.indicator(code)
    given = panel.array(code)
    top, bottom, weighted = _numerators(panel, indicator)
    parts = _Parts(indicator, given, top, bottom, weighted)
    for first, last in panel.tree.segments(panel.first, panel.last):
        rows = slice(first - panel.first, last - panel.first + 1)
        _climb(panel, parts, rows, ordinal=first, compare=compare)
    return parts


def _climb(panel: Panel, parts: _Parts, rows: slice, *, ordinal: int, compare: bool) -> None:
    """Fill the parents of one stretch of unchanging tree, the deepest first."""
    tree = panel.tree
    parents, depths, leaves = tree.parents(ordinal), tree.depths(ordinal), tree.leaves(ordinal)
    parts.leaf_count[rows, leaves] = 1.0
    top, bottom, seen, count = parts.top[rows], parts.bottom[rows], parts.seen[rows], parts.leaf_count[rows]
    given = np.isfinite(parts.given[rows])
    for depth in range(int(depths.max(initial=0)), 0, -1):
        children = np.flatnonzero((depths == depth) & (parents >= 0))
        above, place = np.unique(parents[children], return_inverse=True)
        gather = sparse.csr_array(
            (np.ones(len(children)), (place, np.arange(len(children)))), shape=(len(above), len(children))
        )

        def total(array: np.ndarray, gather=gather, children=children) -> np.ndarray:
            return (gather @ np.nan_to_num(array[:, children]).T).T

        sums, weights, known, leaf_count = total(top), total(bottom), total(seen), total(count)
        count[:, above] = leaf_count
        if compare:
            parts.below[rows, above] = np.where(known > 0, sums, np.nan)
            parts.below_coverage[rows, above] = known / np.maximum(leaf_count, 1)
        stands = given[:, above]
        own_weight = bottom[:, above]
        weight = np.where(np.isfinite(own_weight) & stands & parts.weighted, own_weight, weights)
        empty = known == 0
        if parts.ratio:
            weight = np.where(stands & ~(weight > 0), np.maximum(leaf_count, 1), weight)
            value = parts.given[rows][:, above]
            own = value * weight / parts.scale
            top[:, above] = np.where(stands, own, np.where(empty, np.nan, sums))
            bottom[:, above] = np.where(stands, weight, np.where(empty, np.nan, weights))
        else:
            top[:, above] = np.where(stands, top[:, above], np.where(empty, np.nan, sums))
            bottom[:, above] = 1.0
        seen[:, above] = np.where(stands, leaf_count, known)
