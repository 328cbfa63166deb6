from __future__ import annotations

import numpy as np
import pytest
from target_problems import KINDS, make_problem

from models.judging.metrics import (
    attained,
    covered,
    latent_loss,
    mean_known,
    pinball_loss,
    pit,
    relative_loss,
    zero_brier,
)
from models.outcome.distribution import TargetLevels
from models.outcome.target import TargetModel


def test_pinball_loss_by_hand() -> None:
    loss = pinball_loss(np.array([10.0, 0.0]), np.array([[8.0, 12.0], [8.0, 12.0]]), np.array([0.1, 0.9]))
    np.testing.assert_allclose(loss, [(0.1 * 2 + 0.1 * 2) / 2, (0.9 * 8 + 0.1 * 12) / 2])


def test_the_true_median_loses_least() -> None:
    rng = np.random.default_rng(0)
    actual = rng.standard_normal(5000)
    losses = [pinball_loss(actual, np.full((5000, 1), centre), np.array([0.5])).mean() for centre in (-0.5, 0.0, 0.5)]
    assert losses[1] == min(losses)


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_of_outcomes_drawn_from_the_distribution(kind: str) -> None:
    problem = make_problem(kind)
    found = TargetModel.fit(problem, seed=1).predict(problem)
    levels = TargetLevels()
    draws = found.sample(150, seed=4)
    coverage = np.mean([mean_known(covered(found, draw)) for draw in draws])
    tolerance = 0.06 + float(found.zero.max())  # a zero that has a probability of its own cannot be cut in parts
    assert coverage == pytest.approx(0.8, abs=tolerance)
    shares = {
        name: np.mean([attained(found, draw, levels)[name].mean() for draw in draws]) for name in levels.as_dict()
    }
    assert shares == {name: pytest.approx(level, abs=tolerance) for name, level in levels.as_dict().items()}
    assert np.mean([pit(found, draw).mean() for draw in draws]) == pytest.approx(0.5, abs=0.05)


def test_unknown_outcomes_have_no_metric() -> None:
    problem = make_problem()
    found = TargetModel.fit(problem, seed=1).predict(problem)
    actual = problem.base[-1].copy()
    actual[3] = np.nan
    quantiles = np.array([0.1, 0.5, 0.9])
    for metric in (
        covered(found, actual),
        attained(found, actual, TargetLevels())["target"],
        pit(found, actual),
        latent_loss(found, actual, found.transform, quantiles),
        relative_loss(found, actual, quantiles, scale=problem.base[-1]),
        zero_brier(found, actual),
    ):
        assert np.isnan(metric[3])
        assert np.isfinite(np.delete(metric, 3)).all()
    assert np.isnan(mean_known(np.array([np.nan])))
