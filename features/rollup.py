"""Rolling figures up the tree, exactly by the kind of indicator, and checking given parents against their children."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from features.indicators import Indicator
from features.panel import Panel
from features.snapshot import Snapshot

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

    Flows and stocks are sums. A ratio is the sum of its numerators over the sum of its denominators, over the units
    that have both; where a numerator is missing, the ratio times the denominator stands in. With a denominator alone,
    each ratio counts by its denominator; with none, each leaf counts alike; so it does for a level. A figure that is
    given for a parent stands, and is what the parent passes upwards; a ratio without any weight is not passed upwards.

    Returns
    -------
    RollUp
        Arrays of P periods x U units.
    """
    parts = _Parts(panel, code)
    parts.climb(panel)
    values, coverage = parts.value(parts.top, parts.bottom), parts.seen
    coverage /= np.maximum(parts.leaf_count, 1, out=parts.leaf_count)
    stands = np.isfinite(parts.given)
    np.copyto(values, parts.given, where=stands)
    coverage[stands] = 1.0
    return RollUp(values, coverage, parts.weighted)


def check_parents(panel: Panel, code: str, *, limit: int = 100) -> list[Mismatch]:
    """Compare the figures given for parents with those of their children, where every leaf below has one.

    Ratios without a numerator and levels are not compared: how they were averaged is not known.
    """
    indicator = panel.indicator(code)
    given = panel.array(code)
    averaged = indicator.kind == "level" or (indicator.kind == "ratio" and (indicator.numerator or "") not in panel)
    if averaged or not np.isfinite(given[:, panel.tree.ever_parent]).any():
        return []
    parts = _Parts(panel, code)
    if not parts.weighted:
        return []
    rolled, coverage = np.full(given.shape, np.nan), np.zeros(given.shape)
    parts.climb(panel, below=rolled, below_coverage=coverage)
    steps = (
        2.0 if parts.ratio else 1 + parts.leaf_count
    )  # a ratio is not a sum: its own rounding, and that of its parts
    allowed = MISMATCH_SHARE * np.abs(rolled) + 0.5 * indicator.smallest_unit * steps
    with np.errstate(invalid="ignore"):
        wrong = np.isfinite(given) & (coverage >= 1) & (np.abs(given - rolled) > allowed)
    found = []
    for row, column in zip(*(axis[:limit] for axis in np.nonzero(wrong)), strict=True):
        period = panel.calendar.format(panel.first + row)
        found.append(
            Mismatch(str(panel.units[column]), period, code, float(given[row, column]), float(rolled[row, column]))
        )
    return found


def parent_notes(snapshot: Snapshot) -> list[str]:
    """Say, an indicator a sentence, where figures given for parents differ from what their children come to."""
    notes = []
    codes = snapshot.given_for_parents()
    if not codes:
        return notes
    panel = snapshot.panel()
    for code in codes:
        found = check_parents(panel, code)
        if found:
            first = found[0]
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            notes.append(
                f"{code} of {first.unit} in {first.period} is given as {first.given:,.6g}, its children come to "
                f"{first.rolled_up:,.6g}{more}; the given figure stands"
            )
    return notes


def rolled_up(panel: Panel) -> Panel:
    """Give the panel with every parent filled in; see `roll_up` for how much of each total was observed."""
    return panel.with_values({code: roll_up(panel, code).values for code in panel.codes})


class _Parts:
    """What is summed on the way up the tree: above and below the line, and leaves, known and all."""

    def __init__(self, panel: Panel, code: str) -> None:
        indicator = panel.indicator(code)
        self.given = panel.array(code)
        self.ratio = indicator.kind in ("ratio", "level")
        self.top, self.bottom, self.scale = _above_and_below(panel, indicator)
        self.weighted = not self.ratio or self.bottom is not None
        if self.ratio and self.bottom is None:
            self.bottom = np.where(np.isfinite(self.given), 1.0, np.nan)
        self.seen = np.isfinite(self.top).astype(float)
        self.leaf_count = np.zeros(self.given.shape)

    def value(self, top: np.ndarray, bottom: np.ndarray | None) -> np.ndarray:
        """Give the indicator from what is above and below the line; NaN over zero."""
        if not self.ratio or bottom is None:
            return top
        with np.errstate(invalid="ignore", divide="ignore"):
            value = self.scale * top / bottom
        return np.where(np.isfinite(value), value, np.nan)

    def climb(self, panel: Panel, *, below: np.ndarray | None = None, below_coverage: np.ndarray | None = None) -> None:
        """Fill the parents; `below` and `below_coverage` take what their children alone come to."""
        for first, last in panel.tree.segments(panel.first, panel.last):
            rows = slice(first - panel.first, last - panel.first + 1)
            parents, leaves = panel.tree.parents(first), panel.tree.leaves(first)
            self.leaf_count[rows, leaves] = 1.0
            for above, gather in _levels(parents, panel.tree.depths(first)):
                rolled, coverage = self._fill(rows, above, gather)
                if below is not None and below_coverage is not None:
                    below[rows, above], below_coverage[rows, above] = rolled, coverage

    def _fill(self, rows: slice, above: np.ndarray, gather: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Fill the parents of one level in one stretch of unchanging tree; give what the children come to."""

        def total(array: np.ndarray) -> np.ndarray:
            return (gather @ np.nan_to_num(array[rows]).T).T

        sums, known, leaf_count = total(self.top), total(self.seen), total(self.leaf_count)
        weights = total(self.bottom) if self.bottom is not None else None
        own = np.isfinite(self.top[rows, above])
        seen = np.where(own, leaf_count, known)
        nothing = known == 0
        sums[nothing] = np.nan
        top = np.where(own, self.top[rows, above], sums)
        if self.bottom is not None and weights is not None:
            mine, given = self.bottom[rows, above], self.given[rows, above]
            if not self.weighted:  # a parent counts for all its leaves
                top, mine = np.where(own, top * leaf_count, top), leaf_count
            weights[nothing] = np.nan
            only_value = ~own & np.isfinite(given)
            top = np.where(only_value, given * weights / self.scale, top)
            seen = np.where(only_value & ~nothing, leaf_count, seen)
            self.bottom[rows, above] = np.where(own, mine, weights)
        self.top[rows, above], self.seen[rows, above], self.leaf_count[rows, above] = top, seen, leaf_count
        return self.value(sums, weights), known / np.maximum(leaf_count, 1)


def _levels(parents: np.ndarray, depths: np.ndarray) -> list[tuple[np.ndarray, sparse.csr_array]]:
    """Give, level by level from the deepest, the parents there and the matrix that adds up their children."""
    levels = []
    for depth in range(int(depths.max(initial=0)), 0, -1):
        children = np.flatnonzero(depths == depth)
        is_above = np.zeros(len(parents), dtype=bool)
        is_above[parents[children]] = True
        above = np.flatnonzero(is_above)
        place = (np.cumsum(is_above) - 1)[parents[children]]
        ones = np.ones(len(children))
        levels.append((above, sparse.csr_array((ones, (place, children)), shape=(len(above), len(parents)))))
    return levels


def _above_and_below(panel: Panel, indicator: Indicator) -> tuple[np.ndarray, np.ndarray | None, float]:
    """Give what is summed above and below the line for each unit, None for no real weights, and the ratio's scale."""
    given = panel.array(indicator.code)
    below = indicator.denominator
    if indicator.kind in ("flow", "stock") or below is None or below not in panel:
        return given.copy(), None, 1.0
    bottom, top, scale = panel.array(below), np.full(given.shape, np.nan), 1.0
    if indicator.numerator is not None and indicator.numerator in panel:
        top, scale = panel.array(indicator.numerator), indicator.ratio_scale
    top = np.where(np.isfinite(top), top, given * bottom / scale)
    both = np.isfinite(top) & np.isfinite(bottom)
    return np.where(both, top, np.nan), np.where(both, bottom, np.nan), scale
