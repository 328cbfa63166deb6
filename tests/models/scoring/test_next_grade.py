"""The smallest changes that reach the next grade: they do, and one step less does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scoring_cases import TITLE, indicators, plain_policy, random_facts, random_policy, score_one

from features.indicators import IndicatorSet
from models.scoring.engine import CardScores, score_card
from models.scoring.next_grade import next_grade

KNOWN = indicators()
GRADES = [{"name": "A", "from": 90}, {"name": "B", "from": 80}, {"name": "C"}]
RATIO = {"kind": "ratio"}
STEP = 0.01


def one(items: list[dict[str, Any]], figures: Mapping[str, Mapping[str, float]], **rest: Any) -> CardScores:
    return score_one(plain_policy(items, **{"grades": GRADES} | rest), KNOWN, figures)


def tenths_with(scores: CardScores, row: int, figures: dict[str, float]) -> int:
    facts = scores.facts.take(np.array([row]))
    facts = facts.with_actual({code: np.array([figure]) for code, figure in figures.items()})
    found = score_card(scores.policy, scores.card, facts, scores.indicators)
    return int(found.tenths[0]) if found.scored[0] else -(10**9)


def test_by_hand_two_ways_of_one_figure_each():
    # 0.6 x 85 + 0.4 x 90 = 87; the grade begins at 90, which 89.95 is stated as.
    # UP1: 0.6 x 89.91 = 53.946, rounded 53.95, and 36 are 89.95. UP2: 0.4 x 97.37 = 38.948, so 38.95, and 51
    scores = one(
        [{"indicator": "UP1", "weight": 60, "rule": RATIO}, {"indicator": "UP2", "weight": 40, "rule": RATIO}],
        {"actual": {"UP1": 85, "UP2": 90}, "target": {"UP1": 100, "UP2": 100}},
    )
    found = next_grade(scores, 0)
    assert (found.grade, found.better, found.needed, found.gap, found.obstacle) == ("B", "A", 900, 30, None)
    assert [[(c.indicator, c.to, c.change) for c in way.changes] for way in found.ways] == [
        [("UP1", 89.91, 4.91)],
        [("UP2", 97.37, 7.37)],
    ]
    assert [way.tenths for way in found.ways] == [900, 900]
    assert found.ways[0].share == pytest.approx(4.91 / 85)


def test_a_lower_figure_where_lower_is_better():
    # 100 x 1 / a >= 89.95 from a = 1.11 on (90.09); 1.12 gives 89.29
    found = next_grade(
        one([{"indicator": "DOWN1", "weight": 100, "rule": RATIO}], {"actual": {"DOWN1": 2}, "target": {"DOWN1": 1}}), 0
    )
    assert found.better == "B"
    assert found.ways[0].changes[0].to == 1.25  # 80 exactly; 79.95 is reached at 1.2508
    better = next_grade(
        one([{"indicator": "DOWN1", "weight": 100, "rule": RATIO}], {"actual": {"DOWN1": 1.2}, "target": {"DOWN1": 1}}),
        0,
    )
    assert better.ways[0].changes[0].to == 1.11


def test_counts_move_in_whole_numbers():
    scores = one(
        [
            {
                "indicator": "DOWN2",
                "weight": 100,
                "rule": {"kind": "tiers", "tiers": [{"points": 95}, {"from": 3, "points": 60}]},
            }
        ],
        {"actual": {"DOWN2": 7}},
    )
    assert next_grade(scores, 0).ways[0].changes[0].to == 2


def test_a_figure_enters_a_band_from_either_side():
    items = [{"indicator": "BAND1", "weight": 100, "against": "fixed", "value": 90, "rule": RATIO}]
    for figure, to in ((60.0, 71.96), (130.0, 111.17)):  # 80 x 89.95% = 71.96; 100 / 89.95% = 111.17
        start = [{"name": "A", "from": 90}, {"name": "B"}]
        found = next_grade(one(items, {"actual": {"BAND1": figure}}, grades=start), 0)
        assert found.ways[0].changes[0].to == to


def ceiling(limit: float = 5, code: str = "DOWN1") -> dict[str, Any]:
    return {
        "kind": "grade_ceiling",
        "id": "npl",
        "title": TITLE,
        "grade": "B",
        "when": {"indicator": code, "above": limit},
    }


def test_a_ceiling_is_cleared_first():
    items = [{"indicator": "UP1", "weight": 100, "rule": RATIO}]
    scores = one(items, {"actual": {"UP1": 95, "DOWN1": 5.2}, "target": {"UP1": 100}}, gates=[ceiling()])
    found = next_grade(scores, 0)
    assert [(h.gate, h.indicator, h.figure, h.to) for h in found.holds] == [("npl", "DOWN1", 5.2, 5.0)]
    assert [[(c.indicator, c.to) for c in way.changes] for way in found.ways] == [[("DOWN1", 5.0)]]
    low = one(items, {"actual": {"UP1": 85, "DOWN1": 5.2}, "target": {"UP1": 100}}, gates=[ceiling()])
    assert [[(c.indicator, c.to) for c in way.changes] for way in next_grade(low, 0).ways] == [
        [("DOWN1", 5.0), ("UP1", 89.95)]
    ]


def test_a_gate_on_what_the_unit_cannot_move_is_an_obstacle():
    items = [{"indicator": "UP1", "weight": 100, "rule": RATIO}]
    gate = ceiling(limit=10, code="UP3")
    found = next_grade(one(items, {"actual": {"UP1": 95, "UP3": 12}, "target": {"UP1": 100}}, gates=[gate]), 0)
    assert (found.obstacle, found.ways, found.holds[0].controllable) == ("not_controllable", (), False)


def test_a_cap_that_always_holds_is_an_obstacle():
    gate = {"kind": "total_cap", "id": "cap", "title": TITLE, "at": 85}
    items = [{"indicator": "UP1", "weight": 100, "rule": RATIO}]
    found = next_grade(one(items, {"actual": {"UP1": 95}, "target": {"UP1": 100}}, gates=[gate]), 0)
    assert (found.obstacle, found.holds[0].gate, found.holds[0].indicator) == ("capped", "cap", None)


@pytest.mark.parametrize(("figure", "to"), [(79.94, 79.95), (79.93, 79.95), (79.934, 79.95), (79.9, 79.95)])
def test_the_smallest_change_may_be_a_step_or_two(figure, to):
    items = [{"indicator": "UP1", "weight": 100, "rule": RATIO}]
    found = next_grade(one(items, {"actual": {"UP1": figure}, "target": {"UP1": 100}}), 0)
    assert [[(c.indicator, c.to) for c in way.changes] for way in found.ways] == [[("UP1", to)]]


def test_several_figures_where_none_alone_is_enough():
    items = [{"indicator": code, "weight": 50, "rule": {"kind": "ratio", "cap": 100}} for code in ("UP1", "UP2")]
    figures = {"actual": {"UP1": 60, "UP2": 70}, "target": {"UP1": 100, "UP2": 100}}
    found = next_grade(one(items, figures, grades=[{"name": "A", "from": 90}, {"name": "B"}]), 0)
    (way,) = found.ways
    # points for a relative change: 0.3 a percent of 60, 0.35 of 70: UP2 first, to where 50 are stated
    # (0.5 x 99.99 = 49.995); UP1 then to 0.5 x 79.89 = 39.945, rounded 39.95
    assert {c.indicator: c.to for c in way.changes} == {"UP2": 99.99, "UP1": 79.89}


def test_what_the_unit_cannot_move_is_not_proposed():
    items = [{"indicator": "UP3", "weight": 90, "rule": RATIO}, {"indicator": "UP1", "weight": 10, "rule": RATIO}]
    figures = {"actual": {"UP3": 70, "UP1": 90}, "target": {"UP3": 100, "UP1": 100}}
    found = next_grade(one(items, figures, grades=[{"name": "A", "from": 90}, {"name": "B"}]), 0)
    assert (found.obstacle, found.ways) == ("out_of_reach", ())


def test_bounds_of_the_indicator_are_kept():
    bounded = IndicatorSet([KNOWN["UP2"].model_copy(update={"bounds": (0.0, 100.0)})])
    policy = plain_policy([{"indicator": "UP2", "weight": 100, "rule": RATIO}], grades=GRADES)
    figures = {"actual": {"UP2": 95.0}, "target": {"UP2": 120.0}}
    assert next_grade(score_one(policy, KNOWN, figures), 0).ways[0].changes[0].to == 95.94  # 79.95 of 120
    tall = {"actual": {"UP2": 97.0}, "target": {"UP2": 120.0}}
    assert next_grade(score_one(policy, KNOWN, tall), 0).ways[0].changes[0].to == 107.94
    assert next_grade(score_one(policy, bounded, tall), 0).obstacle == "out_of_reach"


def test_the_best_grade_no_grades_and_no_score():
    items = [{"indicator": "UP1", "weight": 100, "rule": RATIO}]
    best = {"actual": {"UP1": 99}, "target": {"UP1": 100}}
    assert next_grade(one(items, best), 0).obstacle == "best_grade"
    assert next_grade(one(items, best, grades=[]), 0).obstacle == "no_grades"
    assert next_grade(one(items, {"actual": {"UP1": np.nan}, "target": {"UP1": 100}}), 0).obstacle == "no_score"


def test_random_ways_reach_the_grade_and_one_step_less_does_not():
    found = Counter()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        policy = random_policy(rng, KNOWN)
        scores = score_card(policy, policy.scorecards[0], random_facts(rng, policy, KNOWN, 20), KNOWN)
        for row in range(20):
            nearest = next_grade(scores, row)
            first = {hold.indicator for hold in nearest.holds}
            assert bool(nearest.ways) is (nearest.obstacle is None)
            for way in nearest.ways:
                figures = {change.indicator: change.to for change in way.changes}
                assert tenths_with(scores, row, figures) == way.tenths >= nearest.needed, (seed, row)
                for change in way.changes:
                    if change.indicator in first:
                        continue
                    step = scores.indicators[change.indicator].smallest_unit
                    less = round((change.to - np.sign(change.change) * step) / step) * step
                    if abs(change.change) > step:
                        assert tenths_with(scores, row, figures | {change.indicator: less}) < nearest.needed, (
                            seed,
                            row,
                        )
                    found["checked"] += 1
            found[len(nearest.ways[0].changes) if nearest.ways else 0] += 1
    assert found["checked"] > 200
    assert found[2] + found[3] > 8


def test_no_smaller_change_of_one_figure_reaches_the_grade():
    # every figure on the grid between the present one and the one proposed, at once
    checked = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        policy = random_policy(rng, KNOWN)
        scores = score_card(policy, policy.scorecards[0], random_facts(rng, policy, KNOWN, 10), KNOWN)
        for row in range(10):
            nearest = next_grade(scores, row)
            for way in nearest.ways:
                if len(way.changes) != 1 or nearest.holds:
                    continue
                change = way.changes[0]
                step = scores.indicators[change.indicator].smallest_unit
                count = int(abs(change.change) / step)
                if not 1 < count < 20_000:
                    continue
                sign = np.sign(change.change)
                between = np.round((round(change.to / step) - sign * np.arange(1, count + 1)) * step, 6)
                facts = scores.facts.take(np.full(count, row)).with_actual({change.indicator: between})
                tried = score_card(policy, scores.card, facts, KNOWN)
                assert not (tried.scored & (tried.tenths >= nearest.needed)).any(), (seed, row)
                checked += 1
    assert checked > 30
