"""Differences of scores split over indicators: equal to the definition on the engine itself, and adding up."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from scoring_cases import indicators, plain_policy, random_facts, random_policy

from models.policy.document import Policy
from models.policy.rules import TwoIncrease
from models.scoring.attribution import PROTECTION, Attribution, attribute, game_of, players_of
from models.scoring.engine import CardScores, score_card
from models.scoring.facts import Facts
from models.scoring.gaps import AGAINST
from models.scoring.references import reference_of
from models.scoring.shapley import shapley_values

KNOWN = indicators()
RATIO = {"kind": "ratio"}


def scored(policy: Policy, facts: Facts) -> CardScores:
    return score_card(policy, policy.scorecards[0], facts, KNOWN)


def random_scores(seed: int, rows: int) -> CardScores:
    rng = np.random.default_rng(seed)
    policy = random_policy(rng, KNOWN)
    return scored(policy, random_facts(rng, policy, KNOWN, rows))


def with_some(attribution: Attribution, present: set[int]) -> np.ndarray:
    """Score the rows with some players as they are now and the others as in the reference: gated cents."""
    now, then = attribution.now.facts, attribution.then.facts
    actual, opened, moved = dict(then.actual), then.opened, then.moved
    for number, player in enumerate(attribution.players):
        if number in present and player == PROTECTION:
            opened, moved = now.opened, now.moved
        elif number in present:
            rules = [item.rule for item in attribution.now.card.items if item.indicator == player.code]
            codes = [player.code, *(rule.all_loans for rule in rules if isinstance(rule, TwoIncrease))]
            actual |= {code: now.actual[code] for code in codes}
    facts = Facts(
        now.rows,
        actual,
        **{kind: getattr(now, kind) for kind in ("last_year", "floor", "target", "stretch", "peers", "standards")},
        opened=opened,
        moved=moved,
    )
    return scored(attribution.now.policy, facts).gated


def test_values_are_those_of_the_scoring_function_itself():
    compared, curved = 0, 0
    for seed in range(120):
        scores = random_scores(seed, 6)
        attribution = attribute(scores, reference_of(scores.facts, AGAINST[seed % 3]))
        count = len(attribution.players)
        if count > 6:
            continue
        totals = [with_some(attribution, {i for i in range(count) if mask >> i & 1}) for mask in range(1 << count)]
        exact = shapley_values(game_of(attribution.now, attribution.then, attribution.players))
        for row in np.flatnonzero(attribution.explained):
            for player in range(count):
                value = Fraction(0)
                for mask in range(1 << count):
                    if not mask >> player & 1:
                        size = mask.bit_count()
                        weight = Fraction(factorial(size) * factorial(count - 1 - size), factorial(count))
                        value += weight * int(totals[mask | 1 << player][row] - totals[mask][row])
                assert exact[player, row] == pytest.approx(float(value), abs=1e-9), (seed, row, player)
                assert abs(attribution.cents[player, row] - value) < 1
                curved += value.denominator > 1
            compared += 1
    assert compared > 100
    assert curved > 50


@pytest.mark.parametrize("against", AGAINST)
def test_players_add_up_to_the_difference_in_every_row(against):
    differences = 0
    for seed in range(60):
        scores = random_scores(seed, 50)
        attribution = attribute(scores, reference_of(scores.facts, against))
        both = attribution.explained
        assert (both == scores.scored).all()  # what cannot be compared costs no row its score
        assert (attribution.cents.sum(axis=0)[both] == (attribution.now.gated - attribution.then.gated)[both]).all()
        stated = (attribution.now.tenths - attribution.then.tenths) * 10
        assert (attribution.cents.sum(axis=0) + attribution.rounding)[both].tolist() == stated[both].tolist()
        assert not attribution.cents[:, ~both].any()
        parts = attribution.of(controllable=True) + attribution.of(controllable=False)
        assert (parts == attribution.gated).all()
        differences += int((attribution.gated != 0).sum())
    assert differences > 500


def test_the_reference_is_scored_like_any_facts():
    for seed in range(40):
        scores = random_scores(seed, 30)
        attribution = attribute(scores, reference_of(scores.facts, "last_year"))
        again = scored(scores.policy, attribution.reference.facts)
        for name in ("state", "points", "weights", "items", "adjustments", "acts", "running", "scored"):
            assert (getattr(again, name) == getattr(attribution.then, name)).all(), name


def simple_facts(**kinds: dict[str, list[float]]) -> Facts:
    arrays = {kind: {code: np.array(x, dtype=float) for code, x in of.items()} for kind, of in kinds.items()}
    rows = len(next(iter(arrays["actual"].values())))
    return replace(Facts(rows, {}), **arrays)


def test_by_hand_with_a_ceiling_on_the_same_indicator():
    # UP1 110 of 100 at weight 60: 66, at target 60. DOWN1 2 for 1 at weight 40: 20, at target 40, and above 1.5 no
    # more than 70 points. Now 86 -> 70, reference 100. UP1 first: 100 -> 106, then DOWN1 -> 70: (+6, -36);
    # DOWN1 first: 100 -> 70 (80 held), then UP1: nothing more: (0, -30). Averages: +3, -33.
    policy = plain_policy(
        [
            {"indicator": "UP1", "weight": 60, "rule": RATIO},
            {"indicator": "DOWN1", "weight": 40, "rule": RATIO},
        ],
        gates=[
            {
                "kind": "total_cap",
                "id": "npl",
                "title": {"en": "x", "zh": "x"},
                "at": 70,
                "when": {"indicator": "DOWN1", "above": 1.5},
            }
        ],
    )
    facts = simple_facts(actual={"UP1": [110], "DOWN1": [2]}, target={"UP1": [100], "DOWN1": [1]})
    attribution = attribute(scored(policy, facts), reference_of(facts, "target"))
    assert [player.code for player in attribution.players] == ["UP1", "DOWN1"]
    assert attribution.cents[:, 0].tolist() == [300, -3300]


def test_what_is_only_looked_at_by_gates_and_adjustments_is_a_player_of_its_own():
    policy = plain_policy(
        [{"indicator": "UP1", "weight": 100, "rule": RATIO}],
        adjustments=[
            {
                "id": "a",
                "title": {"en": "x", "zh": "x"},
                "kind": "malus",
                "when": {"indicator": "DOWN2", "above": 0},
                "points": 2,
                "per": 1,
                "most": 10,
            }
        ],
        gates=[
            {
                "kind": "protection_floor",
                "id": "p",
                "title": {"en": "x", "zh": "x"},
                "at": 80,
                "of": "new_units",
                "months": 6,
            }
        ],
    )
    players = players_of(policy, policy.scorecards[0], KNOWN)
    assert [(player.kind, player.code) for player in players] == [
        ("item", "UP1"),
        ("indicator", "DOWN2"),
        ("protection", "protection"),
    ]
    facts = simple_facts(
        actual={"UP1": [90], "DOWN2": [3]}, target={"UP1": [100]}, last_year={"UP1": [95], "DOWN2": [1]}
    )
    attribution = attribute(scored(policy, facts), reference_of(facts, "last_year"))
    assert attribution.cents[:, 0].tolist() == [-500, -400, 0]
    assert attribution.of(controllable=False).tolist() == [0]


def test_an_item_without_a_figure_in_the_reference_makes_no_difference_and_is_told():
    policy = plain_policy(
        [{"indicator": "UP1", "weight": 50, "rule": RATIO}, {"indicator": "UP2", "weight": 50, "rule": RATIO}]
    )
    facts = simple_facts(
        actual={"UP1": [90], "UP2": [80]},
        target={"UP1": [100], "UP2": [100]},
        last_year={"UP1": [np.nan], "UP2": [100]},
    )
    attribution = attribute(scored(policy, facts), reference_of(facts, "last_year"))
    assert attribution.compared[:, 0].tolist() == [False, True]
    assert attribution.cents[:, 0].tolist() == [0, -1000]


def test_an_item_whose_reference_cannot_be_scored_makes_no_difference_and_is_told():
    # last year's figure is negative: a ratio says nothing of it
    policy = plain_policy(
        [{"indicator": "UP1", "weight": 50, "rule": RATIO}, {"indicator": "UP2", "weight": 50, "rule": RATIO}],
        missing={"then": "rescale", "least_weight": 50},
    )
    facts = simple_facts(
        actual={"UP1": [90], "UP2": [80]},
        target={"UP1": [100], "UP2": [100]},
        last_year={"UP1": [-5], "UP2": [100]},
    )
    attribution = attribute(scored(policy, facts), reference_of(facts, "last_year"))
    assert attribution.compared[:, 0].tolist() == [False, True]
    assert attribution.cents[:, 0].tolist() == [0, -1000]
    assert attribution.then.weights[:, 0].tolist() == [5000, 5000]


def test_a_row_without_a_score_has_no_parts():
    policy = plain_policy([{"indicator": "UP1", "weight": 100, "rule": RATIO}])
    facts = simple_facts(actual={"UP1": [np.nan, 90]}, target={"UP1": [100, 100]})
    attribution = attribute(scored(policy, facts), reference_of(facts, "target"))
    assert attribution.explained.tolist() == [False, True]
    assert attribution.cents.tolist() == [[0, -1000]]
