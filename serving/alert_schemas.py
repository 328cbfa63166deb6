"""What is answered about alerts: why a unit is on the list, or not, and what would make it a false alarm."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from serving.schemas import Answer, IndicatorName, Number, Sentence, UnitName

Severity = Literal["amber", "red"]
Labels = Literal["given", "derived", "none"]


class AlertVersions(Answer):
    """What an answer about alerts rests on."""

    dataset: str = Field(description="The dataset.", examples=["sample-bank"])
    data_version: int = Field(description="The stored data version.", examples=[3])
    fingerprint: str = Field(description="Fingerprint of the data version's content.", examples=["6cf3e45c2a229a62"])
    model_version: str = Field(
        description="The model that gave the probability; `none` where no model answers.", examples=["warning-2"]
    )
    policy_version: str = Field(
        description="The policy that sets the budget; `none` where there is none.", examples=["retail@2025"]
    )
    as_of: str = Field(description="Nothing later than this period is used.", examples=["2024-12"])
    known_on: date = Field(
        description="Last day on which a figure became known that it rests on.", examples=["2024-12-31"]
    )
    labels: Labels = Field(description="Where the outcomes come from that the model learned from.", examples=["given"])


class AlertDriver(Answer):
    """A part of the gap between the probability and what it is held against."""

    code: str = Field(description="Indicator and kind; `others` for the rest together.", examples=["LOANS.growth"])
    name: Sentence = Field(description="What it is called.")
    amount: Number = Field(
        description="In probability, 0.061 for 6.1 points; the amounts add up to prediction less base value.",
        examples=[0.061],
    )
    text: Sentence = Field(description="The same in words.")


class DetectorRecord(Answer):
    """How a pattern has done on this data."""

    fired: int = Field(description="Unit-periods in which it was met.", examples=[76])
    episodes: int = Field(description="Runs of them.", examples=[25])
    matured: int = Field(description="Episodes whose outcome is known.", examples=[20])
    hits: int = Field(description="Of those, followed by deterioration.", examples=[10])
    precision: Number | None = Field(description="Hits among the matured.", examples=[0.5])
    low: Number | None = Field(description="Lower end of its 90% interval.", examples=[0.33])
    high: Number | None = Field(description="Upper end.", examples=[0.67])
    base_rate: Number | None = Field(description="Share of all units that deteriorated.", examples=[0.07])
    lead_months: Number | None = Field(description="Median months from signal to deterioration.", examples=[5])
    verdict: str = Field(
        description="`silent`, `unlabelled`, `too_few`, `holds`, `weak`, `no_better` or `worse`.", examples=["holds"]
    )
    verdict_text: Sentence = Field(description="The verdict in words.")


class AlertPattern(Answer):
    """A pattern that was met, or came nearest."""

    code: str = Field(description="Code of the detector.", examples=["W01"])
    family: str = Field(description="Patterns of one family rest on the same evidence.", examples=["growth"])
    title: Sentence = Field(description="What it is called.")
    reason: Sentence = Field(description="Why it matters.")
    innocent: Sentence = Field(description="What would have to be true for it to be a false alarm.")
    met: bool = Field(description="Met in the period or within the quarter; false for the nearest pattern.")
    periods_ago: int = Field(description="Periods since it was last met; the p-values are of then.", examples=[0])
    p_value: Number | None = Field(
        description="Share of units with nothing wrong that stand out as much in both legs.", examples=[0.004]
    )
    performance_p: Number | None = Field(
        description="The same of good results alone; null where it has no such leg.", examples=[0.01]
    )
    risk_p: Number | None = Field(description="The same of rising risk alone.", examples=[0.004])
    strength: Sentence = Field(description="How strongly, in words.")
    lag_months: list[int] = Field(description="Months from signal to visible harm: from, to.", examples=[[3, 12]])
    record: DetectorRecord | None = Field(description="Its record on this data; null where there is none yet.")
    record_text: Sentence = Field(description="The record in words.")


class StrongestMoment(Answer):
    """When a figure was furthest above the peers within the last year."""

    period: str = Field(description="The period.", examples=["2024-06"])
    value: Number = Field(description="The figure then.", examples=[25.1])
    peer_z: Number = Field(description="Its distance from the peers then.", examples=[3.1])


class SeriesPoint(Answer):
    """A figure of a course."""

    period: str = Field(description="The period.", examples=["2024-12"])
    value: Number | None = Field(description="The unit's figure.", examples=[14.2])
    peers_middle: Number | None = Field(description="The median of the peers.", examples=[6.0])


class AlertFigure(Answer):
    """A measure behind a pattern: now, against the unit's own past, and against its peers."""

    indicator: str = Field(description="Code of the indicator.", examples=["LOANS"])
    name: IndicatorName = Field(description="Name of the indicator.")
    measure: str = Field(description="What is measured.", examples=["growth"])
    months: int = Field(description="Over how many months.", examples=[6])
    title: Sentence = Field(description="Both in words.")
    unit_of_measure: Sentence = Field(description="Of all its figures.")
    decimals: int = Field(description="Decimals to show.", examples=[1])
    now: Number | None = Field(description="The figure now.", examples=[25.1])
    own_past: Number | None = Field(description="Median of the unit's own three years before.", examples=[6.8])
    peers_middle: Number | None = Field(description="Median of the peers; null below five.", examples=[6.0])
    peers: int = Field(description="Others of the peer group that have a figure.", examples=[17])
    peer_z: Number | None = Field(description="Robust standard deviations from the peers.", examples=[3.1])
    own_z: Number | None = Field(description="The same from the own past.", examples=[2.4])
    strongest: StrongestMoment | None = Field(description="Where it stood out clearly more than now.")
    level: Number | None = Field(description="The indicator itself, in its own unit.", examples=[1204.5])
    level_unit: str = Field(description="Unit of the indicator itself.", examples=["CNY m"])
    patterns: list[str] = Field(description="Patterns that rest on it.", examples=[["W01"]])
    series: list[SeriesPoint] = Field(description="The course of the last two years or more, for a chart.")
    text: Sentence = Field(description="The figures in a sentence.")


class AlertDoubt(Answer):
    """A reason for which it may be a false alarm."""

    kind: Literal["innocent", "disturbance", "restated", "short", "peers", "record"] = Field(
        description="What would have to be true, what else moved the figures, or what is wanting in them."
    )
    code: str = Field(description="Of the pattern, disturbance or indicator.", examples=["W01"])
    text: Sentence = Field(description="In words.")


class AlertPerformance(Answer):
    """How well the unit performs."""

    high: bool = Field(description="At the year's pace at least, and ahead of six in ten peers.")
    held: bool = Field(description="The same now, or within the last half year.")
    attainment: Number | None = Field(description="The year so far over its pace, 1 is level.", examples=[1.12])
    rank: Number | None = Field(description="Share of the peers that perform less well.", examples=[0.85])


class AlertCertainty(Answer):
    """How sure it is."""

    p_value: Number | None = Field(description="Share of units with nothing wrong that look as bad.", examples=[0.002])
    q_value: Number | None = Field(
        description="Estimated share of false alarms in a list down to the unit.", examples=[0.12]
    )
    listed: int = Field(description="Units on the list of the period.", examples=[20])
    looked_at: int = Field(description="Units that it was drawn from.", examples=[398])
    place: int = Field(description="The unit's place by score, 1 for the most concerning.", examples=[3])
    expected_false: Number | None = Field(description="Of the list, expected to be false alarms.", examples=[2.4])
    level: Number = Field(description="The false-discovery level in force.", examples=[0.2])
    budget: Number = Field(description="Part of the units that can be reviewed in a period.", examples=[0.05])
    text: Sentence = Field(description="In words.")


class AlertMoment(Answer):
    """How the unit stood in a period."""

    period: str = Field(description="The period.", examples=["2024-12"])
    score: Number | None = Field(description="The score.", examples=[0.98])
    probability: Number | None = Field(description="The probability.", examples=[0.34])
    severity: Severity | None = Field(description="The severity; null while not on the list.")
    detectors: list[str] = Field(description="Patterns met lately.", examples=[["W01", "W03"]])
    listed: bool = Field(description="Whether it was on the list.")


class ListedUnit(Answer):
    """A unit on the list."""

    unit: str = Field(description="Code of the unit.", examples=["CN-GD-17"])
    name: UnitName = Field(description="Name of the unit.")
    severity: Severity | None = Field(description="The severity.")
    score: Number = Field(description="The score.", examples=[0.98])


class AlertExplanation(Answer):
    """Why a unit is on the list for review, or not."""

    unit: str = Field(description="Code of the unit.", examples=["CN-GD-17"])
    name: UnitName = Field(description="Name of the unit.")
    period: str = Field(description="The period.", examples=["2024-12"])
    alert: str | None = Field(description="Key of the alert; null where there is none.", examples=["CN-GD-17@2024-08"])
    listed: bool = Field(description="On the list for review in the period.")
    severity: Severity | None = Field(description="Null where not on the list.")
    since: str | None = Field(description="Period in which the alert was raised.", examples=["2024-08"])
    title: Sentence | None = Field(description="Title of the alert; null where there is none.")
    score: Number | None = Field(description="From 0 to 1; larger is more concerning.", examples=[0.98])
    probability: Number | None = Field(
        description="Probability of deterioration; null where no model has shown that it can tell.", examples=[0.341]
    )
    against: Literal["peers", "last_year"] = Field(description="What the probability is held against.")
    reference: Sentence | None = Field(description="The same in words; null where it is not taken apart.")
    base_value: Number | None = Field(description="Probability of what it is held against.", examples=[0.052])
    prediction: Number | None = Field(description="The unit's probability, rounded.", examples=[0.341])
    drivers: list[AlertDriver] = Field(description="Parts of the gap, the largest first.")
    kinds: list[AlertDriver] = Field(description="The same gap by kind over all indicators; adds up as well.")
    performance: AlertPerformance = Field(description="Whether results are good at the same time.")
    patterns: list[AlertPattern] = Field(description="Patterns met, the strongest first; else the nearest one.")
    figures: list[AlertFigure] = Field(description="The figures behind them.")
    doubts: list[AlertDoubt] = Field(description="What would make it a false alarm.")
    next_looks: list[Sentence] = Field(description="What a reviewer could look at next.")
    certainty: AlertCertainty | None = Field(description="How sure it is; null for a unit with others below it.")
    novelty: Number | None = Field(
        description="Share of scores at least as unusual, whatever the pattern.", examples=[0.007]
    )
    history: list[AlertMoment] = Field(description="How the unit stood in the last periods.")
    listed_below: list[ListedUnit] = Field(description="Units on the list below a unit that has others below it.")
    notes: list[Sentence] = Field(description="What a careful reader should know.")
    versions: AlertVersions = Field(description="What the answer rests on.")
    text: Sentence = Field(description="All of it in four to six sentences.")
