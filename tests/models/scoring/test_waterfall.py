"""One score line by line: the lines add up to what is stated."""

from __future__ import annotations

import numpy as np
import pytest
from scoring_cases import TITLE, indicators, plain_policy, random_facts, random_policy, score_one

from features.errors import LoadlineError
from models.scoring.engine import score_card
from models.scoring.waterfall import waterfall

KNOWN = indicators()
KINDS = ("item", "adjustment", "limits", "gate", "rounding")


def test_lines_add_up_for_random_policies_and_units():
    seen, rows = set(), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        policy = random_policy(rng, KNOWN)
        scores = score_card(policy, policy.scorecards[0], random_facts(rng, policy, KNOWN, 50), KNOWN)
        for row in np.flatnonzero(scores.scored):
            lines = waterfall(scores, int(row))
            assert sum(line.cents for line in lines) == scores.tenths[row] * 10
            assert lines[-1].total == scores.tenths[row] * 10
            assert np.cumsum([line.cents for line in lines]).tolist() == [line.total for line in lines]
            places = [KINDS.index(line.kind) for line in lines]
            assert places == sorted(places)
            seen |= {line.kind for line in lines}
            rows += 1
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
    lines = waterfall(scores, 0)
    assert [(line.kind, line.key, line.cents, line.total) for line in lines] == [
        ("item", "UP1", 6600, 6600),
        ("item", "DOWN1", 2000, 8600),
        ("adjustment", "one", 200, 8800),
        ("adjustment", "two", 200, 9000),
        ("limits", "limits", -100, 8900),
        ("gate", "cap", -1895, 7005),
        ("rounding", "rounding", 5, 7010),
    ]
    assert (lines[0].weight, lines[0].points) == (6000, 11000)


def test_an_item_without_a_figure_is_told_and_brings_nothing():
    policy = plain_policy(
        [{"indicator": code, "weight": 50, "rule": {"kind": "ratio"}} for code in ("UP1", "UP2")],
        missing={"then": "rescale", "least_weight": 50},
    )
    lines = waterfall(score_one(policy, KNOWN, {"actual": {"UP1": 90}, "target": {"UP1": 100, "UP2": 100}}), 0)
    assert [(line.key, line.cents, line.weight, line.points) for line in lines] == [
        ("UP1", 9000, 10000, 9000),
        ("UP2", 0, 0, None),
    ]


def test_without_a_score_there_is_nothing_to_take_apart():
    policy = plain_policy([{"indicator": "UP1", "weight": 100, "rule": {"kind": "ratio"}}])
    with pytest.raises(LoadlineError, match="no score"):
        waterfall(score_one(policy, KNOWN, {"actual": {"UP1": np.nan}, "target": {"UP1": 100}}), 0)
