from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_problems import KINDS, make_indicator, make_problem

from features.errors import LoadlineError
from features.indicators import Indicator
from models.outcome.distribution import TargetDistribution, TargetLevels
from models.outcome.growth import Transform
from models.outcome.spread import Spread
from models.outcome.target import TargetModel

SHOCK = np.linspace(-0.1, 0.1, 41)
RESIDUAL = np.linspace(-2, 2, 100)
LEVELS = TargetLevels()


def distribution(indicator: Indicator, centre: list[float], *, zero: float = 0.0) -> TargetDistribution:
    count = len(centre)
    transform = Transform("log", low=0.0, hurdle=zero > 0) if indicator.kind == "stock" else Transform("difference")
    return TargetDistribution(
        indicator,
        pd.Index([f"u{place}" for place in range(count)]),
        transform,
        transform.latent(np.array(centre)),
        Spread(SHOCK, RESIDUAL, np.linspace(0.1, 0.5, count)),
        np.full(count, zero),
        np.full(count, "recipe", dtype=object),
        np.zeros(count, dtype=bool),
    )


@pytest.fixture(scope="module", params=KINDS)
def predicted(request: pytest.FixtureRequest) -> TargetDistribution:
    problem = make_problem(request.param)
    return TargetModel.fit(problem, seed=1).predict(problem)


@pytest.mark.parametrize("levels", [(0.6, 0.6, 0.2), (0.2, 0.6, 0.85), (1.0, 0.5, 0.1), (0.9, 0.5, 0.0)])
def test_levels_are_validated(levels: tuple[float, float, float]) -> None:
    with pytest.raises(LoadlineError, match="descending"):
        TargetLevels(*levels)


def test_quantiles_never_cross(predicted: TargetDistribution) -> None:
    found = predicted.quantile(np.linspace(0, 1, 201))
    assert (np.diff(found[predicted.known], axis=1) >= 0).all()
    assert (found[predicted.known] >= predicted.transform.low).all()
    assert (found[predicted.known] <= predicted.transform.high).all()


def test_cdf_and_quantile_agree(predicted: TargetDistribution) -> None:
    for q in (0.03, 0.2, 0.5, 0.8, 0.97):
        value = predicted.quantile(q)
        assert (predicted.below(value) <= q + 1e-6)[predicted.known].all()
        assert (predicted.cdf(value) >= q - 1e-6)[predicted.known].all()


def test_attaining_gets_less_likely_as_more_is_asked(predicted: TargetDistribution) -> None:
    grid = predicted.quantile(np.linspace(0.01, 0.99, 30))
    chances = np.stack([predicted.attain(column) for column in grid.T], axis=1)[predicted.known]
    steps = np.diff(chances, axis=1)
    assert (steps <= 1e-12).all() if predicted.indicator.direction == "higher" else (steps >= -1e-12).all()
    assert ((chances >= 0) & (chances <= 1)).all()


def test_levels_are_attained_with_their_probability(predicted: TargetDistribution) -> None:
    if predicted.transform.hurdle:
        pytest.skip("an outcome of zero has a probability of its own, so no value may match a level exactly")
    for name, value in predicted.level_values(LEVELS).items():
        np.testing.assert_allclose(predicted.attain(value), LEVELS.as_dict()[name], atol=1e-6)


def test_samples_follow_the_marginals_and_share_the_shock(predicted: TargetDistribution) -> None:
    draws = predicted.sample(2000, seed=2)
    share = np.mean(draws <= predicted.quantile(0.8), axis=0)
    allowed = 0.04 + predicted.zero
    assert (np.abs(share - 0.8) < allowed).all()
    if not predicted.transform.hurdle:
        means = predicted.transform.latent(draws).mean(axis=1)
        alone = predicted.given_common(predicted.common_growth)
        without = predicted.transform.latent(alone.sample(2000, seed=2)).mean(axis=1)
        assert means.std() > 1.5 * without.std()


def test_samples_do_not_depend_on_the_order_of_units() -> None:
    problem = make_problem()
    order = np.random.default_rng(0).permutation(len(problem.units))
    model = TargetModel.fit(problem, seed=1)
    one = model.predict(problem).sample(50, seed=3)
    other = model.predict(problem.take(order)).sample(50, seed=3)
    np.testing.assert_allclose(one[:, order], other, rtol=1e-9)


@given(st.floats(-3, 3), st.floats(0.05, 0.95))
@settings(max_examples=12, deadline=None)
def test_band_levels_keep_their_promise(centre: float, probability: float) -> None:
    indicator = make_indicator(kind="level", direction="band", band=[-0.2, 0.3])
    found = distribution(indicator, [centre, centre])
    value = found.value_at(probability)
    assert (found.attain(value) >= probability - 1e-6).all()
    outside = (value < -0.2 - 1e-9) | (value > 0.3 + 1e-9)
    np.testing.assert_allclose(found.attain(value)[outside], probability, atol=1e-6)


def test_a_band_counts_both_sides() -> None:
    found = distribution(make_indicator(kind="level", direction="band", band=[1.0, 2.0]), [1.5])
    inside = found.attain(1.2)
    np.testing.assert_allclose(inside, found.cdf(2.0) - found.below(1.0))
    np.testing.assert_allclose(found.attain(2.3), found.cdf(2.3) - found.below(0.7))
    np.testing.assert_allclose(found.attain(2.3), found.attain(0.7))


def test_zero_has_its_own_probability() -> None:
    found = distribution(make_indicator(), [100.0, 50.0], zero=0.2)
    assert found.quantile(0.1).tolist() == [0.0, 0.0]
    assert (found.quantile(0.25) > 0).all()
    np.testing.assert_allclose(found.cdf(0.0), 0.2)
    np.testing.assert_allclose(found.below(0.0), 0.0)
    np.testing.assert_allclose(found.attain(0.0), 1.0)
    np.testing.assert_allclose(found.attain(1e-6), 0.8, atol=1e-3)
    assert np.mean(found.sample(4000, seed=0) == 0) == pytest.approx(0.2, abs=0.02)


def test_given_the_common_growth_the_spread_narrows() -> None:
    found = distribution(make_indicator(), [100.0, 100.0])
    low, high = found.quantile([0.1, 0.9]).T
    known_low, known_high = found.given_common(0.05).quantile([0.1, 0.9]).T
    assert (known_high / known_low < high / low).all()
    assert (found.given_common(0.05).quantile(0.5) > found.given_common(-0.05).quantile(0.5)).all()


def test_probabilities_beyond_certainty_are_refused() -> None:
    with pytest.raises(LoadlineError, match="probability"):
        distribution(make_indicator(), [1.0]).quantile(1.5)
