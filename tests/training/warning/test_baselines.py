"""What a warning model has to beat."""

from __future__ import annotations

import numpy as np
import pytest

from training.warning.baselines import PlainLogit, SingleIndicator
from training.warning.evaluation import auc


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(2000, 4)).astype(np.float32)
    y = (rng.random(2000) < 1 / (1 + np.exp(2 + 1.5 * X[:, 1] - X[:, 2]))).astype(float)
    X[::3, 2] = np.nan
    X[5:, 3] = np.nan
    X[:5, 3] = y[:5]
    return X, y


def test_the_single_indicator_is_the_one_that_told_best_with_its_sign(rows) -> None:
    X, y = rows
    years = np.arange(2000) % 20
    found = SingleIndicator.best(X, y, ("a", "b", "c", "d"), period=years)
    assert found is not None
    assert (found.name, found.sign) == ("b", -1.0), "the last column is known too seldom"
    assert auc(found.score(X), y) > 0.75
    assert SingleIndicator.best(X[:, 3:], y, ("d",), period=years) is None


def test_the_logit_uses_several_columns_and_survives_gaps_and_slips(rows) -> None:
    X, y = rows
    logit = PlainLogit.fit(X[:, :3], y)
    single = auc(-X[:, 1], y)
    assert auc(logit.score(X[:, :3]), y) > single + 0.02
    assert logit.score(X[:, :3]).mean() == pytest.approx(y.mean(), abs=0.01)
    slip = np.array([[0, -1e9, 0], [0, -50, 0], [np.nan] * 3], dtype=np.float32)
    wild, large, unknown = logit.score(slip)
    assert wild == large < 1
    assert 0 < unknown < wild


def test_a_column_that_only_tells_the_years_apart_is_not_chosen() -> None:
    rng = np.random.default_rng(9)
    years = np.repeat(np.arange(10), 100)
    y = (rng.random(1000) < np.where(years < 2, 0.5, 0.05)).astype(float)
    X = np.column_stack([years, y + rng.normal(0, 2, 1000)]).astype(np.float32)
    assert auc(-X[:, 0], y) > auc(X[:, 1], y)
    found = SingleIndicator.best(X, y, ("year", "weak"), period=years)
    assert found is not None
    assert found.name == "weak"
