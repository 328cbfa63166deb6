"""Fitting the model of one year: enough to learn from, nothing from later, kept and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import warning_bank

from features.snapshot import Snapshot
from training.warning.fitting import (
    LEAST_POSITIVES,
    MOST_NEGATIVES,
    Fitted,
    about_origin,
    columns,
    fitted,
    from_bundle,
    model_name,
    thinned,
    to_bundle,
)
from training.warning.material import Material, material

SEED = 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fitting")


@pytest.fixture(scope="module")
def snapshot(home: Path) -> Snapshot:
    return warning_bank.stored(home)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Material:
    return material(snapshot, snapshot.span[1])


@pytest.fixture(scope="module")
def model(found: Material, home: Path) -> Fitted:
    return fitted(found, found.last - 1, seed=SEED, home=home)


def test_it_learns_what_it_can_and_says_so(found: Material, model: Fitted) -> None:
    assert model.answers
    known = found.labels_at(model.origin)
    assert model.positives == known.positives
    assert model.rows == int(known.known.sum())
    assert str(model.positives) in model.note.en
    assert str(model.positives) in model.note.zh
    probability = model.probability(found, found.last, found.last)
    np.testing.assert_array_equal(np.isfinite(probability), found.leaves[-1:])
    assert ((probability[found.leaves[-1:]] >= 0) & (probability[found.leaves[-1:]] <= 1)).all()


def test_the_same_again_is_read_and_not_fitted(found: Material, model: Fitted, home: Path) -> None:
    folders = sorted((home / "models" / model_name("small") / "fitted").glob("*/manifest.json"))
    again = fitted(found, model.origin, seed=SEED, home=home)
    assert sorted((home / "models" / model_name("small") / "fitted").glob("*/manifest.json")) == folders
    assert again.model is not model.model
    np.testing.assert_array_equal(
        again.probability(found, found.first, found.last), model.probability(found, found.first, found.last)
    )
    assert (again.note, again.names, again.positives) == (model.note, model.names, model.positives)


def test_a_store_without_the_later_years_gives_the_same_model(found: Material, model: Fitted, tmp_path: Path) -> None:
    years = model.origin - found.first + 1
    then = warning_bank.stored(tmp_path, years=years)
    before = material(then, then.span[1])
    past = fitted(before, model.origin, seed=SEED)
    assert past.names == model.names
    here = model.probability(found, found.first, model.origin)
    np.testing.assert_array_equal(past.probability(before, before.first, before.last), here)


def test_too_few_cases_give_no_model_but_a_reason(found: Material) -> None:
    early = fitted(found, found.first + 1, seed=SEED)
    assert early.model is None
    assert not early.answers
    assert str(LEAST_POSITIVES) in early.note.en
    assert np.isnan(early.probability(found, found.first, found.last)).all()
    again = from_bundle(to_bundle(early, about_origin(found, early.origin, seed=SEED)))
    assert again.model is None
    assert again.note == early.note


def test_an_origin_before_the_data_gives_none(found: Material) -> None:
    assert fitted(found, found.first - 1, seed=SEED).model is None


def test_outcomes_that_the_figures_do_not_tell_give_no_probability(tmp_path: Path) -> None:
    snapshot = warning_bank.stored(tmp_path, chance=True)
    noise = material(snapshot, snapshot.span[1])
    model = fitted(noise, noise.last, seed=SEED)
    assert model.positives >= LEAST_POSITIVES
    assert not model.answers
    assert np.isnan(model.probability(noise, noise.first, noise.last)).all()
    assert "No probability" in model.note.en


def test_columns_follow_the_names_and_the_order_of_rows(found: Material, model: Fitted) -> None:
    where = np.zeros(found.leaves.shape, dtype=bool)
    where[-2:, -3:] = True
    got = columns(found, model.names, where)
    name = model.names[0]
    np.testing.assert_array_equal(got[:, 0], found.matrix.array(name)[where])
    assert got.shape == (6, len(model.names))


def test_reviews_after_the_origin_do_not_change_what_a_model_depends_on(snapshot: Snapshot) -> None:
    def about(day: str) -> dict:
        reviewed = pd.DataFrame({"unit": ["B00"], "period": ["2015"], "value": [1], "known_on": [day]})
        return about_origin(material(snapshot, 2020, reviewed=reviewed), 2018, seed=SEED)

    none = about_origin(material(snapshot, 2020), 2018, seed=SEED)
    assert about("2019-01-01") == none
    assert about("2018-12-31") != none


def test_of_many_rows_positives_stay_and_the_others_stand_for_those_left_out(found: Material) -> None:
    usable = np.ones((300, 200), dtype=bool)
    positive = np.zeros(usable.shape, dtype=bool)
    positive[::10, ::20] = True
    chosen, weight = thinned(usable, positive, found, seed=SEED)
    assert chosen[positive].all()
    assert (weight[positive] == 1).all()
    assert (chosen & ~positive).sum() == MOST_NEGATIVES
    assert weight[chosen].sum() == pytest.approx(usable.sum())
    few, _ = thinned(found.leaves, found.leaves & False, found, seed=SEED)
    assert (few == found.leaves).all()
