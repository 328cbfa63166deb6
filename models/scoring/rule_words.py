"""Conditions, adjustments and gates in words, as they stand for one row."""

from __future__ import annotations

import math

import numpy as np

from models.policy.document import Condition, Gate, GradeCeiling, ProtectionFloor, TotalCap
from models.scoring.conditions import NO, UNKNOWN
from models.scoring.engine import CardScores
from models.scoring.facts import FIGURE_DECIMALS
from models.scoring.gaps import figure_text, gap_text, number_text, percent_text, shown_decimals, telling_apart
from models.scoring.phrases import Text, both, plain, points_text, say

NOTHING: Text = both("")


def condition_text(condition: Condition, scores: CardScores, row: int, *, holds: bool = True) -> Text:
    """Tell a condition with the figure that it is judged by: `NPL ratio 5.2%, above 5%`; blank without a figure."""
    indicator, limit = scores.indicators[condition.indicator], float(condition.limit)
    value = measured(condition, scores, row)
    if not math.isfinite(value):
        return NOTHING
    if condition.of == "attainment":
        decimals = telling_apart(1, value, limit)
        shown = [percent_text(x, decimals) for x in (value, limit)]
    elif condition.of == "change":
        decimals, change = _shown_change(condition, scores, row)
        shown = [_signed(gap_text(indicator, x, decimals), x) for x in (change, limit)]
    else:
        decimals = shown_decimals(indicator, value, limit)
        shown = [figure_text(indicator, x, decimals) for x in (value, limit)]
    figure = say(f"condition.of.{condition.of}", name=indicator.name.model_dump(), figure=shown[0])
    return say(f"condition.{_comparison(condition) if holds else 'not'}", figure=figure, limit=shown[1])


def _shown_change(condition: Condition, scores: CardScores, row: int) -> tuple[int, float]:
    """Give a change as the difference of both figures as shown, with the decimals that keep its side of the limit."""
    facts, code, limit = scores.facts, condition.indicator, float(condition.limit)
    now, before = (float(facts.of(kind, code)[row]) for kind in ("actual", "last_year"))
    side = np.sign(round(now - before - limit, FIGURE_DECIMALS))
    for decimals in range(shown_decimals(scores.indicators[code], now, before), FIGURE_DECIMALS):
        change = round(round(now, decimals) - round(before, decimals), decimals)
        if np.sign(round(change - limit, FIGURE_DECIMALS)) == side:
            return decimals, change
    return FIGURE_DECIMALS, round(now - before, FIGURE_DECIMALS)


def measured(condition: Condition, scores: CardScores, row: int) -> float:
    """Give the figure, its attainment in percent or its change, that a condition looks at; NaN where there is none."""
    facts, code = scores.facts, condition.indicator
    actual = float(facts.of("actual", code)[row])
    if condition.of == "attainment":
        target = float(facts.of("target", code)[row])
        return 100 * actual / target if target > 0 else math.nan
    if condition.of == "change":
        return actual - float(facts.of("last_year", code)[row])
    return actual


def adjustment_text(scores: CardScores, number: int, row: int) -> Text | None:
    """Tell an adjustment and what it adds or takes before the limits; None where its condition does not hold."""
    adjustment = scores.card.adjustments[number]
    title, state = adjustment.title.model_dump(), scores.adjustment_state[number, row]
    if state == UNKNOWN:
        return say("line.adjustment.unknown", title=title)
    if state == NO:
        return None
    amount = points_text(int(scores.adjustments[number, row]))
    return say("line.adjustment", title=title, condition=condition_text(adjustment.when, scores, row), points=amount)


def gate_text(scores: CardScores, number: int, row: int) -> Text:
    """Tell what a gate asks, whether it applies to a row, why, and what it does to the total."""
    gate, state = scores.policy.gates[number], scores.acts[number, row]
    title = gate.title.model_dump()
    if state == UNKNOWN:
        return say("gate.unknown", title=title, name=_name(scores, gate))
    if state == NO:
        return say("gate.off", title=title, when=_when(gate, scores, row, holds=False))
    effect = int(scores.running[number + 1, row] - scores.running[number, row])
    rule, when = gate_rule(gate), _when(gate, scores, row, holds=True)
    if effect == 0 and isinstance(gate, TotalCap) and gate.when is None:
        return say("gate.unreached", rule=rule)
    if effect == 0:
        return say("gate.idle", rule=rule, when=when)
    return say("gate.acts", rule=rule, when=when, points=points_text(effect))


def gate_rule(gate: Gate) -> Text:
    """Tell what a gate does where it applies."""
    filled: dict[str, Text | str] = {"title": gate.title.model_dump()}
    if isinstance(gate, TotalCap | ProtectionFloor):
        filled["at"] = plain(int(gate.at * 100))
    elif isinstance(gate, GradeCeiling):
        filled["grade"] = gate.grade
    return say(f"gate.{gate.kind}", **filled)


def _when(gate: Gate, scores: CardScores, row: int, *, holds: bool) -> Text:
    if isinstance(gate, ProtectionFloor):
        months = scores.facts.opened if gate.of == "new_units" else scores.facts.moved
        count = math.inf if months is None else float(months[row])
        if not math.isfinite(count):
            return NOTHING
        return say("gate.opened" if gate.of == "new_units" else "gate.moved", months=number_text(count, 0))
    if gate.when is None:
        return NOTHING
    return say("gate.when", condition=condition_text(gate.when, scores, row, holds=holds))


def _name(scores: CardScores, gate: Gate) -> Text:
    condition = None if isinstance(gate, ProtectionFloor) else gate.when
    return NOTHING if condition is None else scores.indicators[condition.indicator].name.model_dump()


def _comparison(condition: Condition) -> str:
    return next(name for name in ("above", "below", "at_least", "at_most") if getattr(condition, name) is not None)


def _signed(size: Text, value: float) -> Text:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return {language: sign + text for language, text in size.items()}
