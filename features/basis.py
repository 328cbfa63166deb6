"""Same-basis history (同口径): the past restated to the units that exist now, after mergers and splits."""

from __future__ import annotations

import numpy as np

from features.indicators import Indicator
from features.panel import Panel


def same_basis(panel: Panel, ordinal: int | None = None) -> Panel:
    """Restate history to the units as they stood in a period.

    A unit that had ended by then hands its history to its successor: volumes are added; ratios are combined by their
    denominators, alike where there is none. After a split each successor gets the share that it had of the successors'
    volumes in the first year after (as known in this panel), and the ratios as they were. The ended unit's own column
    becomes empty. Units without a successor keep their history.

    Parameters
    ----------
    panel : Panel
        Figures of leaves; parents are to be rolled up afterwards.
    ordinal : int, optional
        The period; the last row by default.
    """
    at = panel.last if ordinal is None else ordinal
    tree = panel.tree
    ends = tree.spells.groupby("unit")["last"].max().to_dict()
    ended = sorted((ends[unit], unit) for unit in tree.successors if ends[unit] < at)
    if not ended:
        return panel
    values = {code: array.copy() for code, array in panel.values.items()}
    for last, unit in ended:
        heirs = np.array([heir for heir in tree.successors[unit] if heir != unit])
        if len(heirs):
            _hand_over(panel, values, unit=unit, heirs=heirs, last=last)
    return panel.with_values(values)


def _hand_over(panel: Panel, values: dict[str, np.ndarray], *, unit: int, heirs: np.ndarray, last: int) -> None:
    """Move one unit's history to its heirs, ratios first while the weights are still as they were."""
    codes = sorted(values, key=lambda code: panel.indicator(code).kind in ("flow", "stock"))
    shares = {code: _shares(panel, values, code=code, heirs=heirs, last=last) for code in codes}
    for code in codes:
        indicator, array = panel.indicator(code), values[code]
        past = array[:, unit].copy()
        for heir, share in zip(heirs, shares[code], strict=True):
            if indicator.kind in ("flow", "stock"):
                array[:, heir] = _added(array[:, heir], past * share)
            elif indicator.perspective == "context":
                array[:, heir] = np.where(np.isfinite(array[:, heir]), array[:, heir], past)
            else:
                weights = _weights(values, indicator, unit=unit, heir=int(heir))
                array[:, heir] = _averaged(array[:, heir], past, weights)
        array[:, unit] = np.nan


def _shares(panel: Panel, values: dict[str, np.ndarray], *, code: str, heirs: np.ndarray, last: int) -> np.ndarray:
    """Give each heir's part of the volumes in the first year after the split: (heirs,), adding up to one."""
    if len(heirs) == 1:
        return np.ones(1)
    begin = max(0, last - panel.first + 1)
    after = values[code][begin : begin + panel.calendar.per_year, heirs]
    complete = after[np.isfinite(after).all(axis=1)]
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
    mine, theirs = (np.where(np.isfinite(weight) & (weight > 0), weight, np.nan) for weight in weights)
    both = np.isfinite(own) & np.isfinite(past)
    with np.errstate(invalid="ignore"):
        weighed = (own * mine + past * theirs) / (mine + theirs)
    mean = np.where(np.isfinite(weighed), weighed, (own + past) / 2)
    return np.where(both, mean, np.where(np.isfinite(own), own, past))


def _weights(
    values: dict[str, np.ndarray], indicator: Indicator, *, unit: int, heir: int
) -> tuple[np.ndarray, np.ndarray]:
    below = indicator.denominator
    if below is None or below not in values:
        ones = np.ones(len(values[indicator.code]))
        return ones, ones
    return values[below][:, heir], values[below][:, unit]
