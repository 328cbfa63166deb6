"""Looking at every unit in every period as it was known then: what the detectors find, and how unusual it all is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

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

Name = tuple[str, str]
FINDING, HIGH, NOVELTY = ("performance", "risk", "met"), ("met", "p", "attainment", "rank"), ("p", "score")
"""What is known period by period of a finding, of high performance and of the novelty score."""


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


def look(stretches: Sequence[Vintage], *, threads: int = 2, progress: Progress = silent) -> Looked:
    """Run every detector, the novelty score and the prior score on each stretch of periods, as known in it.

    Of stretches before the last one only their own rows are kept, and so many are looked at at a time as there are
    threads: where figures come late there is a stretch a period.

    Parameters
    ----------
    stretches : sequence of Vintage
        From the first period with figures on, in order.
    threads : int
    progress : Progress
    """
    *earlier, last = stretches
    progress("looking", 0, len(stretches))
    whole = _looked(last, threads=threads)
    progress("looking", 1, len(stretches))
    if not earlier:
        return whole
    series = {}
    for name, array in _series(whole).items():
        series[name] = np.full(array.shape, False if array.dtype == bool else np.nan, dtype=array.dtype)
        series[name][last.first - whole.first :] = array[last.first - whole.first :]

    def own_rows(vintage: Vintage) -> tuple[slice, dict[Name, np.ndarray]]:
        rows = slice(vintage.first - whole.first, vintage.last - whole.first + 1)
        return rows, {name: array[rows].copy() for name, array in _series(_looked(vintage, threads=1)).items()}

    with ThreadPoolExecutor(threads) as pool:
        for number, (rows, found) in enumerate(pool.map(own_rows, earlier), start=2):
            for name in series.keys() & found.keys():
                series[name][rows] = found[name]
            progress("looking", number, len(stretches))
    return _with_series(whole, series)


def _looked(vintage: Vintage, *, threads: int) -> Looked:
    panel = vintage.panel
    disturbed = disturbances(panel, delays=vintage.delays)
    situation = Situation(panel, delays=vintage.delays, disturbed=disturbed)
    found = findings(situation, threads=threads)
    with ThreadPoolExecutor(threads) as pool:
        novel = pool.submit(novelty, situation)
        prior = pool.submit(prior_score, situation, found)
    high = high_performance(situation)
    situation.forget()  # what evidence is asked for later is little of it
    return Looked(panel.first, situation, found, high, disturbed, novel.result(), prior.result())


def _series(looked: Looked) -> dict[Name, np.ndarray]:
    """Name the arrays whose rows are taken from the stretches that they fall in."""
    high, novel = looked.high, looked.novelty
    found: dict[Name, np.ndarray | None] = {("", "prior"): looked.prior}
    for code, finding in looked.findings.items():
        found |= {(code, part): getattr(finding, part) for part in FINDING}
    found |= {("high", part): getattr(high, part) for part in HIGH}
    found |= {("disturbed", reason): where for reason, where in looked.disturbed.items()}
    if novel is not None:
        found |= {("novelty", part): getattr(novel, part) for part in NOVELTY}
    return {name: array for name, array in found.items() if array is not None}


def _with_series(looked: Looked, series: Mapping[Name, np.ndarray]) -> Looked:
    """Put other rows in place."""

    def parts(of: str, names: tuple[str, ...]) -> dict[str, Any]:
        return {part: series[of, part] for part in names if (of, part) in series}

    findings = {code: replace(finding, **parts(code, FINDING)) for code, finding in looked.findings.items()}
    novel = looked.novelty
    return replace(
        looked,
        findings=findings,
        high=replace(looked.high, **parts("high", HIGH)),
        disturbed={reason: series["disturbed", reason] for reason in looked.disturbed},
        novelty=None if novel is None else replace(novel, **parts("novelty", NOVELTY)),
        prior=series["", "prior"],
    )
