"""Figures of a stretch of periods: the year to date, and the same stretch a year before (同期)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.basis import same_basis
from features.groups import KNOWN_SHARE
from features.panel import Panel
from features.rollup import roll_up
from features.years import YearFigures, year_figures


class Stretches:
    """Figures of units and of totals over any stretch of periods, on the basis of one period (同口径).

    A total is given where at least `KNOWN_SHARE` of the leaves below it have figures in each period of the stretch;
    with fewer, it would mostly say who is missing.

    Parameters
    ----------
    panel : Panel
        Restated to the units of one period; see `restated`.
    totals : bool
        False where no unit with others below it is asked about: nothing is rolled up then.
    """

    def __init__(self, panel: Panel, *, totals: bool) -> None:
        self.panel = panel
        self._totals = totals
        self._known: dict[str, np.ndarray] = {}
        self._partial: dict[str, np.ndarray] = {}

    def figures(self, code: str) -> np.ndarray:
        """Give an indicator for every unit and total: (P, U)."""
        if code not in self._known:
            if self._totals:
                found = roll_up(self.panel, code)
                enough = (found.coverage >= KNOWN_SHARE) | np.isfinite(self.panel.array(code))
                self._known[code] = np.where(enough, found.values, np.nan)
                self._partial[code] = np.isfinite(self._known[code]) & (found.coverage < 1)
            else:
                self._known[code] = self.panel.array(code)
        return self._known[code]

    def basis(self, code: str) -> YearFigures:
        """Tell how a year's figure is taken; only `basis` and `weighted` are meant."""
        parts = [code, self.panel.indicator(code).denominator]
        held = {part: self.panel.array(part)[:1] for part in parts if part is not None and part in self.panel}
        return year_figures(replace(self.panel, values=held), code)

    def partial(self, code: str, last: int, periods: int) -> np.ndarray:
        """Tell which totals (U,) over a stretch lack the figures of some leaves."""
        self.figures(code)
        if code not in self._partial:
            return np.zeros(len(self.panel.tree), dtype=bool)
        return self._rows(self._partial[code].astype(float), last, periods).max(axis=0) == 1

    def over(self, code: str, last: int, periods: int) -> np.ndarray:
        """Give an indicator's figures (U,) over the periods that end with `last`.

        Flows are summed; averages and ratios are taken over the stretch; what is taken at the year's end stands as it
        is at the stretch's end. NaN unless every period that it needs was observed. Over a whole year these are the
        figures of `features.years.year_figures`.
        """
        basis = self.basis(code).basis
        value = self._rows(self.figures(code), last, periods)
        if basis == "end":
            return value[-1].copy()
        if basis == "sum":
            return value.sum(axis=0)
        if basis == "average":
            return value.sum(axis=0) / periods
        weight = self._rows(self.figures(self.panel.indicator(code).denominator or code), last, periods)
        both = np.where(np.isfinite(value) & (weight > 0), value * weight, np.nan)
        bottom = np.where(np.isfinite(both), weight, np.nan).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = both.sum(axis=0) / bottom
        return np.where(np.isfinite(ratio), ratio, np.nan)

    def _rows(self, array: np.ndarray, last: int, periods: int) -> np.ndarray:
        end = last - self.panel.first + 1
        if end - periods < 0 or end > len(array):
            return np.full((periods, array.shape[1]), np.nan)
        return array[end - periods : end]


def restated(panel: Panel, periods: list[int]) -> dict[int, Panel]:
    """Restate history to the units of each of some periods; periods that come to the same share one panel.

    Each is restated from what lies up to it alone. Sharing is safe where no figures are handed over between the
    periods: then only the tree has a say, and it does not change within a stretch.
    """
    found: dict[int, Panel] = {}
    for first, last in panel.tree.segments(min(periods), max(periods)):
        inside = [p for p in periods if first <= p <= last]
        if not inside:
            continue
        shared = same_basis(panel.up_to(max(inside)), max(inside))
        handed_over = any(not np.may_share_memory(shared.array(code), panel.array(code)) for code in panel.codes)
        for period in inside:
            found[period] = same_basis(panel.up_to(period), period) if handed_over else shared
    return found
