"""The sentences in which results are told, in Chinese and English. No word claims a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.indicators import Indicator
from models.measures import measure_words
from models.reasons import Step

STEP_WORDS = {
    "with_the_group": {"en": "growing as all units are expected to", "zh": "按全体机构的预期增速"},
    "own_course": {"en": "its own course against the others", "zh": "自身走势与全体之差"},
    "expected_change": {"en": "the change that is expected", "zh": "预期变化"},
    "room": {"en": "room so that it is attained as often as promised", "zh": "为达到承诺的达成概率所留余地"},
    "set_by_hand": {"en": "set by a goal or a person", "zh": "目标分解或人工设定的调整"},
}
"""What each step of a target is called."""

COURSE_WORDS = {
    "reference": {"en": "the course expected of {against}", "zh": "{against}的预期走势"},
    "recent_growth": {"en": "its growth of the last two years", "zh": "近两年增长"},
    "usual_growth": {"en": "its average growth over the years", "zh": "历年平均增长"},
    "volatility": {"en": "how much its growth varies", "zh": "增长的波动程度"},
    "level": {"en": "its level against the others", "zh": "与其他机构相比的水平"},
    "departure": {"en": "its level against what is usual for it", "zh": "与自身常年水平之差"},
    "size": {"en": "its size", "zh": "规模"},
    "peers_growth": {"en": "growth of its peers", "zh": "同类组增长"},
    "newcomer": {"en": "having joined lately", "zh": "新设机构的差别"},
    "own_series": {"en": "its own series continued", "zh": "自身历史序列的延续"},
    "carried": {"en": "what its last periods carry over", "zh": "最近各期的结转"},
    "spread": {"en": "an uneven spread of what may come", "zh": "可能结果分布不对称的部分"},
}
"""What each part of a unit's own course is called; `{against}` stands for what it is held against."""

AGAINST_WORDS = {
    "peers": {"en": "the middle of its peers", "zh": "同类组中位水平"},
    "group": {"en": "the middle of all units", "zh": "全体机构中位水平"},
    "last_year": {"en": "itself a year ago", "zh": "自身一年前状况"},
}
"""What a unit is held against."""

COURSE_NOTES = {
    "total": {
        "en": "This is a total of the units below, and each of them has an explanation of its own.",
        "zh": "该目标由下级机构汇总而成，可分别查看各下级机构的说明。",
    },
    "no_start": {
        "en": "There is no last figure to grow from, so its own course is not told apart.",
        "zh": "上期无可用数据，无法单列自身走势。",
    },
    "pooled": {
        "en": "All units are expected to grow alike on this indicator, so no feature of the unit plays a part.",
        "zh": "该指标对全体机构采用相同的预期增速，未使用机构自身特征。",
    },
    "few": {
        "en": "There are too few units to hold it against.",
        "zh": "可对照的机构过少，不作对照说明。",
    },
}
"""Why there is less to tell than usual."""


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
    measure = measure_words(indicator, "after")
    if last is not None:
        begin = {
            "en": f"Last figure {last:,.{decimals}f}{measure['en']}",
            "zh": f"上期实际{last:,.{decimals}f}{measure['zh']}",
        }
    figure = f"{target:,.{decimals}f}"
    end = {
        "en": f"target {figure}{measure['en']}, attained with a probability of {probability:.0%}.",
        "zh": f"目标{figure}{measure['zh']}，达成概率{probability:.0%}。",
    }
    return {
        "en": "; ".join([begin["en"], *parts["en"], end["en"]]),
        "zh": "；".join([begin["zh"], *parts["zh"], end["zh"]]),
    }


def course_part_words(code: str, against: str | None) -> dict[str, str]:
    """Give what a part of a unit's own course is called, held against a key of `AGAINST_WORDS`.

    >>> course_part_words("reference", "peers")
    {'en': 'the course expected of the middle of its peers', 'zh': '同类组中位水平的预期走势'}
    """
    held = AGAINST_WORDS[against] if against is not None else {}
    return {language: text.format(against=held.get(language, "")) for language, text in COURSE_WORDS[code].items()}


def course_sentence(parts: Mapping[str, float], *, total: float, against: str | None, decimals: int) -> dict[str, str]:
    """Tell a unit's own course part by part; parts that show as zero are left out, and what is shown adds up.

    Parameters
    ----------
    parts : Mapping
        Rounded amounts by code of `COURSE_WORDS`.
    total : float
        What they add up to.
    against : str or None
        A key of `AGAINST_WORDS`; None where no part depends on it.
    decimals : int
        Of every figure shown.
    """
    shown = [(course_part_words(code, against), amount) for code, amount in parts.items() if round(amount, decimals)]
    en, zh = ([f"{words[language]} {signed(amount, decimals)}" for words, amount in shown] for language in ("en", "zh"))
    begin = {"en": f"Its own course {signed(total, decimals)}", "zh": f"自身走势{signed(total, decimals)}"}
    if against is not None:
        held = AGAINST_WORDS[against]
        begin = {"en": f"{begin['en']}, held against {held['en']}", "zh": f"{begin['zh']}，与{held['zh']}对照"}
    if not shown:
        return {"en": f"{begin['en']}: nothing to tell apart.", "zh": f"{begin['zh']}：无可细分的差别。"}
    return {
        "en": f"{begin['en']}: {'; '.join(en)} (told on the scale of growth, converted in proportion).",
        "zh": f"{begin['zh']}：{'；'.join(zh)}（由增长尺度按比例折算）。",
    }
