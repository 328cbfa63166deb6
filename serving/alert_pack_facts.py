"""One unit's case as the facts of an evidence pack."""

from __future__ import annotations

from features.indicators import Title
from models.alert_story.figures import Figure
from models.alert_story.patterns import PastRecord
from models.alert_story.patterns import Pattern as Told
from models.alert_story.phrases import Text
from serving.alert_case import AlertCase
from serving.directory import is_synthetic
from training.review.facts import AlertFacts, Driver, Moment, Pattern, Series, TrackRecord


def facts_of(case: AlertCase, alert: str) -> AlertFacts:
    """Lay a case out for the evidence pack of an alert."""
    drivers, score = case.apart.drivers, case.known(case.watch.ranking.score)
    return AlertFacts(
        alert=alert,
        unit=case.code,
        name=_title(case.name),
        period=case.label,
        score=0.0 if score is None else score,
        probability=case.known(case.watch.answer.probability),
        severity=case.severity,
        patterns=tuple(_pattern(pattern) for pattern in case.patterns),
        series=tuple(_series(figure) for figure in case.figures),
        drivers=()
        if drivers is None
        else tuple(Driver(_title(d.title), round(100 * d.amount, drivers.decimals - 2)) for d in drivers.parts),
        disturbances=tuple(title for _, title in case.disturbed),
        history=tuple(
            Moment(m.period, m.score, m.probability, m.severity, m.detectors, m.listed) for m in case.history
        ),
        about=dict(case.watch.about),
        synthetic=is_synthetic(case.watch.snapshot.description),
    )


def _title(text: Text) -> Title:
    return Title(en=text["en"], zh=text["zh"])


def _pattern(pattern: Told) -> Pattern:
    detector = pattern.detector
    record = None if pattern.record is None else _record(pattern.record)
    return Pattern(detector.code, detector.title, detector.reason, detector.innocent, record)


def _record(record: PastRecord) -> TrackRecord:
    return TrackRecord(
        fired=record.episodes,
        matured=record.matured,
        hits=record.hits,
        precision=record.precision if record.judged else None,
        low=record.low,
        high=record.high,
        base_rate=record.base_rate,
        lead_months=record.lead_months,
        verdict=_title(record.verdict_text),
    )


def _series(figure: Figure) -> Series:
    return Series(
        _title(figure.title),
        figure.unit["en"],
        figure.periods,
        figure.values,
        figure.middles,
        peer_z=figure.peer_z,
        own_z=figure.own_z,
        decimals=figure.decimals,
    )
