"""Answers of past periods: as a replay would have given them, and with hindsight."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import warning_bank

from features.indicators import Title
from training.warning.answering import HINDSIGHT_FOLDS, folds, hindsight_probability, replayed_probability
from training.warning.evaluation import auc_within
from training.warning.labels import NEVER, Labels
from training.warning.material import Material, material

SEED = 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answering")


@pytest.fixture(scope="module")
def found(home: Path) -> Material:
    snapshot = warning_bank.stored(home, outcomes="undated")
    return material(snapshot, snapshot.span[1])


def test_each_period_is_answered_by_the_model_of_its_year(found: Material, home: Path) -> None:
    answer = replayed_probability(found, found.last - 2, found.last, seed=SEED, home=home)
    assert [model.origin for model in answer.models] == [found.last - 4, found.last - 2, found.last - 2]
    known = np.isfinite(answer.probability)
    assert not known[:-3].any()
    np.testing.assert_array_equal(known[-3:], found.leaves[-3:])
    assert answer.last is answer.models[-1]
    for model, row in zip(answer.models, (-3, -2, -1), strict=True):
        alone = model.probability(found, found.last + 1 + row, found.last + 1 + row)
        np.testing.assert_array_equal(answer.probability[row], alone[0])


def test_a_replay_tells_who_is_in_trouble_next_year(found: Material, home: Path) -> None:
    answer = replayed_probability(found, found.last - 2, found.last - 1, seed=SEED, home=home)
    y = found.labels_at(found.last).y
    asked = np.isfinite(answer.probability) & np.isfinite(y)
    area, periods = auc_within(answer.probability[asked], y[asked], np.nonzero(asked)[0])
    assert periods == 2
    assert area > 0.85


def test_a_model_in_service_is_asked_first(found: Material, home: Path) -> None:
    usual = replayed_probability(found, found.last - 2, found.last - 1, seed=SEED, home=home)
    asked = []

    def serving(origin: int):
        asked.append(origin)
        return usual.models[0] if origin == usual.models[1].origin else None

    answer = replayed_probability(found, found.last - 2, found.last - 1, seed=SEED, home=home, serving=serving)
    assert asked == [found.last - 4, found.last - 2]
    assert answer.models[1] is usual.models[0]


def test_years_without_a_model_have_no_probability(found: Material, home: Path) -> None:
    answer = replayed_probability(found, found.first, found.first + 1, seed=SEED, home=home)
    assert np.isnan(answer.probability).all()
    assert answer.note.en
    nothing = replayed_probability(found, found.first + 1, found.first, seed=SEED, home=home)
    assert nothing.last is None
    assert nothing.note.zh


def test_with_hindsight_every_leaf_is_answered_and_labelled_rows_by_models_that_did_not_see_them(
    found: Material, home: Path
) -> None:
    day = date(2030, 1, 1)
    answer = hindsight_probability(found, found.last - 2, found.last, day=day, seed=SEED, home=home)
    asked = np.zeros(found.leaves.shape, dtype=bool)
    asked[-3:] = found.leaves[-3:]
    np.testing.assert_array_equal(np.isfinite(answer.probability), asked)
    whole = answer.models[0]
    known = found.labels_now(day)
    seen = whole.probability(found, found.first, found.last)
    unlabelled = asked & ~known.known
    assert unlabelled.any()
    np.testing.assert_array_equal(answer.probability[unlabelled], seen[unlabelled])
    labelled = asked & known.known
    assert (answer.probability[labelled] != seen[labelled]).mean() > 0.9
    part = hindsight_probability(found, found.last - 1, found.last - 1, day=day, seed=SEED, home=home)
    np.testing.assert_array_equal(part.probability[-2], answer.probability[-2])
    assert np.isnan(part.probability[-1]).all()


def test_hindsight_folds_split_neither_events_nor_years() -> None:
    rng = np.random.default_rng(9)
    y = (rng.random((40, 50)) < 0.03).astype(np.float32)
    y[1:][y[:-1] == 1] = 1
    y[-3:] = np.nan
    known = Labels(y, np.where(np.isfinite(y), 0, NEVER), 1980, (1, 2), 1, "given", False, Title(en="note", zh="说明"))
    fold = folds(known, seed=SEED)
    assert (fold == -1)[-3:].all()
    assert set(np.unique(fold[:-3])) == set(range(HINDSIGHT_FOLDS))
    for event in range(known.events):
        assert len(np.unique(fold[known.event == event])) == 1
    for row in range(37):
        quiet = y[row] == 0
        assert len(np.unique(fold[row][quiet])) == 1
    positives = [int((y[fold == number] == 1).sum()) for number in range(HINDSIGHT_FOLDS)]
    assert max(positives) < 2 * min(positives)
