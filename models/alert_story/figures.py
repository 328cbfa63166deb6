"""The figures behind a pattern: now, against the unit's own past and against its peers, with their course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.indicators import Indicator
from features.units import UnitTree
from models.alert_story.phrases import Text, followed, say
from models.detectors.detector import Finding
from models.detectors.measures import KINDS, Measure, as_people_say
from models.detectors.situation import LEAST_MONTHS, LEAST_PERIODS, OWN_YEARS, Situation
from models.measures import measure_words
from models.scoring.gaps import number_text, shown_decimals, telling_apart
from models.scoring.phrases import both, joined
from models.scoring.story import period_text

CHARTED = {12: 24, 4: 12, 1: 10}
"""Periods of a chart by periods a year: two years of months, three of quarters, ten of years."""
MOST_MEASURES = 4
"""Figures told of one pattern: a generic one rests on dozens, of which few stand out."""
BUSINESS = ("performance", "social")
SHARE_DECIMALS = 1
NOTABLE_Z = 1.0
"""A movement nearer to the peers than this is not told as the strongest of the year."""
NOTABLE_TIMES = 1.5
"""Nor is one that is hardly further from them than the movement now."""


@dataclass(frozen=True)
class Strongest:
    """When a figure was furthest above the peers within the last year."""

    period: str
    value: float
    peer_z: float


@dataclass(frozen=True)
class Figure:
    """One measure of one unit. Figures are in `unit`, ready to be shown with `decimals`.

    Attributes
    ----------
    measure : Measure
    indicator : Indicator
    title : Text
    unit : Text
        Of measure.
    after : Text
        The same as it is written after a figure.
    decimals : int
    now : float or None
    own_past : float or None
        Median of the three years before.
    peers_middle : float or None
        Median of the peers now, the unit among them; None below five.
    peers : int
        Others of the peer group that have a figure now.
    months : int
        Months of the indicator's figures that are known by now.
    peer_z, own_z : float or None
        Distance from the peers, and from the unit's own past, in robust standard deviations.
    strongest : Strongest or None
        Where it stood out clearly more than now.
    level : float or None
        The indicator itself, in its own unit.
    periods : tuple of str
        Of the course, ascending.
    values, middles : tuple of (float or None)
        The unit's figure and the peers' middle, one a period.
    text : Text
    """

    measure: Measure
    indicator: Indicator
    title: Text
    unit: Text
    after: Text
    decimals: int
    now: float | None
    own_past: float | None
    peers_middle: float | None
    peers: int
    months: int
    peer_z: float | None
    own_z: float | None
    strongest: Strongest | None
    level: float | None
    periods: tuple[str, ...]
    values: tuple[float | None, ...]
    middles: tuple[float | None, ...]
    text: Text


def told_measures(situation: Situation, finding: Finding, row: int, unit: int) -> tuple[Measure, ...]:
    """Choose the measures of a finding that are told of a unit: all where they are few, else those that stand out.

    Of results as of risks the one that stands out most is among them: a pattern has two legs.
    """
    known = [m for m in dict.fromkeys(finding.evidence) if np.isfinite(situation.values(m)[: row + 1, unit]).any()]
    if len(known) <= MOST_MEASURES:
        return tuple(known)
    first = max(0, row + 1 - situation.per_year)
    size = {m: np.nan_to_num(np.abs(situation.peer_z(m)[first : row + 1, unit])).max() for m in known}
    order = sorted(known, key=lambda measure: -size[measure])
    sides = [is_business(situation.panel.indicator(measure.code)) for measure in order]
    best = [order[sides.index(side)] for side in (True, False) if side in sides]
    kept = list(dict.fromkeys([*best, *order]))[:MOST_MEASURES]
    return tuple(measure for measure in known if measure in kept)


def is_business(indicator: Indicator) -> bool:
    """Tell whether an indicator is about results and volumes, and not about risk, customers or staff."""
    return indicator.perspective in BUSINESS


def peers_of(tree: UnitTree, unit: int) -> np.ndarray:
    """Mark the others of a unit's peer group: (U,) booleans."""
    groups = tree.peer_groups()
    peers = (groups == groups[unit]) & (groups >= 0)
    peers[unit] = False
    return peers


def figure_of(situation: Situation, measure: Measure, row: int, unit: int, *, peers: np.ndarray) -> Figure:
    """Tell one measure of a unit in a period.

    Parameters
    ----------
    situation : Situation
    measure : Measure
    row, unit : int
        Place in its arrays. Nothing below the row is looked at.
    peers : np.ndarray
        (U,) booleans; see `peers_of`.
    """
    indicator = situation.panel.indicator(measure.code)
    scale, alone, after = _unit(indicator, KINDS[measure.kind].unit)
    own = scale * as_people_say(measure, indicator, situation.values(measure)[: row + 1, unit])
    middles = scale * as_people_say(measure, indicator, situation.peers_middle(measure)[: row + 1, unit])
    now, middle, past = _known(own[row]), _known(middles[row]), _own_past(own, situation.per_year)
    shown = [each for each in (now, middle, past) if each is not None]
    decimals = _decimals(indicator, scale, shown)
    first = max(0, row + 1 - CHARTED[situation.per_year])
    calendar, begin = situation.panel.calendar, situation.panel.first
    figures = situation.known(measure.code, situation.panel.array(measure.code))[: row + 1, unit]
    title = measure_title(situation, measure)
    best, z = _strongest(situation, measure, row, unit)
    strongest = None if best is None else Strongest(calendar.format(begin + best), round(float(own[best]), decimals), z)
    return Figure(
        measure=measure,
        indicator=indicator,
        title=title,
        unit=alone,
        after=after,
        decimals=decimals,
        now=_rounded(now, decimals),
        own_past=_rounded(past, decimals),
        peers_middle=_rounded(middle, decimals),
        peers=int(np.isfinite(situation.values(measure)[row, peers]).sum()),
        months=int(np.isfinite(figures).sum()) * 12 // situation.per_year,
        peer_z=_known(situation.peer_z(measure)[row, unit]),
        own_z=_known(situation.own_z(measure)[row, unit]),
        strongest=strongest,
        level=_known(figures[row]),
        periods=tuple(calendar.format(begin + each) for each in range(first, row + 1)),
        values=tuple(_rounded(_known(each), decimals) for each in own[first:]),
        middles=tuple(_rounded(_known(each), decimals) for each in middles[first:]),
        text=_told(title, after, decimals, now=now, past=past, middle=middle, strongest=strongest),
    )


def standing_out(figure: Figure) -> float:
    """Tell how far a figure lies from the peers, or lay within the year, in robust standard deviations."""
    return max(abs(figure.peer_z or 0.0), 0.0 if figure.strongest is None else figure.strongest.peer_z)


def measure_title(situation: Situation, measure: Measure) -> Text:
    """Name a measure: `Loans, growth over 6 months`; the window is what it comes to on the periods of the data."""
    kind = KINDS[measure.kind].title
    months = str(situation.periods(measure.months) * 12 // situation.per_year)
    name = situation.panel.indicator(measure.code).name
    titled = {"en": kind.en.format(months=months), "zh": kind.zh.format(months=months)}
    return say("figure.title", name={"en": name.en, "zh": name.zh}, kind=titled)


def _strongest(situation: Situation, measure: Measure, row: int, unit: int) -> tuple[int | None, float]:
    """Find the row of the last year in which a measure was furthest above the peers, and how far; None if now."""
    first = max(0, row + 1 - situation.per_year)
    z = situation.peer_z(measure)[first : row + 1, unit]
    if not np.isfinite(z).any():
        return None, np.nan
    at = int(np.nanargmax(z))
    least = NOTABLE_TIMES * max(float(z[-1]), 0.0) if np.isfinite(z[-1]) else 0.0
    return (first + at if z[at] >= max(NOTABLE_Z, least) and first + at != row else None), float(z[at])


def _own_past(own: np.ndarray, per_year: int) -> float | None:
    """Give the median of the three years before the last row; None where too little of it is known."""
    window = max(OWN_YEARS * per_year, 2 * LEAST_PERIODS)
    past = own[:-1][-window:]
    known = past[np.isfinite(past)]
    least = LEAST_PERIODS if per_year < 12 else LEAST_MONTHS
    return float(np.median(known)) if len(known) >= least else None


def _unit(indicator: Indicator, unit: str) -> tuple[float, Text, Text]:
    """Give the factor from a measure to what is shown, and the unit in words, alone and after a figure."""
    moved = unit == "growth" and indicator.kind in ("ratio", "level")
    if unit == "own":
        return 1.0, measure_words(indicator, "alone"), measure_words(indicator, "after")
    if moved:
        after = measure_words(indicator, "gap")
        return 1.0, {language: text.strip() for language, text in after.items()}, after
    return 100.0, both("%"), both("%")


def _decimals(indicator: Indicator, scale: float, shown: Sequence[float]) -> int:
    """Count the decimals: one more than usual where figures would look alike, no more, or they would look exact."""
    size = max((abs(figure) for figure in shown), default=0.0)
    usual = SHARE_DECIMALS if scale != 1.0 else shown_decimals(indicator, size)
    return min(telling_apart(usual, *shown), usual + 1)


def _told(
    title: Text,
    after: Text,
    decimals: int,
    *,
    now: float | None,
    past: float | None,
    middle: float | None,
    strongest: Strongest | None,
) -> Text:
    def written(value: float) -> Text:
        return followed(both(number_text(value, decimals)), after)

    beside = []
    if past is not None:
        beside.append(say("figure.own", figure=written(past)))
    if middle is not None:
        beside.append(say("figure.peers", figure=written(middle)))
    if strongest is not None:
        period = period_text(strongest.period)
        beside.append(say("figure.strongest", period=period, figure=written(strongest.value)))
    told = say("figure.unknown", title=title) if now is None else say("figure.now", title=title, now=written(now))
    return followed(told, say("figure.beside", list=_listed(beside))) if beside else told


def _listed(texts: Sequence[Text]) -> Text:
    return {"en": joined(texts)["en"], "zh": "，".join(text["zh"] for text in texts)}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals) + 0.0
