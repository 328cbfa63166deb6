"""How serious what is listed is, and which patterns stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from models.detectors.detector import Family, Finding
from models.detectors.legs import met_within

Severity = Literal["", "amber", "red"]
SEVERITIES: tuple[Severity, ...] = ("", "amber", "red")
"""In rising order: nothing to review, one pattern, and two independent families or a high probability."""
AMBER, RED = SEVERITIES.index("amber"), SEVERITIES.index("red")
RED_FAMILIES = 2
"""Independent families of patterns that make an alert red: domain brief, section 4."""
RED_PROBABILITY = 0.5
"""A calibrated probability that makes an alert red by itself: deterioration is more likely than not."""
RECENT_MONTHS = 3
"""A pattern that was met within a quarter counts: reports of one month waver around a threshold."""
NOT_INDEPENDENT: tuple[Family, ...] = ("generic",)
"""Generic patterns look again at what the named ones look at: they are no second reason."""


def recently_met(findings: Mapping[str, Finding], *, per_year: int) -> dict[str, np.ndarray]:
    """Tell by detector where its pattern was met within the last quarter: (P, U) booleans."""
    back = RECENT_MONTHS * per_year // 12
    return {code: met_within(finding.met, max(0, back - 1)) for code, finding in findings.items()}


def severities(
    recent: Mapping[str, np.ndarray],
    listed: np.ndarray,
    *,
    families: Mapping[str, Family],
    probability: np.ndarray | None = None,
    red_probability: float = RED_PROBABILITY,
) -> np.ndarray:
    """Grade what is listed: amber, or red for two independent families or a high probability.

    Parameters
    ----------
    recent : Mapping[str, np.ndarray]
        By detector: where its pattern was met lately (`recently_met`).
    listed : np.ndarray
        (P, U) booleans.
    families : Mapping[str, str]
        By detector: its family.
    probability : np.ndarray, optional
        (P, U) calibrated probability, NaN where no model has shown skill.
    red_probability : float

    Returns
    -------
    np.ndarray
        (P, U) int8 positions in `SEVERITIES`: 0 where not listed.
    """
    by_family: dict[str, np.ndarray] = {}
    for code, met in recent.items():
        family = families[code]
        if family not in NOT_INDEPENDENT:
            by_family[family] = by_family[family] | met if family in by_family else met
    count = np.zeros(listed.shape, dtype=np.int8)
    for met in by_family.values():
        count += met
    red = count >= RED_FAMILIES
    if probability is not None:
        red |= np.nan_to_num(probability, nan=0.0) >= red_probability
    return np.where(listed, np.where(red, RED, AMBER), 0).astype(np.int8)


def patterns_at(
    findings: Mapping[str, Finding],
    recent: Mapping[str, np.ndarray],
    rows: np.ndarray,
    units: np.ndarray,
    *,
    families: Mapping[str, Family],
) -> list[tuple[str, ...]]:
    """Name the patterns behind some unit-periods: those met lately, the strongest first, generic ones last.

    How strong a pattern was is told as of when it was last met.

    Parameters
    ----------
    findings : Mapping[str, Finding]
    recent : Mapping[str, np.ndarray]
        By detector: where its pattern was met lately (`recently_met`).
    rows, units : np.ndarray
        (N,) places.
    families : Mapping[str, str]
        By detector: its family.

    Returns
    -------
    list of tuple of str
        N tuples of codes; empty where none was met.
    """
    codes = sorted(findings)
    if not codes or not len(rows):
        return [()] * len(rows)
    joint = np.stack([_when_last_met(findings[code], recent[code], rows, units) for code in codes], axis=1)
    joint = np.where(np.isfinite(joint), joint, np.inf)
    joint += np.array([families[code] in NOT_INDEPENDENT for code in codes])  # a name says more
    met = np.stack([recent[code][rows, units] for code in codes], axis=1)
    order = np.argsort(joint, axis=1, kind="stable")
    return [tuple(codes[i] for i in ranks if met[place, i]) for place, ranks in enumerate(order)]


def _when_last_met(finding: Finding, recent: np.ndarray, rows: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Give the joint p-value of the row in which a pattern was last met; of the row itself where it was not lately."""
    at = np.array(rows)
    pending = recent[at, units] & ~finding.met[at, units]
    while pending.any():
        at = at - pending
        pending &= ~finding.met[at, units] & (at > 0)
    return finding.joint[at, units]
