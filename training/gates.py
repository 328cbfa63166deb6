"""What a model must show in the backtest before it may be promoted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

BASELINE = "pooled growth"

# A challenger serves an indicator only where it beats the baseline; a fallback is the baseline, and stands at 1.
LARGEST_LOSS_RATIO = 1.0

# Of outcomes inside the band that promises 80%. On the public panels that the recipe was chosen on, the methods to be
# refused covered 59 to 64%, pooled growth 75.5% and the recipe 81.5%; above 95% a band is too wide to steer by.
COVERAGE_LIMITS = (0.65, 0.95)

# Units share the shock of their year, so coverage is measured on origins rather than on outcomes: below three, one odd
# year decides. Below thirty outcomes the sampling error of a coverage of 0.8 passes 7 points, half the room it has.
FEWEST_ORIGINS = 3
FEWEST_OUTCOMES = 30

Effect = Literal["block", "sign_off"]

_NAMED_AT_MOST = 5  # indicators in a sentence


@dataclass(frozen=True, slots=True)
class Gate:
    """The result of one check.

    Attributes
    ----------
    name : str
    passed : bool
    measured : float or None
        The worst figure found; None where there was nothing to measure.
    threshold : tuple of float
        One limit, or the lowest and the highest allowed.
    text : Mapping[str, str]
        The finding as a sentence, by language (`en`, `zh`).
    effect : str
        What a failure means: `block`, or `sign_off` where a person may sign for it.
    """

    name: str
    passed: bool
    measured: float | None
    threshold: tuple[float, ...]
    text: Mapping[str, str]
    effect: Effect = "block"

    def as_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON."""
        return {**asdict(self), "threshold": list(self.threshold), "text": dict(self.text)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Gate:
        """Read what `as_dict` gave."""
        threshold, effect = tuple(plain["threshold"]), plain.get("effect", "block")
        return cls(plain["name"], plain["passed"], plain["measured"], threshold, dict(plain["text"]), effect)


@dataclass(frozen=True, slots=True)
class IndicatorEvidence:
    """What the backtest shows of one indicator.

    Attributes
    ----------
    indicator : str
    origins, outcomes : int
        Years forecast from, and outcomes compared over all of them.
    loss_ratio : float
        Pinball loss over that of the baseline; NaN where there was no backtest.
    coverage : float
        Share of outcomes inside the 80% band; NaN where there was none.
    fallback : bool
        The baseline is served instead of the challenger.
    low_evidence : bool
        Its suggestions are marked as resting on little evidence.
    """

    indicator: str
    origins: int
    outcomes: int
    loss_ratio: float
    coverage: float
    fallback: bool
    low_evidence: bool


def check_gates(evidence: Sequence[IndicatorEvidence]) -> tuple[Gate, ...]:
    """Check a model: it beats the baseline or is the baseline, its bands hold, and it rests on enough data.

    Coverage and amount of data are required of each indicator that is not openly marked as low in evidence.
    """
    return _beats_baseline(evidence), _coverage(evidence), _enough_data(evidence)


def _beats_baseline(evidence: Sequence[IndicatorEvidence]) -> Gate:
    challengers = [item for item in evidence if not item.fallback]
    failing = [item.indicator for item in challengers if not item.loss_ratio <= LARGEST_LOSS_RATIO]
    if failing:
        text = {
            "en": f"The challenger does not beat {BASELINE} for {_some(failing)}, and is used there.",
            "zh": f"以下指标未优于基准（合并增速）却仍在使用新模型：{_some(failing)}。",
        }
    else:
        counts = len(challengers), len(evidence) - len(challengers)
        text = {
            "en": f"Indicators better than {BASELINE}: {counts[0]}; served by {BASELINE} itself: {counts[1]}.",
            "zh": f"{counts[0]} 项指标优于基准（合并增速），{counts[1]} 项直接采用基准。",
        }
    worst = _worst([item.loss_ratio for item in challengers], key=float)
    return Gate("beats_baseline", not failing, worst, (LARGEST_LOSS_RATIO,), text)


def _coverage(evidence: Sequence[IndicatorEvidence]) -> Gate:
    lowest, highest = COVERAGE_LIMITS
    judged = [item for item in evidence if not item.low_evidence]
    failing = [item.indicator for item in judged if not lowest <= item.coverage <= highest]
    limits = f"{lowest:.0%}-{highest:.0%}"
    marked = len(evidence) - len(judged)
    if failing:
        text = {
            "en": f"The 80% band covers less or more than {limits} of outcomes for {_some(failing)}.",
            "zh": f"以下指标的 80% 区间实际覆盖率超出 {limits}：{_some(failing)}。",
        }
    else:
        text = {
            "en": f"Indicators whose 80% band covers {limits}: {len(judged)}; marked low evidence: {marked}.",
            "zh": f"{len(judged)} 项指标的 80% 区间覆盖率在 {limits} 之内，{marked} 项标注为依据不足。",
        }
    middle = (lowest + highest) / 2
    worst = _worst([item.coverage for item in judged], key=lambda share: abs(share - middle))
    return Gate("coverage", not failing, worst, COVERAGE_LIMITS, text)


def _enough_data(evidence: Sequence[IndicatorEvidence]) -> Gate:
    judged = [item for item in evidence if not item.low_evidence]
    failing = [item.indicator for item in judged if item.origins < FEWEST_ORIGINS or item.outcomes < FEWEST_OUTCOMES]
    marked = len(evidence) - len(judged)
    passed = bool(evidence) and not failing
    if not evidence:
        text = {"en": "No indicator could be modelled.", "zh": "没有可建模的指标。"}
    elif failing:
        text = {
            "en": f"Under {FEWEST_ORIGINS} origins or {FEWEST_OUTCOMES} outcomes, and not marked so: {_some(failing)}.",
            "zh": f"以下指标不足 {FEWEST_ORIGINS} 个预测起点或 {FEWEST_OUTCOMES} 个结果，且未标注：{_some(failing)}。",
        }
    else:
        text = {
            "en": f"Indicators with enough data: {len(judged)}; marked low evidence: {marked}.",
            "zh": f"{len(judged)} 项指标数据充足，{marked} 项标注为依据不足。",
        }
    fewest = min((item.origins for item in judged), default=None)
    measured = None if fewest is None else float(fewest)
    return Gate("enough_data", passed, measured, (float(FEWEST_ORIGINS), float(FEWEST_OUTCOMES)), text)


def _worst(values: Sequence[float], *, key: Any) -> float | None:
    return max((value for value in values if math.isfinite(value)), key=key, default=None)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" (+{more})" if more > 0 else "")
