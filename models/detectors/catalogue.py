"""All detectors, known patterns first. A new pattern is an entry in its family's module."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from models.detectors import (
    concentration,
    conduct,
    earnings,
    evergreening,
    generic,
    growth,
    inclusive,
    people,
    recognition,
    scale,
    targets,
)
from models.detectors.detector import Detector, Finding
from models.detectors.situation import Situation

FAMILIES = (
    growth,
    recognition,
    evergreening,
    earnings,
    scale,
    conduct,
    people,
    concentration,
    inclusive,
    targets,
    generic,
)
"""Modules of one family each, or of a few that are akin; each gives its `DETECTORS`."""

DETECTORS: tuple[Detector, ...] = tuple(
    sorted(
        (detector for family in FAMILIES for detector in family.DETECTORS),
        key=lambda detector: (detector.family == "generic", detector.code),
    )
)
"""The catalogue: the known patterns W01 to W20, then the generic ones G01 and so on."""


def detectors_for(situation: Situation) -> tuple[Detector, ...]:
    """Give the detectors that have all they need in this data."""
    return tuple(detector for detector in DETECTORS if detector.applies(situation))


def findings(situation: Situation, *, threads: int = 2) -> Mapping[str, Finding]:
    """Run every detector that has something to say: by code."""
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda detector: detector.find(situation), DETECTORS))
    named = zip(DETECTORS, found, strict=True)
    return {detector.code: finding for detector, finding in named if finding is not None}
