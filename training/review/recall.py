"""How much of what a reviewer would confirm was on the list: estimated from the draws below the line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.review.case import Case
from training.review.record import Drawing, Record

SEED = 20240101
"""Of the draws by which the interval is found."""
DRAWS = 20_000
"""The ends of the interval then stand still to a percentage point."""
LEVEL = 0.90
PRIOR = 0.5
"""Jeffreys' prior for a share: intervals of it are honest for small counts (L. Brown, T. Cai, A. DasGupta, 2001)."""
SMALL = 30
"""Draws reviewed below which the estimate is called rough: a rule of thumb of sampling practice."""


@dataclass(frozen=True)
class RecallEstimate:
    """What the draws say.

    Attributes
    ----------
    recall : float or None
        Of unit-periods that a reviewer would confirm, the share that was on the list; None where nothing can be said.
    low, high : float or None
        Of a 90% interval.
    reviewed_above, confirmed_above : int
        Unit-periods on the list that were decided, and confirmed, in the periods drawn for.
    reviewed_below, confirmed_below : int
        The same of the drawn.
    above, below : int
        Unit-periods on the list, and below the line, in those periods.
    periods : int
        Periods that were drawn for.
    note : dict
        What to make of it, `en` and `zh`.
    """

    recall: float | None
    low: float | None
    high: float | None
    reviewed_above: int
    confirmed_above: int
    reviewed_below: int
    confirmed_below: int
    above: int
    below: int
    periods: int
    note: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Give the estimate as plain data."""
        return asdict(self)


def estimated_recall(record: Record) -> RecallEstimate:
    """Estimate recall over the periods that were drawn for.

    Above the line, what is not decided yet counts as likely to be confirmed as what is. Below it the confirmed are
    weighted by one over their chance of being drawn (Horvitz and Thompson, 1952), raised for draws not decided yet.
    The interval takes both shares as uncertain (beta, Jeffreys' prior), the one below the line with the effective
    number of draws (L. Kish, 1965); with none confirmed below it reaches to 1, since nothing missed is then possible.
    """
    draws = record.draws
    above = [record.cases[key] for drawing in draws for key in drawing.above if key in record.cases]
    seen_above = [case.verdict for case in above if case.verdict is not None]
    hits = sum(seen_above)
    below = sum(drawing.below for drawing in draws)
    weights, verdicts = _drawn(draws, record.cases)
    found = int(verdicts.sum())
    recall = low = high = None
    if len(verdicts) and (hits or found):
        share = hits / len(seen_above) if seen_above else 0.0
        caught = hits + share * (len(above) - len(seen_above))
        drawn = sum(len(drawing.chances) for drawing in draws)
        missed = float((weights * verdicts).sum()) * drawn / len(verdicts)
        recall = caught / (caught + missed) if caught + missed else None
        low, high = _interval(len(above), len(seen_above), hits, below, weights, verdicts)
        if recall is not None:  # with none confirmed on a side, it is an end of what is possible
            low, high = min(low, recall), max(high, recall)
    note = _note(len(draws), len(verdicts), found, recall)
    return RecallEstimate(
        recall, low, high, len(seen_above), hits, len(verdicts), found, len(above), below, len(draws), note
    )


def _drawn(draws: Sequence[Drawing], cases: Any) -> tuple[np.ndarray, np.ndarray]:
    weights, verdicts = [], []
    for drawing in draws:
        for key, chance in drawing.chances.items():
            case: Case | None = cases.get(key)
            if case is not None and case.verdict is not None:
                weights.append(1.0 / chance)
                verdicts.append(case.verdict)
    return np.array(weights), np.array(verdicts, dtype=bool)


def _interval(
    above: int, seen: int, hits: int, below: int, weights: np.ndarray, verdicts: np.ndarray
) -> tuple[float, float]:
    rng = np.random.default_rng(SEED)
    caught = hits + (above - seen) * rng.beta(hits + PRIOR, seen - hits + PRIOR, DRAWS)
    total = float(weights.sum())
    effective = total**2 / float((weights**2).sum())
    share = float((weights * verdicts).sum()) / total
    missed = below * rng.beta(effective * share + PRIOR, effective * (1 - share) + PRIOR, DRAWS)
    recall = caught / np.maximum(caught + missed, math.ulp(1.0))
    low, high = np.quantile(recall, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _note(periods: int, reviewed: int, found: int, recall: float | None) -> dict[str, str]:
    if not periods:
        return {
            "en": "Nothing was drawn from below the line yet, so what the list misses cannot be told.",
            "zh": "尚未从名单线下抽样，无法估计漏报情况。",
        }
    if not reviewed:
        return {
            "en": "None of the units drawn from below the line is decided yet; decide them as if they were listed.",
            "zh": "线下抽样机构尚无处置结论，请按名单内预警同等标准核查。",
        }
    if recall is None:
        return {
            "en": "Nothing was confirmed yet, above the line or below, so there is no share to give.",
            "zh": "线上线下均尚无确认的预警，无法给出比例。",
        }
    rough = reviewed < SMALL
    en = f"Rests on {reviewed:,} reviewed draws from below the line, {found:,} of them confirmed, "
    en += f"in {periods:,} periods."
    zh = f"依据{periods:,}期线下抽样中已核查的{reviewed:,}户，其中确认{found:,}户。"
    if rough:
        en += f" That is a small sample (under {SMALL}): read the interval rather than the figure."
        zh += f"样本较小（不足{SMALL}户），请以区间为准，点估计仅供参考。"
    en += " Alerts not decided yet count like those that are, and those decided first may be the clearest."
    zh += "未处置的预警按已处置的确认比例推算；优先处置的往往较为明显，估计可能偏高。"
    return {"en": en, "zh": zh}
