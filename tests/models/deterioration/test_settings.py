import numpy as np
import pytest
from failing_banks import failing_banks

from features.errors import LoadlineError
from models.deterioration.boosted import Boosted
from models.deterioration.forest import Forest
from models.deterioration.model import DeteriorationModel
from models.deterioration.rows import Rows
from models.deterioration.scores import NormalScores
from models.deterioration.settings import DEFAULT, WarningSettings

PROBLEM = failing_banks(units=60, periods=16, failing=15)
OTHER = DEFAULT.with_knobs({"rate": 0.02, "leaves": 2.0, "forest_leaf": 4.0})


def test_usual_settings_given_change_nothing():
    given = DeteriorationModel.fit(PROBLEM, seed=3, settings=WarningSettings())
    assert given.to_parts()["texts"] == DeteriorationModel.fit(PROBLEM, seed=3).to_parts()["texts"]


@pytest.mark.parametrize(
    ("name", "value"), [("rate", 0.02), ("leaves", 2.0), ("least_rows", 80), ("l2", 50.0), ("columns", 0.9)]
)
def test_every_knob_of_boosted_trees_changes_them(name: str, value: float):
    usual, other = (
        Boosted.fit(PROBLEM, seed=1, rounds=20, settings=one) for one in (DEFAULT, DEFAULT.with_knobs({name: value}))
    )
    rows = Rows(PROBLEM.X, NormalScores.of(PROBLEM.X))
    assert np.abs(usual.margin(rows) - other.margin(rows)).max() > 1e-3


def test_larger_leaves_of_the_forest_hold_more_rows():
    rows = Rows(PROBLEM.X, NormalScores.of(PROBLEM.X))
    usual, other = (Forest.fit(rows, PROBLEM.y, seed=1, settings=one) for one in (DEFAULT, OTHER))
    assert len(other.text) < 0.6 * len(usual.text)


def test_saved_with_the_model_and_usual_for_those_saved_before():
    parts = DeteriorationModel.fit(PROBLEM, seed=3, settings=OTHER).to_parts()
    assert DeteriorationModel.from_parts(parts).settings == OTHER
    del parts["meta"]["settings"]
    assert DeteriorationModel.from_parts(parts).settings == DEFAULT


def test_plain_and_back():
    assert WarningSettings.from_dict(OTHER.as_dict()) == OTHER
    for damaged in ({}, OTHER.as_dict() | {"depth": 3}):
        with pytest.raises(LoadlineError, match="settings"):
            WarningSettings.from_dict(damaged)
