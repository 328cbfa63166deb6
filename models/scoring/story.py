"""A score told as a whole: what it is, how it adds up, the largest shares in a difference, which rules applied."""

from __future__ import annotations

from collections.abc import Sequence

from models.scoring.conditions import YES
from models.scoring.engine import CardScores
from models.scoring.gaps import Against
from models.scoring.gates import STATED_STEP
from models.scoring.phrases import Text, hundredths, joined, plain, say, sentences, tenths
from models.scoring.points import SCORED
from models.scoring.rule_words import gate_text
from models.scoring.sentences import ROUNDING, Reason, unscored_text

TOLD = 3
"""Reasons told of each kind: the text is to be read, the table has them all."""
TREND_TOLD = 4
"""Periods of the course that are told."""


def lifts(reasons: Sequence[Reason]) -> list[Reason]:
    """List what adds points (拉分项), the largest first; rounding is none."""
    return sorted((r for r in reasons if r.cents > 0 and r.code != ROUNDING), key=lambda reason: -reason.cents)


def drags(reasons: Sequence[Reason]) -> list[Reason]:
    """List what takes points (扣分项), the largest first; rounding is none."""
    return sorted((r for r in reasons if r.cents < 0 and r.code != ROUNDING), key=lambda reason: reason.cents)


def by_control(reasons: Sequence[Reason]) -> tuple[int, int]:
    """Give the cents of what a unit's own manager can move (可控), and of what its surroundings set (环境)."""
    own = sum(reason.cents for reason in reasons if reason.controllable is True)
    return own, sum(reason.cents for reason in reasons if reason.controllable is False)


def score_story(
    scores: CardScores,
    row: int,
    *,
    unit: Text,
    period: Text,
    reference_tenths: int | None,
    against: Against,
    reasons: Sequence[Reason],
    extra: Sequence[Text] = (),
) -> Text:
    """Tell a score to someone without training.

    Parameters
    ----------
    scores : CardScores
    row : int
    unit : Text
        Its name.
    period : Text
        See `period_text`.
    reference_tenths : int or None
        The reference's stated score; None where there is nothing to compare with.
    against : {"target", "last_year", "peers"}
    reasons : sequence of Reason
        Of the difference; they add up to it.
    extra : sequence of Text
        What is told at the end, such as what would lift the score to the next grade.
    """
    if not scores.scored[row]:
        return withheld_story(scores, row, unit=unit, period=period)
    grade = int(scores.grade[row])
    unit = _spaced(unit)
    filled: dict[str, Text | str] = {"unit": unit, "period": period, "score": tenths(int(scores.tenths[row]))}
    if grade >= 0:
        told = [say("story.score.grade", grade=scores.policy.grades[grade].name, **filled)]
    else:
        told = [say("story.score", **filled)]
    told.append(say("story.sum", parts=joined(_parts(scores, row))))
    if reference_tenths is not None:
        told += _difference(int(scores.tenths[row]) - reference_tenths, reference_tenths, against, reasons)
    told += _rules(scores, row)
    missing = missing_items(scores, row)
    if missing:
        told.append(say("story.missing", list=joined(missing)))
        told.append(say("story.rescaled", assessed=plain(int(scores.assessed[row]))))
    return sentences([*told, *extra, say("story.caution")])


def withheld_story(scores: CardScores, row: int, *, unit: Text, period: Text) -> Text:
    """Tell why there is no score, and what is missing."""
    assessed = plain(int(scores.assessed[row]))
    rule = scores.policy.missing
    why = say("story.withheld.any")
    if rule.then == "rescale":
        why = say("story.withheld.share", assessed=assessed, least=plain(int(rule.least_weight * 100)))
    missing = joined(missing_items(scores, row))
    told = [say("story.withheld", unit=_spaced(unit), period=period), why, say("story.missing", list=missing)]
    return sentences(told)


def period_text(label: str) -> Text:
    """Write a period as its readers do.

    >>> period_text("2024-09"), period_text("2024-Q3"), period_text("2024")
    ({'en': '2024-09', 'zh': '2024年9月'}, {'en': '2024-Q3', 'zh': '2024年3季度'}, {'en': '2024', 'zh': '2024年'})
    """
    year, _, part = label.partition("-")
    if not part:
        return say("period.year", year=year)
    number = part.removeprefix("Q")
    return say(f"period.{'month' if number == part else 'quarter'}", year=year, part=_part(number))


def _part(number: str) -> Text:
    return {"en": number, "zh": number.lstrip("0")}


def missing_items(scores: CardScores, row: int) -> list[Text]:
    """Tell of each item without points why it has none."""
    codes = [item.indicator for item, state in zip(scores.card.items, scores.state[:, row], strict=True) if state]
    return [text for code in codes if (text := unscored_text(scores, code, row, listed=True)) is not None]


def trend_text(course: Sequence[tuple[Text, int]]) -> Text | None:
    """Tell the last stated scores (period, tenths), the earliest first; None where there is only one."""
    if len(course) < 2:
        return None
    each = [say("story.trend.one", period=period, score=tenths(score)) for period, score in course[-TREND_TOLD:]]
    return say("story.trend", list=joined(each))


def _spaced(name: Text) -> Text:
    """Set a name in Latin letters apart from the Chinese text that follows it."""
    return name | {"zh": name["zh"] + " "} if name["zh"][-1:].isascii() else name


def _parts(scores: CardScores, row: int) -> list[Text]:
    count = int((scores.state[:, row] == SCORED).sum())
    items = int(scores.items[:, row].sum())
    adjusted = int(scores.bonus[row] - scores.malus[row])
    gates = int(scores.gated[row] - scores.raw[row])
    rounding = int(scores.tenths[row]) * STATED_STEP - int(scores.gated[row])
    parts = [say("story.part.items", amount=hundredths(items), count=str(count))]
    named = (("adjustments", adjusted), ("gates", gates), ("rounding", rounding))
    return parts + [say(f"story.part.{name}", amount=_signed(cents)) for name, cents in named if cents]


def _difference(difference: int, base: int, against: Against, reasons: Sequence[Reason]) -> list[Text]:
    key = "equal" if difference == 0 else "higher" if difference > 0 else "lower"
    told_difference = say(f"story.{key}", amount=tenths(abs(difference)))
    told = [say(f"story.against.{against}", base=tenths(base), difference=told_difference)]
    for kind, found in (("lifts", lifts(reasons)), ("drags", drags(reasons))):
        if found:
            texts = joined((reason.text for reason in found[:TOLD]), "sentence.separator")
            told.append(say(f"story.{kind}", list=texts))
    if not any(reason.cents for reason in reasons):
        told.append(say("story.level"))
    own, given = by_control(reasons)
    if given:
        told.append(say("story.control", own=_signed(own), given=_signed(given)))
    return told


def _rules(scores: CardScores, row: int) -> list[Text]:
    applied = [number for number in range(len(scores.policy.gates)) if scores.acts[number, row] == YES]
    told = [
        gate_text(scores, number, row)
        for number in applied
        if scores.running[number + 1, row] != scores.running[number, row]
    ]
    return [say("story.gates", list=joined(told, "sentence.separator"))] if told else []


def _signed(cents: int) -> str:
    return ("+" if cents > 0 else "") + hundredths(cents)
