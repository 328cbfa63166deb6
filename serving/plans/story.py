"""How the target of a line comes about, in both languages: the steps from the last figure, adding up exactly."""

from __future__ import annotations

from typing import Any

from features.indicators import Indicator
from serving.explanation import explained
from serving.plans.plan import LEVELS, Line, Plan

NAN = float("nan")


def story_of(plan: Plan, line: Line, indicator: Indicator) -> dict[str, Any] | None:
    """Tell how a line's target comes about; None where it has none.

    Returns
    -------
    dict
        `drivers` (each `code`, `amount`, `text`) and `text` (`en`, `zh`), with what `serving.explanation.explained`
        gives beside.
    """
    if line.target is None or line.p_target is None:
        return None
    figures = {name: getattr(line, name) for name in ("last_actual", *LEVELS, "p_target")}
    figures |= {name: line.basis[name] for name in ("like_group", "expected", "suggested")}
    row: dict[str, Any] = {name: NAN if value is None else value for name, value in figures.items()}
    row |= {"unit": line.unit, "indicator": line.indicator, "year": plan.year, "evidence": line.evidence}
    row |= {name: getattr(plan, name) for name in ("model_version", "policy_version", "data_version")}
    return explained(row, indicator)
