"""The plain view is LightGBM's own, by feature or by group."""

import lightgbm as lgb
import numpy as np
import pytest
from tree_models import FEATURES, QUIET, model_of, training_rows

from features.errors import LoadlineError
from models.explanation.contrast import Players
from models.explanation.plain import plain_contributions


def test_it_adds_up_to_the_output_and_groups_are_sums() -> None:
    model, rows = model_of("categories_with_holes"), training_rows(holes=True, category=True)[:50]
    values, base = plain_contributions(model, rows)
    assert values.shape == (50, FEATURES)
    np.testing.assert_allclose(values.sum(axis=1) + base, np.asarray(model.predict(rows)), rtol=1e-9)
    names = model.feature_name()
    grouped, same = plain_contributions(model, rows, players=Players.grouped({"a": names[:4], "b": names[4:]}, names))
    np.testing.assert_allclose(grouped, np.column_stack([values[:, :4].sum(axis=1), values[:, 4:].sum(axis=1)]))
    np.testing.assert_array_equal(base, same)


def test_several_outputs_are_refused() -> None:
    X = training_rows(holes=False, category=False)
    model = lgb.train(QUIET | {"objective": "multiclass", "num_class": 3}, lgb.Dataset(X, np.arange(len(X)) % 3), 2)
    with pytest.raises(LoadlineError, match="3 outputs"):
        plain_contributions(model, X[:2])
