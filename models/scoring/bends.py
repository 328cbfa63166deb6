"""Where a score may bend or jump as one figure moves: ends of rules, starts of tiers, limits of conditions.

Between two neighbours each part of a score is straight, or convex where it divides by the figure, so that
what neither end reaches nothing between reaches.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.indicators import Indicator
from models.policy.document import Adjustment, Condition, Item
from models.policy.rules import Efficacy, Increment, Levels, Ratio, Tiers, TwoIncrease
from models.scoring.engine import CardScores
from models.scoring.facts import Facts


def bends(scores: CardScores, facts: Facts, code: str) -> list[float]:
    """List the figures of an indicator at which a row's score may bend or jump.

    Parameters
    ----------
    scores : CardScores
        Name the policy, the scorecard and its indicators.
    facts : Facts
        Of the one row.
    code : str
        The indicator whose figure moves.

    Returns
    -------
    list of float
        Ascending, each once, finite.
    """
    found: list[float] = [0.0]
    for item in scores.card.items:
        if item.indicator == code:
            found += _of_item(item, scores.indicators[code], facts, scores)
        elif isinstance(item.rule, TwoIncrease) and item.rule.all_loans == code:
            found.append(_one(facts, "actual", item.indicator))
    conditions: list[tuple[Condition, Adjustment | None]] = [(a.when, a) for a in scores.card.adjustments]
    conditions += [(condition, None) for condition in scores.policy.gate_conditions]
    for condition, adjustment in conditions:
        if condition.indicator == code:
            found += _of_condition(condition, adjustment, facts)
    return sorted({value for value in found if np.isfinite(value)})


def _one(facts: Facts, kind: str, code: str) -> float:
    return float(facts.of(kind, code)[0])


def _of_item(item: Item, indicator: Indicator, facts: Facts, scores: CardScores) -> Iterator[float]:
    rule, code = item.rule, item.indicator
    reference = float(item.value) if item.value is not None else _one(facts, item.against, code)
    references = [reference * (1 + float(item.growth) / 100)]
    if indicator.direction == "band" and indicator.band and item.against != "target":
        references += indicator.band
    if isinstance(rule, Ratio):
        if rule.band:
            references += [float(limit) for limit in rule.band]
        for share in (float(rule.cap) / 100, float(rule.least) / 100, 1.0):
            yield from (T * share for T in references)
            yield from (T / share for T in references if share)
        if rule.otherwise is not None:
            yield from _of_increment(rule.otherwise, references)
    elif isinstance(rule, Increment):
        yield from _of_increment(rule, references)
    elif isinstance(rule, Tiers):
        for tier in rule.tiers[1:]:
            start = float(tier.start or 0)
            if rule.of == "figure":
                yield start
            else:
                yield references[0] * start / 100
                if start:
                    yield references[0] * 100 / start
    elif isinstance(rule, Efficacy):
        given = facts.standards.get((code, tuple(float(q) for q in rule.quantiles)))
        yield from [float(v) for v in rule.standards] if rule.standards is not None else []
        yield from given[:, 0].tolist() if rule.standards is None and given is not None else []
    elif isinstance(rule, TwoIncrease):
        yield from (_one(facts, "actual", rule.all_loans), references[0])
    elif isinstance(rule, Levels):
        low, middle, high = (_one(facts, kind, code) for kind in ("floor", "target", "stretch"))
        first, second = (float(level.points) for level in (scores.policy.targets.floor, scores.policy.targets.target))
        yield from (low, middle, high, low - (middle - low) * first / (second - first))


def _of_increment(rule: Increment, references: list[float]) -> Iterator[float]:
    for T in references:
        size = abs(T) / 100 if rule.steps_in == "percent" else 1.0
        yield T
        for side in (rule.better, rule.worse):
            if side.points:
                reach = size * float(side.step) * float(side.most) / float(side.points)
                yield from (T - reach, T + reach)


def _of_condition(condition: Condition, adjustment: Adjustment | None, facts: Facts) -> Iterator[float]:
    limits = [float(condition.limit)]
    if adjustment is not None and adjustment.per is not None and adjustment.most is not None:
        reach = float(adjustment.per * adjustment.most / adjustment.points)
        limits.append(limits[0] + (reach if condition.upwards else -reach))
    for limit in limits:
        if condition.of == "attainment":
            yield limit * _one(facts, "target", condition.indicator) / 100
        else:
            yield limit + (_one(facts, "last_year", condition.indicator) if condition.of == "change" else 0.0)
