"""Models on record as the pages lay them out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from features.indicators import Title
from serving.console.formats import Reader
from serving.console.model_chart import Gauge, YearChart, draw_gauge, draw_years
from serving.model_schemas import ModelGate, ModelVersionDetail

BASELINE_LEVEL = 1.0
"""Losses are told over that of the baseline, which itself stands here."""
DIGITS = 4
"""Significant digits of what a gate measured."""
AMOUNTS = frozenset({"enough_data", "enough_cases"})
"""Gates whose limits are the least of several things, and no range on one scale."""


@dataclass(frozen=True)
class GateRow:
    """A gate with its name and its drawing."""

    gate: ModelGate
    title: str
    measured: str
    limits: str
    gauge: Gauge | None


def gate_rows(found: ModelVersionDetail, titles: Mapping[str, Title], reader: Reader) -> list[GateRow]:
    """Lay the gates out, those that were not passed first."""
    rows = [_gate_row(gate, titles.get(gate.name), reader) for gate in found.checks]
    return sorted(rows, key=lambda row: row.gate.passed)


def gate_titles(home: Path, kind: str) -> dict[str, Title]:
    """Give the names of the gates of a kind of model by their codes; none where the home's rules cannot be read."""
    from training.gating.rules import GateRules

    try:
        rules = GateRules.read(home).rules
    except LoadlineError:
        return {}
    return {rule.name: rule.title for rule in rules if rule.subject == kind}


def figure_text(value: float | None) -> str:
    """Write a figure with few digits."""
    return "–" if value is None else f"{value:.{DIGITS}g}"


def _gate_row(gate: ModelGate, title: Title | None, reader: Reader) -> GateRow:
    several = gate.name in AMOUNTS
    limits = ("; " if several else reader.say("model.to")).join(figure_text(limit) for limit in gate.threshold)
    return GateRow(
        gate,
        gate.name if title is None else reader.name(title.en, title.zh),
        figure_text(gate.measured),
        limits or "–",
        None if several else draw_gauge(gate.measured, gate.threshold),
    )


def compared_years(found: ModelVersionDetail) -> tuple[YearChart | None, bool]:
    """Draw the losses by year; also tell whether the champion's are among them."""
    if found.comparison is None:
        return None, False
    years = found.comparison.years
    own = [row.challenger if row.challenger is not None else row.loss_ratio for row in years]
    other = [row.champion for row in years]
    chart = draw_years([row.year for row in years], own, other, level=BASELINE_LEVEL)
    return chart, any(value is not None for value in other)


@dataclass(frozen=True)
class EvidenceRow:
    """What past years show of one indicator and level."""

    indicator: str
    served_by: str
    origins: int | None
    outcomes: int | None
    loss: float | None
    coverage: float | None
    low: bool


def evidence_rows(found: ModelVersionDetail) -> list[EvidenceRow]:
    """Read what past years show; rows that say something else are left out."""
    return [
        EvidenceRow(
            str(row["indicator"]),
            str(row.get("served_by", "")),
            row.get("origins"),
            row.get("outcomes"),
            row["loss_to_pooled_growth"],
            row.get("coverage_80"),
            bool(row.get("low_evidence")),
        )
        for row in found.evidence
        if "indicator" in row and "loss_to_pooled_growth" in row
    ]


@dataclass(frozen=True)
class ModelWays:
    """How to decide about a model: commands for a terminal, and a request for a program; blank where there is none."""

    commands: tuple[str, ...]
    request: str


def ways_to_decide(found: ModelVersionDetail) -> ModelWays:
    """Give the command and the request that promote a version, or go back from it where it serves."""
    name = shlex.quote(found.model)
    who = "--by NAME --reason TEXT"
    if found.state == "champion":
        body = {"by": "NAME", "reason": "TEXT", "expected_champion": found.version}
        request = f"POST /api/v1/models/{found.model}/rollback\n{json.dumps(body)}"
        return ModelWays((f"loadline models rollback {name} {who}",), request)
    codes = {obstacle.code for obstacle in found.obstacles}
    asked: dict[str, Any] = {"version": found.version, "by": "NAME", "reason": "TEXT"}
    asked["expected_champion"] = found.champion
    more = ""
    if "signature" in codes:
        more, asked = " --sign", asked | {"sign": True}
    if codes & {"gates", "comparison"}:
        more, asked = f"{more} --force", asked | {"force": True}
    command = f"loadline models promote {name} --version {found.version} {who}{more}"
    return ModelWays((command,), f"POST /api/v1/models/{found.model}/promote\n{json.dumps(asked)}")
