"""How concerning a unit is where no outcome was ever recorded: growth over years first, by what is known of booms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from features.groups import PeerGroups
from features.indicators import Indicator, Title
from features.windows import IQR_PER_SD, over
from models.detectors.by_meaning import Meanings
from models.detectors.detector import Finding
from models.detectors.legs import met_within, undisturbed
from models.detectors.measures import Measure
from models.detectors.situation import Situation

YEARS = (3, 2, 1)
"""Growth over three years, where so many are known: losses follow abnormal growth within three (Foos, Norden, Weber
2010), and over one year alone growth told half as much of later delinquency in US states."""
MONTHS = 12
UTMOST_Z = 3.0
"""One figure counts for no more than three spreads: beyond, it is a slip, a merger or a tiny base."""
PATTERN_WEIGHT = 0.75
"""Patterns of the catalogue count for a quarter of growth too: many of them say again that something grew."""
LEAST_P = 1e-6
"""Smaller p-values are not told apart."""


@dataclass(frozen=True)
class Part:
    """One reason for concern: which indicators, how they are measured, and how much it counts.

    Attributes
    ----------
    title : Title
    weight : float
    indicators : callable
        Which indicators, of those at hand.
    measures : callable
        From situation and indicator code to one (P, U) array, high meaning concerning.
    """

    title: Title
    weight: float
    indicators: Callable[[Meanings], tuple[Indicator, ...]]
    measures: Callable[[Situation, str], list[np.ndarray]]


def _growing(meanings: Meanings) -> tuple[Indicator, ...]:
    """Give what grows in a boom: lending, else lending over output, else any volume."""
    sized = tuple(i for i in meanings.volumes if i.kind in ("stock", "flow"))
    return (*meanings.lending, *meanings.lending_ratios) or sized


def _pace(situation: Situation, code: str) -> list[np.ndarray]:
    """Give growth a year over as many years as are known, up to three."""
    found = np.full(situation.shape, np.nan)
    for years in YEARS:
        if situation.shape[0] > years * situation.per_year:
            np.copyto(found, _own_growth(situation, code, years) / years, where=np.isnan(found))
    return [found]


def _own_growth(situation: Situation, code: str, years: int) -> np.ndarray:
    """Give growth, NaN where a merger lies within: it marks a year, and longer growth holds it for longer."""
    merged = met_within(~undisturbed(situation, "merger"), (years - 1) * situation.per_year)
    return np.where(merged, np.nan, situation.values(Measure("relative_growth", code, MONTHS * years)))


def _pace_around(situation: Situation, code: str) -> list[np.ndarray]:
    """Give the middle growth of the units below the same parent."""
    pace = _pace(situation, code)[0]
    panel, around = situation.panel, np.full(situation.shape, np.nan)
    for first, last in panel.tree.segments(panel.first, panel.last):
        rows = slice(first - panel.first, last - panel.first + 1)
        siblings = PeerGroups(np.where(panel.tree.ever_parent, -1, panel.tree.parents(first)))
        around[rows] = siblings.quartiles(pace[rows]).cut(slice(0, situation.shape[1]))[1]
    return [around]


def _last_year(situation: Situation, code: str) -> list[np.ndarray]:
    return [_own_growth(situation, code, 1)]


def _worsening(situation: Situation, code: str) -> list[np.ndarray]:
    """Give worsening in points and relative to what was there: in a boom it starts from next to nothing."""
    return [situation.values(Measure(kind, code, MONTHS)) for kind in ("rise", "relative_rise")]


def _level(sign: float) -> Callable[[Situation, str], list[np.ndarray]]:
    return lambda situation, code: [sign * situation.values(Measure("level", code))]


PARTS: Mapping[str, Part] = {
    "growth": Part(
        Title(en="lending grew over several years", zh="信贷多年高速增长"),
        2.5,
        _growing,
        _pace,
    ),
    "recent_growth": Part(
        Title(en="lending grew in the last year", zh="近一年信贷高速增长"),
        0.5,
        _growing,
        _last_year,
    ),
    "growth_around": Part(
        Title(en="lending grew over several years in the units around it", zh="所在地区信贷多年高速增长"),
        0.75,
        _growing,
        _pace_around,
    ),
    "prices": Part(Title(en="prices of what is lent on rose", zh="抵押物价格多年上涨"), 1.5, lambda m: m.prices, _pace),
    "worsening": Part(
        Title(en="risk indicators worsened", zh="风险指标恶化"), 0.75, lambda m: m.trouble_ratios, _worsening
    ),
    "thin_capital": Part(Title(en="capital is thin", zh="资本薄弱"), 0.75, lambda m: m.capital, _level(-1.0)),
    "leverage": Part(
        Title(en="lending is large for what carries it", zh="信贷规模相对偏大"), 0.75, lambda m: m.leverage, _level(1.0)
    ),
}
"""The parts and their weights.

Growth over years leads, with prices next (Mian and Sufi 2009: credit and house prices together). The region's growth,
worsening, thin capital and leverage count for a quarter of growth each: each told something on some data, and nothing
or a little of the reverse on others.
The level of delinquency has no part: it is low where a boom is on, and high where trouble is past.
"""


LEAST_WHOLE = PARTS["growth"].weight ** 2
"""Where nobody's growth is known the rest is held against it all the same: by itself it told next to nothing."""


def prior_score(situation: Situation, findings: Mapping[str, Finding] | None = None) -> np.ndarray:
    """Score how concerning units are, without any outcome: by standing among all leaves of the same period.

    All leaves are compared with one another, not peers only: a boom is often a whole region's, and would vanish within
    the region. Parts that are missing say nothing, and the score of a unit with few parts stays nearer to the middle.

    Parameters
    ----------
    situation : Situation
    findings : Mapping[str, Finding], optional
        What detectors found; their smallest joint p-value, paid for by their number, adds to the concern.

    Returns
    -------
    np.ndarray
        (P, U): from 0 to 1, half where nothing is remarkable; NaN for units without any part known, and for parents.
    """
    parts = prior_parts(situation)
    weights = {name: PARTS[name].weight for name in parts}
    if findings:
        parts["patterns"] = _patterns(findings, situation)
        weights["patterns"] = PATTERN_WEIGHT
    total, own, whole = (np.zeros(situation.shape) for _ in range(3))
    for name, z in parts.items():
        known = np.isfinite(z)
        total += np.where(known, weights[name] * z, 0.0)
        own += np.where(known, weights[name] ** 2, 0.0)
        whole += np.where(known.any(axis=1, keepdims=True), weights[name] ** 2, 0.0)
    np.maximum(whole, LEAST_WHOLE, out=whole)
    return ndtr(over(total, np.sqrt(np.sqrt(own * whole))))


def prior_parts(situation: Situation) -> dict[str, np.ndarray]:
    """Give each part at hand: (P, U) robust z among all leaves, the mean over its indicators, high being concerning."""
    meanings = Meanings.of(situation.panel)
    leaves = PeerGroups(np.where(situation.panel.tree.ever_parent, -1, 0))
    found = {}
    for name, part in PARTS.items():
        total, count = np.zeros(situation.shape), np.zeros(situation.shape)
        for indicator in part.indicators(meanings):
            for values in part.measures(situation, indicator.code):
                z = _among(leaves, values)
                known = np.isfinite(z)
                total += np.where(known, z, 0.0)
                count += known
        if count.any():
            found[name] = total / np.where(count > 0, count, np.nan)
    return found


def _among(leaves: PeerGroups, values: np.ndarray) -> np.ndarray:
    low, middle, high = leaves.quartiles(values).cut(slice(0, values.shape[1]))
    return np.clip(over((values - middle) * IQR_PER_SD, high - low), -UTMOST_Z, UTMOST_Z)


def _patterns(findings: Mapping[str, Finding], situation: Situation) -> np.ndarray:
    """Give the strongest pattern as a z, never below zero: the absence of patterns is no comfort."""
    smallest, looks = np.full(situation.shape, np.nan), np.zeros(situation.shape)
    for finding in findings.values():
        joint = finding.joint
        smallest = np.fmin(smallest, joint)
        looks += np.isfinite(joint)
    p = np.clip(smallest * looks, LEAST_P, 0.5)
    return np.minimum(-ndtri(p), UTMOST_Z)
