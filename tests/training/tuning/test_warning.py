import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from warning_bank import FIRST, YEARS, stored

from models.deterioration.settings import DEFAULT
from training.tuning.warning import SPACE, USUAL, tune_warning
from training.tuning.warning_years import FEWEST_POSITIVES, MOST_FIGURES, loss_ratio, past_years
from training.warning.fitting import about_origin, fitted
from training.warning.material import Material, material

HURRY = 0.35
"""Share of branches that grow in a hurry: some twenty cases a year."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Material:
    snapshot = stored(tmp_path_factory.mktemp("bank"), hurry=HURRY)
    return material(snapshot, snapshot.span[1])


@cache
def years_of(bank: Material):
    return past_years(bank, bank.last, seed=1)


def test_the_usual_values_are_among_those_tried():
    assert all(USUAL[knob.name] in knob.values for knob in SPACE)
    assert DEFAULT.with_knobs(USUAL) == DEFAULT


def test_each_past_year_is_foretold_from_what_was_known_before_it(bank: Material):
    years = years_of(bank)
    assert len(years) >= 4
    for year, one in years.items():
        known = bank.labels_at(year - 1)  # annual: ordinals are years
        assert one.earlier.positives <= int((known.y == 1).sum())
        assert one.earlier.period.max() < year
        assert one.earlier.X.size <= MOST_FIGURES
        assert one.positives > 0


def test_what_happens_after_the_origin_changes_nothing(bank: Material, tmp_path: Path):
    early = FIRST + YEARS - 3
    snapshot = stored(tmp_path, hurry=HURRY, years=YEARS - 2)
    cut = past_years(material(snapshot, early), early, seed=1)
    later = past_years(bank, early, seed=1)
    assert list(cut) == list(later)
    for year, one in cut.items():
        np.testing.assert_array_equal(one.y, later[year].y)
        assert loss_ratio([one], DEFAULT) == loss_ratio([later[year]], DEFAULT)


def test_trees_tell_in_past_years(bank: Material):
    assert loss_ratio(list(years_of(bank).values()), DEFAULT) < 0.9


def test_tuned_twice_it_is_the_same_and_says_what_it_rests_on(bank: Material, tmp_path: Path):
    one = tune_warning(bank, bank.last, seed=1, trials=4, folder=tmp_path / "one")
    record = next((tmp_path / "one").glob("warning-*.jsonl"))
    lines = record.read_bytes().splitlines(keepends=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / record.name).write_bytes(lines[0] + lines[1] + lines[2][:20])  # stopped in the third trial
    two = tune_warning(bank, bank.last, seed=1, trials=4, folder=tmp_path / "two")
    assert one == two
    json.dumps(one.as_dict(), allow_nan=False)
    assert len(one.table()) == 4
    assert max(one.figures["searched"]) < min(one.figures["held_out"])
    assert one.changed == one.figures.get("better", False)


def test_with_few_cases_the_usual_ones_stay(tmp_path: Path):
    snapshot = stored(tmp_path, hurry=0.1)
    found = tune_warning(material(snapshot, snapshot.span[1]), snapshot.span[1], seed=1, trials=4, folder=tmp_path)
    assert (found.changed, found.tried) == (False, ())
    assert f"fewer than {FEWEST_POSITIVES}" in found.text.en or "fewer than 4 past times" in found.text.en


def test_an_origin_before_the_data_keeps_the_usual_ones(bank: Material, tmp_path: Path):
    assert "fewer than 4 past times" in tune_warning(bank, FIRST - 1, seed=1, trials=4, folder=tmp_path).text.en


def test_a_model_of_other_settings_is_another_model_and_says_so(bank: Material):
    other, origin = DEFAULT.with_knobs({"leaves": 4.0, "rate": 0.08}), bank.origins[-1]
    usual_about, about = (about_origin(bank, origin, seed=1, settings=one) for one in (DEFAULT, other))
    assert about == usual_about | {"settings": other.as_dict()}
    assert usual_about == about_origin(bank, origin, seed=1)
    model = fitted(bank, origin, seed=1, settings=other).model
    assert model is not None
    assert model.settings == other


def test_without_trials_nothing_is_tried(bank: Material, tmp_path: Path):
    assert tune_warning(bank, bank.last, seed=1, trials=0, folder=tmp_path).tried == ()
