import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from models.deterioration.blending import MANY_POSITIVES, Calibration, blended_shares, straight_line


def truth(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-2, 1.5, rows)
    return margin, (rng.random(rows) < expit(margin)).astype(int)


def test_a_straight_line_undoes_what_was_done_to_the_log_odds():
    margin, y = truth(40_000)
    intercept, slope = straight_line(3 * margin + 5, y, np.ones(len(y)))
    assert slope == pytest.approx(1 / 3, rel=0.05)
    assert intercept == pytest.approx(-5 / 3, abs=0.1)


def test_a_slope_is_never_turned_round():
    margin, y = truth(2_000)
    assert straight_line(-margin, y, np.ones(len(y)))[1] == 0.0


def test_a_learner_that_knows_nothing_gets_nothing():
    margin, y = truth(4_000)
    noise = np.random.default_rng(1).normal(-2, 1, len(y))
    found = blended_shares(np.stack([margin, noise]), y, np.ones(len(y)))
    assert found.factors[1] <= 0.05 * found.factors[0]


def test_learners_that_few_positives_cannot_tell_apart_share_alike():
    margin, y = truth(150)
    rng = np.random.default_rng(2)
    found = blended_shares(np.stack([margin + rng.normal(0, 0.1, 150) for _ in range(2)]), y, np.ones(150))
    assert found.factors[0] == pytest.approx(found.factors[1], rel=0.2)


def test_two_that_know_different_things_beat_either():
    margin, y = truth(20_000)
    rng = np.random.default_rng(3)
    both = np.stack([margin + rng.normal(0, 1, len(y)) for _ in range(2)])
    both = np.stack([a + b * one for one in both for a, b in [straight_line(one, y, np.ones(len(y)))]])
    found = blended_shares(both, y, np.ones(len(y)))
    blend = found.margin(both)

    def loss(m: np.ndarray) -> float:
        return float((np.logaddexp(0, m) - m * y).mean())

    assert loss(blend) < min(map(loss, both)) - 0.005
    assert (found.factors > 0.3).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.sampled_from([200, 9_000]))
def test_a_calibration_never_falls_and_is_a_probability(seed, rows):
    margin, y = truth(rows, seed)
    found = Calibration.fit(margin, y, np.ones(rows))
    p = found.probability(np.linspace(-12, 12, 500))
    assert (np.diff(p) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


def test_with_many_positives_the_shape_is_learned_too():
    rng = np.random.default_rng(4)
    margin = rng.uniform(-4, 4, 30_000)
    rate = np.where(margin > 1, 0.3, 0.02)  # a step, which no straight line has
    y = (rng.random(len(margin)) < rate).astype(int)
    assert y.sum() > MANY_POSITIVES
    found = Calibration.fit(margin, y, np.ones(len(y)))
    line = expit(found.intercept + found.slope * margin)
    assert np.abs(found.probability(margin) - rate).mean() < 0.7 * np.abs(line - rate).mean()
    again = Calibration.from_dict(found.as_dict())
    assert np.array_equal(again.probability(margin), found.probability(margin))


def test_learners_that_tell_less_than_the_base_rate_get_nothing():
    rng = np.random.default_rng(0)
    y = (np.arange(200) < 20).astype(np.int8)
    margins = rng.normal(0, 3, (2, 200)) - 2 * y
    found = blended_shares(margins, y, np.ones(200))
    assert not found.factors.any()
    assert found.constant == pytest.approx(np.log(20 / 180))
