"""Deterioration derived from the figures themselves, where nobody has said what later happened."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

import numpy as np
import pandas as pd

from features.groups import PeerGroups, PeerQuartiles
from features.indicators import Indicator, IndicatorSet, Title
from features.inputs import WRITE_OFF_ROLES, PanelInputs
from features.panel import Panel
from features.windows import IQR_PER_SD, Known, change, lagged, over, window_sum

Method = Literal["formation_given", "formation", "lagged_rise", "rise"]

AHEAD_MONTHS = (6, 18)
"""Bad loans surface half a year to a year and a half after the signal (domain knowledge of credit)."""
PEER_QUANTILE = 0.80
"""A unit has deteriorated where it does worse than four fifths of its peers in the same months."""
CLEAR_RISE = 1.5
"""And where it has itself got clearly worse: by this many robust deviations of the peers' changes.

The first condition alone calls a fifth of all units positive in the calmest of years, most of them units whose figures
are always high or waver; with the second it is some 7% where nothing but chance is at work. 1.5 is what counts as
abnormal elsewhere among the patterns.
"""
KNOWN_PART = 0.75
"""A window counts where at least this part of its figures is known: one quarter of a year may be missing."""

BAD_LOAN_ROLES = ("npl", "delinquency", "default_rate", "vintage", "special_mention")
"""Which ratio stands for bad loans, the nearest to loss first."""


@dataclass(frozen=True)
class Window:
    """Rows ahead of a row, `first` to `last`, in which deterioration is looked for."""

    first: int
    last: int

    @classmethod
    def of(cls, per_year: int) -> Window:
        """Give the months ahead in periods: 7 to 18 of monthly data, 3 to 6 of quarterly, the next year of annual.

        A period belongs to the window where it ends in it.
        """
        begin, end = AHEAD_MONTHS
        return cls(floor(begin * per_year / 12) + 1, floor(end * per_year / 12))

    @property
    def length(self) -> int:
        """Count its periods."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Yardstick:
    """What deterioration is measured by.

    Attributes
    ----------
    codes : tuple of str
        The indicators; of several, the mean of their distances is taken, each over its usual spread.
    method : {"formation_given", "formation", "lagged_rise", "rise"}
        New bad loans as reported; computed from bad loans and disposals; the rise of what is bad over the opening
        denominator; the rise of the figure itself.
    """

    codes: tuple[str, ...]
    method: Method

    def note(self, panel: Panel) -> Title:
        """Say in a sentence what counts as deterioration."""
        en = ", ".join(panel.indicator(code).name.en for code in self.codes)
        zh = "、".join(panel.indicator(code).name.zh for code in self.codes)
        what = _WORDS[self.method]
        months = "the next year" if panel.calendar.per_year == 1 else f"months {AHEAD_MONTHS[0]} to {AHEAD_MONTHS[1]}"
        ahead = "下一年度" if panel.calendar.per_year == 1 else f"未来第 {AHEAD_MONTHS[0]} 至 {AHEAD_MONTHS[1]} 个月"
        share = f"{PEER_QUANTILE:.0%}"
        return Title(
            en=f"No outcomes are given; deterioration stands for {what.en.format(en)} in {months} ahead above that of "
            f"{share} of the peers and clearly above the unit's own of the year before. "
            "What lies less far back is unknown.",
            zh=f"数据未提供风险结果；此处以{ahead}{what.zh.format(zh)}高于 {share} 的同组单位、"
            "且明显高于本单位上一年水平作为风险恶化的标志，尚未到期的一律视为未知。",
        )


_WORDS: dict[Method, Title] = {
    "formation_given": Title(en="{}", zh="{}"),
    "formation": Title(en="the formation of bad loans ({}), disposals added back,", zh="（{}）不良生成率（加回处置）"),
    "lagged_rise": Title(en="the rise of {} over the opening denominator", zh="{}（按期初分母计）的上升幅度"),
    "rise": Title(en="the worsening of {}", zh="{}的恶化幅度"),
}


def yardstick(panel: Panel) -> Yardstick | None:
    """Choose what deterioration is measured by, the nearest to credit loss that the data has; None without any.

    New bad loans as reported; else computed from bad loans and disposals; else the rise of bad-loan ratios over their
    lagged denominators; else the worsening of whatever stands for risk.
    """
    known = [i for i in panel.indicators.values() if i.code in panel and np.isfinite(panel.array(i.code)).any()]
    inputs = PanelInputs(panel)
    for indicator in known:
        if indicator.role == "npl_formation":
            return Yardstick((indicator.code,), "formation_given")
    for indicator in known:
        if indicator.role == "npl" and inputs.has("numerator", indicator.code) and _has_below(panel, indicator):
            return Yardstick((indicator.code,), "formation")
    for role in BAD_LOAN_ROLES:
        found = [i for i in known if i.role == role and i.direction == "lower" and i.kind == "ratio"]
        if found:
            return _rising(panel, found)
    ratios = [i for i in known if i.perspective == "risk" and i.kind == "ratio" and i.direction == "lower"]
    over_volume = [i for i in ratios if _has_below(panel, i) and i.role is None]
    for found in (over_volume, ratios, [i for i in known if i.perspective == "risk"]):
        if found:
            return _rising(panel, found)
    return None


def candidate_codes(indicators: IndicatorSet) -> list[str]:
    """List every indicator that labels might be computed from."""
    risky = [i for i in indicators.values() if i.perspective == "risk" or i.role in ("npl_formation", *BAD_LOAN_ROLES)]
    parts = [part for i in risky for part in (i.numerator, i.denominator) if part is not None]
    disposals = [i.code for role in WRITE_OFF_ROLES for i in indicators.with_role(role)]
    return list(dict.fromkeys([*(i.code for i in risky), *(p for p in parts if p in indicators), *disposals]))


def label_codes(panel: Panel, stick: Yardstick) -> list[str]:
    """List the indicators that the labels are computed from."""
    codes = list(stick.codes)
    for code in stick.codes:
        codes += [part for part in (panel.indicator(code).numerator, panel.indicator(code).denominator) if part]
    codes += [i.code for role in WRITE_OFF_ROLES for i in panel.indicators.with_role(role)]
    return [code for code in dict.fromkeys(codes) if code in panel]


def _rising(panel: Panel, found: list[Indicator]) -> Yardstick:
    whole = all(_has_below(panel, indicator) for indicator in found)
    return Yardstick(tuple(indicator.code for indicator in found), "lagged_rise" if whole else "rise")


def _has_below(panel: Panel, indicator: Indicator) -> bool:
    return indicator.denominator is not None and indicator.denominator in panel


def derived(panel: Panel, stick: Yardstick) -> np.ndarray:
    """Tell who deteriorated after each period: (P, U) float32 of 0, 1 and NaN where it cannot be told (yet).

    Parents, units with fewer than five known peers and the last rows, whose months ahead are not over, are NaN.
    """
    window = Window.of(panel.calendar.per_year)
    groups = PeerGroups(panel.tree.peer_groups())
    measured = [_measured(panel, code, stick.method, window) for code in stick.codes]
    ahead, risen = _together([first for first, _ in measured]), _together([second for _, second in measured])
    rank = groups.order(ahead).rank
    distance = _beyond_usual(risen, groups.quartiles(risen))
    clearly = (risen > 0) & (np.isnan(distance) | (distance > CLEAR_RISE))  # most peers unmoved: any rise is clear
    y = ((rank > PEER_QUANTILE) & clearly).astype(np.float32)
    y[~(np.isfinite(rank) & np.isfinite(risen))] = np.nan
    return y


def _beyond_usual(risen: np.ndarray, quartiles: PeerQuartiles) -> np.ndarray:
    """Give the robust z among the peers, by the spread of the row or of the usual row so far, whichever is less.

    Where many get worse at once the spread of the row is wide, and they would hide one another.
    """
    spread = quartiles.by_group[2] - quartiles.by_group[0]
    usual = pd.DataFrame(spread).expanding().median().to_numpy()
    middle = quartiles.cut(slice(0, risen.shape[1]))[1]
    return over((risen - middle) * IQR_PER_SD, np.fmin(spread, usual)[:, quartiles.group_of])


def _measured(panel: Panel, code: str, method: Method, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Give what is held against the peers, and how much worse the unit gets than it was, both (P, U) at each row."""
    if method == "formation":
        return _formation(panel, code, window)
    spec, per_year = panel.indicator(code), panel.calendar.per_year
    value = _bad_side_up(panel, code)
    later, now = _mean_ahead(value, window), _mean_behind(value, per_year)
    if method == "formation_given":
        return later, later - now
    rise = later - now
    if method == "rise":
        return rise, rise
    bottom = panel.array(spec.denominator or "")
    top = _mean_ahead(value * bottom, window)
    return over(top, bottom) - now, rise


def _formation(panel: Panel, code: str, window: Window) -> tuple[np.ndarray, np.ndarray]:
    inputs, per_year = PanelInputs(panel), panel.calendar.per_year
    top, bottom = inputs.get("numerator", code), inputs.get("denominator", code)
    disposed = inputs.get("write_offs", code)
    disposed = np.zeros_like(top) if disposed is None else np.where(np.isfinite(disposed), disposed, 0.0)

    def formed(periods: int) -> np.ndarray:
        return over(change(top, periods) + window_sum(disposed, periods), lagged(bottom, periods))

    later = _ahead(formed(window.length), window.last)
    return later, later - formed(per_year) * (window.length / per_year)


def _bad_side_up(panel: Panel, code: str) -> np.ndarray:
    spec, value = panel.indicator(code), panel.array(code)
    if spec.band is not None:
        return np.maximum(np.maximum(spec.band[0] - value, value - spec.band[1]), 0.0)
    return value if spec.direction == "lower" else -value


def _ahead(x: np.ndarray, periods: int) -> np.ndarray:
    """Give the figures of some periods later; the last rows become NaN."""
    out = np.full(x.shape, np.nan)
    out[: max(0, len(x) - periods)] = x[periods:]
    return out


def _mean_ahead(x: np.ndarray, window: Window) -> np.ndarray:
    return _ahead(Known.of(x).sums(window.length).mean(ceil(KNOWN_PART * window.length)), window.last)


def _mean_behind(x: np.ndarray, per_year: int) -> np.ndarray:
    return Known.of(x).sums(per_year).mean(ceil(KNOWN_PART * per_year))


def _together(arrays: list[np.ndarray]) -> np.ndarray:
    """Take the mean of several measures, each over its usual size, of those that are known."""
    if len(arrays) == 1:
        return arrays[0]
    scaled = []
    for array in arrays:
        known = array[np.isfinite(array)]
        size = float(np.median(np.abs(known))) if len(known) else 0.0
        scaled.append(array / size if size > 0 else np.where(np.isfinite(array), 0.0, np.nan))
    known = Known.of(np.concatenate([a[None] for a in scaled]).reshape(len(scaled), -1))
    count = known.known.sum(axis=0)
    mean = known.figures.sum(axis=0) / np.where(count > 0, count, np.nan)
    return mean.reshape(arrays[0].shape)
