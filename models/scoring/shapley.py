"""Exact Shapley values of the difference between two totals that pass limits and gates, for many rows at once.

The value of a player is what it changes on average over all orders in which the players go from the reference to the
present (Shapley 1953, "A value for n-person games"). With S the players at the present and the others at the reference,

    v(S) = gates_S( sum of bases + min(sum of bonuses, limit) - min(sum of maluses, limit) )

where a gate, acting or not as its own player's state says, holds the total between two ends, one gate after the other.

Where no limit binds and no gate holds the total anywhere between the least and the most it could be, v is a sum and
each player's value is its own difference; where a gate holds it everywhere, nothing changes. Other rows are solved
exactly: players that move a gate or a limited bonus are enumerated, and for each combination of them the total is a
sum of the other players held between two ends. The values are then integrals over [0, 1] of the derivatives of the
multilinear extension (Owen 1972, "Multilinear extensions of games", Management Science 18): polynomials in q, the
probability with which each player joins, so that Gauss-Legendre quadrature of enough nodes is exact, and at each node
the expected excess over an end follows from the distribution of a sum of whole cents, by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from features.errors import LoadlineError
from models.rounding import shares
from models.scoring.gates import NO_LIMIT

BLOCK = 4_096
"""Rows at a time: their arrays stay in the processor's cache."""
NOISE_DECIMALS = 6
"""Decimals of a cent to which values are taken before they are rounded to cents, so that equal values tie."""


@dataclass(frozen=True, eq=False)
class Game:
    """What M players bring to the totals of N rows, at present (`now`) and at a reference (`ref`), in whole cents.

    Attributes
    ----------
    base_now, base_ref : np.ndarray
        (M, N) integers.
    added_now, added_ref : np.ndarray
        (J, N) adjustments: a bonus is not negative, a malus not positive.
    added_by : np.ndarray
        (J,) the player each adjustment belongs to.
    is_bonus : np.ndarray
        (J,) bool.
    bonus_limit, malus_limit : int or None
        The most that all bonuses together add, and all maluses together take.
    acts_now, acts_ref : np.ndarray
        (G, N) bool: whether each gate acts.
    gated_by : np.ndarray
        (G,) the player each gate belongs to; -1 where it is the same in both.
    ends : np.ndarray
        (G, 2) between which a gate holds the total where it acts; a veto is (0, 0).
    """

    base_now: np.ndarray
    base_ref: np.ndarray
    added_now: np.ndarray
    added_ref: np.ndarray
    added_by: np.ndarray
    is_bonus: np.ndarray
    bonus_limit: int | None
    malus_limit: int | None
    acts_now: np.ndarray
    acts_ref: np.ndarray
    gated_by: np.ndarray
    ends: np.ndarray

    @property
    def players(self) -> int:
        """Count the players."""
        return len(self.base_now)

    @property
    def rows(self) -> int:
        """Count the rows."""
        return self.base_now.shape[1]

    def take(self, rows: np.ndarray | slice) -> Game:
        """Keep some rows."""
        pairs = (self.base_now, self.base_ref, self.added_now, self.added_ref, self.acts_now, self.acts_ref)
        base_now, base_ref, added_now, added_ref, acts_now, acts_ref = (array[:, rows] for array in pairs)
        return Game(
            base_now, base_ref, added_now, added_ref, self.added_by, self.is_bonus, self.bonus_limit, self.malus_limit,
            acts_now, acts_ref, self.gated_by, self.ends,
        )  # fmt: skip

    def totals(self, *, now: bool) -> np.ndarray:
        """Give the totals (N,) with all players at the present, or all at the reference."""
        base, added = (self.base_now, self.added_now) if now else (self.base_ref, self.added_ref)
        acts = self.acts_now if now else self.acts_ref
        total = base.sum(axis=0, dtype=np.int64)
        total += np.minimum(added[self.is_bonus].sum(axis=0, dtype=np.int64), _or_none(self.bonus_limit))
        total -= np.minimum(-added[~self.is_bonus].sum(axis=0, dtype=np.int64), _or_none(self.malus_limit))
        for act, (low, high) in zip(acts, self.ends.tolist(), strict=True):
            total = np.where(act, np.clip(total, low, high), total)
        return total


def shapley_values(game: Game) -> np.ndarray:
    """Give each player's value: (M, N) float64 cents, exact to 1e-9 at worst; columns add up to the difference.

    Raises
    ------
    LoadlineError
        Where more players of one row than can be enumerated move gates and limits.
    """
    return _by_blocks(game, _solved, dtype=float)


def shapley_cents(game: Game) -> np.ndarray:
    """Give each player's value in whole cents: (M, N) int32; columns add up to the difference exactly.

    Values are rounded by largest remainders; of equal remainders the earlier player's is rounded up. A player that
    changes nothing has exactly 0.
    """

    def in_cents(hard: Game) -> np.ndarray:
        return whole_cents(_solved(hard), hard.totals(now=True) - hard.totals(now=False))

    return _by_blocks(game, in_cents, dtype=np.int32)


def whole_cents(values: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Round values (M, N) to whole cents that add up to totals (N,), by largest remainders; what is 0 stays 0."""
    return shares(np.round(values, NOISE_DECIMALS).T, total, decimals=0).T.astype(np.int64)


def prepare() -> None:
    """Compile what hard rows need, so that nobody waits for it: seconds the first time, then it is kept on disk."""
    none, amounts = np.zeros((0, 1), dtype=np.int64), np.array([[100], [200]])
    nobody, capped = np.zeros(0, dtype=np.int64), np.ones((1, 1), dtype=bool)
    game = Game(
        amounts, 0 * amounts, none, none, nobody, nobody.astype(bool), None, None,
        capped, capped, np.array([-1]), np.array([[-NO_LIMIT, 150]]),
    )  # fmt: skip
    shapley_cents(game)


def _by_blocks(game: Game, solve: Callable[[Game], np.ndarray], *, dtype: type) -> np.ndarray:
    """Give the values (M, N); `solve` gives those of the rows that are no plain sums."""
    found = np.empty(game.base_now.shape, dtype=dtype)
    for start in range(0, game.rows, BLOCK):
        part = game.take(slice(start, start + BLOCK))
        found[:, start : start + BLOCK], hard = _plain_values(part)
        if len(hard):
            found[:, start + hard] = solve(part.take(hard))
    return found


def _plain_values(game: Game) -> tuple[np.ndarray, np.ndarray]:
    """Give the values (M, N) of rows where the total is a sum or nothing, and the numbers of the other rows."""
    difference = game.base_now - game.base_ref
    raw = game.base_ref.sum(axis=0, dtype=np.int64)
    hard = np.zeros(game.rows, dtype=bool)
    kinds = ((1, game.is_bonus, game.bonus_limit), (-1, ~game.is_bonus, game.malus_limit))
    for sign, kind, limit in kinds:
        now, ref = np.abs(game.added_now[kind]), np.abs(game.added_ref[kind])
        changes = (now != ref).any(axis=0)
        binds = np.maximum(now, ref).sum(axis=0, dtype=np.int64) > _or_none(limit)
        hard |= changes & binds
        raw += sign * np.minimum(ref.sum(axis=0, dtype=np.int64), _or_none(limit))
        if changes.any():
            own = game.added_now[kind] - game.added_ref[kind]
            for player, amount in zip(game.added_by[kind].tolist(), own, strict=True):
                difference[player] += amount.astype(difference.dtype)
    total = difference.sum(axis=0, dtype=np.int64)
    down = np.minimum(difference, 0).sum(axis=0, dtype=np.int64)
    low, high = raw + down, raw + total - down
    held_low, held_high = np.full(game.rows, -NO_LIMIT), np.full(game.rows, NO_LIMIT)
    for now, ref, (first, last) in zip(game.acts_now, game.acts_ref, game.ends.tolist(), strict=True):
        hard |= now != ref
        held_low = np.where(now, np.clip(held_low, first, last), held_low)
        held_high = np.where(now, np.clip(held_high, first, last), held_high)
    held = (held_low >= high) | (held_high <= low)
    free = (held_low <= low) & (high <= held_high)
    hard |= ~(held | free)
    if held.any():
        difference[:, held] = 0
    return difference, np.flatnonzero(hard)


def _solved(game: Game) -> np.ndarray:
    """Solve rows by enumeration and quadrature: (M, N)."""
    from models.scoring.shapley_kernel import MOST_SPECIAL, solve  # loads numba, which most rows do without

    def laid_out(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.T)

    values, special = solve(
        laid_out(game.base_now.astype(np.int64)),
        laid_out(game.base_ref.astype(np.int64)),
        laid_out(np.abs(game.added_now.astype(np.int64))),
        laid_out(np.abs(game.added_ref.astype(np.int64))),
        game.added_by.astype(np.int64),
        game.is_bonus,
        (_or_none(game.bonus_limit), _or_none(game.malus_limit)),
        laid_out(game.acts_now),
        laid_out(game.acts_ref),
        game.gated_by.astype(np.int64),
        game.ends.astype(np.int64).reshape(-1, 2),
        _quadrature(game.players // 2 + 1),
    )
    if (special > MOST_SPECIAL).any():
        raise LoadlineError(
            f"{special.max()} indicators of one unit move gates or limits; at most {MOST_SPECIAL} can be explained",
            hint="Compare with a nearer reference, or have fewer gates and limited adjustments in the policy.",
        )
    return values.T


@cache
def _quadrature(most: int) -> tuple[np.ndarray, np.ndarray]:
    """Give Gauss-Legendre nodes and weights on [0, 1], row n those of n nodes, up to `most`."""
    nodes, weights = np.zeros((most + 1, most)), np.zeros((most + 1, most))
    for count in range(1, most + 1):
        x, w = np.polynomial.legendre.leggauss(count)
        nodes[count, :count], weights[count, :count] = (x + 1) / 2, w / 2
    return nodes, weights


def _or_none(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit
