"""Looking at every unit in every period as it was known then: what the detectors find, and how unusual it all is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.disturbances import disturbances
from features.vintages import Vintage
from models.detectors.catalogue import findings
from models.detectors.detector import Finding
from models.detectors.high_performance import HighPerformance, high_performance
from models.detectors.situation import Situation
from models.novelty import Novelty, novelty
from models.triage.prior import prior_score
from training.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class Looked:
    """What was found, period by period: arrays of P periods x U units.

    Attributes
    ----------
    first : int
        Ordinal of the first row.
    situation : Situation
        Of the last vintage, for the evidence behind what is found.
    findings : Mapping[str, Finding]
        By code of the detector; those that have nothing to say of the dataset are left out.
    high : HighPerformance
    disturbed : Mapping[str, np.ndarray]
        By reason: booleans.
    novelty : Novelty or None
        The unsupervised score; None where there are too few measures.
    prior : np.ndarray
        Scores from 0 to 1 that need no outcomes, NaN where nothing is known.
    """

    first: int
    situation: Situation
    findings: Mapping[str, Finding]
    high: HighPerformance
    disturbed: Mapping[str, np.ndarray]
    novelty: Novelty | None
    prior: np.ndarray


def look(stretches: Sequence[Vintage], *, progress: Progress = silent) -> Looked:
    """Run every detector, the novelty score and the prior score on each stretch of periods, as known in it.

    Parameters
    ----------
    stretches : sequence of Vintage
        From the first period with figures on, in order.
    progress : Progress
    """
    parts = []
    progress("looking", 0, len(stretches))
    for number, vintage in enumerate(stretches, start=1):
        parts.append((_part(vintage), vintage))
        progress("looking", number, len(stretches))
    if len(parts) == 1:
        return parts[0][0]
    last = parts[-1][0]
    shape = last.situation.shape

    def stitched(arrays: list[np.ndarray | None], blank: float | bool) -> np.ndarray:
        kind = next((array.dtype for array in arrays if array is not None), np.dtype(bool))
        out = np.full(shape, blank, dtype=kind)
        for array, (_, vintage) in zip(arrays, parts, strict=True):
            if array is not None:
                rows = slice(vintage.first - last.first, vintage.last - last.first + 1)
                out[rows] = array[rows]
        return out

    whole = {}
    for code, finding in last.findings.items():
        each = [part.findings.get(code) for part, _ in parts]
        whole[code] = Finding(
            None
            if finding.performance is None
            else stitched([None if one is None else one.performance for one in each], np.nan),
            stitched([None if one is None else one.risk for one in each], np.nan),
            stitched([None if one is None else one.met for one in each], False),
            finding.evidence,
        )
    highs = [part.high for part, _ in parts]
    high = HighPerformance(
        stitched([one.met for one in highs], False),
        None if last.high.p is None else stitched([one.p for one in highs], np.nan),
        stitched([one.attainment for one in highs], np.nan),
        stitched([one.rank for one in highs], np.nan),
        last.high.by,
        last.high.note,
    )
    novel = last.novelty
    if novel is not None:
        each = [part.novelty for part, _ in parts]
        novel = replace(
            novel,
            p=stitched([None if one is None else one.p for one in each], np.nan),
            score=stitched([None if one is None else one.score for one in each], np.nan),
        )
    return Looked(
        last.first,
        last.situation,
        whole,
        high,
        {reason: stitched([part.disturbed.get(reason) for part, _ in parts], False) for reason in last.disturbed},
        novel,
        stitched([part.prior for part, _ in parts], np.nan),
    )


def _part(vintage: Vintage) -> Looked:
    panel = vintage.panel
    disturbed = disturbances(panel, delays=vintage.delays)
    situation = Situation(panel, delays=vintage.delays, disturbed=disturbed)
    found = findings(situation)
    return Looked(
        panel.first,
        situation,
        found,
        high_performance(situation),
        disturbed,
        novelty(situation),
        prior_score(situation, found),
    )
