"""The checks by name: adding one is adding an entry here and in `checks.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from training.monitoring import drift_checks, outcome_checks, promises, warning_checks
from training.monitoring.finding import Finding
from training.monitoring.rules import Rule
from training.monitoring.watched import TargetWatch
from training.monitoring.watched_warning import WarningWatch

TARGET_CHECKS: Mapping[str, Callable[[TargetWatch, Rule], Finding]] = {
    "target.inputs": drift_checks.target_inputs,
    "target.predictions": drift_checks.target_predictions,
    "target.common_growth": outcome_checks.common_growth,
    "target.coverage": outcome_checks.coverage,
    "target.attainment": promises.attainment,
}
WARNING_CHECKS: Mapping[str, Callable[[WarningWatch, Rule], Finding]] = {
    "warning.inputs": warning_checks.inputs,
    "warning.predictions": warning_checks.predictions,
    "warning.alert_precision": warning_checks.alert_precision,
    "warning.outcomes": warning_checks.outcomes,
}
"""Each is a pure function of what it may look at and of its rule."""
