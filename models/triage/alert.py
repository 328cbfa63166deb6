"""The alert: one episode of one unit, put before a person for review."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from features.indicators import Title

Severity = Literal["", "amber", "red"]
SEVERITIES: tuple[Severity, ...] = ("", "amber", "red")
"""In rising order: nothing to review, one pattern, and two independent families or a high probability."""


@dataclass(frozen=True)
class Alert:
    """One episode of a unit: raised once, then updated while it lasts.

    Attributes
    ----------
    unit : str
    first, last : str
        The period in which it was raised, and the last one in which it was on the list.
    period : str
        The period in which its score was highest; `score`, `severity`, `detectors`, `title` are of then.
    score : float
        From 0 to 1, what the list is ranked by.
    probability : float or None
        Calibrated probability of deterioration; None where no model has shown that it can tell.
    severity : {"amber", "red"}
    detectors : tuple of str
        Codes of the patterns that were met, the strongest first.
    title : Title
    """

    unit: str
    first: str
    last: str
    period: str
    score: float
    probability: float | None
    severity: Severity
    detectors: tuple[str, ...]
    title: Title

    @property
    def key(self) -> str:
        """Name the alert for good: the unit and the period in which it was raised."""
        return f"{self.unit}@{self.first}"
