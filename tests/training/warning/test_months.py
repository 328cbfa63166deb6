"""Probabilities month by month: whatever is left out where rows are many, no month of a year is told wrong."""

from __future__ import annotations

import monthly_bank
import numpy as np
import pytest

from training.warning.fitting import MANY_ROWS, fitted, thinned
from training.warning.material import Material, material

SEED = 3
FEW_ROWS = 600
"""Rows that a model may learn from here, so that rows have to be left out as in a large bank."""
YEAR = 12
APART = 0.1
"""By so much may what is stated in a month differ from what happened: three standard errors of some fifteen branches
in trouble among 120. Where only quarter-ends gave rows without trouble, it was 0.7 in the months between."""
THIRD = 0.15
"""And the share of a month's rows that is kept from a third: three standard errors of a hundred rows in trouble."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Material:
    snapshot = monthly_bank.stored(tmp_path_factory.mktemp("months"))
    return material(snapshot, snapshot.span[1])


def _last_year(found: Material) -> tuple[np.ndarray, np.ndarray]:
    """Give what the model of a year before states on the mean in each month of the last year, and what happened."""
    model = fitted(found, found.last - YEAR, seed=SEED)
    assert model.answers
    stated = model.probability(found, found.last - YEAR + 1, found.last)
    happened = np.where(found.leaves, found.labels_now(monthly_bank.AFTER).y, np.nan)[-YEAR:]
    return np.nanmean(stated, axis=1), np.nanmean(happened, axis=1)


@pytest.mark.parametrize("many", [MANY_ROWS, 5 * FEW_ROWS], ids=["drawn", "thinned and drawn"])
def test_where_rows_are_left_out_every_month_is_told_right(
    found: Material, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.deterioration.sampling.MOST_ROWS", FEW_ROWS)
    monkeypatch.setattr("training.warning.fitting.MANY_ROWS", many)
    stated, happened = _last_year(found)
    np.testing.assert_allclose(stated, happened, atol=APART)


def test_of_many_rows_every_month_gives_as_many_good_and_bad_ones(
    found: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.warning.fitting.MANY_ROWS", FEW_ROWS)
    known = found.labels_at(found.last)
    usable, positive = known.known & found.leaves, known.y == 1
    chosen, _ = thinned(usable, positive, found, seed=SEED)
    assert 0 < chosen.sum() < usable.sum()
    month = np.arange(found.first, found.last + 1) % YEAR
    for kind in (positive, ~positive):
        kept = [(chosen & kind)[month == m].sum() / (usable & kind)[month == m].sum() for m in range(YEAR)]
        np.testing.assert_allclose(kept, 1 / 3, atol=THIRD)


def test_which_rows_are_learned_from_does_not_depend_on_units_that_come_later(
    found: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.warning.fitting.MANY_ROWS", FEW_ROWS)
    known = found.labels_at(found.last)
    usable, positive = known.known & found.leaves, known.y == 1
    chosen, weight = thinned(usable, positive, found, seed=SEED)

    def with_another(array: np.ndarray) -> np.ndarray:
        return np.insert(array, 7, np.zeros(len(array), dtype=array.dtype), axis=1)

    again, heavier = thinned(with_another(usable), with_another(positive), found, seed=SEED)
    np.testing.assert_array_equal(np.delete(again, 7, axis=1), chosen)
    np.testing.assert_array_equal(np.delete(heavier, 7, axis=1), weight)
