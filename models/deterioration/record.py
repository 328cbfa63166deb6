"""What is kept of a fit: how each learner and the blend did on rows that they had not seen."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Any

import numpy as np
from scipy.special import expit

from models.deterioration.blending import Calibration
from models.deterioration.contest import Contest, Foretold
from models.deterioration.judging import calibration_table, measured, working_point
from models.deterioration.problem import DeteriorationProblem

SURE = 1.645
"""Standard errors by which the ranking must lie above chance: one chance in twenty of being taken in."""


def recorded(
    problem: DeteriorationProblem, used: DeteriorationProblem, found: Contest, calibration: Calibration
) -> dict[str, Any]:
    """Put the record together, as plain JSON.

    Parameters
    ----------
    problem : DeteriorationProblem
        All rows.
    used : DeteriorationProblem
        Those that were learned from.
    found : Contest
    calibration : Calibration
    """
    probability = calibration.probability(found.blend)
    given = used.y, probability, used.weight, used.period
    base = np.full(len(used), used.base_rate)
    total = sum(found.weights.values()) or 1.0
    contenders = _measured_each(found.grouped, used)
    for name, one in contenders.items():
        one |= {"share": found.weights.get(name, 0.0) / total, "setting": found.settings[name]}
    return {
        "rows": len(problem),
        "rows_used": len(used),
        "positives": problem.positives,
        "events": problem.events,
        "base_rate": problem.base_rate,
        "first": int(problem.period.min()),
        "last": int(problem.period.max()),
        "base": _plain(measured(used.y, base, used.weight, used.period)),
        "contenders": contenders,
        "blend": _plain(measured(*given)),
        "forward": _forward(used, found, calibration),
        "calibration": calibration_table(used.y, probability, used.weight),
        "working_point": working_point(*given),
        "replaced_by": found.replaced_by,
    }


def _measured_each(foretold: Foretold, used: DeteriorationProblem) -> dict[str, dict[str, Any]]:
    seen = used.rows(foretold.rows)
    return {
        name: _plain(measured(seen.y, expit(foretold.margins[place]), seen.weight, seen.period))
        for place, name in enumerate(foretold.names)
    }


def _forward(used: DeteriorationProblem, found: Contest, calibration: Calibration) -> dict[str, Any] | None:
    if found.forward is None or found.forward_blend is None:
        return None
    seen = used.rows(found.forward.rows)
    probability = calibration.probability(found.forward_blend)
    return {
        "rows": len(seen),
        "positives": seen.positives,
        "contenders": _measured_each(found.forward, used),
        "blend": _plain(measured(seen.y, probability, seen.weight, seen.period)),
        "working_point": working_point(seen.y, probability, seen.weight, seen.period),
    }


def _plain(figures: dict[str, float]) -> dict[str, Any]:
    return {name: float(value) if isfinite(value) else None for name, value in figures.items()}


def shows_skill(record: dict[str, Any]) -> bool:
    """Tell whether the blend lost less than the base rate and ranked better than chance, out of fold and over time."""
    area, blend = record["blend"]["auc"], record["blend"]
    better = blend["log_loss"] < record["base"]["log_loss"]
    sure = area - SURE * error_of_area(area, record["events"]) > 0.5
    forward = record["forward"]
    if forward is None:
        return bool(better and sure)
    later = forward["blend"]["auc_within"] or forward["blend"]["auc"]
    return bool(better and sure and later > 0.5)


def error_of_area(area: float, events: int) -> float:
    """Give the standard error of an area under the curve among very many uneventful rows; an event counts as one.

    Source: Hanley and McNeil, The meaning and use of the area under a ROC curve (1982).
    """
    return sqrt(max(2 * area**2 / (1 + area) - area**2, 0.0) / max(events, 1))
