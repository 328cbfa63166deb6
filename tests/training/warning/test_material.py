"""What models learn from is what was known: panels, labels and leaves at each origin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import warning_bank

from features.errors import LoadlineError
from features.snapshot import Snapshot
from training.warning.labels import labels
from training.warning.material import Material, material, stretched


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return warning_bank.stored(tmp_path_factory.mktemp("late"), outcomes="none", lag=1)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Material:
    return material(snapshot, snapshot.span[1])


def test_the_panel_of_an_origin_is_what_the_store_knew_then(snapshot: Snapshot, found: Material) -> None:
    for origin in (found.first, found.first + 6, found.last - 1, found.last):
        then = snapshot.panel(origin)
        here = found.known_panel(origin)
        for code in then.codes:
            np.testing.assert_array_equal(here.array(code), then.array(code), err_msg=f"{code} in {origin}")


def test_the_labels_of_an_origin_are_what_the_store_would_have_given(snapshot: Snapshot, found: Material) -> None:
    for origin in (found.first + 5, found.last):
        end = snapshot.description.calendar.end(origin)
        then = labels(snapshot, snapshot.panel(origin), known_by=end)
        here = found.labels_at(origin)
        rows = origin - found.first + 1
        np.testing.assert_array_equal(here.y[:rows], then.y)
        assert not here.known[rows:].any()
        assert here.y.shape == found.leaves.shape
    assert found.labels_at(found.last).positives > found.labels_at(found.first + 5).positives > 0


def test_origins_are_the_ends_of_years_with_figures_before_the_last(found: Material) -> None:
    assert found.origins == (*range(found.first, found.first + 10), found.first + 11, found.first + 13)


def test_rows_of_the_matrix_and_of_the_leaves_are_those_of_the_data(found: Material) -> None:
    assert found.matrix.first == found.first
    assert found.matrix.cube.shape[1:] == found.leaves.shape
    assert found.leaves.sum() == warning_bank.YEARS * warning_bank.BRANCHES


def test_a_prior_of_other_rows_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(LoadlineError, match="other periods"):
        material(snapshot, snapshot.span[1], prior=np.zeros((3, len(snapshot.tree))))


def test_labels_laid_out_on_other_rows_keep_their_periods(found: Material) -> None:
    whole = found.labels_at(found.last)
    part = stretched(whole, found.first + 2, found.last + 3)
    np.testing.assert_array_equal(part.y[: len(whole.y) - 2], whole.y[2:])
    assert not part.known[len(whole.y) - 2 :].any()
    assert not stretched(whole, found.last + 1, found.last + 2).known.any()


def test_labels_of_a_day_after_the_last_row_hold_what_became_known_since(tmp_path: Path) -> None:
    snapshot = warning_bank.stored(tmp_path)
    last = snapshot.span[1] - 3
    found = material(snapshot, last)
    then = found.labels_at(last)
    now = found.labels_now(snapshot.description.calendar.end(last + 2))
    np.testing.assert_array_equal(then.known.any(axis=1), np.arange(len(then.y)) < len(then.y) - 1)
    assert now.known.any(axis=1).all()
