"""What an evidence pack tells of an alert: figures, patterns with their track record, drivers, and its course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from features.indicators import Title


@dataclass(frozen=True)
class TrackRecord:
    """How a pattern has done on the data at hand.

    Attributes
    ----------
    fired, matured, hits : int
        Unit-periods in which it was met; of them, those whose outcome is known, and those followed by deterioration.
    precision, low, high : float or None
        Hits among the matured, with its interval.
    base_rate : float or None
        Share of all unit-periods followed by deterioration.
    lead_months : float or None
        Median months from the signal to the outcome.
    verdict : Title or None
        A phrase: better than chance here.
    """

    fired: int = 0
    matured: int = 0
    hits: int = 0
    precision: float | None = None
    low: float | None = None
    high: float | None = None
    base_rate: float | None = None
    lead_months: float | None = None
    verdict: Title | None = None


@dataclass(frozen=True)
class Pattern:
    """A pattern that was met.

    Attributes
    ----------
    code : str
    title, reason, innocent : Title
        What it is called, why it matters, and what would have to be true for it to be a false alarm.
    record : TrackRecord or None
        None where nothing is known of it yet.
    """

    code: str
    title: Title
    reason: Title
    innocent: Title
    record: TrackRecord | None = None


@dataclass(frozen=True)
class Series:
    """Figures of the unit beside the middle of its peers.

    Attributes
    ----------
    title : Title
    unit : str
        Of measure.
    periods : tuple of str
        Ascending.
    values, peers_middle : tuple of (float or None)
        One a period; None where not known.
    peer_z : float or None
        Distance from the middle of the peers in the last period, in robust standard deviations.
    own_z : float or None
        The same from the unit's own past.
    decimals : int
    """

    title: Title
    unit: str
    periods: tuple[str, ...]
    values: tuple[float | None, ...]
    peers_middle: tuple[float | None, ...]
    peer_z: float | None = None
    own_z: float | None = None
    decimals: int = 2

    def __post_init__(self) -> None:
        if not len(self.periods) == len(self.values) == len(self.peers_middle):
            raise ValueError("a series needs one figure of the unit and one of its peers for each period")


@dataclass(frozen=True)
class Driver:
    """A part of the probability: what a group of features adds to it or takes from it, in percentage points."""

    title: Title
    amount: float


@dataclass(frozen=True)
class Moment:
    """How the unit stood in a period."""

    period: str
    score: float | None = None
    probability: float | None = None
    severity: str = ""
    detectors: tuple[str, ...] = ()
    listed: bool = False


@dataclass(frozen=True)
class AlertFacts:
    """All that an evidence pack tells.

    Attributes
    ----------
    alert, unit, period : str
        Key, unit, and the period that the figures end in.
    name : Title
        Of the unit.
    score : float
        From 0 to 1.
    probability : float or None
    severity : str
        `amber`, `red` or blank.
    patterns : tuple of Pattern
        The strongest first.
    series : tuple of Series
    drivers : tuple of Driver
        The largest first.
    disturbances : tuple of Title
        What happened in the unit that moves figures though it is not its doing: a merger, a transfer, a holiday.
    history : tuple of Moment
        Ascending.
    about : Mapping
        Data, model and policy version, day on which the figures were known, what the labels are.
    synthetic : bool
        The data was made up.
    """

    alert: str
    unit: str
    name: Title
    period: str
    score: float
    probability: float | None = None
    severity: str = ""
    patterns: tuple[Pattern, ...] = ()
    series: tuple[Series, ...] = ()
    drivers: tuple[Driver, ...] = ()
    disturbances: tuple[Title, ...] = ()
    history: tuple[Moment, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False
