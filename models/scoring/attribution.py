"""Why a score differs from a reference: exact values of every indicator, limits and gates included, to the cent.

The players of the game (see `models.scoring.shapley`) are indicators. A player carries its own item's contribution,
every adjustment and every gate whose condition looks at it. Gates that protect young or moved units belong to a player
of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from features.indicators import Indicator
from models.policy.document import Policy, ProtectionFloor, Scorecard
from models.policy.rules import TwoIncrease
from models.scoring.conditions import YES
from models.scoring.engine import CardScores, score_card
from models.scoring.facts import Facts
from models.scoring.gates import STATED_STEP, steps_of
from models.scoring.points import SCORED
from models.scoring.references import Reference
from models.scoring.shapley import Game, shapley_cents

PlayerKind = Literal["item", "indicator", "protection"]


@dataclass(frozen=True, slots=True)
class Player:
    """What a part of a difference belongs to.

    Attributes
    ----------
    kind : {"item", "indicator", "protection"}
        An indicator with an item; one that only adjustments or gates look at; the protection of young or moved units.
    code : str
        The indicator, or `protection`.
    controllable : bool
        Whether the unit can move it; otherwise it belongs to its environment.
    """

    kind: PlayerKind
    code: str
    controllable: bool


PROTECTION = Player("protection", "protection", controllable=False)


@dataclass(frozen=True, eq=False)
class Attribution:
    """Differences of the scores of N rows from a reference, split over M players; players down, rows across.

    Attributes
    ----------
    now, then : CardScores
        The scores and those of the reference, in which figures that cannot be compared stand as they are.
    reference : Reference
    players : tuple of Player
        Items in the scorecard's order, then other indicators, then protection.
    cents : np.ndarray
        (M, N) int32; columns add up to `now.gated - then.gated` exactly. 0 where there is no score.
    compared : np.ndarray
        (M, N) bool: False where a figure to compare with is missing, or the item has points in only one of the two.
    """

    now: CardScores
    then: CardScores
    reference: Reference
    players: tuple[Player, ...]
    cents: np.ndarray
    compared: np.ndarray

    @property
    def explained(self) -> np.ndarray:
        """Tell which rows (N,) have scores to compare."""
        return self.now.scored & self.then.scored

    @cached_property
    def gated(self) -> np.ndarray:
        """Give the differences before they are stated in tenths: (N,) cents, what the players add up to."""
        return np.where(self.explained, self.now.gated - self.then.gated, 0)

    @cached_property
    def stated(self) -> np.ndarray:
        """Give the differences of the stated scores: (N,) cents."""
        return np.where(self.explained, (self.now.tenths - self.then.tenths) * STATED_STEP, 0)

    @property
    def rounding(self) -> np.ndarray:
        """Give what stating both scores with one decimal adds to the players' sum: (N,) cents."""
        return self.stated - self.gated

    def of(self, *, controllable: bool) -> np.ndarray:
        """Add up what the unit can move itself, or what belongs to its environment: (N,) cents."""
        chosen = np.array([player.controllable is controllable for player in self.players], dtype=bool)
        return self.cents[chosen].sum(axis=0, dtype=np.int64)


def attribute(now: CardScores, reference: Reference) -> Attribution:
    """Split the difference of every row's score from a reference over its indicators.

    Parameters
    ----------
    now : CardScores
    reference : Reference
        Of `now.facts`, by `models.scoring.references`.

    Raises
    ------
    LoadlineError
        Where more indicators of a row than can be enumerated move gates and limited adjustments.
    """
    players = players_of(now.policy, now.card, now.indicators)
    then, reference = _comparable(now, reference)
    cents = shapley_cents(game_of(now, then, players))
    explained = now.scored & then.scored
    if not explained.all():
        cents[:, ~explained] = 0
    everywhere = np.ones(now.facts.rows, dtype=bool)
    compared = np.stack([reference.compared.get(player.code, everywhere) for player in players])
    return Attribution(now, then, reference, players, cents, compared)


def players_of(policy: Policy, card: Scorecard, indicators: Mapping[str, Indicator]) -> tuple[Player, ...]:
    """List the players of a scorecard."""
    own = dict.fromkeys(item.indicator for item in card.items)
    conditions = [adjustment.when for adjustment in card.adjustments]
    conditions += policy.gate_conditions
    others = dict.fromkeys(condition.indicator for condition in conditions if condition.indicator not in own)
    found = [Player("item", code, indicators[code].controllable) for code in own]
    found += [Player("indicator", code, indicators[code].controllable) for code in others]
    protected = any(isinstance(gate, ProtectionFloor) for gate in policy.gates)
    return (*found, PROTECTION) if protected else tuple(found)


def game_of(now: CardScores, then: CardScores, players: tuple[Player, ...]) -> Game:
    """Lay two scorings of the same rows on one scorecard out as a game of its players."""
    policy, card, rows = now.policy, now.card, now.facts.rows
    place = {player.code: number for number, player in enumerate(players)}
    at = np.array([place[item.indicator] for item in card.items])
    limits = policy.limits
    steps = steps_of(policy)

    def base(scores: CardScores) -> np.ndarray:
        if len(at) == len(players):
            return scores.items
        found = np.zeros((len(players), rows), dtype=np.int32)
        for player, cents in zip(at.tolist(), scores.items, strict=True):
            found[player] += cents
        return found

    owners = []
    for gate in policy.gates:
        if isinstance(gate, ProtectionFloor):
            owners.append(len(players) - 1)
        else:
            owners.append(-1 if gate.when is None else place[gate.when.indicator])
    return Game(
        base_now=base(now),
        base_ref=base(then),
        added_now=now.adjustments,
        added_ref=then.adjustments,
        added_by=np.array([place[adjustment.when.indicator] for adjustment in card.adjustments], dtype=np.int64),
        is_bonus=np.array([adjustment.kind == "bonus" for adjustment in card.adjustments], dtype=bool),
        bonus_limit=None if limits.bonus is None else int(limits.bonus * 100),
        malus_limit=None if limits.malus is None else int(limits.malus * 100),
        acts_now=now.acts == YES,
        acts_ref=then.acts == YES,
        gated_by=np.array(owners, dtype=np.int64),
        ends=np.array([(step.low, step.high) for step in steps], dtype=np.int64).reshape(-1, 2),
    )


def _comparable(now: CardScores, reference: Reference) -> tuple[CardScores, Reference]:
    """Score the reference; figures of items that have points in only one of the two are put back as they are."""
    then = _scored(now, reference.facts, slice(None))
    for _ in now.card.items:
        differs = (now.state == SCORED) != (then.state == SCORED)
        rows = np.flatnonzero(differs.any(axis=0))
        if not len(rows):
            break
        reference = _put_back(now, reference, differs)
        then = _with_rows(then, rows, _scored(now, reference.facts.take(rows), rows), reference.facts)
    return then, reference


def _scored(now: CardScores, facts: Facts, rows: np.ndarray | slice) -> CardScores:
    return score_card(now.policy, now.card, facts, now.indicators, rows=now.rows[rows])


def _put_back(now: CardScores, reference: Reference, differs: np.ndarray) -> Reference:
    actual, compared = dict(reference.facts.actual), dict(reference.compared)
    for item, rows in zip(now.card.items, differs, strict=True):
        others = (item.rule.all_loans,) if isinstance(item.rule, TwoIncrease) else ()
        for code in (item.indicator, *others):
            if rows.any() and code in actual:
                actual[code] = np.where(rows, now.facts.of("actual", code), actual[code])
                compared[code] = compared[code] & ~rows
    return replace(reference, facts=reference.facts.with_actual(actual), compared=compared)


def _with_rows(scores: CardScores, rows: np.ndarray, better: CardScores, facts: Facts) -> CardScores:
    """Put rows that were scored again in the place of the earlier ones."""
    names = ("state", "points", "weights", "items", "adjustments", "adjustment_state", "bonus", "malus", "acts")
    changed = {}
    for name in (*names, "running", "scored"):
        changed[name] = np.array(getattr(scores, name))
        changed[name][..., rows] = getattr(better, name)
    return replace(scores, facts=facts, **changed)
