"""The sentences in which results are told, in Chinese and English. No word claims a cause."""

from __future__ import annotations

from collections.abc import Sequence

from features.indicators import Indicator
from models.reasons import Step

STEP_WORDS = {
    "with_the_group": {"en": "growing as all units are expected to", "zh": "按全体机构的预期增速"},
    "own_course": {"en": "its own course against the others", "zh": "自身走势与全体之差"},
    "expected_change": {"en": "the change that is expected", "zh": "预期变化"},
    "room": {"en": "room so that it is attained as often as promised", "zh": "为达到承诺的达成概率所留余地"},
    "set_by_hand": {"en": "set by a goal or a person", "zh": "目标分解或人工设定的调整"},
}
"""What each step of a target is called."""


def signed(amount: float, decimals: int) -> str:
    """Write a difference with its sign; none for zero."""
    return f"{amount:,.{decimals}f}" if round(amount, decimals) == 0 else f"{amount:+,.{decimals}f}"


def target_sentence(
    indicator: Indicator, way: Sequence[Step], *, last: float | None, target: float, probability: float, decimals: int
) -> dict[str, str]:
    """Tell how a target comes about, so that the figures shown add up.

    Parameters
    ----------
    indicator : Indicator
    way : sequence of Step
    last, target : float
        In the indicator's unit; no last figure where the unit had none in the last year.
    probability : float
        Of attaining the target.
    decimals : int
        Of every figure shown.
    """
    parts = {
        language: [f"{STEP_WORDS[step.code][language]} {signed(step.amount, decimals)}" for step in way]
        for language in ("en", "zh")
    }
    begin = {"en": "No figure of the last year", "zh": "上期无数据"}
    if last is not None:
        begin = {
            "en": f"Last figure {last:,.{decimals}f} {indicator.unit}",
            "zh": f"上期实际{last:,.{decimals}f}（{indicator.unit}）",
        }
    figure = f"{target:,.{decimals}f}"
    end = {
        "en": f"target {figure} {indicator.unit}, attained with a probability of {probability:.0%}.",
        "zh": f"目标{figure}（{indicator.unit}），达成概率{probability:.0%}。",
    }
    return {
        "en": "; ".join([begin["en"], *parts["en"], end["en"]]),
        "zh": "；".join([begin["zh"], *parts["zh"], end["zh"]]),
    }
