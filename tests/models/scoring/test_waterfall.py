"""Scores part by part: the parts add up to what is stated."""

from __future__ import annotations

import numpy as np
from scoring_cases import TITLE, indicators, plain_policy, random_facts, random_policy, score_one

from models.scoring.engine import CardScores, score_card
from models.scoring.waterfall import waterfall

KNOWN = indicators()
KINDS = ("item", "adjustment", "limits", "gate", "rounding")


def told(scores: CardScores, row: int) -> list[tuple[str, str, int]]:
    """Give the parts that stand in a row: kind, key, cents."""
    return [(part.kind, part.key, int(part.cents[row])) for part in waterfall(scores) if part.there[row]]


def test_parts_add_up_for_random_policies_and_units():
    seen, rows = set(), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        policy = random_policy(rng, KNOWN)
        scores = score_card(policy, policy.scorecards[0], random_facts(rng, policy, KNOWN, 50), KNOWN)
        parts = waterfall(scores)
        places = [KINDS.index(part.kind) for part in parts]
        assert places == sorted(places)
        total = sum(np.where(part.there, part.cents, 0) for part in parts)
        np.testing.assert_array_equal(total, np.where(scores.scored, scores.tenths * 10, 0))
        seen |= {part.kind for part in parts if part.there.any()}
        rows += scores.scored.sum()
    assert rows > 5_000
    assert seen == set(KINDS)


def test_by_hand():
    # 60 x 110 / 100 = 66; 40 x 50 / 100 = 20; two bonuses of 2 held to 3; 89 capped at 70.05, stated 70.1
    policy = plain_policy(
        [
            {"indicator": "UP1", "weight": 60, "rule": {"kind": "ratio"}},
            {"indicator": "DOWN1", "weight": 40, "rule": {"kind": "ratio"}},
        ],
        adjustments=[
            {"id": key, "title": TITLE, "kind": "bonus", "when": {"indicator": "UP1", "above": 100}, "points": 2}
            for key in ("one", "two")
        ],
        limits={"bonus": 3},
        gates=[{"kind": "total_cap", "id": "cap", "title": TITLE, "at": 70.05}],
    )
    scores = score_one(policy, KNOWN, {"actual": {"UP1": 110, "DOWN1": 2}, "target": {"UP1": 100, "DOWN1": 1}})
    assert told(scores, 0) == [
        ("item", "UP1", 6600),
        ("item", "DOWN1", 2000),
        ("adjustment", "one", 200),
        ("adjustment", "two", 200),
        ("limits", "limits", -100),
        ("gate", "cap", -1895),
        ("rounding", "rounding", 5),
    ]


def test_an_item_without_a_figure_is_told_and_brings_nothing():
    policy = plain_policy(
        [{"indicator": code, "weight": 50, "rule": {"kind": "ratio"}} for code in ("UP1", "UP2")],
        missing={"then": "rescale", "least_weight": 50},
    )
    scores = score_one(policy, KNOWN, {"actual": {"UP1": 90}, "target": {"UP1": 100, "UP2": 100}})
    assert told(scores, 0) == [("item", "UP1", 9000), ("item", "UP2", 0)]


def test_without_a_score_there_is_nothing_to_take_apart():
    policy = plain_policy([{"indicator": "UP1", "weight": 100, "rule": {"kind": "ratio"}}])
    assert told(score_one(policy, KNOWN, {"actual": {"UP1": np.nan}, "target": {"UP1": 100}}), 0) == []
