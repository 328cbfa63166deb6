"""Figures at and next to where rounding turns, and random ones, against the slow reference."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from policies import policies
from scoring_cases import facts_around, indicators, points_of, random_facts, random_policy
from slow_points import row_of
from slow_scoring import by_engine, score_row

from models.scoring import conditions, exact, points
from models.scoring.engine import BLOCK, score

KNOWN = indicators()
HUNDREDTHS = 10_000
"""Of the points of a figure that equals its target."""
HAIR = Fraction(1, 10**6)
"""The smallest step of a figure."""


def test_random_policies_score_as_the_slow_reference_says_and_add_up():
    rng = np.random.default_rng(20)
    units = scored = vetoed = capped = 0
    for _ in range(500):
        policy = random_policy(rng, KNOWN)
        facts = random_facts(rng, policy, KNOWN, 20)
        (scores,) = score(policy, facts, np.zeros(20, dtype=int), KNOWN)
        for row in range(20):
            slow = score_row(policy, KNOWN, 0, row_of(facts, row))
            assert by_engine(scores, row) == slow
        # What is shown adds up: items, adjustments, what their limits leave, every gate's step, the rounding.
        limited = scores.bonus - scores.malus - scores.adjustments.sum(axis=0)
        steps = np.diff(scores.running, axis=0)
        rounding = 10 * scores.tenths - scores.gated
        total = scores.items.sum(axis=0) + scores.adjustments.sum(axis=0) + limited + steps.sum(axis=0) + rounding
        np.testing.assert_array_equal(total, 10 * scores.tenths)
        assert np.all(np.abs(rounding) <= 5)
        units += 20
        scored += int(scores.scored.sum())
        vetoed += int(((scores.gated == 0) & (scores.raw != 0) & scores.scored).sum())
        capped += int(((scores.gated != scores.raw) & (scores.gated != 0) & scores.scored).sum())
    assert units == 10_000
    assert scored > 5000
    assert vetoed > 200
    assert capped > 1000


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_policy_scores_any_figures_as_the_slow_reference_says(data):
    policy = data.draw(policies(KNOWN))
    facts = data.draw(facts_around(policy, KNOWN, rows=4))
    cards = np.array(data.draw(st.lists(st.integers(-1, len(policy.scorecards) - 1), min_size=4, max_size=4)))
    found = {}
    for scores in score(policy, facts, cards, KNOWN):
        found |= {int(row): by_engine(scores, place) for place, row in enumerate(scores.rows)}
    rows = np.flatnonzero(cards >= 0).tolist()
    assert found == {row: score_row(policy, KNOWN, int(cards[row]), row_of(facts, row)) for row in rows}


@pytest.mark.parametrize("wider", [1.0, 1e9])
def test_what_floating_point_settles_is_what_fractions_say(wider, monkeypatch):
    # With nothing known of denominators, all that is near a boundary is computed in fractions; with a wider error more
    # is near. Round targets bring many halves.
    rng = np.random.default_rng(12)
    computed = []

    def in_fractions(value, error, *, divisor, exactly):
        def counted(rows):
            computed.append(len(rows))
            return exactly(rows)

        error = np.broadcast_to(error, value.shape) * wider
        return exact.rounded(value, error, divisor=lambda rows: np.full(len(rows), np.inf), exactly=counted)

    for _ in range(15):
        policy = random_policy(rng, KNOWN)
        facts = random_facts(rng, policy, KNOWN, 300)
        cards = np.zeros(300, dtype=int)
        (before,) = score(policy, facts, cards, KNOWN)
        with monkeypatch.context() as patched:
            for module in (points, conditions):
                patched.setattr(module, "rounded", in_fractions)
            (after,) = score(policy, facts, cards, KNOWN)
        np.testing.assert_array_equal(after.points, before.points)
        np.testing.assert_array_equal(after.running, before.running)
    assert sum(computed) > 500


def halves(target: Fraction, rng: np.random.Generator) -> list[tuple[Fraction, int]]:
    """Find figures of six decimals whose ratio to a target lies halfway between two hundredths, with the lower one."""
    lower = [int(x) for x in rng.integers(1, 12_900, 200)]
    found = [(target * Fraction(2 * one + 1, 2 * HUNDREDTHS), one) for one in lower]
    return [(figure, one) for figure, one in found if (figure / HAIR).denominator == 1][:12]


@pytest.mark.parametrize("target", ["100", "0.8", "0.08", "1600", "37.28", "123456.7", "1e9", "987654321.6"])
def test_every_half_goes_up_and_every_hair_below_does_not(target):
    found = halves(Fraction(target), np.random.default_rng(3))
    assert found, "no figure of six decimals lies on a boundary"
    for figure, lower in found:
        assert points_of({"kind": "ratio"}, float(figure), target=float(target)) == (lower + 1) / 100
        assert points_of({"kind": "ratio"}, float(figure - HAIR), target=float(target)) == lower / 100


def test_one_unit_among_more_than_a_block():
    rng = np.random.default_rng(8)
    policy = random_policy(rng, KNOWN)
    rows = BLOCK + 7
    facts = random_facts(rng, policy, KNOWN, rows)
    (scores,) = score(policy, facts, np.zeros(rows, dtype=int), KNOWN)
    for row in (0, BLOCK - 1, BLOCK, rows - 1, *rng.integers(0, rows, 50).tolist()):
        (alone,) = score(policy, facts.take(np.array([row])), np.zeros(1, dtype=int), KNOWN)
        assert by_engine(scores, row) == by_engine(alone, 0)
