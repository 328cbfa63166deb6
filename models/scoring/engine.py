"""The scoring engine: items, adjustments, limits and gates for all rows of a scorecard in one pass, in whole cents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.indicators import Indicator
from models.policy.document import Policy, Scorecard
from models.scoring.case import case_of
from models.scoring.conditions import adjustment_cents
from models.scoring.facts import Facts
from models.scoring.gates import acting, grades_of, pass_gates, stated, steps_of
from models.scoring.points import SCORED, item_points

WHOLE = 100_00
"""The weights of a scorecard together, in hundredths."""
BLOCK = 16_384
"""Rows computed at a time: their intermediate arrays stay in the processor's cache, some fifteen times faster."""


@dataclass(frozen=True, eq=False)
class CardScores:
    """Scores of N rows on one scorecard of K items, J adjustments and (of its policy) G gates.

    Items run down, rows across. Amounts are whole cents (hundredths of a point), so they add up exactly:
    `items.sum(axis=0) + bonus - malus == raw`, and the gates lead from there to `gated`.

    Attributes
    ----------
    policy : Policy
    card : Scorecard
    indicators : Mapping[str, Indicator]
    facts : Facts
        Of these rows.
    rows : np.ndarray
        (N,) their numbers in the network.
    state : np.ndarray
        (K, N) int8, why an item has no points: see `models.scoring.points.SCORED` and its neighbours.
    points : np.ndarray
        (K, N) int32 hundredths of a point out of 100; 0 where not scored.
    weights : np.ndarray
        (K, N) int32 hundredths, after scaling up where items are missing and the policy says so; 0 for those missing.
    items : np.ndarray
        (K, N) int32 cents: weight x points, less a rule's deduction.
    adjustments : np.ndarray
        (J, N) int64 cents, bonus positive, malus negative, before the limits.
    adjustment_state : np.ndarray
        (J, N) int8: see `models.scoring.conditions`.
    bonus, malus : np.ndarray
        (N,) int64 cents after the limits, neither negative.
    acts : np.ndarray
        (G, N) int8: whether each gate's condition holds.
    running : np.ndarray
        (G + 1, N) int64 cents: the total before the first gate and after each.
    scored : np.ndarray
        (N,) bool: False where too many items are missing for a score.
    """

    policy: Policy
    card: Scorecard
    indicators: Mapping[str, Indicator]
    facts: Facts
    rows: np.ndarray
    state: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    items: np.ndarray
    adjustments: np.ndarray
    adjustment_state: np.ndarray
    bonus: np.ndarray
    malus: np.ndarray
    acts: np.ndarray
    running: np.ndarray
    scored: np.ndarray

    @property
    def raw(self) -> np.ndarray:
        """Give the totals before the gates: (N,) cents."""
        return self.running[0]

    @property
    def gated(self) -> np.ndarray:
        """Give the totals after the gates: (N,) cents."""
        return self.running[-1]

    @cached_property
    def tenths(self) -> np.ndarray:
        """Give the stated scores: (N,) whole tenths of a point."""
        return stated(self.gated)

    @cached_property
    def grade(self) -> np.ndarray:
        """Give the number of each row's grade in the policy's list: (N,), -1 where there is none."""
        return np.where(self.scored, grades_of(self.tenths, self.policy.grades), -1)

    @property
    def assessed(self) -> np.ndarray:
        """Give the sum of the weights, as the scorecard has them, of the items that were scored: (N,) hundredths."""
        return _hundredths(self.card) @ (self.state == SCORED)


def score_card(
    policy: Policy,
    card: Scorecard,
    facts: Facts,
    indicators: Mapping[str, Indicator],
    *,
    rows: np.ndarray | None = None,
) -> CardScores:
    """Score all rows of facts on one scorecard.

    Parameters
    ----------
    policy : Policy
        Checked by its validator.
    card : Scorecard
        One of the policy's.
    facts : Facts
    indicators : Mapping[str, Indicator]
        At least those that the scorecard and the gates name.
    rows : np.ndarray, optional
        (N,) numbers by which the caller knows the rows; by default 0, 1, ...
    """
    own = _hundredths(card).astype(np.int32)
    count, steps = len(card.items), steps_of(policy)
    state = np.empty((count, facts.rows), dtype=np.int8)
    points, items = (np.empty((count, facts.rows), dtype=np.int32) for _ in range(2))
    weights = np.broadcast_to(own[:, None], state.shape)
    scored = np.empty(facts.rows, dtype=bool)
    adjustments = np.zeros((len(card.adjustments), facts.rows), dtype=np.int64)
    adjustment_state = np.zeros(adjustments.shape, dtype=np.int8)
    bonus, malus = (np.zeros(facts.rows, dtype=np.int64) for _ in range(2))
    acts = np.empty((len(steps), facts.rows), dtype=np.int8)
    running = np.empty((len(steps) + 1, facts.rows), dtype=np.int64)
    for start in range(0, facts.rows, BLOCK):
        here = slice(start, start + BLOCK)
        part = facts if facts.rows <= BLOCK else facts.take(here)
        deductions = np.zeros((count, part.rows), dtype=np.int32)
        for number, item in enumerate(card.items):
            found = item_points(case_of(item, part, indicators[item.indicator], policy.targets))
            state[number, here], points[number, here] = found.state, found.points
            if found.deduction is not None:
                deductions[number] = found.deduction
        assessed = state[:, here] == SCORED
        scored[here], scaled = _scored(policy, own, assessed)
        if scaled is not None:
            if not weights.flags.writeable:
                weights = weights.copy()
            weights[:, here] = scaled
        items[:, here] = contributions(weights[:, here], points[:, here]) - deductions
        adjustments[:, here], adjustment_state[:, here] = _adjustments(card, part)
        bonus[here], malus[here] = limited(policy, adjustments[:, here])
        acts[:, here] = acting(policy, part)
        raw = items[:, here].sum(axis=0, dtype=np.int64) + bonus[here] - malus[here]
        running[:, here] = pass_gates(raw, steps, acts[:, here])
    return CardScores(
        policy=policy,
        card=card,
        indicators=indicators,
        facts=facts,
        rows=np.arange(facts.rows) if rows is None else rows,
        state=state,
        points=points,
        weights=weights,
        items=items,
        adjustments=adjustments,
        adjustment_state=adjustment_state,
        bonus=bonus,
        malus=malus,
        acts=acts,
        running=running,
        scored=scored,
    )


def score(
    policy: Policy, facts: Facts, cards: np.ndarray, indicators: Mapping[str, Indicator]
) -> tuple[CardScores, ...]:
    """Score a network: each row on its own scorecard.

    Parameters
    ----------
    policy : Policy
    facts : Facts
        N rows.
    cards : np.ndarray
        (N,) number of each row's scorecard in the policy; -1 for rows that are not scored.
    indicators : Mapping[str, Indicator]

    Returns
    -------
    tuple of CardScores
        One for each scorecard that has rows, in the policy's order.
    """
    found = []
    for number, card in enumerate(policy.scorecards):
        rows = np.flatnonzero(cards == number)
        if len(rows):
            mine = facts if len(rows) == facts.rows else facts.take(rows)
            found.append(score_card(policy, card, mine, indicators, rows=rows))
    return tuple(found)


def contributions(weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Multiply weights by points, both in hundredths, and round half away from zero to cents."""
    size = np.multiply(weights, points, dtype=np.float64)  # far fewer than 2**53, so nothing is lost
    size /= WHOLE
    negative = bool(points.size) and points.min() < 0
    if negative:
        return (np.sign(size) * np.floor(np.abs(size) + 0.5)).astype(np.int32)
    size += 0.5
    return size.astype(np.int32)


def limited(policy: Policy, adjustments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give all bonuses and all maluses (J, N) together, within the policy's limits: two (N,) arrays, not negative."""
    bonus = np.maximum(adjustments, 0).sum(axis=0)
    malus = np.maximum(-adjustments, 0).sum(axis=0)
    limits = policy.limits
    if limits.bonus is not None:
        bonus = np.minimum(bonus, int(limits.bonus * 100))
    if limits.malus is not None:
        malus = np.minimum(malus, int(limits.malus * 100))
    return bonus, malus


def _hundredths(card: Scorecard) -> np.ndarray:
    return np.array([int(item.weight * 100) for item in card.items], dtype=np.int64)


def _scored(policy: Policy, own: np.ndarray, assessed: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Tell which rows (N,) have a score, and give the weights (K, N) that count where items are missing."""
    complete = np.asarray(assessed.all(axis=0))
    if complete.all():
        return complete, None
    weights = np.where(assessed, own[:, None], 0)
    if policy.missing.then == "withhold":
        return complete, weights
    there = weights.sum(axis=0)
    scored = (there > 0) & (there >= int(policy.missing.least_weight * 100))
    rows = np.flatnonzero(scored & ~complete)
    whole, rest = np.divmod(weights[:, rows].astype(np.int64) * WHOLE, there[rows])
    rank = np.argsort(np.argsort(-rest, axis=0, kind="stable"), axis=0, kind="stable")
    weights[:, rows] = whole + (rank < WHOLE - whole.sum(axis=0))
    return scored, weights


def _adjustments(card: Scorecard, facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    amounts = np.zeros((len(card.adjustments), facts.rows), dtype=np.int64)
    state = np.zeros(amounts.shape, dtype=np.int8)
    for number, adjustment in enumerate(card.adjustments):
        cents, state[number] = adjustment_cents(adjustment, facts)
        amounts[number] = cents if adjustment.kind == "bonus" else -cents
    return amounts, state
