"""The curve kept with a line gives the distribution's own probabilities, in every direction."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_home import LOANS, NPL, drafted

from features.indicators import Indicator
from models.joint.drawn import DrawnDistribution
from serving.plans.curve import chance_of, curves, hardness

CLOSE = 0.0025
"""A curve is off by so much at most: a quarter of a percentage point."""


class Part:
    """What `curves` needs of a suggested level."""

    def __init__(self, indicator: Indicator, draws: np.ndarray) -> None:
        self.level = self
        self.indicator = indicator
        self.distribution = DrawnDistribution(indicator, np.sort(draws, axis=0), np.array(["" for _ in draws[0]]))


def spec(direction: str) -> Indicator:
    band = {"band": [1.0, 2.0]} if direction == "band" else {}
    named = {"code": "X", "name": {"en": "x", "zh": "x"}, "unit": "%", "kind": "ratio", "perspective": "risk"}
    return Indicator.model_validate({**named, "direction": direction, **band})


@pytest.mark.parametrize("direction", ["higher", "lower", "band"])
def test_a_curve_gives_the_probability_of_any_value(direction: str):
    draws = np.random.default_rng(1).normal([1.5, 2.5, 0.4], 0.5, (20_000, 3))
    part = Part(spec(direction), draws)
    figures = np.quantile(draws, [0.15, 0.4, 0.8], axis=0)
    hard, chance = curves(part, figures)  # type: ignore[arg-type]
    for value in np.linspace(-1, 4, 61):
        exact = part.distribution.attain(np.full(3, value))
        for unit in range(3):
            assert chance_of([hard[unit], chance[unit]], part.indicator, value) == pytest.approx(exact[unit], abs=CLOSE)
    for level in figures:
        told = [chance_of([hard[unit], chance[unit]], part.indicator, level[unit]) for unit in range(3)]
        assert told == pytest.approx(part.distribution.attain(level), abs=1e-4)


@given(
    st.sampled_from(["higher", "lower", "band"]),
    st.integers(0, 1_000),
    st.lists(st.floats(-10, 10), min_size=2, max_size=8),
)
def test_what_is_harder_is_never_more_likely(direction: str, seed: int, values: list[float]):
    rng = np.random.default_rng(seed)
    part = Part(spec(direction), rng.choice([0.0, 1.0, 2.5], (50, 1)) * rng.integers(0, 2, (50, 1)))
    hard, chance = curves(part, np.zeros((3, 1)))  # type: ignore[arg-type]
    ordered = sorted(values, key=lambda value: float(hardness(part.indicator, value)))
    chances = [chance_of([hard[0], chance[0]], part.indicator, value) for value in ordered]
    assert all(later <= before for before, later in itertools.pairwise(chances))


def test_lines_without_a_distribution_tell_no_probability():
    assert chance_of([], spec("higher"), 1.0) is None
    assert chance_of([[0.0, 1.0], [1.0, 0.0]], spec("higher"), None) is None


def test_a_draft_keeps_what_its_lines_rest_on(trained, database_advisor):
    plan = drafted(database_advisor)
    lines = {(line.unit, line.indicator): line for line in database_advisor.plans.lines(plan.id)}
    table = trained.suggesting.table(2025)
    assert len(lines) == len(table)
    for row in table.to_dict("records"):
        line = lines[row["unit"], row["indicator"]]
        assert line.suggested["target"] == row["target"]
        assert line.suggested["p_target"] == row["p_target"]
        assert line.last_actual == row["last_actual"]
        if line.indicator == NPL:
            assert (line.floor, line.target, line.p_target) == (row["floor"], row["target"], row["p_target"])
        told = chance_of(line.basis["curve"], plan.indicator(line.indicator), row["target"])
        assert told == pytest.approx(row["p_target"], abs=1e-4)
    leaf = lines["N01", LOANS]
    assert leaf.above == ("Europe & Central Asia", "ROOT") or leaf.above == ("东部/一区", "ROOT")
    assert lines["ROOT", LOANS].role == "goal"
    assert lines["东部/一区", LOANS].role == "total"


def test_quartiles_are_those_of_the_peers_and_hidden_where_they_are_few(database_advisor):
    plan = drafted(database_advisor)
    lines = database_advisor.plans.lines(plan.id)
    loans = [line for line in lines if line.indicator == LOANS and line.leaf]
    by_size = sorted(loans, key=lambda line: line.last_actual or 0.0)
    assert {line.groups["actual_quartile"] for line in by_size[-3:]} == {1}
    assert {line.groups["actual_quartile"] for line in by_size[:3]} == {4}
    ratios = sorted((line for line in lines if line.indicator == NPL and line.leaf), key=lambda line: line.last_actual)
    assert ratios[0].groups["actual_quartile"] == 1  # of what is better low, the lowest is the best
    regions = [line for line in lines if line.indicator == LOANS and not line.leaf]
    assert {line.groups["actual_quartile"] for line in regions} == {None}  # two regions and a root
