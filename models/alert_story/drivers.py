"""Parts of a probability that a manager knows: of each indicator its growth, level, worsening, standing and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from features.matrix import column_name, parse_column
from models.alert_story.phrases import Text, say
from models.explanation.contrast import Players
from models.rounding import shares
from models.scoring.gaps import number_text

MOST = 10
"""Parts that are told one by one; the rest are told together, so that all still add up."""
DECIMALS = 3
"""A tenth of a percentage point: no probability of deterioration is known better."""
RARE_DECIMALS, RARE = 4, 0.02
"""Where deterioration is so rare, a tenth of a point would hide what there is."""
OTHERS = "others"
PRIOR = "prior"
"""Column of the score that needs no outcomes."""

FEATURES_OF: Mapping[str, tuple[str, ...]] = {
    "growth": (
        *("growth_1p", "growth_1y", "growth_2y", "growth_3y", "growth_5y", "momentum_1q", "acceleration"),
        *("short_against_long", "trend", "growth_to_date", "projected_growth", "pace_attainment", "usual_pace"),
        *("year_to_date", "season", "season_points", "season_surprise", "season_surprise_points"),
    ),
    "level": ("level", "year_average", "year_total", "lagged_ratio", "growth_adjusted_ratio", "relative_size"),
    "worsening": (
        *("worsening_1m", "worsening_3m", "worsening_6m", "worsening_12m", "lagged_ratio_change", "dilution"),
        *("net_formation", "formation", "risk_above_growth", "growth_less_worsening", "growth_then_worsening"),
        "growth_last_year_then_worsening",
    ),
    "peers": (
        *("peer_gap", "peer_z", "peer_rank", "headroom", "peer_growth_gap", "peer_growth_z", "parent_share"),
        *("parent_share_change", "worsening_6m_z", "worsening_12m_z", "above_common"),
    ),
    "past": ("own_z", "gap_to_year", "drawdown", "distance_to_worst", "volatility_1y", "volatility_3y"),
    "surroundings": (
        *("peer_q25", "peer_median", "peer_q75", "peer_growth", "common_level", "common_growth_2y"),
        *("context_deviation", "growth_above_context"),
    ),
    "known": ("age", "unbroken", "known_share"),
    "calendar": ("year_share", "new_year_days", "new_year_shift"),
}
"""Which features tell of what, by name in the catalogue of features."""

SIDES: Mapping[str, str] = {
    "performance": "business",
    "social": "business",
    "risk": "risk",
    "compliance": "risk",
    "context": "context",
}
"""What the perspectives of indicators come to; all others are about customers and staff."""

KIND_OF: Mapping[str, str] = {name: kind for kind, names in FEATURES_OF.items() for name in names}


@dataclass(frozen=True)
class Driver:
    """A part of the gap between a probability and its reference.

    Attributes
    ----------
    code : str
        Such as `LOANS.growth`, `calendar`, `prior` or `others`.
    title : Text
    amount : float
        In probability, rounded; those of all drivers add up to prediction less base value.
    text : Text
    """

    code: str
    title: Text
    amount: float
    text: Text


@dataclass(frozen=True)
class Drivers:
    """A probability taken apart: `base_value`, plus the amounts, is `prediction`; all with `decimals`.

    Attributes
    ----------
    base_value, prediction : float
    decimals : int
    parts : tuple of Driver
        Of single indicators, the largest first.
    kinds : tuple of Driver
        The same gap by kind over all indicators: `business.growth`, `risk.worsening` and so on.
    """

    base_value: float
    prediction: float
    decimals: int
    parts: tuple[Driver, ...]
    kinds: tuple[Driver, ...] = ()


def driver_of(column: str) -> str:
    """Name the driver that a column belongs to.

    >>> driver_of("LOANS.growth_1y"), driver_of("year_share"), driver_of("prior")
    ('LOANS.growth', 'calendar', 'prior')
    """
    if column == PRIOR:
        return PRIOR
    feature, indicator = parse_column(column)
    return column_name(KIND_OF.get(feature, "level"), indicator)


def driver_players(columns: Sequence[str]) -> Players:
    """Group the columns of a model into drivers."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        groups.setdefault(driver_of(column), []).append(column)
    return Players.grouped(groups, columns)


def driver_title(code: str, indicators: Mapping[str, Indicator]) -> Text:
    """Name a driver in words."""
    kind, indicator = parse_column(code)
    if indicator is None:
        return say(f"driver.{kind}")
    name = indicators[indicator].name
    return say("driver.title", name={"en": name.en, "zh": name.zh}, kind=say(f"driver.{kind}"))


def told_drivers(
    codes: Sequence[str],
    amounts: np.ndarray,
    *,
    base: float,
    prediction: float,
    indicators: Mapping[str, Indicator],
) -> Drivers:
    """Tell the drivers, the largest first, rounded so that they add up to what is shown.

    Parameters
    ----------
    codes : sequence of str
    amounts : np.ndarray
        (drivers,) in probability; they add up to `prediction - base`.
    base, prediction : float
    indicators : Mapping[str, Indicator]
    """
    decimals = RARE_DECIMALS if max(base, prediction) < RARE else DECIMALS
    low, high = round(base, decimals), round(prediction, decimals)
    single = [(code, driver_title(code, indicators)) for code in codes]
    kinds: dict[str, float] = {}
    for code, amount in zip(codes, amounts.tolist(), strict=True):
        kind = kind_of(code, indicators)
        kinds[kind] = kinds.get(kind, 0.0) + amount
    common = [(kind, kind_title(kind)) for kind in kinds]
    return Drivers(
        low,
        high,
        decimals,
        _rounded(single, amounts, high - low, decimals),
        _rounded(common, np.array([*kinds.values()]), high - low, decimals),
    )


def kind_of(code: str, indicators: Mapping[str, Indicator]) -> str:
    """Name the kind of a driver over all indicators: `risk.worsening` for `NPL.worsening`."""
    kind, indicator = parse_column(code)
    return kind if indicator is None else column_name(kind, SIDES.get(indicators[indicator].perspective, "other"))


def kind_title(code: str) -> Text:
    """Name a kind in words."""
    kind, side = parse_column(code)
    if side is None:
        return say(f"driver.{kind}")
    return say("driver.title", name=say(f"driver.{side}"), kind=say(f"driver.{kind}"))


def _rounded(named: Sequence[tuple[str, Text]], amounts: np.ndarray, gap: float, decimals: int) -> tuple[Driver, ...]:
    """Put the largest first and the small ones together, rounded so that all add up to the gap."""
    order = [int(place) for place in np.argsort(-np.abs(amounts), kind="stable") if amounts[place] != 0]
    told, rest = order[:MOST], order[MOST:]
    shown, values = [named[place] for place in told], [float(amounts[place]) for place in told]
    if rest:
        shown.append((OTHERS, say("driver.others", count=str(len(rest)))))
        values.append(float(amounts[rest].sum()))
    rounded = shares(np.array(values), gap, decimals=decimals) if values else np.zeros(0)
    return tuple(
        Driver(code, title, float(amount), driver_text(title, float(amount), decimals))
        for (code, title), amount in zip(shown, rounded, strict=True)
        if amount
    )


def driver_text(title: Text, amount: float, decimals: int) -> Text:
    """Write a part: `Loans (growth) +6.1 points`."""
    return say("driver", title=title, amount=points_text(amount, decimals))


def points_text(amount: float, decimals: int) -> Text:
    """Write an amount of probability in percentage points, with its sign."""
    shown = number_text(100 * amount, decimals - 2)
    return say("driver.points", amount=shown if shown.startswith("-") or shown == "0" else f"+{shown}")
