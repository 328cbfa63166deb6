"""What the alert pages show, row by row: alerts narrowed and counted, commands to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd

from serving.alert_schemas import AlertDriver, AlertExplanation, AlertFigure
from serving.api.alert_answers import alert_answers
from serving.api.alert_desk import AlertList
from serving.console.alert_chart import CourseChart, draw_course
from serving.console.formats import MOST_DECIMALS, Reader, decimals_of
from serving.console.waterfall import Bar, draw_waterfall
from serving.review_schemas import Alert, TrackRecordItem

JUDGED = ("holds", "weak", "no_better", "worse", "too_few", "unlabelled", "silent")
"""Verdicts in the order in which detectors are shown: those that can be relied on first."""


@dataclass(frozen=True)
class Counts:
    """How many alerts there are, of those that fit."""

    total: int
    red: int
    drawn: int
    overdue: int


def fitting(found: AlertList, *, severity: str, status: str, text: str) -> list[Alert]:
    """Give the alerts that a reader asked for, in the order of the list.

    Parameters
    ----------
    found : AlertList
    severity, status : str
        Blank for any; `sampled` for what was drawn from below the line.
    text : str
        Part of a unit's code or name, in any case.
    """
    wanted, units = text.strip().casefold(), found.directory.units
    rows = found.table
    if severity == "sampled":
        rows = rows[rows["sampled"].astype(bool)]
    elif severity:
        rows = rows[rows["severity"] == severity]
    if status:
        rows = rows[rows["status"] == status]
    if wanted:
        rows = rows[[code in units and units[code].matches(wanted) for code in rows["unit"]]]
    return alert_answers(found, rows)


def counted(alerts: Sequence[Alert]) -> Counts:
    """Count alerts."""
    return Counts(
        total=len(alerts),
        red=sum(alert.severity == "red" for alert in alerts),
        drawn=sum(alert.sampled for alert in alerts),
        overdue=sum(alert.overdue for alert in alerts),
    )


def judged(items: Sequence[TrackRecordItem]) -> list[TrackRecordItem]:
    """Order detectors by their verdicts, and within those by how often they were right."""
    return sorted(items, key=lambda item: (JUDGED.index(item.verdict), -(item.precision or 0.0), item.detector))


def exported(found: AlertList, alerts: Sequence[Alert], reader: Reader) -> pd.DataFrame:
    """Give alerts as a table for a spreadsheet, in the reader's language."""
    columns = (
        *("alert", "unit", "unit_name", "severity", "title", "detectors", "first", "last", "period", "score"),
        *("probability", "open", "sampled", "status", "assigned_to", "due", "overdue", "reviewer", "decided_on"),
        *("note", "links", "entry", "dataset", "data_version", "model_version", "policy_version", "known_on"),
    )
    about = found.watched.about
    dataset = str(about["dataset"])
    if found.directory.synthetic:
        dataset = f"{dataset} ({reader.say('synthetic.short')})"
    rests_on = {name: about[name] for name in ("data_version", "model_version", "policy_version", "known_on")}
    rows = [
        alert.model_dump(mode="json", exclude={"name", "title", "detectors", "links"})
        | {
            "unit_name": reader.name(alert.name.en, alert.name.zh),
            "title": "" if alert.title is None else reader.name(alert.title.en, alert.title.zh),
            "detectors": ";".join(alert.detectors),
            "links": "; ".join(alert.links),
            "dataset": dataset,
        }
        | rests_on
        for alert in alerts
    ]
    return pd.DataFrame(rows, columns=list(columns))


@dataclass(frozen=True)
class ShownDrivers:
    """The way from a reference to a probability, in percentage points: parts with their bars, which add up."""

    begin: float
    end: float
    decimals: int
    first: Bar
    rows: tuple[tuple[AlertDriver, float, Bar], ...]
    last: Bar


def shown_drivers(told: AlertExplanation) -> ShownDrivers | None:
    """Lay out what a probability comes from; None where it is not taken apart."""
    if told.base_value is None or told.prediction is None:
        return None
    begin, *amounts, end = (
        round(100 * value, MOST_DECIMALS)
        for value in (told.base_value, *(driver.amount for driver in told.drivers), told.prediction)
    )
    first, *bars, last = draw_waterfall(begin, amounts, from_zero=True)
    rows = tuple(zip(told.drivers, amounts, bars, strict=True))
    return ShownDrivers(begin, end, max(1, decimals_of([begin, *amounts, end])), first, rows, last)


def shown_figures(told: AlertExplanation) -> list[tuple[AlertFigure, CourseChart | None]]:
    """Give the figures behind an alert with their charts."""
    listed = {moment.period for moment in told.history if moment.listed}
    return [
        (
            figure,
            draw_course(
                [point.period for point in figure.series],
                [point.value for point in figure.series],
                [point.peers_middle for point in figure.series],
                listed=listed,
            ),
        )
        for figure in told.figures
    ]


@dataclass(frozen=True)
class Ways:
    """How to write on an alert: commands for a terminal, and a request for a program."""

    commands: tuple[str, ...]
    request: str


def ways_to_write(alert: Alert, dataset: str) -> Ways:
    """Give the commands and the request by which a decision on an alert is recorded."""
    key, after = shlex.quote(alert.alert), f" --after {alert.entry}" if alert.entry else ""
    rest = f"{after} --dataset {shlex.quote(dataset)}"
    decide = f"loadline review decide {key}"
    commands = (
        f"{decide} confirmed --by NAME --reason TEXT{rest}",
        f"{decide} dismissed --by NAME --reason TEXT{rest}",
        f"{decide} watching --by NAME{rest}",
        f"loadline review assign {key} --to NAME --due YYYY-MM-DD --by NAME{rest}",
        f"loadline review note {key} --text TEXT --by NAME{rest}",
        f"loadline review pack {key} --out evidence.xlsx --dataset {shlex.quote(dataset)}",
    )
    body = {"decision": "confirmed", "reason": "TEXT", "by": "NAME", "expected": alert.entry or None}
    address = f"/api/v1/alerts/{quote(alert.alert, safe='')}/dispositions?dataset={quote(dataset, safe='')}"
    return Ways(commands, f"POST {address}\n{json.dumps(body)}")
