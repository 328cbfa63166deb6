import pytest
from plain_scorecards import adjustment, card_of, gate, of_points

from models.scoring.conditions import NO, UNKNOWN, YES


@pytest.mark.parametrize(
    ("when", "figures", "holds"),
    [
        ({"above": 5}, {"actual": 5}, NO),
        ({"at_least": 5}, {"actual": 5}, YES),
        ({"at_least": 5}, {"actual": 4.999999}, NO),
        ({"below": 5}, {"actual": 5}, NO),
        ({"below": 5}, {"actual": 4.999999}, YES),
        ({"at_most": 5}, {"actual": 5}, YES),
        ({"at_most": 5}, {"actual": 5.000001}, NO),
        ({"above": "0.1"}, {"actual": 0.1}, NO),
        # 0.3 - 0.2 is less than 0.1 in binary, 0.8 - 0.7 is more: neither is.
        ({"of": "change", "at_least": "0.1"}, {"actual": 0.3, "last_year": 0.2}, YES),
        ({"of": "change", "above": "0.1"}, {"actual": 0.8, "last_year": 0.7}, NO),
        ({"of": "change", "above": 0}, {"actual": 0.7, "last_year": 0.7}, NO),
        ({"of": "change", "above": 0}, {"actual": 0.700001, "last_year": 0.7}, YES),
        ({"of": "change", "at_most": -1}, {"actual": 1e9, "last_year": 1e9 + 1}, YES),
        ({"of": "change", "above": 0}, {"actual": 1}, UNKNOWN),
        # Removal lines: below half the plan.
        ({"of": "attainment", "below": 50}, {"actual": 25, "target": 50}, NO),
        ({"of": "attainment", "below": 50}, {"actual": 24.999999, "target": 50}, YES),
        ({"of": "attainment", "below": 50}, {"actual": -1, "target": 50}, YES),
        ({"of": "attainment", "at_least": 57}, {"actual": 0.57, "target": 1}, YES),
        ({"of": "attainment", "above": 70}, {"actual": 0.21, "target": 0.3}, NO),
        # 33.33333299999997..., and 33.33333300000006 with the other
        ({"of": "attainment", "below": "33.333333"}, {"actual": 10399.999053, "target": 31199.997471}, YES),
        ({"of": "attainment", "at_most": "33.333333"}, {"actual": 7866.667902, "target": 23600.003942}, NO),
        ({"of": "attainment", "below": 50}, {"actual": 1, "target": 0}, UNKNOWN),
        ({"of": "attainment", "below": 50}, {"actual": 1, "target": -4}, UNKNOWN),
        ({"of": "attainment", "below": 50}, {"actual": 1}, UNKNOWN),
        ({"below": 50}, {}, UNKNOWN),
    ],
)
def test_conditions_at_their_limits(when, figures, holds):
    policy = card_of(("100",), gates=[gate("veto", when={"indicator": "N"} | when)])
    scores = of_points(policy, 90, **figures)
    assert scores.acts[0, 0] == holds
    assert scores.gated[0] == (0 if holds == YES else 9000)


@pytest.mark.parametrize(
    ("figure", "state", "cents"), [(0, NO, 0), (-1, NO, 0), (1e-6, YES, 50), (7, YES, 50), (float("nan"), UNKNOWN, 0)]
)
def test_points_given_once(figure, state, cents):
    scores = of_points(card_of(adjustments=[adjustment()]), 100, 100, 100, 100, 100, actual=figure)
    assert scores.adjustment_state[0, 0] == state
    assert scores.adjustments[0, 0] == cents
    assert scores.raw[0] == 10_000 + cents
    taken = of_points(card_of(adjustments=[adjustment("malus")]), 100, 100, 100, 100, 100, actual=figure)
    assert taken.adjustments[0, 0] == -cents
    assert taken.raw[0] == 10_000 - cents


@pytest.mark.parametrize(
    ("figure", "cents"),
    [
        (15, 0),  # exactly at the limit: nothing beyond it
        (15.1, 15),  # 1.5 points for every customer
        (15.07, 11),  # 0.105 -> 0.11
        (15.069999, 10),
        (18.33, 500),  # 4.995 -> 5.00
        (18.34, 500),  # 5.01, but no more than 5
        (20, 500),
        (14, 0),
    ],
)
def test_points_for_every_step_beyond_a_limit(figure, cents):
    lobby = adjustment(points="1.5", per=1, most=5, when={"indicator": "N", "at_least": 15})
    assert of_points(card_of(adjustments=[lobby]), *[90] * 5, actual=figure).adjustments[0, 0] == cents


def test_below_a_limit_the_excess_counts_downwards():
    share = adjustment("malus", points=2, per="0.7", most=9, when={"indicator": "N", "of": "change", "below": 0})
    policy = card_of(adjustments=[share])
    found = [of_points(policy, *[90] * 5, actual=x, last_year=40.0).adjustments[0, 0] for x in (40, 39.3, 39, 1)]
    assert found == [0, -200, -286, -900]  # 1.0 below: 2.857...
    assert of_points(policy, *[90] * 5, actual=30).adjustment_state[0, 0] == UNKNOWN  # no last year
