"""A score in sentences: each line of it, and each indicator's share in the difference from a reference.

Sentences are of the kind `NPL ratio 0.4 points above peers: -1.8`, 不良率较同组高0.4个百分点，扣1.8分. They state
figures and points, never that one thing caused another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.policy.rules import Efficacy, TwoIncrease
from models.scoring.attribution import Attribution
from models.scoring.conditions import YES
from models.scoring.engine import CardScores, contributions
from models.scoring.gaps import Against, Side, gap_of, is_volume
from models.scoring.phrases import Text, hundredths, joined, plain, points_text, say
from models.scoring.points import NO_FIGURE, NO_RATIO, SCORED
from models.scoring.rule_words import NOTHING

PROTECTION: Literal["protection"] = "protection"
ROUNDING: Literal["rounding"] = "rounding"
"""Codes of what has a share in a difference without being an indicator."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The share of an indicator, or of a rule, in the difference between a score and its reference.

    Attributes
    ----------
    code : str
        Of the indicator; `PROTECTION` or `ROUNDING`.
    name : Text
    cents : int
        Hundredths of a point; those of all reasons add up to the difference.
    figure, reference : float or None
        In the indicator's unit; None where there is none, and where it must not be shown.
    gap : float or None
        Figure less reference, both as shown.
    side : {"better", "worse", "same"} or None
        Of the figure, in the indicator's own direction.
    compared : bool
        False where there is nothing to compare with, or the item is not scored.
    controllable : bool or None
        Whether a unit's own manager can move it; None for rules.
    text : Text
    """

    code: str
    name: Text
    cents: int
    figure: float | None
    reference: float | None
    gap: float | None
    side: Side | None
    compared: bool
    controllable: bool | None
    text: Text


def reasons_of(attribution: Attribution, row: int) -> tuple[Reason, ...]:
    """Tell the share of every indicator in the difference between a row's score and its reference.

    Items come in the scorecard's order, then other indicators, then rules with a share; the cents add up to the
    difference of the stated scores.
    """
    found = []
    for player, cents, compared in zip(
        attribution.players, attribution.cents[:, row], attribution.compared[:, row], strict=True
    ):
        if player.kind == PROTECTION:
            found += [rule_reason(PROTECTION, int(cents))] if cents else []
            continue
        found.append(
            indicator_reason(
                player.code,
                int(cents),
                now=attribution.now,
                then=attribution.then,
                row=row,
                against=attribution.reference.against,
                compared=bool(compared),
            )
        )
    rounding = int(attribution.rounding[row])
    return (*found, rule_reason(ROUNDING, rounding)) if rounding else tuple(found)


def indicator_reason(
    code: str, cents: int, *, now: CardScores, then: CardScores, row: int, against: Against, compared: bool = True
) -> Reason:
    """Tell an indicator's share in a difference.

    Parameters
    ----------
    code : str
    cents : int
    now, then : CardScores
        Of the same scorecard and rows; the latter with the figures of the reference.
    row : int
    against : {"target", "last_year", "peers"}
        What the reference is.
    compared : bool
        False where the two cannot be compared though there are figures.
    """
    indicator = now.indicators[code]
    name = indicator.name.model_dump()
    figure, other = (float(facts.of(kind, code)[row]) for facts, kind in ((now.facts, "actual"), (now.facts, against)))
    unscored = unscored_text(now, code, row)
    gap = gap_of(indicator, figure, other, against) if math.isfinite(figure) and math.isfinite(other) else None
    including = _including(code, now, then, row)
    points = points_text(cents)
    if unscored is not None and cents == 0:
        text = unscored
    elif gap is not None and not compared:
        text = say("missing", name=name, why=say("missing.points"))
    elif gap is not None:
        text = say("item.compared", name=name, gap=gap.text, including=including, points=points)
    elif cents:
        text = say("item.moved", name=name, including=including, points=points)
    else:
        lacking = "last_year" if against == "peers" and _without_past(now, code, row) else against
        why = say("unscored.no_figure") if not math.isfinite(figure) else say(f"missing.{lacking}")
        text = say("missing", name=name, why=why)
    return Reason(
        code=code,
        name=name,
        cents=cents,
        figure=_known(figure),
        reference=_known(other),
        gap=None if gap is None else gap.amount,
        side=None if gap is None else gap.side,
        compared=compared and gap is not None and unscored is None,
        controllable=indicator.controllable,
        text=text,
    )


def rule_reason(code: Literal["protection", "rounding"], cents: int) -> Reason:
    """Tell the share of protection, or of rounding."""
    name = say(f"{code}.name")
    text = say(code, points=points_text(cents))
    return Reason(code, name, cents, None, None, None, None, True, None, text)


def unscored_text(scores: CardScores, code: str, row: int, *, listed: bool = False) -> Text | None:
    """Tell why the item of an indicator has no points; None where it has, or where there is no such item.

    `listed` is for a list of such items: what is not scored, with the reason in brackets.
    """
    number = item_number(scores, code)
    if number is None or scores.state[number, row] == SCORED:
        return None
    state = scores.state[number, row]
    why = "no_figure" if state == NO_FIGURE else "no_ratio" if state == NO_RATIO else _lacking(scores, number, row)
    name = scores.indicators[code].name.model_dump()
    return say("unscored.listed" if listed else "unscored", name=name, why=say(f"unscored.{why}"))


def _lacking(scores: CardScores, number: int, row: int) -> str:
    """Name what an item's rule would need beside the figure."""
    item = scores.card.items[number]
    by_peers = isinstance(item.rule, Efficacy)
    if (by_peers or item.against == "peers") and _without_past(scores, item.indicator, row):
        return "no_last_year"
    if by_peers:
        return "no_standards"
    if isinstance(item.rule, TwoIncrease) and not math.isfinite(scores.facts.of("actual", item.rule.all_loans)[row]):
        return "no_other"
    return f"no_{item.against}"


def _without_past(scores: CardScores, code: str, row: int) -> bool:
    """Tell whether the peers' growth has nothing to start from: a volume without a figure of the unit's last year."""
    return is_volume(scores.indicators[code]) and not math.isfinite(scores.facts.of("last_year", code)[row])


def item_text(scores: CardScores, number: int, row: int) -> Text:
    """Tell an item of the scorecard: weight times points, less what its rule deducts."""
    code = scores.card.items[number].indicator
    unscored = unscored_text(scores, code, row)
    if unscored is not None:
        return unscored
    amount = int(scores.items[number, row])
    deduction = item_deduction(scores, number, row)
    filled = {
        "name": scores.indicators[code].name.model_dump(),
        "weight": plain(int(scores.weights[number, row])),
        "points": hundredths(int(scores.points[number, row])),
        "amount": hundredths(amount),
    }
    if deduction == 0:
        return say("line.item", **filled)
    return say("line.item.deducted", deduction=hundredths(deduction), **filled)


def item_deduction(scores: CardScores, number: int, row: int) -> int:
    """Give the cents that an item's rule takes beside its points."""
    earned = contributions(scores.weights[number, [row]], scores.points[number, [row]])
    return int(earned[0] - scores.items[number, row])


def item_number(scores: CardScores, code: str) -> int | None:
    """Find the item of an indicator on the scorecard."""
    return next((n for n, item in enumerate(scores.card.items) if item.indicator == code), None)


def _including(code: str, now: CardScores, then: CardScores, row: int) -> Text:
    """Name the adjustments and gates of an indicator that do not apply alike to a score and to its reference."""
    titles: dict[str, list[Text]] = {"with": [], "without": []}
    for number, adjustment in enumerate(now.card.adjustments):
        mine, other = now.adjustments[number, row], then.adjustments[number, row]
        if adjustment.when.indicator == code and mine != other:
            titles["with" if mine else "without"].append(adjustment.title.model_dump())
    for number, gate in enumerate(now.policy.gates):
        condition = getattr(gate, "when", None)
        mine, other = now.acts[number, row] == YES, then.acts[number, row] == YES
        if condition is not None and condition.indicator == code and mine != other:
            titles["with" if mine else "without"].append(gate.title.model_dump())
    rules = [say(f"including.{kind}", titles=joined(names)) for kind, names in titles.items() if names]
    return say("including", rules=joined(rules, "sentence.separator")) if rules else NOTHING


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
