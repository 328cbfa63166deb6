"""Patterns of a unit in words: which were met, which came nearest, and how each has done on the data at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.alert_story.phrases import USUAL, Text, followed, one_in, percent, say, text_of
from models.detectors.catalogue import DETECTORS
from models.detectors.detector import Detector, Finding
from models.triage.severity import NOT_INDEPENDENT

BY_CODE: Mapping[str, Detector] = {detector.code: detector for detector in DETECTORS}
UNSHOWN = ("silent", "unlabelled", "too_few")
"""Verdicts that no share stands behind."""
FAILING = ("weak", "no_better", "worse")
"""Verdicts of a pattern that does not hold on this data."""


@dataclass(frozen=True)
class PastRecord:
    """How a pattern has done on the data at hand.

    Attributes
    ----------
    fired, episodes : int
        Unit-periods in which it was met, and runs of them.
    matured, hits : int
        Episodes whose outcome is known, and those followed by deterioration.
    precision, low, high : float or None
        Hits among the matured, with the interval.
    base_rate : float or None
        Share of all units that deteriorated after the same periods.
    lead_months : float or None
        Median from the signal to the deterioration.
    verdict : str
        `silent`, `unlabelled`, `too_few`, `holds`, `weak`, `no_better` or `worse`.
    verdict_text : Text
    """

    fired: int
    episodes: int
    matured: int
    hits: int
    precision: float | None
    low: float | None
    high: float | None
    base_rate: float | None
    lead_months: float | None
    verdict: str
    verdict_text: Text

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> PastRecord:
        """Read a row of the detectors' track record."""

        def known(name: str) -> float | None:
            return float(row[name]) if math.isfinite(row[name]) else None

        return cls(
            fired=int(row["fired"]),
            episodes=int(row["episodes"]),
            matured=int(row["matured"]),
            hits=int(row["hits"]),
            precision=known("precision"),
            low=known("low"),
            high=known("high"),
            base_rate=known("base_rate"),
            lead_months=known("lead_months"),
            verdict=str(row["verdict"]),
            verdict_text={"en": str(row["verdict_en"]), "zh": str(row["verdict_zh"])},
        )

    @property
    def judged(self) -> bool:
        """Tell whether there were enough cases to say anything."""
        return self.verdict not in UNSHOWN and None not in (self.precision, self.low, self.high, self.base_rate)


@dataclass(frozen=True)
class Pattern:
    """A pattern of a unit in a period.

    Attributes
    ----------
    detector : Detector
    met : bool
        Lately: in this period or within the quarter.
    ago : int
        Periods since it was last met; 0 for now, and where it was not met.
    p, performance_p, risk_p : float or None
        One-sided p-values, of then: of both legs together, and of each.
    strength : Text
        How rare that is.
    record : PastRecord or None
    record_text : Text
    """

    detector: Detector
    met: bool
    ago: int
    p: float | None
    performance_p: float | None
    risk_p: float | None
    strength: Text
    record: PastRecord | None
    record_text: Text

    @property
    def title(self) -> Text:
        """Give what it is called."""
        return text_of(self.detector.title)


def patterns_of(
    findings: Mapping[str, Finding],
    recent: Mapping[str, np.ndarray],
    *,
    row: int,
    unit: int,
    records: Mapping[str, PastRecord],
) -> tuple[Pattern, ...]:
    """List the patterns that say anything of a unit: those met lately first, then by how unusual they were.

    Of those met, generic ones go last, as in `models.triage.severity.patterns_at`: the first gives an alert its title.

    Parameters
    ----------
    findings : Mapping[str, Finding]
        By code.
    recent : Mapping[str, np.ndarray]
        By code: (P, U) booleans, where the pattern was met lately.
    row, unit : int
        Place in their arrays.
    records : Mapping[str, PastRecord]
        By code.
    """
    found: list[Pattern] = []
    for code, finding in findings.items():
        met = bool(recent[code][row, unit])
        at = _last_met(finding, row, unit) if met else row
        p = _known(finding.joint[at, unit])
        if p is None:
            continue
        record = records.get(code)
        found.append(
            Pattern(
                BY_CODE[code],
                met,
                row - at,
                p,
                None if finding.performance is None else _known(finding.performance[at, unit]),
                _known(finding.risk[at, unit]),
                say("one_in.common") if met and p >= USUAL else one_in(p),
                record,
                record_text(record),
            )
        )

    def place(pattern: Pattern) -> tuple[bool, bool, float]:
        generic = pattern.detector.family in NOT_INDEPENDENT
        return not pattern.met, pattern.met and generic, np.inf if pattern.p is None else pattern.p

    return tuple(sorted(found, key=place))


def record_text(record: PastRecord | None) -> Text:
    """Tell how a pattern has done on the data at hand."""
    if record is None:
        return say("record.none")
    counts = {name: f"{getattr(record, name):,}" for name in ("episodes", "matured", "hits")}
    if record.verdict in UNSHOWN:
        return say(f"record.{record.verdict}", **counts)
    shares = (record.precision, record.low, record.high, record.base_rate)
    precision, low, high, base = (percent(share) if share is not None else "-" for share in shares)
    told = say(
        "record.judged", precision=precision, low=low, high=high, base=base, verdict=record.verdict_text, **counts
    )
    if record.lead_months is None:
        return told
    return followed(told, say("record.lead", months=f"{record.lead_months:.0f}"))


def _last_met(finding: Finding, row: int, unit: int) -> int:
    """Give the last row in which a pattern was met."""
    return int(np.flatnonzero(finding.met[: row + 1, unit])[-1])


def _known(p: float) -> float | None:
    return float(p) if np.isfinite(p) else None
