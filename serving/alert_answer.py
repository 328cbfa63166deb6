"""One unit's case as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from models.alert_story.doubts import Doubt
from models.alert_story.drivers import Driver
from models.alert_story.figures import Figure
from models.alert_story.patterns import PastRecord, Pattern
from models.alert_story.phrases import Text
from models.scoring.phrases import sentences
from serving.alert_case import AlertCase, Moment
from serving.alert_schemas import (
    AlertCertainty,
    AlertDoubt,
    AlertDriver,
    AlertExplanation,
    AlertFigure,
    AlertMoment,
    AlertPattern,
    AlertPerformance,
    AlertVersions,
    DetectorRecord,
    ListedUnit,
    SeriesPoint,
    StrongestMoment,
)
from serving.schemas import IndicatorName, Sentence, UnitName
from serving.score_lines import sentence

NONE = "none"
"""Stands for a model or policy where there is none."""


def explanation(case: AlertCase) -> AlertExplanation:
    """Give a unit's case as an answer."""
    standing, leaf = case.standing, case.is_leaf
    drivers, novelty = case.apart.drivers, case.watch.looked.novelty
    titled = bool(standing.title["en"])
    return AlertExplanation(
        unit=case.code,
        name=_unit_name(case, case.unit),
        period=case.label,
        alert=case.key,
        listed=standing.listed,
        severity=case.severity or None,
        since=standing.since or (case.label if case.key else None),
        title=sentence(standing.title) if titled and standing.listed else None,
        score=case.known(case.watch.ranking.score),
        probability=case.known(case.watch.answer.probability),
        against=case.against,
        reference=None if case.apart.reference is None else sentence(case.apart.reference),
        base_value=None if drivers is None else drivers.base_value,
        prediction=None if drivers is None else drivers.prediction,
        drivers=[] if drivers is None else [_driver(part) for part in drivers.parts],
        kinds=[] if drivers is None else [_driver(part) for part in drivers.kinds],
        performance=_performance(case),
        patterns=[_pattern(pattern) for pattern in case.patterns] if leaf else [],
        figures=[_figure(figure, case.measures[figure.measure]) for figure in case.figures] if leaf else [],
        doubts=[_doubt(doubt) for doubt in case.doubts] if leaf else [],
        next_looks=[_whole(text) for text in case.next_looks] if leaf else [],
        certainty=_certainty(case) if leaf else None,
        novelty=None if novelty is None or not leaf else case.known(novelty.p),
        history=[_moment(moment) for moment in case.history],
        listed_below=[_listed(case, unit) for unit in case.listed_below] if not leaf else [],
        notes=[sentence(text) for text in case.notes],
        versions=versions(case.watch.about),
        text=sentence(case.text),
    )


def versions(about: Mapping[str, Any]) -> AlertVersions:
    """Give what a watch rests on, from its `about`."""
    return AlertVersions(
        dataset=str(about["dataset"]),
        data_version=int(about["data_version"]),
        fingerprint=str(about["fingerprint"]),
        model_version=str(about["model_version"]) or NONE,
        policy_version=str(about["policy_version"]) or NONE,
        as_of=str(about["as_of"]),
        known_on=date.fromisoformat(str(about["known_on"])),
        labels=about["labels"],
    )


def _whole(text: Text) -> Sentence:
    """Make a sentence that stands by itself."""
    return sentence(sentences([text]))


def _unit_name(case: AlertCase, unit: int) -> UnitName:
    name = case.name_of(unit)
    chinese = str(case.watch.snapshot.tree.attributes["name_zh"].iloc[unit])
    return UnitName(en=name["en"], zh=chinese or None)


def _driver(part: Driver) -> AlertDriver:
    return AlertDriver(code=part.code, name=sentence(part.title), amount=part.amount, text=sentence(part.text))


def _performance(case: AlertCase) -> AlertPerformance:
    found = case.performance
    return AlertPerformance(high=found.high, held=found.held, attainment=found.attainment, rank=found.rank)


def _pattern(pattern: Pattern) -> AlertPattern:
    detector = pattern.detector
    return AlertPattern(
        code=detector.code,
        family=detector.family,
        title=sentence(detector.title),
        reason=sentence(detector.reason),
        innocent=sentence(detector.innocent),
        met=pattern.met,
        periods_ago=pattern.ago,
        p_value=pattern.p,
        performance_p=pattern.performance_p,
        risk_p=pattern.risk_p,
        strength=_whole(pattern.strength),
        lag_months=list(detector.lag),
        record=None if pattern.record is None else detector_record(pattern.record),
        record_text=_whole(pattern.record_text),
    )


def detector_record(record: PastRecord) -> DetectorRecord:
    """Give a detector's record as an answer."""
    return DetectorRecord(
        fired=record.fired,
        episodes=record.episodes,
        matured=record.matured,
        hits=record.hits,
        precision=record.precision,
        low=record.low,
        high=record.high,
        base_rate=record.base_rate,
        lead_months=record.lead_months,
        verdict=record.verdict,
        verdict_text=sentence(record.verdict_text),
    )


def _figure(figure: Figure, patterns: tuple[str, ...]) -> AlertFigure:
    strongest = figure.strongest
    return AlertFigure(
        indicator=figure.indicator.code,
        name=IndicatorName(en=figure.indicator.name.en, zh=figure.indicator.name.zh),
        measure=figure.measure.kind,
        months=figure.measure.months,
        title=sentence(figure.title),
        unit_of_measure=sentence(figure.unit),
        decimals=figure.decimals,
        now=figure.now,
        own_past=figure.own_past,
        peers_middle=figure.peers_middle,
        peers=figure.peers,
        peer_z=figure.peer_z,
        own_z=figure.own_z,
        strongest=None
        if strongest is None
        else StrongestMoment(period=strongest.period, value=strongest.value, peer_z=strongest.peer_z),
        level=figure.level,
        level_unit=figure.indicator.unit,
        patterns=list(patterns),
        series=[
            SeriesPoint(period=period, value=value, peers_middle=middle)
            for period, value, middle in zip(figure.periods, figure.values, figure.middles, strict=True)
        ],
        text=sentence(figure.text),
    )


def _doubt(doubt: Doubt) -> AlertDoubt:
    return AlertDoubt(kind=doubt.kind, code=doubt.code, text=_whole(doubt.text))


def _certainty(case: AlertCase) -> AlertCertainty:
    found = case.certainty
    return AlertCertainty(
        p_value=found.p_value,
        q_value=found.q_value,
        listed=found.listed,
        looked_at=found.looked_at,
        place=found.place,
        expected_false=found.expected_false,
        level=found.level,
        budget=found.budget,
        text=_whole(found.text),
    )


def _moment(moment: Moment) -> AlertMoment:
    return AlertMoment(
        period=moment.period,
        score=moment.score,
        probability=moment.probability,
        severity=moment.severity or None,
        detectors=list(moment.detectors),
        listed=moment.listed,
    )


def _listed(case: AlertCase, unit: int) -> ListedUnit:
    severity = AlertCase(case.watch, unit, case.period).severity
    return ListedUnit(
        unit=str(case.watch.snapshot.tree.codes[unit]),
        name=_unit_name(case, unit),
        severity=severity or None,
        score=float(case.watch.ranking.score[case.row, unit]),
    )
