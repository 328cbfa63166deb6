import numpy as np
import pytest
from plain_scorecards import GRADES, KNOWN, adjustment, card_of, gate, of_points
from scoring_cases import score_one

ABOVE = {"when": {"indicator": "N", "above": 5}}
CAP = gate("total_cap", at=100)
CAP_90 = gate("total_cap", at=90, **ABOVE)
FLOOR = gate("protection_floor", at=80, of="new_units", months=6)
CEILING = gate("grade_ceiling", grade="B", **ABOVE)
VETO = gate("veto", **ABOVE)


@pytest.mark.parametrize(
    ("gates", "points", "figure", "months", "running"),
    [
        ([CAP], 100, 0, 99, [10_000, 10_000]),
        ([CAP], 100.01, 0, 99, [10_001, 10_000]),
        ([CAP], 130, 0, 99, [13_000, 10_000]),
        ([CAP_90], 95, 5, 99, [9500, 9500]),  # not above 5
        ([CAP_90], 95, 5.000001, 99, [9500, 9000]),
        ([CAP_90], 95, float("nan"), 99, [9500, 9500]),  # cannot be judged, does not act
        ([FLOOR], 70, 0, 5, [7000, 8000]),
        ([FLOOR], 70, 0, 6, [7000, 7000]),  # protected for six months, not in the seventh
        ([FLOOR], 80.01, 0, 0, [8001, 8001]),
        ([FLOOR], 70, 0, np.inf, [7000, 7000]),
        ([CEILING], 95, 6, 99, [9500, 7990]),  # just below where A begins
        ([CEILING], 79.95, 6, 99, [7995, 7990]),  # stated, it would have been an A
        ([CEILING], 79.9, 6, 99, [7990, 7990]),
        ([CEILING], 60, 6, 99, [6000, 6000]),
        ([VETO], 95, 6, 99, [9500, 0]),
        ([VETO], 95, 5, 99, [9500, 9500]),
        # The order decides: a floor after a veto gives the points back, a veto after a floor takes all.
        ([FLOOR, VETO], 70, 6, 0, [7000, 8000, 0]),
        ([VETO, FLOOR], 70, 6, 0, [7000, 0, 8000]),
        ([FLOOR, CEILING], 70, 6, 0, [7000, 8000, 7990]),
        ([CEILING, FLOOR], 70, 6, 0, [7000, 7000, 8000]),
        ([CAP, CAP_90, FLOOR, CEILING, VETO], 120, 6, 0, [12_000, 10_000, 9000, 9000, 7990, 0]),
        ([VETO, CEILING, FLOOR, CAP_90, CAP], 120, 6, 0, [12_000, 0, 0, 8000, 8000, 8000]),
    ],
)
def test_gates_act_in_order(gates, points, figure, months, running):
    gates = [one | {"id": f"g{place}"} for place, one in enumerate(gates)]
    policy = card_of(("100",), gates=gates)
    scores = of_points(policy, points, actual=figure, months=months)
    assert scores.running[:, 0].tolist() == running
    assert scores.raw[0] == running[0]
    assert scores.tenths[0] == (running[-1] + 5) // 10


def test_a_veto_lifts_a_score_below_nothing_to_nothing():
    policy = card_of(("100",), adjustments=[adjustment("malus")], gates=[VETO])
    assert of_points(policy, 0, actual=6).running[:, 0].tolist() == [-50, 0]


def test_units_are_protected_by_what_happened_to_them():
    moved = gate("protection_floor", at=80, of="moved_units", months=3)
    policy = card_of(("100",), gates=[moved])
    figures = {"actual": {"X1": 10}}
    assert score_one(policy, KNOWN, figures, moved=2).gated[0] == 8000
    assert score_one(policy, KNOWN, figures, moved=3).gated[0] == 1000
    assert score_one(policy, KNOWN, figures, opened=0).gated[0] == 1000


def test_the_best_grade_is_no_ceiling():
    policy = card_of(("100",), gates=[gate("grade_ceiling", grade="A", **ABOVE)])
    assert of_points(policy, 120, actual=6).gated[0] == 12_000


@pytest.mark.parametrize(
    ("figure", "cents", "tenths", "grade"),
    [
        (79.94, 7994, 799, "B"),
        (79.95, 7995, 800, "A"),  # 79.95 is stated as 80.0, and 80 is an A
        (79.945, 7995, 800, "A"),  # every rounding is of what was shown before it
        (80, 8000, 800, "A"),
        (64.95, 6495, 650, "B"),
        (64.94, 6494, 649, "C"),
        (49.95, 4995, 500, "C"),
        (49.94, 4994, 499, "D"),
        (0, 0, 0, "D"),
    ],
)
def test_grades_begin_at_the_stated_score(figure, cents, tenths, grade):
    scores = of_points(card_of(("100",)), figure)
    assert (scores.gated[0], scores.tenths[0]) == (cents, tenths)
    assert GRADES[scores.grade[0]]["name"] == grade


def test_a_grade_may_begin_between_two_stated_scores():
    policy = card_of(("100",), grades=[{"name": "A", "from": "79.95"}, {"name": "B"}])
    assert of_points(policy, 79.94).grade[0] == 1  # stated as 79.9
    assert of_points(policy, 79.95).grade[0] == 0  # stated as 80.0
    assert of_points(card_of(("100",), grades=[]), 80).grade[0] == -1


def test_a_total_below_nothing():
    policy = card_of(("100",), adjustments=[adjustment("malus")])
    for figure, gated, tenths in ((0.45, -5, -1), (0.46, -4, 0), (0.3, -20, -2), (0.25, -25, -3)):
        scores = of_points(policy, figure, actual=1)
        assert (scores.gated[0], scores.tenths[0]) == (gated, tenths)
