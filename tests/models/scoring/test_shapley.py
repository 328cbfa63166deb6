"""Shapley values of totals behind limits and gates: equal to the definition, whole cents that add up."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapley_games import by_all_orders, by_all_subsets, random_game, value_of

from features.errors import LoadlineError
from models.scoring.shapley import NO_LIMIT, Game, prepare, shapley_cents, shapley_values, whole_cents

TOLERANCE = 1e-9


def held_game(base_now, base_ref, ends, *, acts_now=None, acts_ref=None, gated_by=None) -> Game:
    """A game without adjustments."""
    base_now, base_ref = np.array(base_now), np.array(base_ref)
    rows = base_now.shape[1]
    acts = np.ones((len(ends), rows), dtype=bool)
    return Game(
        base_now=base_now,
        base_ref=base_ref,
        added_now=np.zeros((0, rows), dtype=np.int64),
        added_ref=np.zeros((0, rows), dtype=np.int64),
        added_by=np.zeros(0, dtype=np.int64),
        is_bonus=np.zeros(0, dtype=bool),
        bonus_limit=None,
        malus_limit=None,
        acts_now=acts if acts_now is None else np.array(acts_now),
        acts_ref=acts if acts_ref is None else np.array(acts_ref),
        gated_by=np.full(len(ends), -1) if gated_by is None else np.array(gated_by),
        ends=np.array(ends, dtype=np.int64).reshape(-1, 2),
    )


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), players=st.integers(1, 6))
def test_values_are_averages_over_all_orders(seed, players):
    game = random_game(np.random.default_rng(seed), 3, players)
    values = shapley_values(game)
    for row in range(game.rows):
        assert values[:, row] == pytest.approx([float(x) for x in by_all_orders(game, row)], abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
def test_eight_players_in_all_40320_orders(seed):
    game = random_game(np.random.default_rng(seed), 1, 8, size=400)
    assert shapley_values(game)[:, 0] == pytest.approx([float(x) for x in by_all_orders(game, 0)], abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(12))
def test_more_players_over_all_subsets(seed):
    rng = np.random.default_rng(seed)
    game = random_game(rng, 1, int(rng.integers(9, 12)), size=200, gates=6)
    assert shapley_values(game)[:, 0] == pytest.approx([float(x) for x in by_all_subsets(game, 0)], abs=TOLERANCE)


def test_cents_add_up_in_10000_rows_with_vetoes_and_caps():
    rows, solved = 0, 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        game = random_game(rng, 100, int(rng.integers(2, 41)), size=60, gates=6)
        cents, values = shapley_cents(game), shapley_values(game)
        difference = game.totals(now=True) - game.totals(now=False)
        assert (cents.sum(axis=0) == difference).all()
        assert np.abs(cents - values).max() < 1 + 1e-6
        assert np.abs(values.sum(axis=0) - difference).max() < TOLERANCE
        rows += game.rows
        solved += int((values != np.rint(values)).any(axis=0).sum())
    assert rows == 10_000
    assert solved > 2_000  # not only rows where each player has its own difference


def test_totals_are_those_of_the_game():
    game = random_game(np.random.default_rng(5), 20, 7, gates=6)
    everyone = set(range(game.players))
    assert game.totals(now=True).tolist() == [value_of(game, row, everyone) for row in range(game.rows)]
    assert game.totals(now=False).tolist() == [value_of(game, row, set()) for row in range(game.rows)]


def test_a_cap_shares_what_is_lost():
    # 50 + 60 capped at 100 from 0: alone each brings all of its own, last only what is left: (50+40)/2, (60+50)/2
    game = held_game([[50], [60]], [[0], [0]], [(-NO_LIMIT, 100)])
    assert shapley_values(game)[:, 0].tolist() == pytest.approx([45, 55], abs=TOLERANCE)


def test_a_veto_takes_what_is_there_on_average():
    # from 80 + 20 the first brings 40 more, the second the veto: first of all it takes 100 and leaves nothing to bring,
    # after the other it takes 140
    game = held_game([[120], [20]], [[80], [20]], [(0, 0)], acts_now=[[True]], acts_ref=[[False]], gated_by=[1])
    assert shapley_values(game)[:, 0].tolist() == pytest.approx([20, -120], abs=TOLERANCE)


def test_where_no_gate_binds_each_has_its_own_difference():
    rng = np.random.default_rng(3)
    base = rng.integers(0, 200, (2, 40, 50))
    game = held_game(base[0], base[1], [(-NO_LIMIT, 10_000), (-5_000, NO_LIMIT)])
    assert (shapley_cents(game) == base[0] - base[1]).all()


def test_where_a_gate_holds_every_total_nothing_changes():
    rng = np.random.default_rng(4)
    base = rng.integers(100, 200, (2, 40, 50))
    assert not shapley_cents(held_game(base[0], base[1], [(-NO_LIMIT, 3_000)])).any()


def test_who_changes_nothing_has_exactly_nothing():
    rng = np.random.default_rng(6)
    for _ in range(30):
        game = random_game(rng, 20, 6)
        idle = 2
        base_now = game.base_now.copy()
        base_now[idle] = game.base_ref[idle]
        keep_added, keep_gates = game.added_by != idle, game.gated_by != idle
        game = replace(
            game,
            base_now=base_now,
            added_now=game.added_now[keep_added],
            added_ref=game.added_ref[keep_added],
            added_by=game.added_by[keep_added],
            is_bonus=game.is_bonus[keep_added],
            acts_now=game.acts_now[keep_gates],
            acts_ref=game.acts_ref[keep_gates],
            gated_by=game.gated_by[keep_gates],
            ends=game.ends[keep_gates],
        )
        assert not shapley_cents(game)[idle].any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_players_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    game = random_game(rng, 5, 9)
    order = rng.permutation(game.players)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    moved = replace(
        game,
        base_now=game.base_now[order],
        base_ref=game.base_ref[order],
        added_by=place[game.added_by],
        gated_by=np.where(game.gated_by < 0, -1, place[game.gated_by]),
    )
    assert shapley_values(moved) == pytest.approx(shapley_values(game)[order], abs=TOLERANCE)


def test_a_row_alone_has_the_values_it_has_among_others():
    game = random_game(np.random.default_rng(8), 30, 12, gates=5)
    together = shapley_values(game)
    for row in range(game.rows):
        assert (shapley_values(game.take(slice(row, row + 1)))[:, 0] == together[:, row]).all()


def test_sixty_players_around_a_cap():
    rng = np.random.default_rng(9)
    ref = rng.integers(100, 200, (60, 200))
    now = ref + rng.integers(-60, 90, ref.shape)
    now[1], ref[1] = now[0], ref[0]
    middle = int((now.sum(axis=0).mean() + ref.sum(axis=0).mean()) / 2)
    game = held_game(now, ref, [(-NO_LIMIT, middle)])
    values = shapley_values(game)
    assert values.sum(axis=0) == pytest.approx(game.totals(now=True) - game.totals(now=False), abs=1e-8)
    assert values[0] == pytest.approx(values[1], abs=TOLERANCE)
    own = now - ref
    assert (np.abs(values) <= np.abs(own) + TOLERANCE).all()  # a cap can only take from what a player brings
    assert (np.sign(values) == np.sign(own)).all()


def by_counting(own: np.ndarray, player: int, start: int, cap: int) -> Fraction:
    """Count the other players' subsets by size and sum in whole numbers: the definition, for many players."""
    others = np.delete(own, player)
    zero = -int(others[others < 0].sum())
    counts = np.zeros((len(others) + 1, zero + int(others[others > 0].sum()) + 1), dtype=np.int64)
    counts[0, zero] = 1
    for size, amount in enumerate(others, start=1):
        moved = np.roll(counts[:size], amount, axis=1)  # sums that cannot occur have a count of 0
        counts[1 : size + 1] += moved
    total = start + np.arange(counts.shape[1]) - zero
    brings = np.minimum(total + own[player], cap) - np.minimum(total, cap)
    found = Fraction(0)
    for size, by_sum in enumerate(counts):
        weight = Fraction(factorial(size) * factorial(len(others) - size), factorial(len(own)))
        found += weight * sum(int(count) * int(more) for count, more in zip(by_sum, brings, strict=True) if count)
    return found


@pytest.mark.parametrize("place", [0.02, 0.3, 0.55, 0.97])
def test_forty_players_by_counting_subsets(place):
    rng = np.random.default_rng(12)
    own = rng.integers(-60, 80, 40)
    own[5] = 900  # one far larger than the others
    start = 9_000
    cap = start + int(own[own < 0].sum() + place * np.abs(own).sum())
    game = held_game((own + start // 40)[:, None], np.full((40, 1), start // 40), [(-NO_LIMIT, cap)])
    values = shapley_values(game)[:, 0]
    for player in (0, 5, 17, 39):
        assert values[player] == pytest.approx(float(by_counting(own, player, start, cap)), abs=TOLERANCE)


def test_too_many_gates_that_change_are_refused():
    players = 17
    now, ref = np.full((players, 1), 600), np.full((players, 1), 500)
    ends = [(-NO_LIMIT, 9_000 + 10 * k) for k in range(players)]
    on, off = np.ones((players, 1), dtype=bool), np.zeros((players, 1), dtype=bool)
    game = held_game(now, ref, ends, acts_now=on, acts_ref=off, gated_by=np.arange(players))
    with pytest.raises(LoadlineError, match="17 indicators"):
        shapley_values(game)
    few = replace(game, ends=np.array([(-NO_LIMIT, 20_000)] * players))
    assert (shapley_cents(few) == 100).all()  # gates that nothing reaches are no obstacle


def test_equal_remainders_go_to_the_earlier_player():
    values = np.array([[1 / 3], [1 / 3 + 1e-12], [1 / 3], [0.0]])
    assert whole_cents(values, np.array([1]))[:, 0].tolist() == [1, 0, 0, 0]


def test_plain_rows_load_no_compiler():
    code = (
        "import sys, numpy as np\n"
        "from models.scoring.shapley import Game, shapley_cents\n"
        "e = np.zeros((0, 2), dtype=int); b = np.zeros(0, dtype=int)\n"
        "now = np.array([[3, 4], [5, 6]]); acts = np.ones((1, 2), dtype=bool)\n"
        "one, ends = np.array([-1]), np.array([[-9, 99]])\n"
        "game = Game(now, now - 1, e, e, b, b.astype(bool), None, None, acts, acts, one, ends)\n"
        "assert (shapley_cents(game) == 1).all()\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_preparing_compiles_what_hard_rows_need():
    prepare()
    from models.scoring.shapley_kernel import solve

    assert solve.signatures
