"""The distribution of a year that has begun: never less than what is in, certain where nothing is left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_problems import KINDS, make_problem

from models.in_year.so_far import SoFar, YearDistribution, of_year
from models.outcome.distribution import TargetDistribution
from models.outcome.target import TargetModel

QUANTILES = np.linspace(0.02, 0.98, 25)


def rest_of(kind: str = "log", **size: int) -> TargetDistribution:
    problem = make_problem(kind, **({"units": 12, "years": 6} | size))
    return TargetModel.fit(problem, seed=1).predict(problem)


def begun(rest: TargetDistribution, *, share: float = 0.5, known: float = 100.0) -> YearDistribution:
    count = len(rest.units)
    so_far = SoFar(np.full(count, known), np.full(count, share), np.ones(count, dtype=bool), "6 of 12 periods are in")
    return of_year(rest, so_far)


REST = {kind: rest_of(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_rise_and_agree_with_probabilities(kind: str) -> None:
    year = begun(REST[kind], known=1.0)
    quantiles = year.quantile(QUANTILES)
    assert np.all(np.diff(quantiles, axis=1) >= 0)
    for place, share in enumerate(QUANTILES):
        inner = (quantiles[:, place] < year.indicator.limits[1]) & (REST[kind].zero == 0)
        np.testing.assert_allclose(year.cdf(quantiles[:, place])[inner], share, atol=1e-6)
    np.testing.assert_allclose(year.quantile_each(np.full(len(year.units), 0.3)), year.quantile(0.3))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0, 500), st.floats(0, 2000), st.floats(0, 2000))
def test_a_harder_target_is_never_more_likely(share: float, known: float, one: float, other: float) -> None:
    year = begun(REST["log"], share=share, known=known)
    easy, hard = sorted((one, other))
    assert np.all(year.attain(easy) >= year.attain(hard))
    assert np.all((year.attain(hard) >= 0) & (year.attain(easy) <= 1))


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1000), st.floats(0, 1))
def test_what_is_in_is_attained(known: float, part: float) -> None:
    year = begun(REST["log"], known=known)
    assert np.all(year.attain(known * part) == 1.0)
    assert np.all(year.quantile(0.01) >= known)
    assert np.all(year.sample(50, seed=1) >= known)


def test_at_the_end_of_the_year_all_is_settled() -> None:
    year = begun(REST["log"], share=0.0, known=80.0)
    for found, expected in (
        (year.attain(80.0), 1),
        (year.attain(80.01), 0),
        (year.cdf(79.99), 0),
        (year.below(80.0), 0),
        (year.cdf(80.0), 1),
    ):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(year.quantile([0.1, 0.9]), 80.0)


def test_draws_follow_the_quantiles() -> None:
    year = begun(REST["log"])
    drawn = np.quantile(year.sample(4000, seed=3), [0.2, 0.5, 0.8], axis=0).T
    spread = year.quantile(0.9) - year.quantile(0.1)
    assert np.max(np.abs(drawn - year.quantile([0.2, 0.5, 0.8])) / spread[:, None]) < 0.06


def test_some_units_in_another_order_answer_as_before() -> None:
    year = begun(REST["log"])
    columns = np.array([7, 2, 5])
    some = year.take(columns)
    np.testing.assert_array_equal(some.quantile(0.4), year.quantile(0.4)[columns])
    np.testing.assert_array_equal(some.attain(300.0), year.attain(300.0)[columns])
    assert some.evidence.tolist() == year.evidence[columns].tolist()


def test_a_value_is_attained_with_its_probability() -> None:
    year = begun(REST["log"])
    for name, value in year.level_values({"floor": 0.85, "stretch": 0.2}).items():
        np.testing.assert_allclose(year.attain(value), {"floor": 0.85, "stretch": 0.2}[name], atol=1e-6)


def test_a_gap_in_the_year_to_date_is_said() -> None:
    rest = REST["log"]
    whole = np.arange(len(rest.units)) != 4
    so_far = SoFar(np.where(whole, 50.0, 0.0), np.where(whole, 0.5, 1.0), whole, "6 of 12 periods are in")
    year = of_year(rest, so_far)
    assert year.evidence[4].startswith("low: a gap in the year to date")
    assert year.low_evidence[4]
    assert year.evidence[3].endswith("6 of 12 periods are in")
    np.testing.assert_allclose(year.quantile(0.5)[4], rest.quantile(0.5)[4])


def test_a_known_common_growth_moves_the_rest_alone() -> None:
    year = begun(REST["log"], known=100.0, share=0.5)
    given_growth = year.given_common(0.3)
    np.testing.assert_allclose(
        given_growth.quantile(0.5), 100 + 0.5 * REST["log"].given_common(0.3).quantile(0.5), rtol=1e-12
    )
