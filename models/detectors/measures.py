"""What detectors measure: a kind of movement of one indicator over some months, named and titled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator, Title
from features.panel import Panel
from features.windows import Known, YearGrid, change, lagged, midpoint_growth, over, over_positive

KNOWN_PART = 0.75
"""A sum or mean over a window is given where at least this part of its figures is known."""
PAST_YEARS = 3
"""Complete past years from which a usual season is learned, at most."""


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """One series to look at.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    code : str
        The indicator.
    months : int
        Over how many months; at least one period of the data.
    """

    kind: str
    code: str
    months: int = 0


@dataclass(frozen=True)
class Figures:
    """One indicator's figures and what goes with them: arrays of P periods x U units, None where not at hand."""

    value: np.ndarray
    numerator: np.ndarray | None
    denominator: np.ndarray | None
    spec: Indicator
    panel: Panel

    @property
    def per_year(self) -> int:
        """Count the periods of a year."""
        return self.panel.calendar.per_year

    @property
    def grid(self) -> YearGrid:
        """Lay rows out by year and position."""
        return YearGrid(self.panel.calendar, self.panel.first, len(self.value))


def _least(periods: int) -> int:
    return max(1, int(np.ceil(KNOWN_PART * periods)))


def trailing_mean(x: np.ndarray, periods: int) -> np.ndarray:
    """Give the mean of a window that ends at each row."""
    return x if periods <= 1 else Known.of(x).sums(periods).mean(_least(periods))


def trailing_total(x: np.ndarray, periods: int) -> np.ndarray:
    """Give the sum over a window that ends at each row, gaps filled with the window's mean."""
    return periods * trailing_mean(x, periods)


def harm(x: Figures) -> np.ndarray:
    """Give the figure with the bad side up; for a band, the distance outside it."""
    if x.spec.band is not None:
        low, high = x.spec.band
        return np.maximum(np.maximum(low - x.value, x.value - high), 0.0)
    return x.value if x.spec.direction == "lower" else -x.value


def _level(x: Figures, periods: int) -> np.ndarray:
    return x.value


def _growth(x: Figures, periods: int) -> np.ndarray:
    if x.spec.kind == "stock":
        return midpoint_growth(x.value, lagged(x.value, periods))
    if x.spec.kind == "flow":
        window = min(periods, x.per_year)
        total = trailing_total(x.value, window)
        return midpoint_growth(total, lagged(total, max(periods, x.per_year)))
    return change(x.value, periods)


def _relative_growth(x: Figures, periods: int) -> np.ndarray:
    """Give growth as a share of the size, for ratios too: ten points of credit to output weigh more where it is low."""
    return _growth(x, periods) if x.spec.kind == "flow" else midpoint_growth(x.value, lagged(x.value, periods))


def _rise(x: Figures, periods: int) -> np.ndarray:
    """Give the change for the worse: in points for ratios and levels, as growth for volumes."""
    if x.spec.kind in ("flow", "stock"):
        return _growth(x, periods) * (1.0 if x.spec.direction == "lower" else -1.0)
    return change(harm(x), periods)


def _relative_rise(x: Figures, periods: int) -> np.ndarray:
    """Give the change for the worse over the mean of both sizes; of what is missing to 100% where higher is better."""
    bad = x.value
    if x.spec.direction != "lower":
        limit = x.spec.limits[1]
        bad = limit - x.value if np.isfinite(limit) else harm(x)
    return midpoint_growth(bad, lagged(bad, periods))


def _recent(x: Figures, periods: int) -> np.ndarray:
    """Give the mean over the window; for a ratio of two flows or counts, the sum over the sum."""
    if x.numerator is not None and x.denominator is not None and x.spec.kind == "ratio":
        return x.spec.ratio_scale * over(trailing_mean(x.numerator, periods), trailing_mean(x.denominator, periods))
    return trailing_mean(x.value, periods)


def _recent_rise(x: Figures, periods: int) -> np.ndarray:
    """Give the mean over the window less that of the window before, the bad side up, over the mean of both sizes."""
    recent = _recent(x, periods)
    sign = 1.0 if x.spec.direction == "lower" else -1.0
    return sign * midpoint_growth(recent, lagged(recent, periods))


def _lagged_ratio(x: Figures, periods: int) -> np.ndarray:
    """Give the numerator now over the denominator some periods ago: growth cannot hide risk here."""
    if x.numerator is None or x.denominator is None:
        return np.full(x.value.shape, np.nan)
    return x.spec.ratio_scale * over(x.numerator, lagged(x.denominator, periods))


def _net_formation(x: Figures, periods: int) -> np.ndarray:
    """Give the change of the numerator over the denominator some periods ago."""
    if x.numerator is None or x.denominator is None:
        return np.full(x.value.shape, np.nan)
    return x.spec.ratio_scale * over(change(x.numerator, periods), lagged(x.denominator, periods))


def _release(x: Figures, periods: int) -> np.ndarray:
    """Give what is missing to the coverage of some periods ago, over the provisions of then."""
    if x.numerator is None or x.denominator is None:
        return np.full(x.value.shape, np.nan)
    held = lagged(x.numerator, periods)
    return over(over(held, lagged(x.denominator, periods)) * x.denominator - x.numerator, held)


def _attainment(x: Figures, periods: int) -> np.ndarray:
    """Give the year to date (a flow) or the figure (else) over the same a year ago; for ratios, one plus the change."""
    if x.spec.kind == "flow":
        grid = x.grid
        to_date = grid.unfold(np.cumsum(grid.fold(x.value), axis=1))
        return over_positive(to_date, lagged(to_date, x.per_year))
    if x.spec.kind == "stock":
        return over_positive(x.value, lagged(x.value, x.per_year))
    return 1.0 + change(x.value, x.per_year)


def _season_surprise(x: Figures, periods: int) -> np.ndarray:
    """Give the figure's change on the period before, less the usual change at this time of the year in past years."""
    step = change(x.value, 1) if x.spec.kind in ("ratio", "level") else midpoint_growth(x.value, lagged(x.value, 1))
    folded = x.grid.fold(step)
    return step - x.grid.unfold(x.grid.past_mean(folded, least=1))


@dataclass(frozen=True)
class Kind:
    """A kind of measure: how it is computed, its name (`{months}` stands for the window), and its unit.

    `unit` is `own` (the indicator's), `share`, or `growth` (points for ratios and levels, else a share). Shares of
    kinds marked `midpoint` are changes over the mean of both sizes; `as_people_say` turns them into growth.
    """

    compute: Callable[[Figures, int], np.ndarray]
    title: Title
    unit: str
    midpoint: bool = False


def _kind(
    compute: Callable[[Figures, int], np.ndarray], en: str, zh: str, unit: str, *, midpoint: bool = False
) -> Kind:
    return Kind(compute, Title(en=en, zh=zh), unit, midpoint)


KINDS: Mapping[str, Kind] = {
    "level": _kind(_level, "level", "水平", "own"),
    "growth": _kind(_growth, "growth over {months} months", "近{months}个月增速", "growth", midpoint=True),
    "relative_growth": _kind(
        _relative_growth, "relative growth over {months} months", "近{months}个月相对增速", "share", midpoint=True
    ),
    "rise": _kind(_rise, "worsening over {months} months", "近{months}个月恶化幅度", "growth", midpoint=True),
    "relative_rise": _kind(
        _relative_rise, "relative worsening over {months} months", "近{months}个月相对恶化幅度", "share", midpoint=True
    ),
    "recent": _kind(_recent, "mean of {months} months", "近{months}个月均值", "own"),
    "recent_rise": _kind(
        _recent_rise,
        "mean of {months} months against the {months} before",
        "近{months}个月均值较前{months}个月恶化幅度",
        "share",
        midpoint=True,
    ),
    "lagged_ratio": _kind(_lagged_ratio, "over the base of {months} months ago", "对{months}个月前基数之比", "own"),
    "net_formation": _kind(
        _net_formation, "net addition over {months} months to the base of then", "近{months}个月净增额占期初基数", "own"
    ),
    "release": _kind(
        _release,
        "provisions short of the coverage of {months} months ago",
        "按{months}个月前覆盖率少提的拨备",
        "share",
    ),
    "attainment": _kind(_attainment, "year to date against a year ago", "年初至今较上年同期", "share"),
    "season_surprise": _kind(_season_surprise, "movement beyond the usual season", "剔除季节后的变动", "growth"),
}
"""The kinds of measures; window sums and lags in months become at least one period on coarser data."""

UPWARDS = ("relative_rise", "growth", "relative_growth")
"""Kinds that are positive where the figure itself grows; the others are turned where higher is better."""


def as_people_say(measure: Measure, spec: Indicator, x: np.ndarray) -> np.ndarray:
    """Give a measure as growth on the former figure where it is computed over the mean of both; NaN from nothing.

    >>> from features.indicators import library
    >>> as_people_say(Measure("growth", "LOANS", 12), library()["LOANS"], np.array([0.5, -0.5, 2.0])).round(3).tolist()
    [0.667, -0.4, nan]
    """
    kind = KINDS[measure.kind]
    in_points = kind.unit == "growth" and spec.kind in ("ratio", "level")
    if not kind.midpoint or in_points:
        return x
    sign = -1.0 if measure.kind not in UPWARDS and spec.direction != "lower" else 1.0
    growth = sign * x
    return sign * over_positive(2.0 * growth, 2.0 - growth)
