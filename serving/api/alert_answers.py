"""Alerts, their reviews and the detectors' track record as the API has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.indicators import Title
from serving.alert_schemas import AlertVersions
from serving.api.alert_desk import AlertList, FoundAlert
from serving.api.desk import finite
from serving.review_schemas import (
    Alert,
    AlertPage,
    ReviewedAlert,
    ReviewEntry,
    TrackRecord,
    TrackRecordItem,
)
from serving.schemas import Sentence, UnitName

if TYPE_CHECKING:
    from training.review.case import Case, Showing
    from training.review.entry import Entry
    from training.review.recall import RecallEstimate

OF_REVIEWERS: dict[str, Any] = {
    "assigned_to": "",
    "due": None,
    "overdue": False,
    "reviewer": "",
    "decided_on": None,
    "note": "",
    "links": [],
    "entry": 0,
}
"""What stays with those who review: who does, and what they wrote."""


def page_answer(found: AlertList, rows: pd.DataFrame, *, total: int, next_cursor: str | None) -> AlertPage:
    """Give part of a list."""
    about = found.watched.about
    return AlertPage(
        items=alert_answers(found, rows),
        total=total,
        next_cursor=next_cursor,
        summary=_sentence(found.summary),
        looked_at=found.looked_at,
        listed=found.listed,
        expected_false=found.expected_false,
        level=float(about["level"]),
        budget=float(about["budget"]),
        notes=[_sentence(note) for note in found.notes],
        versions=versions_answer(about),
    )


def alert_answers(found: AlertList, rows: pd.DataFrame) -> list[Alert]:
    """Give rows of a list as alerts."""
    return [Alert(**_plain(row, found)) for row in rows.to_dict("records")]


def case_answer(found: FoundAlert) -> ReviewedAlert:
    """Give an alert with what is on record about it."""
    return ReviewedAlert(
        **_plain(found.row.to_dict(), found.alerts),
        history=[]
        if found.case is None or not found.alerts.is_reviewed(str(found.row["unit"]))
        else history_of(found.case),
        versions=versions_answer(found.alerts.watched.about),
    )


def history_of(case: Case) -> list[ReviewEntry]:
    """Give all that is on record about an alert, the oldest first."""
    found = [_shown(showing) for showing in case.showings]
    found += [entry_answer(entry, undone=entry.number in case.undone) for entry in case.entries]
    return sorted(found, key=lambda entry: entry.entry)


def entry_answer(entry: Entry, *, undone: bool = False) -> ReviewEntry:
    """Give a line that a person wrote."""
    given = entry.given
    due = given.get("due")
    return ReviewEntry(
        entry=entry.number,
        at=entry.at,
        by=entry.by,
        action=entry.action,
        text=entry.text,
        to=given.get("to"),
        due=None if due is None else date.fromisoformat(due),
        link=given.get("case"),
        undoes=given.get("entry"),
        severity=None,
        score=None,
        probability=None,
        undone=undone,
    )


def record_answer(found: AlertList, recall: RecallEstimate) -> TrackRecord:
    """Give how the detectors have done."""
    return TrackRecord(
        items=[_record_item(row) for row in found.watched.track_record.to_dict("records")],
        recall=recall.recall,
        recall_low=recall.low,
        recall_high=recall.high,
        recall_note=Sentence(en=recall.note["en"], zh=recall.note["zh"]),
        versions=versions_answer(found.watched.about),
    )


def versions_answer(about: Mapping[str, Any]) -> AlertVersions:
    """Give what alerts rest on."""
    from serving.alert_answer import versions

    return versions(about)


def _plain(row: Mapping[Any, Any], found: AlertList) -> dict[str, Any]:
    unit, case = found.directory.units.get(str(row["unit"])), found.record.cases.get(str(row["alert"]))
    due, decided = row["due"], row["decided_on"]
    told = {
        **{name: str(row[name]) for name in ("alert", "unit", "severity", "first", "last", "period", "status")},
        **{name: bool(row[name]) for name in ("sampled", "overdue", "released")},
        "open": bool(row["open"]) and row["last"] == found.period,  # what is on record may be of an earlier period
        "name": UnitName(en=str(row["unit"]), zh=None) if unit is None else UnitName(en=unit.name, zh=unit.name_zh),
        "title": Sentence(en=row["title"], zh=row["title_zh"]) if row["title"] else None,
        "detectors": [code for code in str(row["detectors"]).split(";") if code],
        "score": float(row["score"]),
        "probability": finite(row["probability"]),
        "assigned_to": str(row["assigned_to"]),
        "due": date.fromisoformat(due) if due else None,
        "reviewer": str(row["reviewer"]),
        "decided_on": date.fromisoformat(decided) if decided else None,
        "note": str(row["note"]),
        "links": [] if case is None else list(case.links),
        "entry": int(row["entry"]),
    }
    return told if found.is_reviewed(str(row["unit"])) else told | OF_REVIEWERS


def _shown(showing: Showing) -> ReviewEntry:
    from training.review.raising import PROGRAM

    shown = showing.shown
    return ReviewEntry(
        entry=showing.number,
        at=showing.at,
        by=PROGRAM,
        action="raised",
        text="",
        to=None,
        due=None,
        link=None,
        undoes=None,
        severity=shown.severity,  # type: ignore[arg-type]
        score=shown.score,
        probability=shown.probability,
        undone=False,
    )


def _record_item(row: Mapping[Any, Any]) -> TrackRecordItem:
    from training.warning.watch import BY_CODE

    detector = BY_CODE[row["detector"]]
    return TrackRecordItem(
        detector=detector.code,
        title=_sentence(detector.title),
        reason=_sentence(detector.reason),
        innocent=_sentence(detector.innocent),
        fired=int(row["fired"]),
        units=int(row["units"]),
        episodes=int(row["episodes"]),
        matured=int(row["matured"]),
        hits=int(row["hits"]),
        precision=finite(row["precision"]),
        low=finite(row["low"]),
        high=finite(row["high"]),
        base_rate=finite(row["base_rate"]),
        lift=finite(row["lift"]),
        lead_months=finite(row["lead_months"]),
        verdict=row["verdict"],
        text=Sentence(en=row["verdict_en"], zh=row["verdict_zh"]),
    )


def _sentence(title: Title) -> Sentence:
    return Sentence(en=title.en, zh=title.zh)
