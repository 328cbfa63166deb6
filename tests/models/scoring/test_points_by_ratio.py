import pytest
from scoring_cases import points_of

RATIO = {"kind": "ratio"}
DEPOSITS = {
    "kind": "increment",
    "steps_in": "percent",
    "better": {"step": 1, "points": 2, "most": 20},
    "worse": {"step": 1, "points": 2, "most": 40},
}
"""Deposits: two points for every percent, at most 20 up and 40 down."""
UNEQUAL = {
    "kind": "increment",
    "base": 80,
    "better": {"step": "0.1", "points": 1, "most": 5},
    "worse": {"step": "0.5", "points": 10, "most": 100},
}


@pytest.mark.parametrize(
    ("actual", "target", "points"),
    [
        (100, 100, 100.00),
        (99.99, 100, 99.99),
        (100.01, 100, 100.01),
        (130, 100, 130.00),
        (129.99, 100, 129.99),
        (130.01, 100, 130.00),  # capped
        (0, 100, 0.00),
        (2, 3, 66.67),  # 66.666...
        (92.345, 100, 92.35),  # a half goes up
        (92.344999, 100, 92.34),
        (0.277035, 0.3, 92.35),  # 92.345 exactly, though not in binary
        (923_450_000_000, 1e12, 92.35),
        (1e-6, 2e-6, 50.00),
        (1e-6, 1e12, 0.00),
        (1e12, 1e-6, 130.00),
        (5, 0, None),  # nothing to divide by
        (0, 0, None),
        (5, -5, None),
        (-5, -5, None),
        (-1e-6, 100, None),  # the sign changed
        (float("nan"), 100, None),
        (float("inf"), 100, None),
        (100, float("inf"), None),
        (100, float("nan"), None),
    ],
)
def test_ratio_where_higher_is_better(actual, target, points):
    assert points_of(RATIO, actual, target=target) == points


@pytest.mark.parametrize(
    ("actual", "target", "points"),
    [
        (2, 2, 100.00),
        (2.01, 2, 99.50),  # 200/2.01 = 99.5024...
        (1.99, 2, 100.50),  # 200/1.99 = 100.5025...
        (2.5, 2, 80.00),
        (1.6, 2, 125.00),
        (1.538462, 2, 130.00),  # 129.99997 rounds up
        (1.5386, 2, 129.99),  # 129.9883...
        (1.5, 2, 130.00),  # 133.33 is capped
        (0, 2, 130.00),  # the best there is
        (-0.0, 2, 130.00),
        (2, 1.8469, 92.35),  # 92.345
        (0, 0, None),
        (1, 0, None),
        (-1, 2, None),
    ],
)
def test_ratio_where_lower_is_better(actual, target, points):
    assert points_of(RATIO, actual, target=target, direction="lower") == points


@pytest.mark.parametrize(
    ("actual", "points"),
    [(50, 100.00), (40, 80.00), (62.5, 80.00), (49.99, 99.98), (50.01, 99.98), (0, 0.00), (-1, None), (46.1725, 92.35)],
)
def test_ratio_around_a_target_falls_on_both_sides(actual, points):
    assert points_of(RATIO, actual, target=50, direction="band", band=(80, 100)) == points


@pytest.mark.parametrize(
    ("actual", "band", "points"),
    [
        (80, (80, 100), 100.00),
        (90, (80, 100), 100.00),
        (100, (80, 100), 100.00),
        (79.99, (80, 100), 99.99),  # 99.9875
        (100.01, (80, 100), 99.99),  # 99.9900...
        (125, (80, 100), 80.00),
        (0, (80, 100), 0.00),
        (-1, (80, 100), None),
        (-1, (-5, 10), 100.00),  # inside, whatever the sign
        (-6, (-5, 10), None),
        (20, (-5, 10), 50.00),
        (-0.5, (0, 10), None),
        (0, (0, 10), 100.00),
    ],
)
def test_ratio_of_a_band_counts_from_the_nearer_limit(actual, band, points):
    # The peers' figure is not looked at, so it may be missing.
    assert points_of(RATIO, actual, against="peers", direction="band", band=band) == points
    assert points_of(RATIO | {"band": band}, actual, against="peers", direction="band", band=(500, 600)) == points


def test_limits_of_a_ratio():
    assert points_of(RATIO | {"cap": 100}, 101, target=100) == 100
    assert points_of(RATIO | {"cap": "110.05"}, 110.06, target=100) == 110.05
    assert points_of(RATIO | {"cap": "110.05"}, 110.04, target=100) == 110.04
    assert points_of(RATIO | {"least": 60}, 59.99, target=100) == 60
    assert points_of(RATIO | {"least": 60}, 60.01, target=100) == 60.01
    assert points_of(RATIO | {"cap": 110}, 0, target=2, direction="lower") == 110


@pytest.mark.parametrize(
    ("actual", "target", "points"),
    [
        (-8, -10, 104.00),  # 2 above, two points each
        (-12, -10, 96.00),
        (3, 0, 106.00),
        (-5, 10, 70.00),  # 15 below
        (9, 10, 90.00),  # here the ratio speaks: not 98
    ],
)
def test_where_a_ratio_says_nothing_increments_answer(actual, target, points):
    assert points_of(RATIO | {"otherwise": DEPOSITS | {"steps_in": "figure"}}, actual, target=target) == points


def test_increments_in_percent_of_nothing_do_not_answer_either():
    rule = RATIO | {"otherwise": DEPOSITS}
    assert points_of(rule, 3, target=0) is None
    assert points_of(rule, -9, target=-10) == 120  # a tenth better: 10 x 2
    assert points_of(rule, -12, target=-10) == 60  # a fifth worse: 20 x 2


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({"against": "last_year", "last_year": 80, "growth": 25}, 92.35),  # 92.345 of 100
        ({"against": "last_year", "last_year": 92.345}, 100.00),
        ({"against": "peers", "peers": 200, "growth": -50}, 92.35),
        ({"against": "peers", "peers": 110, "growth": "-9.0909"}, 92.34),  # 92.345 of 100.00001
        ({"against": "fixed", "value": 184.69}, 50.00),
        ({"against": "peers", "last_year": 100, "target": 100}, None),
        ({"against": "last_year", "last_year": 100, "growth": -100}, None),  # of a reference of 0
    ],
)
def test_what_a_figure_is_compared_with(given, points):
    assert points_of(RATIO, 92.345, **given) == points


@pytest.mark.parametrize(
    ("actual", "target", "points"),
    [
        (100, 100, 100.00),
        (100.01, 100, 100.02),
        (99.99, 100, 99.98),
        (101, 100, 102.00),
        (109.99, 100, 119.98),
        (110, 100, 120.00),
        (110.01, 100, 120.00),
        (1000, 100, 120.00),
        (80.01, 100, 60.02),
        (80, 100, 60.00),
        (79.99, 100, 60.00),
        (0, 100, 60.00),
        (-50, 100, 60.00),
        (201, 200, 101.00),  # half a percent
        (3.01, 3, 100.67),  # a third of a percent: 0.6667
        (100.0025, 100, 100.01),  # 100.005
        (99.9975, 100, 100.00),  # 99.995
        (-99, -100, 102.00),  # a percent of the size of the target
        (5, 0, None),
        (0, 0, None),
    ],
)
def test_deposits_two_points_a_percent(actual, target, points):
    assert points_of(DEPOSITS, actual, target=target) == points


@pytest.mark.parametrize(
    ("actual", "direction", "points"),
    [
        (2.0, "higher", 80.00),
        (2.1, "higher", 81.00),
        (2.1, "lower", 78.00),  # a fifth of a step of 0.5
        (1.9, "higher", 78.00),
        (1.9, "lower", 81.00),
        (2.5, "higher", 85.00),  # 5 steps: exactly the most
        (2.500001, "higher", 85.00),
        (2.49, "higher", 84.90),
        (-2, "higher", 0.00),  # 8 steps of 10
        (-3, "higher", -20.00),  # 10 steps: exactly the most
        (-4, "higher", -20.00),
        (2.0005, "higher", 80.01),  # 80.005
        (1.99975, "higher", 80.00),  # 79.995
        (2.0, "band", 80.00),
        (2.1, "band", 78.00),
        (1.9, "band", 78.00),  # off the target is worse on either side
    ],
)
def test_increments_differ_by_side(actual, direction, points):
    assert points_of(UNEQUAL, actual, target=2, direction=direction) == points


def test_increments_count_from_a_band():
    given = {"against": "last_year", "direction": "band", "band": (80, 100)}
    assert points_of(UNEQUAL, 80, **given) == points_of(UNEQUAL, 100, **given) == 80
    assert points_of(UNEQUAL, 100.5, **given) == points_of(UNEQUAL, 79.5, **given) == 70
    percent = UNEQUAL | {"steps_in": "percent", "worse": {"step": 1, "points": 1, "most": 50}}
    assert points_of(percent, 110, **given) == 70  # a tenth above the limit
    assert points_of(percent, 72, **given) == 70  # a tenth below the other


def test_core_duties_bring_no_bonus():
    rule = DEPOSITS | {"better": {"step": 1, "points": 0, "most": 0}}
    assert points_of(rule, 150, target=100) == 100
    assert points_of(rule, 99, target=100) == 98


def test_halves_of_negative_points_go_away_from_zero():
    rule = DEPOSITS | {"base": 0}
    assert points_of(rule, 99.9975, target=100) == -0.01  # -0.005
    assert points_of(rule, 99.997501, target=100) == 0  # -0.004998
    assert points_of(rule, 98.8275, target=100) == -2.35  # -2.345
