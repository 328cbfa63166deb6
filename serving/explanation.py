"""A row of the kept suggestions as an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.indicators import Indicator
from models.reasons import steps
from models.wording import STEP_WORDS, target_sentence
from serving.console.formats import decimals_of

VERSIONS = ("model_version", "policy_version", "data_version")
"""Columns that every suggestion carries."""


def explained(row: Mapping[Any, Any], indicator: Indicator) -> dict[str, Any]:
    """Lay a row of the kept table out as an explanation; see `serving.planning.Planning.explain_target`."""
    decimals = decimals_of([float(row[name]) for name in ("floor", "target", "stretch") if row[name] == row[name]])
    way = steps(row, decimals=decimals)
    observed, target = row["last_actual"] == row["last_actual"], float(row["target"])
    last = round(float(row["last_actual"]), decimals) if observed else None
    text = target_sentence(
        indicator, way, last=last, target=target, probability=float(row["p_target"]), decimals=decimals
    )
    return {
        **{name: row[name] for name in ("unit", "indicator", "year")},
        "unit_of_measure": indicator.unit,
        "base_value": last,
        "prediction": target,
        "probability": float(row["p_target"]),
        "drivers": [{"code": step.code, "amount": step.amount, "text": STEP_WORDS[step.code]} for step in way],
        "text": text,
        **{name: row[name] for name in ("evidence", *VERSIONS)},
    }
