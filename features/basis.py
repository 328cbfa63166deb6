"""Same-basis history (同口径): the past restated to the units that exist now, after mergers, splits and moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from features.indicators import Indicator
from features.panel import Panel
from features.units import FOREVER, UnitTree


def same_basis(panel: Panel, ordinal: int | None = None) -> Panel:
    """Restate history to the units as they stood in a period.

    A unit that had ended by then hands its history to its successor: volumes are added; ratios are combined by their
    denominators, alike where there is none. After a split each successor gets the share that it had of the successors'
    volumes in the first year after (as known in this panel), and the ratios as they were. The ended unit's own column
    becomes empty. Units without a successor keep their history.

    The tree is restated likewise: a unit is, for all its history and that which it took over, where it is in that
    period, so that rolling up gives parents their history on the same basis.

    Parameters
    ----------
    panel : Panel
        Figures of leaves; parents are to be rolled up afterwards (a figure given for a parent stays as it was given).
    ordinal : int, optional
        The period; the last row by default.
    """
    at = panel.last if ordinal is None else ordinal
    tree = panel.tree
    ends = tree.spells.groupby("unit")["last"].max().to_dict()
    ended = {unit: ends[unit] for unit in tree.successors if ends.get(unit, FOREVER) < at}
    heirs = {unit: tuple(dict.fromkeys(h for h in tree.successors[unit] if h != unit)) for unit in ended}
    order = [unit for unit in _before_their_heirs(heirs, ended) if heirs[unit]]
    values = {code: array.copy() if order else array for code, array in panel.values.items()}
    for unit in order:
        _hand_over(panel, values, unit=unit, heirs=np.array(heirs[unit]), after=range(ends[unit] + 1, at + 1))
    restated = _restated_tree(tree, at, {unit: heirs[unit] for unit in order})
    return replace(panel, tree=restated, values=values) if order or restated is not tree else panel


def _before_their_heirs(heirs: dict[int, tuple[int, ...]], ended: dict[int, int]) -> list[int]:
    """Order ended units so that each comes before those that follow it, the earliest end first otherwise."""
    backwards: list[int] = []
    visited: set[int] = set()

    def visit(unit: int) -> None:
        stack = [(unit, iter(heirs[unit]))]
        visited.add(unit)
        while stack:
            current, rest = stack[-1]
            following = next((heir for heir in rest if heir in heirs and heir not in visited), None)
            if following is None:
                backwards.append(current)
                stack.pop()
            else:
                visited.add(following)
                stack.append((following, iter(heirs[following])))

    for unit in sorted(heirs, key=lambda u: (ended[u], u), reverse=True):
        if unit not in visited:
            visit(unit)
    return backwards[::-1]


def _restated_tree(tree: UnitTree, at: int, heirs: dict[int, tuple[int, ...]]) -> UnitTree:
    """Put every unit, for all its past, where it is in a period; the units in `heirs` pass their past on and go."""
    spells = tree.spells
    begins = spells.groupby("unit")["first"].min().reindex(range(len(tree)), fill_value=FOREVER).to_numpy().copy()
    for unit, following in heirs.items():  # each before its heirs
        begins[list(following)] = np.minimum(begins[list(following)], begins[unit])
    unit, first, last = (spells[column].to_numpy() for column in ("unit", "first", "last"))
    here = (first <= at) & (at <= last)
    alive = np.zeros(len(tree), dtype=bool)
    alive[unit[here]] = True
    past = alive[unit] & (last < at)
    kept = spells[~past & ~np.isin(unit, list(heirs))].copy()
    unit, parent = kept["unit"].to_numpy(), kept["parent"].to_numpy().copy()
    for ended, following in heirs.items():
        parent[parent == ended] = following[0]
    first = kept["first"].to_numpy().copy()
    order = np.lexsort((first, unit))
    earliest = order[np.diff(unit[order], prepend=-1) > 0]
    below, before = parent >= 0, None
    while before is None or (begins != before).any():  # a parent has been there as long as any unit below it
        before = begins.copy()
        np.minimum.at(begins, parent[below], begins[unit[below]])
    first[earliest] = begins[unit[earliest]]
    kept["parent"], kept["first"] = parent, first
    kept = kept.reset_index(drop=True)
    if kept.equals(spells):
        return tree
    successors = {unit: following for unit, following in tree.successors.items() if unit not in heirs}
    return replace(tree, spells=pd.DataFrame(kept), successors=successors)


def _hand_over(panel: Panel, values: dict[str, np.ndarray], *, unit: int, heirs: np.ndarray, after: range) -> None:
    """Move one unit's history to its heirs, ratios first while the weights are still as they were."""
    codes = sorted(values, key=lambda code: panel.indicator(code).kind in ("flow", "stock"))
    shares = {code: _shares(panel, values, code=code, heirs=heirs, after=after) for code in codes}
    for code in codes:
        indicator, array = panel.indicator(code), values[code]
        past = array[:, unit].copy()
        for place, heir in enumerate(heirs):
            if indicator.kind in ("flow", "stock"):
                array[:, heir] = _added(array[:, heir], past * shares[code][place])
            elif indicator.perspective == "context":
                array[:, heir] = np.where(np.isfinite(array[:, heir]), array[:, heir], past)
            else:
                weights = _weights(values, indicator, shares, unit=unit, heir=int(heir), place=place)
                array[:, heir] = _averaged(array[:, heir], past, weights)
        array[:, unit] = np.nan


def _shares(panel: Panel, values: dict[str, np.ndarray], *, code: str, heirs: np.ndarray, after: range) -> np.ndarray:
    """Give each heir's part of the volumes in the first year after the split: (heirs,), adding up to one."""
    if len(heirs) == 1:
        return np.ones(1)
    begin, end = (max(0, place - panel.first) for place in (after.start, after.stop))
    year = values[code][begin : min(end, begin + panel.calendar.per_year), heirs]
    complete = year[np.isfinite(year).all(axis=1)]
    volume = np.abs(complete).sum(axis=0)
    return volume / volume.sum() if volume.sum() > 0 else np.full(len(heirs), 1 / len(heirs))


def _lived(column: np.ndarray) -> np.ndarray:
    """Tell the rows from the first to the last figure of a column."""
    rows = np.flatnonzero(np.isfinite(column))
    inside = np.zeros(len(column), dtype=bool)
    if len(rows):
        inside[rows[0] : rows[-1] + 1] = True
    return inside


def _added(own: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Add two histories; a gap inside the life of either leaves a gap in the sum, never half a figure."""
    total = np.nan_to_num(own) + np.nan_to_num(past)
    gap = (_lived(own) & ~np.isfinite(own)) | (_lived(past) & ~np.isfinite(past))
    return np.where(gap | ~(np.isfinite(own) | np.isfinite(past)), np.nan, total)


def _averaged(own: np.ndarray, past: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Average two histories by their weights; alike where a weight is missing."""
    mine, theirs = (np.where(np.isfinite(weight) & (weight >= 0), weight, np.nan) for weight in weights)
    both = np.isfinite(own) & np.isfinite(past)
    with np.errstate(invalid="ignore", divide="ignore"):
        weighed = (own * mine + past * theirs) / (mine + theirs)
    mean = np.where(np.isfinite(weighed), weighed, (own + past) / 2)
    return np.where(both, mean, np.where(np.isfinite(own), own, past))


def _weights(
    values: dict[str, np.ndarray],
    indicator: Indicator,
    shares: dict[str, np.ndarray],
    *,
    unit: int,
    heir: int,
    place: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Give what a ratio of the heir, and of what it takes over, counts by."""
    below = indicator.denominator
    if below is None or below not in values:
        ones = np.ones(len(values[indicator.code]))
        return ones, ones
    return values[below][:, heir], values[below][:, unit] * shares[below][place]
