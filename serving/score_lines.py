"""A score as lines and gates, each told in a sentence; the amounts add up to the score as stated."""

from __future__ import annotations

import math
from collections.abc import Iterator

from features.indicators import Title
from models.scoring.case import case_of
from models.scoring.conditions import NO, UNKNOWN
from models.scoring.engine import CardScores
from models.scoring.gates import STATED_STEP
from models.scoring.phrases import Text, plain, points_text, say
from models.scoring.points import SCORED
from models.scoring.rule_words import adjustment_text, gate_text
from models.scoring.sentences import item_text
from serving.schemas import Sentence
from serving.score_schemas import ScoreGate, ScoreLine


def score_lines(scores: CardScores, row: int) -> list[ScoreLine]:
    """Lay a score out: items, adjustments, their limits, gates that change it, rounding."""
    found = [_item(scores, number, row) for number in range(len(scores.card.items))]
    found += _adjustments(scores, row)
    found += _limits(scores, row)
    for number, gate in enumerate(scores.policy.gates):
        cents = int(scores.running[number + 1, row] - scores.running[number, row])
        if cents:
            text = gate_text(scores, number, row)
            found.append(_line("gate", gate.id, gate.title, cents=cents, text=text))
    rounding = int(scores.tenths[row]) * STATED_STEP - int(scores.gated[row])
    if rounding:
        text = say("line.rounding", points=points_text(rounding))
        found.append(_line("rounding", "rounding", say("rounding.name"), cents=rounding, text=text))
    return found


def score_gates(scores: CardScores, row: int) -> list[ScoreGate]:
    """Tell every gate of the policy, whether it applies or not."""
    found = []
    for number, gate in enumerate(scores.policy.gates):
        state = scores.acts[number, row]
        found.append(
            ScoreGate(
                id=gate.id,
                kind=gate.kind,
                name=sentence(gate.title),
                applies=None if state == UNKNOWN else bool(state != NO),
                amount=points(int(scores.running[number + 1, row] - scores.running[number, row])),
                text=sentence(gate_text(scores, number, row)),
            )
        )
    return found


def sentence(text: Text | Title) -> Sentence:
    """Give a text as answers have it."""
    return Sentence(en=text.en, zh=text.zh) if isinstance(text, Title) else Sentence(en=text["en"], zh=text["zh"])


def points(cents: int) -> float:
    """Give hundredths of a point as points: the float that is written with two decimals at most."""
    return cents / 100


def known(value: float) -> float | None:
    """Give a figure, or None where there is none."""
    return float(value) if math.isfinite(value) else None


def _line(kind: str, code: str, name: Text | Title, *, cents: int, text: Text, **more: object) -> ScoreLine:
    about = dict.fromkeys(("unit_of_measure", "weight", "figure", "reference", "points")) | more
    filled = {"kind": kind, "code": code, "name": sentence(name), "amount": points(cents), "text": sentence(text)}
    return ScoreLine.model_validate(filled | about)


def _item(scores: CardScores, number: int, row: int) -> ScoreLine:
    item = scores.card.items[number]
    indicator = scores.indicators[item.indicator]
    there = scores.state[number, row] == SCORED
    reference = None
    if item.compares:
        case = case_of(item, scores.facts, indicator, scores.policy.targets)
        reference = known(case.compared_with(float)[row])
    return _line(
        "item",
        item.indicator,
        indicator.name,
        cents=int(scores.items[number, row]) if there else 0,
        text=item_text(scores, number, row),
        unit_of_measure=indicator.unit,
        weight=points(int(scores.weights[number, row])),
        figure=known(scores.facts.of("actual", item.indicator)[row]),
        reference=reference,
        points=points(int(scores.points[number, row])) if there else None,
    )


def _adjustments(scores: CardScores, row: int) -> Iterator[ScoreLine]:
    for number, adjustment in enumerate(scores.card.adjustments):
        text = adjustment_text(scores, number, row)
        if text is None:
            continue
        indicator = scores.indicators[adjustment.when.indicator]
        yield _line(
            "adjustment",
            adjustment.id,
            adjustment.title,
            cents=int(scores.adjustments[number, row]),
            text=text,
            unit_of_measure=indicator.unit,
            figure=known(scores.facts.of("actual", indicator.code)[row]),
        )


def _limits(scores: CardScores, row: int) -> Iterator[ScoreLine]:
    column = scores.adjustments[:, row]
    given = {"bonus": int(column[column > 0].sum()), "malus": -int(column[column < 0].sum())}
    kept = {"bonus": int(scores.bonus[row]), "malus": int(scores.malus[row])}
    for kind, sign in (("bonus", 1), ("malus", -1)):
        cents = sign * (kept[kind] - given[kind])
        if cents:
            limit = plain(kept[kind])
            text = say(f"line.limit.{kind}", limit=limit, points=points_text(cents))
            yield _line("limit", f"{kind}_limit", say(f"line.limit.{kind}.name"), cents=cents, text=text)
