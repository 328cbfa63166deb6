from decimal import Decimal

import numpy as np
import pytest
from plain_scorecards import GRADES, KNOWN, RETAIL, adjustment, card_of, of_points
from scoring_cases import indicators, plain_policy, random_facts, random_policy, score_one
from slow_points import row_of
from slow_scoring import SlowScore, by_engine, score_row

from features.indicators import IndicatorSet
from models.policy.document import Policy
from models.scoring.engine import score, score_card
from models.scoring.facts import Facts


def test_a_total_is_the_sum_of_rounded_contributions():
    scores = of_points(card_of(), 92.345, 80, 100, 66.666, 0)
    # 30 x 92.35% = 27.705 -> 27.71; 25 x 80%; 20 x 100%; 15 x 66.67% = 10.0005 -> 10.00; 0
    assert scores.items[:, 0].tolist() == [2771, 2000, 2000, 1000, 0]
    assert scores.raw[0] == scores.gated[0] == 7771
    assert scores.tenths[0] == 777
    assert GRADES[scores.grade[0]]["name"] == "B"


def test_halves_of_contributions_go_away_from_zero():
    rule = {"kind": "increment", "base": 0}
    rule |= {side: {"step": 1, "points": 1, "most": 99} for side in ("better", "worse")}
    items = [{"indicator": "X1", "weight": "12.5", "against": "fixed", "value": 0, "rule": rule}]
    for figure, cents in ((0.04, 1), (-0.04, -1), (0.03, 0), (-0.03, 0), (0.12, 2), (-0.12, -2)):
        # 12.5% of 0.04 is 0.005, of 0.03 0.00375, of 0.12 0.015
        assert score_one(plain_policy(items), KNOWN, {"actual": {"X1": figure}}).items[0, 0] == cents


def test_bonuses_and_maluses_are_limited_apart():
    given = [adjustment(points=points, id=f"b{points}") for points in (2, 1)]
    taken = [adjustment("malus", points=points, id=f"m{points}") for points in (3, 4)]
    for limits, total in (
        ({}, 10_000 + 300 - 700),
        ({"bonus": "2.5"}, 10_000 + 250 - 700),
        ({"bonus": 3, "malus": 1}, 10_000 + 300 - 100),
        ({"bonus": 0, "malus": 0}, 10_000),
    ):
        scores = of_points(card_of(adjustments=[*given, *taken], limits=limits), *[100] * 5, actual=1)
        assert scores.raw[0] == total
        assert scores.raw[0] == scores.items.sum() + scores.bonus[0] - scores.malus[0]


@pytest.mark.parametrize(
    ("weights", "lacking", "scaled"),
    [
        (RETAIL, {2}, [3750, 3125, 0, 1875, 1250]),  # 80 are left: x 1.25
        (RETAIL, {1, 4}, [4615, 0, 3077, 2308, 0]),  # 65: 4615.38, 3076.92, 2307.69; two hundredths to the largest
        (("33.33", "33.33", "33.34"), {2}, [5000, 5000, 0]),
        (("25", "25", "25", "25"), {1}, [3334, 0, 3333, 3333]),  # equal remainders: the first
        (("25", "25", "25", "25"), {0}, [0, 3334, 3333, 3333]),
        (("60", "40"), {1}, [10_000, 0]),  # exactly what must be left
        (("59.99", "40.01"), {1}, None),
        (("50", "50"), {0, 1}, None),
        (("50", "50"), set(), [5000, 5000]),
    ],
)
def test_weights_of_missing_items_are_spread(weights, lacking, scaled):
    policy = card_of(weights, missing={"then": "rescale", "least_weight": 60})
    points = [float("nan") if place in lacking else 90 for place in range(len(weights))]
    scores = of_points(policy, *points)
    assert scores.scored[0] == (scaled is not None)
    assert scores.assessed[0] == sum(int(Decimal(w) * 100) for k, w in enumerate(weights) if k not in lacking)
    if scaled is not None:
        assert scores.weights[:, 0].tolist() == scaled
        # Every contribution is rounded by itself, so a cent or two may come or go.
        assert scores.raw[0] == sum((weight * 90 + 50) // 100 for weight in scaled)
        assert scores.weights.sum() == 10_000


def test_without_an_item_there_is_no_score():
    scores = of_points(card_of(), 90, 90, float("nan"), 90, 90)
    assert not scores.scored[0]
    assert scores.grade[0] == -1
    assert scores.weights[:, 0].tolist() == [3000, 2500, 0, 1500, 1000]


def test_peers_standards_are_their_own_for_every_row():
    item = {"indicator": "X1", "weight": 100, "rule": {"kind": "efficacy"}}
    standards = np.array([[60, 70, 80, 90, 100], [10, 20, 30, 40, 50], [10, 20, np.nan, 40, 50]]).T
    facts = Facts(
        3, actual={"X1": np.array([65.0, 45.0, 45.0])}, standards={("X1", (0.1, 0.3, 0.5, 0.7, 0.9)): standards}
    )
    scores = score_card(plain_policy([item]), plain_policy([item]).scorecards[0], facts, KNOWN)
    assert scores.points[:, :2].tolist() == [[3000, 9000]]
    assert scores.scored.tolist() == [True, True, False]


def expected(policy: Policy, known: IndicatorSet, facts: Facts, cards: np.ndarray) -> dict[int, SlowScore]:
    """Score rows one by one."""
    return {row: score_row(policy, known, int(card), row_of(facts, row)) for row, card in enumerate(cards) if card >= 0}


def found_for(policy: Policy, known: IndicatorSet, facts: Facts, cards: np.ndarray) -> dict[int, SlowScore]:
    """Score rows together."""
    found = {}
    for scores in score(policy, facts, cards, known):
        found |= {int(row): by_engine(scores, place) for place, row in enumerate(scores.rows)}
    return found


def test_a_network_of_several_scorecards_is_scored_like_its_units_alone():
    rng = np.random.default_rng(5)
    known = indicators()
    for _ in range(10):
        policy = random_policy(rng, known)
        others = [random_policy(rng, known).scorecards[0].model_copy(update={"id": f"c{k}"}) for k in range(2)]
        policy = policy.model_copy(update={"scorecards": (*policy.scorecards, *others)})
        facts = random_facts(rng, policy, known, 60)
        cards = rng.integers(-1, 3, 60)
        together = found_for(policy, known, facts, cards)
        assert together == expected(policy, known, facts, cards)
        alone = {}
        for row in np.flatnonzero(cards >= 0).tolist():
            one = found_for(policy, known, facts.take(np.array([row])), cards[[row]])
            alone[row] = one[0]
        assert together == alone


def test_the_order_of_rows_and_items_changes_nothing():
    rng = np.random.default_rng(6)
    known = indicators()
    for _ in range(20):
        policy = random_policy(rng, known)
        facts = random_facts(rng, policy, known, 40)
        (before,) = score(policy, facts, np.zeros(40, dtype=int), known)
        order = rng.permutation(40)
        (shuffled,) = score(policy, facts.take(order), np.zeros(40, dtype=int), known)
        assert [by_engine(shuffled, place) for place in range(40)] == [by_engine(before, row) for row in order]
        card = policy.scorecards[0]
        places = rng.permutation(len(card.items))
        turned = card.model_copy(update={"items": tuple(card.items[place] for place in places)})
        after = score_card(policy, turned, facts, known)
        whole = np.all(before.state == 0, axis=0)  # the hundredths left over go to the earlier of equal items
        np.testing.assert_array_equal(after.running[:, whole], before.running[:, whole])
        np.testing.assert_array_equal(after.points, before.points[places])
