"""Scores of one row at a time in exact fractions: the slow reference that `models.scoring` is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from slow_points import SlowRow, half_up, item_points

from features.indicators import Indicator
from models.policy.document import Adjustment, Condition, GradeCeiling, Policy, ProtectionFloor, TotalCap, Veto
from models.scoring.engine import CardScores
from models.scoring.points import SCORED


@dataclass(frozen=True)
class SlowScore:
    """What one row scores: points in hundredths by item, contributions and totals in cents, the score in tenths."""

    scored: bool
    points: tuple[int | None, ...]
    weights: tuple[int, ...]
    items: tuple[int, ...]
    adjustments: tuple[int, ...]
    raw: int | None
    after_gates: tuple[int, ...]
    gated: int | None
    stated: int | None
    grade: str | None


def by_engine(scores: CardScores, row: int) -> SlowScore:
    """Write one row of the engine's result in the same way."""
    assessed = [int(state) == SCORED for state in scores.state[:, row]]
    points = tuple(int(x) if there else None for x, there in zip(scores.points[:, row], assessed, strict=True))
    weights, items, adjustments, running = (
        tuple(int(x) for x in array[:, row])
        for array in (scores.weights, scores.items, scores.adjustments, scores.running)
    )
    if not scores.scored[row]:
        return SlowScore(False, points, weights, items, adjustments, None, (), None, None, None)
    place = int(scores.grade[row])
    grade = scores.policy.grades[place].name if place >= 0 else None
    gated, stated = int(scores.gated[row]), int(scores.tenths[row])
    return SlowScore(True, points, weights, items, adjustments, running[0], running[1:], gated, stated, grade)


def excess(condition: Condition, row: SlowRow) -> Fraction | None:
    """By how much a condition is met; negative where it is not, nothing where it cannot be judged.

    At the limit itself a strict condition is not met: a hair below zero stands for that.
    """
    value = row.of("actual", condition.indicator)
    if value is None:
        return None
    if condition.of == "attainment":
        target = row.of("target", condition.indicator)
        if target is None or target <= 0:
            return None
        value = 100 * value / target
    if condition.of == "change":
        before = row.of("last_year", condition.indicator)
        if before is None:
            return None
        value = value - before
    beyond = value - Fraction(condition.limit) if condition.upwards else Fraction(condition.limit) - value
    strict = condition.above is not None or condition.below is not None
    return Fraction(-1, 10**30) if strict and beyond == 0 else beyond


def adjustment_cents(adjustment: Adjustment, row: SlowRow) -> int:
    """What an adjustment adds or takes, in cents, always positive."""
    beyond = excess(adjustment.when, row)
    if beyond is None or beyond < 0:
        return 0
    amount = Fraction(adjustment.points)
    if adjustment.per is not None:
        assert adjustment.most is not None
        amount = min(amount * beyond / Fraction(adjustment.per), Fraction(adjustment.most))
    return half_up(100 * amount)


def rescaled(weights: list[int], kept: list[bool]) -> list[int]:
    """Scale the hundredths of the kept items up to 100: largest remainder, ties to the earlier item."""
    total = sum(weight for weight, stays in zip(weights, kept, strict=True) if stays)
    shares = [
        Fraction(weight * 10_000, total) if stays else Fraction(0) for weight, stays in zip(weights, kept, strict=True)
    ]
    whole = [share.numerator // share.denominator for share in shares]
    order = sorted((k for k in range(len(weights)) if kept[k]), key=lambda k: (-(shares[k] - whole[k]), k))
    for k in order[: 10_000 - sum(whole)]:
        whole[k] += 1
    return whole


def score_row(policy: Policy, indicators: Mapping[str, Indicator], card: int, row: SlowRow) -> SlowScore:
    """Score one row on one scorecard (by its place in the policy)."""
    scorecard = policy.scorecards[card]
    found = [item_points(policy, item, indicators[item.indicator], row) for item in scorecard.items]
    weights = [int(item.weight * 100) for item in scorecard.items]
    kept = [one is not None for one in found]
    scored = all(kept)
    if not scored and policy.missing.then == "rescale" and any(kept):
        left = sum(weight for weight, stays in zip(weights, kept, strict=True) if stays)
        if left >= policy.missing.least_weight * 100:
            weights, scored = rescaled(weights, kept), True
    weights = [weight if stays else 0 for weight, stays in zip(weights, kept, strict=True)]
    points = tuple(None if one is None else one[0] for one in found)
    items = tuple(
        0 if one is None else half_up(Fraction(weight * one[0], 10_000)) - one[1]
        for weight, one in zip(weights, found, strict=True)
    )
    amounts = [adjustment_cents(adjustment, row) for adjustment in scorecard.adjustments]
    signed = tuple(
        amount if adjustment.kind == "bonus" else -amount
        for amount, adjustment in zip(amounts, scorecard.adjustments, strict=True)
    )
    if not scored:
        return SlowScore(False, points, tuple(weights), items, signed, None, (), None, None, None)
    bonus = sum(amount for amount in signed if amount > 0)
    malus = -sum(amount for amount in signed if amount < 0)
    if policy.limits.bonus is not None:
        bonus = min(bonus, int(policy.limits.bonus * 100))
    if policy.limits.malus is not None:
        malus = min(malus, int(policy.limits.malus * 100))
    raw = sum(items) + bonus - malus
    steps = gate_steps(policy, row, raw)
    gated = steps[-1] if steps else raw
    stated = half_up(Fraction(gated, 10))
    grade = next((g.name for g in policy.grades if g.start is None or g.start * 10 <= stated), None)
    return SlowScore(True, points, tuple(weights), items, signed, raw, steps, gated, stated, grade)


def gate_steps(policy: Policy, row: SlowRow, raw: int) -> tuple[int, ...]:
    """Totals in cents after each gate, in the policy's order."""
    steps, total = [], raw
    for gate in policy.gates:
        if isinstance(gate, TotalCap):
            if gate.when is None or _holds(gate.when, row):
                total = min(total, int(gate.at * 100))
        elif isinstance(gate, ProtectionFloor):
            months = row.opened if gate.of == "new_units" else row.moved
            if months < gate.months:
                total = max(total, int(gate.at * 100))
        elif isinstance(gate, GradeCeiling):
            names = [grade.name for grade in policy.grades]
            place = names.index(gate.grade)
            if place > 0 and _holds(gate.when, row):
                start = policy.grades[place - 1].start
                assert start is not None
                total = min(total, int(start * 100) - 10)
        elif isinstance(gate, Veto) and _holds(gate.when, row):
            total = 0
        steps.append(total)
    return tuple(steps)


def _holds(condition: Condition, row: SlowRow) -> bool:
    beyond = excess(condition, row)
    return beyond is not None and beyond >= 0
