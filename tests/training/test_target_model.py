"""The target model: its name, its bundle, and what past origins show of a level."""

from __future__ import annotations

import numpy as np
import pytest
import quarterly_bank

from features.store import Snapshot
from models.levels import levels_of
from training.gating.gate import FEWEST_ORIGINS
from training.target_model import bundle_of, fit_level, level_evidence, level_tasks, model_name, models_in


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return quarterly_bank.stored(tmp_path_factory.mktemp("levels"))


def test_a_saved_model_says_what_the_fitted_one_said(snapshot: Snapshot) -> None:
    origin = snapshot.description.calendar.parse("2023-Q4")
    level = levels_of(snapshot.panel(origin), "SALES", year=2024, origin=origin)[0]
    _, model = fit_level(level_tasks([level], seed=5)[0])
    again = models_in(bundle_of({level.key: model}, {}))[level.key]()
    quantiles = [0.05, 0.5, 0.95]
    expected = model.predict(level.problem).quantile(quantiles)
    np.testing.assert_array_equal(again.predict(level.problem).quantile(quantiles), expected)


def test_thin_levels_show_the_ratio_that_was_drawn_to_the_record(snapshot: Snapshot) -> None:
    calendar = snapshot.description.calendar
    for as_of, year, few in (("2019-Q4", 2020, True), ("2023-Q4", 2024, False)):
        origin = calendar.parse(as_of)
        level = levels_of(snapshot.panel(origin), "SALES", year=year, origin=origin)[0]
        _, model = fit_level(level_tasks([level], seed=5)[0])
        found = level_evidence(level, model)
        assert (found.origins < FEWEST_ORIGINS) is few
        expected = model.test["expected"] if few else model.test["ratios"][model.test["blend"]]
        assert found.loss_ratio == expected
        assert found.loss_ratio <= 1.0


def test_long_dataset_names_keep_their_models_apart() -> None:
    names = {model_name("a" * 60 + suffix) for suffix in ("-one", "-two")}
    assert len(names) == 2
    assert all(len(name) <= 60 for name in names)
