"""The light scorer against the model itself: every kind of learner, alone and blended."""

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from failing_banks import NAMES
from warning_bundles import as_bundle, awkward_rows, small_model

from features.errors import LoadlineError
from models.alert_story.drivers import driver_players
from models.bundle import ModelBundle
from models.deterioration.blending import Calibration
from models.deterioration.model import DeteriorationModel
from models.deterioration.scores import FEW_ROWS, NormalScores
from serving.hot.scorer import Drivers, Scorer

PLAYERS = driver_players(NAMES)
DRIVERS = Drivers(PLAYERS.names, PLAYERS.of_feature)


def only(model: DeteriorationModel, name: str) -> DeteriorationModel:
    """Let one kind of learner answer alone."""
    return replace(model, learners={name: model.learners[name]}, factors={name: 1.3})


@pytest.mark.parametrize("name", ["", "regression", "boosted", "forest"])
def test_it_says_what_the_model_says(name: str) -> None:
    model = only(small_model(), name) if name else small_model()
    scorer, X = Scorer(as_bundle(model), DRIVERS), awkward_rows()
    expected, base = model.contributions(X, players=PLAYERS)
    for rows in (X, X[:1], X[5:6]):
        np.testing.assert_allclose(scorer.predict(rows), model.predict(rows), rtol=0, atol=2e-9)
    probability, amounts = scorer.explain(X)
    np.testing.assert_allclose(probability, model.predict(X), rtol=0, atol=2e-9)
    np.testing.assert_allclose(amounts, expected, rtol=0, atol=5e-9)
    assert scorer.base == pytest.approx(base[0], abs=1e-12)
    whole = np.rint(amounts * 1e9).astype(int).sum(axis=1)
    assert np.array_equal(whole, np.rint((probability - round(scorer.base, 9)) * 1e9).astype(int)), "they add up"
    assert (np.abs(expected).max(axis=0) > 1e-6).any(), "there is something to tell"


def test_a_curve_of_calibration_counts_half() -> None:
    curve = Calibration(-0.3, 1.1, np.array([-3.0, 0.0, 2.0]), np.array([0.01, 0.2, 0.7]))
    model = replace(small_model(), calibration=curve)
    X = awkward_rows()
    np.testing.assert_allclose(Scorer(as_bundle(model)).predict(X), model.predict(X), rtol=0, atol=2e-9)


def test_one_row_is_scored_as_among_many() -> None:
    scale = small_model().scale
    X = np.concatenate([awkward_rows(), scale.knots.T.astype(np.float32)])
    X[5] = np.inf
    one_by_one = np.concatenate([scale.apply(row[None]) for row in X])
    assert len(X) > FEW_ROWS
    np.testing.assert_allclose(one_by_one, scale.apply(X), rtol=0, atol=1e-6)
    constant = NormalScores.of(np.ones((9, 1), np.float32))
    assert not constant.apply(np.full((1, 1), 3.0, np.float32)).any()


def test_several_threads_may_ask_at_once() -> None:
    scorer, X = Scorer(as_bundle(small_model())), awkward_rows()
    expected, wrong = scorer.predict(X), []

    def ask() -> None:
        wrong.extend(i for i in range(len(X)) if abs(scorer.predict(X[i : i + 1])[0] - expected[i]) > 2e-9)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_no_warning_model_is_refused() -> None:
    bundle = as_bundle(small_model())
    empty = ModelBundle("warning", {"fitted": {**bundle.meta["fitted"], "model": None}})
    for wrong in (empty, ModelBundle("target", {"seed": 1})):
        with pytest.raises(LoadlineError, match="no warning model"):
            Scorer(wrong)
    with pytest.raises(LoadlineError, match="another model"):
        Scorer(bundle, Drivers(("a",), (0,)))
    cut = ModelBundle("warning", dict(bundle.meta), {}, dict(bundle.arrays))
    with pytest.raises(LoadlineError, match="part of the warning model is missing"):
        Scorer(cut)
