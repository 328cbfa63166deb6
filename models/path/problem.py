"""The series of one indicator as a tree: complete enough to be added up, on the scale on which they are smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.basis import same_basis
from features.indicators import Indicator
from features.panel import Panel
from features.rollup import rolled_up
from models.outcome.growth import choose_transform
from models.path.draws import WorkingScale
from models.path.reconciliation import Summing
from models.path.series import Forecasts, forecast_series

LEAST_COVERAGE = 0.8
"""A total is taken from the period on from which units that bring this share of it are in view: before, its growth
would be that of the units coming into view."""


@dataclass(frozen=True, eq=False)
class PathProblem:
    """One indicator, seen from one origin, at every unit that has figures or has units with figures below it.

    Attributes
    ----------
    indicator : Indicator
    numbers : np.ndarray
        (N,) positions of the units in the panel's tree, parents first; in an order that depends on the figures alone.
    summing : Summing
    values : np.ndarray
        (T, N) figures up to the last row that has any, totals added up; NaN where not known.
    scale : WorkingScale
    weight : np.ndarray or None
        (H, N) what each bottom unit counts by in ratios and levels, for the periods after the last row.
    behind : int
        Periods by which the last row lies before the origin.
    per_year : int
    missing : np.ndarray
        Positions in the tree of the units that exist but about which nothing is known.
    """

    indicator: Indicator
    numbers: np.ndarray
    summing: Summing
    values: np.ndarray
    scale: WorkingScale
    weight: np.ndarray | None
    behind: int
    per_year: int
    missing: np.ndarray

    @property
    def working(self) -> np.ndarray:
        """Give the figures on the working scale."""
        return self.scale.to_working(self.values)

    def learn(self, horizon: int, *, stride: int) -> Forecasts:
        """Run the base learner for the periods after the last row."""
        return forecast_series(
            self.working,
            horizon,
            per_year=self.per_year,
            parents=self.summing.parents,
            multiplicative=self.scale.multiplicative,
            stride=stride,
        )


def path_problem(panel: Panel, code: str, *, origin: int, horizon: int) -> PathProblem | None:
    """Set up the series of one indicator.

    Parameters
    ----------
    panel : Panel
        As it was known at `origin`; history is restated to the units that exist then.
    code : str
    origin : int
        Ordinal of the last period that may be used.
    horizon : int
        Periods after the origin.

    Returns
    -------
    PathProblem or None
        None where no unit that exists at the origin has a figure.
    """
    indicator = panel.indicator(code)
    parts = {part for part in (code, indicator.denominator) if part is not None and part in panel}
    basis = same_basis(panel.only(sorted(parts)), origin).up_to(origin)
    if indicator.entity_only:  # asked of the roots alone, whose figures may have to be added up first
        basis = rolled_up(basis)
    tree, figures = basis.tree, basis.array(code)
    valid = tree.valid(origin)
    if indicator.entity_only:
        valid = valid & (tree.depths(origin) == 0)
    seen = np.isfinite(figures).any(axis=0) & valid
    if not seen.any():
        return None
    rows = np.flatnonzero(np.isfinite(figures[:, seen]).any(axis=1))
    values = figures[rows[0] : rows[-1] + 1]
    behind = origin - (basis.first + int(rows[-1]))
    parents = tree.parents(origin) if not indicator.entity_only else np.full(len(tree), -1)
    bottom = _bottom(seen, parents)
    inside = _with_parents(bottom, parents)
    numbers = _ordered(values, inside, bottom, parents)
    place = np.full(len(tree), -1)
    place[numbers] = np.arange(len(numbers))
    above = parents[numbers]
    summing = Summing(np.where(above >= 0, place[above], -1))
    ours = np.where(summing.bottom, values[:, numbers], np.nan)
    averaged = indicator.kind in ("ratio", "level")
    per_year = panel.calendar.per_year
    weight = _weights(basis, indicator, numbers, summing, rows=rows, horizon=horizon + behind) if averaged else None
    scale = _scale(indicator, ours, per_year)
    ours = _added_up(ours, summing, scale, per_year) if weight is None else _averages(ours, summing, weight[0])
    if scale.transform is None and not scale.nonnegative:
        known = np.isfinite(ours)
        size = np.where(known, np.abs(ours), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        scale = WorkingScale(None, False, np.where(size > 0, size, 1.0))
    missing = np.flatnonzero(tree.leaves(origin) & ~seen & valid)
    return PathProblem(indicator, numbers, summing, ours, scale, weight, behind, per_year, missing)


def _bottom(seen: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Tell which units have figures and none below them that has."""
    over = np.zeros(len(seen), dtype=bool)
    current = parents[np.flatnonzero(seen)]
    while (current := current[current >= 0]).size:
        over[current] = True
        current = parents[np.unique(current)]
    return seen & ~over


def _with_parents(bottom: np.ndarray, parents: np.ndarray) -> np.ndarray:
    inside = bottom.copy()
    current = parents[np.flatnonzero(bottom)]
    while (current := np.unique(current[current >= 0])).size:
        inside[current] = True
        current = parents[current]
    return inside


def _ordered(values: np.ndarray, inside: np.ndarray, bottom: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Order units by depth, then by their figures: neither names nor the order of a file may matter."""
    numbers = np.flatnonzero(inside)
    depth = np.zeros(len(inside), dtype=int)
    current = np.where(inside, parents, -1)
    while (climbing := current >= 0).any():
        depth += climbing
        current = np.where(climbing, parents[current], -1)
    filled = np.where(bottom, np.nan_to_num(values), 0.0)
    total, square = filled.sum(axis=0), (filled * np.arange(1, len(filled) + 1)[:, None]).sum(axis=0)
    for level in range(int(depth.max(initial=0)), 0, -1):
        members = np.sort(np.flatnonzero(inside & (depth == level)))
        members = members[np.lexsort((square[members], total[members]))]
        np.add.at(total, parents[members], total[members])
        np.add.at(square, parents[members], square[members])
    return numbers[np.lexsort((square[numbers], total[numbers], depth[numbers]))]


def _scale(indicator: Indicator, values: np.ndarray, per_year: int) -> WorkingScale:
    """Choose the scale: logs for stocks and yearly flows, amounts as they are for flows with a season or zeros."""
    known = values[np.isfinite(values)]
    if indicator.kind in ("ratio", "level"):
        return WorkingScale(choose_transform(indicator, known), False)
    if known.min() < 0:
        return WorkingScale(None, False)
    if known.min() > 0 and (indicator.kind == "stock" or per_year == 1):
        return WorkingScale(choose_transform(indicator, known), True)
    return WorkingScale(None, True)


def _added_up(values: np.ndarray, summing: Summing, scale: WorkingScale, per_year: int) -> np.ndarray:
    """Fill in the totals; inside a unit's history gaps are bridged for the totals, not for the unit itself."""
    known = np.isfinite(values)
    begun = np.logical_or.accumulate(known, axis=0)
    complete = values
    if (begun & ~known).any():
        alone = np.full(len(summing), -1)
        working = scale.to_working(values)
        kind = scale.multiplicative
        fitted = forecast_series(working, 1, per_year=per_year, parents=alone, multiplicative=kind).fitted
        complete = np.where(known, values, np.where(begun, scale.to_value(fitted), np.nan))
    size = np.where(known, np.abs(values), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    total = summing.add_up(np.nan_to_num(complete))
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = summing.add_up(begun * size) / summing.add_up(size)
    total = np.where(np.nan_to_num(coverage, nan=1.0) >= LEAST_COVERAGE, total, np.nan)
    return np.where(summing.bottom, values, total)


def _averages(values: np.ndarray, summing: Summing, weight: np.ndarray) -> np.ndarray:
    """Fill in the averages above, by the weights of the coming period throughout."""
    known = np.isfinite(values)
    top, bottom = summing.add_up(np.nan_to_num(values) * weight), summing.add_up(known * weight)
    mean = np.divide(top, bottom, out=np.full(values.shape, np.nan), where=bottom > 0)
    return np.where(summing.bottom, values, mean)


def _weights(
    basis: Panel, indicator: Indicator, numbers: np.ndarray, summing: Summing, *, rows: np.ndarray, horizon: int
) -> np.ndarray:
    """Forecast the denominators of the bottom units (H, N); alike where there are none."""
    alike = np.broadcast_to(summing.bottom.astype(float), (horizon, len(numbers)))
    below = indicator.denominator
    if below is None or below not in basis:
        return alike
    figures = np.where(summing.bottom, basis.array(below)[rows[0] : rows[-1] + 1][:, numbers], np.nan)
    alone = np.full(len(numbers), -1)
    per_year = basis.calendar.per_year
    ahead = forecast_series(
        np.maximum(figures, 0.0), horizon, per_year=per_year, parents=alone, multiplicative=True
    ).ahead
    known = np.isfinite(ahead) & summing.bottom
    if not known.any():
        return alike
    usual = np.array([row[k].mean() if k.any() else 1.0 for row, k in zip(ahead, known, strict=True)])
    weight = np.where(known, ahead, usual[:, None])
    return np.where(summing.bottom, np.maximum(weight, 0.0), 0.0)
