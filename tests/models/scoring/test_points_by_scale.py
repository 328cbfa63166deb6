from typing import Any

import pytest
from scoring_cases import one_indicator, plain_policy, points_of, score_one

from features.indicators import IndicatorSet

TIERS = {"kind": "tiers", "tiers": [{"points": 60}, {"from": 80, "points": 80}, {"from": 90, "points": 100}]}
EFFICACY = {"kind": "efficacy", "standards": [60, 70, 80, 90, 100]}
LEVELS = {"kind": "levels"}
LOANS: tuple[str, ...] = ("SME", "ALL")


@pytest.mark.parametrize(
    ("actual", "points"),
    [(79.999999, 60), (80, 80), (80.000001, 80), (89.999999, 80), (90, 100), (1e12, 100), (-5, 60), (0, 60)],
)
def test_tiers_of_a_figure_begin_with_their_limit(actual, points):
    assert points_of(TIERS, actual) == points  # with no target at all


@pytest.mark.parametrize(
    ("actual", "target", "direction", "points"),
    [
        (160, 200, "higher", 80),
        (159.999998, 200, "higher", 60),  # 79.999999%
        (0.27, 0.3, "higher", 100),  # 90% exactly, though not in binary
        (0.036, 0.04, "higher", 100),
        (0.088, 0.11, "higher", 80),
        (0.63, 0.7, "higher", 100),
        (0.629999, 0.7, "higher", 80),
        (0, 200, "higher", 60),
        (1, 0, "higher", None),
        (1, -1, "higher", None),
        (-1, 200, "higher", None),
        (2.5, 2, "lower", 80),
        (2.500001, 2, "lower", 60),
        (2, 1.8, "lower", 100),
        (0, 2, "lower", 100),
        (160, 200, "band", 80),
        # 0.9 x 987,654,321.123456 is 888,888,889.0111104
        (888_888_889.011110, 987_654_321.123456, "higher", 80),
        (888_888_889.011111, 987_654_321.123456, "higher", 100),
    ],
)
def test_tiers_of_attainment(actual, target, direction, points):
    assert points_of(TIERS | {"of": "attainment"}, actual, target=target, direction=direction) == points


def test_tiers_run_from_low_to_high_whatever_is_better():
    rule = {"kind": "tiers", "tiers": [{"points": 100}, {"from": 1, "points": 80}, {"from": 3, "points": 60}]}
    found = [points_of(rule, actual, direction="lower") for actual in (0, 0.99, 1, 2.99, 3, 9)]
    assert found == [100, 100, 80, 80, 60, 60]


@pytest.mark.parametrize(
    ("actual", "points"),
    [
        (59.99, 0.00),  # below the worst
        (60, 20.00),
        (65, 30.00),  # 20 + 20 x 5/10
        (69.99, 39.98),
        (70, 40.00),
        (70.25, 40.50),
        (99.99, 99.98),
        (100, 100.00),
        (100.01, 100.00),
        (60.0025, 20.01),  # 20.005
        (-1e12, 0.00),
    ],
)
def test_efficacy_coefficients(actual, points):
    assert points_of(EFFICACY, actual) == points


@pytest.mark.parametrize(
    ("actual", "points"), [(5.01, 0), (5, 20), (4.5, 30), (4, 40), (1.01, 99.80), (1, 100), (0.99, 100), (0, 100)]
)
def test_efficacy_where_lower_is_better(actual, points):
    assert points_of({"kind": "efficacy", "standards": [5, 4, 3, 2, 1]}, actual, direction="lower") == points


def test_efficacy_with_equal_standards_and_other_coefficients():
    equal = {"kind": "efficacy", "standards": [60, 70, 70, 90, 100]}
    assert points_of(equal, 69.99) == 39.98  # 20 + 20 x 9.99/10
    assert points_of(equal, 70) == 60
    same = {"kind": "efficacy", "standards": [7, 7, 7, 7, 7]}
    assert points_of(same, 7) == 100
    assert points_of(same, 6.999999) == 0
    two = {"kind": "efficacy", "standards": [0, 3], "coefficients": ["0.5", "1.2"]}
    assert points_of(two, 1) == 73.33  # 50 + 70/3
    assert points_of(two, 3) == 120


@pytest.mark.parametrize(
    ("actual", "points"),
    [
        (50, 80.00),
        (60, 90.00),
        (70, 100.00),
        (90, 110.00),
        (110, 120.00),
        (111, 120.00),  # nothing beyond the stretch
        (40, 70.00),  # the line goes on: 80 - 20 x 10/20
        (-30, 0.00),  # 80 - 20 x 80/20
        (-31, 0.00),
        (-29.99, 0.01),
        (49.99, 79.99),
        (69.99, 99.99),
        (70.01, 100.01),  # 100.005
        (109.99, 120.00),  # 119.995
    ],
)
def test_three_levels(actual, points):
    assert points_of(LEVELS, actual, floor=50, target=70, stretch=110) == points


@pytest.mark.parametrize(
    ("actual", "points"), [(5, 80), (4, 90), (3, 100), (2, 110), (1, 120), (0, 120), (6, 70), (13, 0), (14, 0)]
)
def test_three_levels_where_lower_is_better(actual, points):
    assert points_of(LEVELS, actual, floor=5, target=3, stretch=1, direction="lower") == points


@pytest.mark.parametrize(
    ("levels", "actual", "points"),
    [
        ((70, 70, 110), 70, 100),  # floor and target in one: a step
        ((70, 70, 110), 69.99, 0),
        ((70, 70, 110), 90, 110),
        ((50, 70, 70), 70, 120),
        ((50, 70, 70), 69.99, 99.99),
        ((70, 70, 70), 70, 120),
        ((70, 70, 70), 69.99, 0),
        ((-10, 0, 10), -5, 90),
        ((0, 0, 0), 0, 120),
        ((50, 40, 60), 55, None),  # not in order: no levels
        ((50, 70, float("nan")), 55, None),
    ],
)
def test_levels_that_coincide_or_are_missing(levels, actual, points):
    floor, target, stretch = levels
    assert points_of(LEVELS, actual, floor=floor, target=target, stretch=stretch) == points


def test_points_of_the_levels_are_the_policys():
    worth = {"floor": (60, "0.85"), "target": (90, "0.6"), "stretch": ("95.5", "0.2")}
    targets = {name: {"points": points, "probability": share} for name, (points, share) in worth.items()}
    policy = plain_policy([{"indicator": "X", "weight": 100, "rule": LEVELS}], targets=targets)
    known = IndicatorSet([one_indicator("X", "higher")])
    levels = {"floor": {"X": 0}, "target": {"X": 10}, "stretch": {"X": 20}}
    found = [score_one(policy, known, {"actual": {"X": x}} | levels).points[0, 0] for x in (-20, 0, 5, 10, 15, 25)]
    assert found == [0, 6000, 7500, 9000, 9275, 9550]


def two_increase(now: tuple[float, float], before: tuple[float, float] | None = None, plan: float | None = None) -> Any:
    """Give points and contribution (of weight 7) where SME and all loans grew so, this year and last."""
    rule = {"kind": "two_increase", "all_loans": "ALL"}
    policy = plain_policy([{"indicator": "SME", "weight": 7, "rule": rule}])
    known = IndicatorSet([one_indicator("SME", "higher"), one_indicator("ALL", "higher")])
    figures = {"actual": dict(zip(LOANS, now, strict=True))}
    if before is not None:
        figures["last_year"] = dict(zip(LOANS, before, strict=True))
    if plan is not None:
        figures["target"] = {"SME": plan}
    scores = score_one(policy, known, figures)
    return (int(scores.points[0, 0]) / 100, int(scores.items[0, 0]) / 100) if scores.scored[0] else None


@pytest.mark.parametrize(
    ("sme", "all_loans", "plan", "points"),
    [
        (10, 10, 12, 100.00),  # equal growth is enough, plan or not
        (10.01, 10, 12, 100.00),
        (9.99, 10, 9, 99.90),
        (9, 10, 9, 90.00),  # the plan exactly met
        (8.99, 10, 9, 0.00),
        (0, 10, 0, 0.00),
        (0, 0, 5, 100.00),
        (-1, -2, 5, 100.00),  # shrank less than all loans
        (-2, -1, -3, 0.00),  # no proportion to shrinkage
        (-0.5, 2, -1, 0.00),
        (1, 3, 1, 33.33),
    ],
)
def test_two_increases(sme, all_loans, plan, points):
    assert two_increase((sme, all_loans), plan=plan) == (points, round(points * 7 / 100 + 1e-9, 2))


def test_a_plan_above_last_year_is_met_exactly():
    rule = {"kind": "two_increase", "all_loans": "ALL"}
    item = {"indicator": "SME", "weight": 100, "against": "last_year", "growth": 10, "rule": rule}
    known = IndicatorSet([one_indicator("SME", "higher"), one_indicator("ALL", "higher")])
    for growth, points in ((0.11, 5000), (0.109999, 0)):  # a tenth above 0.1 is 0.11, though not in binary
        figures = {"actual": {"SME": growth, "ALL": 0.22}, "last_year": {"SME": 0.1}}
        assert score_one(plain_policy([item]), known, figures).points[0, 0] == points


def test_two_increases_without_a_plan_or_a_growth():
    assert two_increase((10, 10)) == (100, 7)
    assert two_increase((9.99, 10)) is None
    assert two_increase((10, float("nan")), plan=9) is None
    assert two_increase((float("nan"), 10), plan=9) is None


@pytest.mark.parametrize(
    ("now", "before", "cents"),
    [
        ((5, 10), (5, 10), -3.00),  # the plan of 8 missed twice
        ((5, 10), (8, 10), 0.00),  # once
        ((8, 10), (5, 10), 5.60),  # once, the year before: 80% of 7
        ((5, 10), None, 0.00),
        ((5, 10), (5, float("nan")), 0.00),
        ((-1, 10), (-1, 10), -4.00),  # missed and shrunk twice: the heavier, not both
        ((-1, 10), (5, 10), -3.00),
        ((5, 10), (-1, 10), -3.00),
        ((-1, 10), (-1, -2), -4.00),  # shrunk twice, missed once
        ((-1, -2), (-1, -2), 3.00),  # shrunk twice, never missed: 7 - 4
        ((0, 10), (0, 10), -3.00),  # standing still is no shrinkage
        ((-1, 10), (-1, float("nan")), -4.00),
    ],
)
def test_two_bad_years_cost_points(now, before, cents):
    found = two_increase(now, before, plan=8)
    assert found is not None
    assert found[1] == cents
