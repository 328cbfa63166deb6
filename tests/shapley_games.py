"""Games for tests of Shapley values: random ones, and the sum over all orders in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import factorial

import numpy as np

from models.scoring.shapley import NO_LIMIT, Game


def value_of(game: Game, row: int, present: set[int]) -> int:
    """Give the total of a row with some players at the present and the others at the reference."""
    pick = [player in present for player in range(game.players)]
    total = sum(int((game.base_now if there else game.base_ref)[i, row]) for i, there in enumerate(pick))
    bonus = malus = 0
    for j, owner in enumerate(game.added_by):
        amount = int((game.added_now if pick[owner] else game.added_ref)[j, row])
        if game.is_bonus[j]:
            bonus += amount
        else:
            malus -= amount
    total += bonus if game.bonus_limit is None else min(bonus, game.bonus_limit)
    total -= malus if game.malus_limit is None else min(malus, game.malus_limit)
    for g, owner in enumerate(game.gated_by):
        acts = game.acts_now[g, row] if owner >= 0 and pick[owner] else game.acts_ref[g, row]
        if acts:
            total = min(max(total, int(game.ends[g, 0])), int(game.ends[g, 1]))
    return total


def by_all_orders(game: Game, row: int) -> list[Fraction]:
    """Average what each player changes over all orders of the players: the definition, slowly."""
    known: dict[frozenset[int], int] = {}

    def value(present: frozenset[int]) -> int:
        if present not in known:
            known[present] = value_of(game, row, set(present))
        return known[present]

    sums = [0] * game.players
    for order in permutations(range(game.players)):
        present: frozenset[int] = frozenset()
        for player in order:
            then = present | {player}
            sums[player] += value(then) - value(present)
            present = then
    return [Fraction(total, factorial(game.players)) for total in sums]


def by_all_subsets(game: Game, row: int) -> list[Fraction]:
    """Give the same from every subset with its weight: quicker, for more players."""
    count = game.players
    values = [value_of(game, row, {i for i in range(count) if mask >> i & 1}) for mask in range(1 << count)]
    found = []
    for player in range(count):
        total = Fraction(0)
        for mask, value in enumerate(values):
            if not mask >> player & 1:
                size = mask.bit_count()
                weight = Fraction(factorial(size) * factorial(count - 1 - size), factorial(count))
                total += weight * (values[mask | 1 << player] - value)
        found.append(total)
    return found


def random_game(rng: np.random.Generator, rows: int, players: int, *, size: int = 300, gates: int = 4) -> Game:
    """Draw totals around 90 points with bonuses, limits, caps, floors, ceilings and vetoes that often bind."""
    start = rng.integers(8000, 10000) // players
    base_ref = start + rng.integers(-size, size + 1, (players, rows))
    base_now = np.where(
        rng.random((players, rows)) < 0.2, base_ref, base_ref + rng.integers(-size, size + 1, (players, rows))
    )
    adjustments = int(rng.integers(0, 5))
    is_bonus = rng.random(adjustments) < 0.5
    sign = np.where(is_bonus, 1, -1)[:, None]
    added = [
        np.where(rng.random((adjustments, rows)) < 0.5, 0, rng.integers(0, 400, (adjustments, rows))) for _ in "nr"
    ]
    ends = []
    for _ in range(int(rng.integers(0, gates + 1))):
        at = int(rng.integers(7500, 10500))
        ends.append([(-NO_LIMIT, at), (at, NO_LIMIT), (0, 0)][int(rng.choice(3, p=[0.6, 0.25, 0.15]))])
    gated_by = rng.integers(-1, players, len(ends))
    acts_now, acts_ref = (rng.random((len(ends), rows)) < 0.5 for _ in "nr")
    acts_now = np.where(gated_by[:, None] < 0, acts_ref, acts_now)
    limit = [None, 0, 250, 500]
    return Game(
        base_now=base_now,
        base_ref=base_ref,
        added_now=sign * added[0],
        added_ref=sign * added[1],
        added_by=rng.integers(0, players, adjustments),
        is_bonus=is_bonus,
        bonus_limit=limit[int(rng.integers(4))],
        malus_limit=limit[int(rng.integers(4))],
        acts_now=acts_now,
        acts_ref=acts_ref,
        gated_by=gated_by,
        ends=np.array(ends, dtype=np.int64).reshape(-1, 2),
    )
