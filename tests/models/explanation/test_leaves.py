"""Leaf by leaf against the compiled walk, on every kind of model and the most awkward rows."""

import numpy as np
import pytest
from tree_models import CATEGORY, FEATURES, KINDS, model_of, nasty_rows

from features.errors import LoadlineError
from models.explanation.leaves import PinnedTrees
from models.explanation.trees import TreeEnsemble

PLAYERS = (0, 1, 1, 2, 3, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_values_are_those_of_the_compiled_walk(kind: str) -> None:
    model = model_of(kind)
    trees = TreeEnsemble.of(model.model_to_string())
    X = nasty_rows(model, category=bool(KINDS[kind].get("category")), rows=40)
    for reference in X[:4]:
        pinned = PinnedTrees.of(trees, reference, player=PLAYERS, count=4)
        expected = trees.contrast(X, reference[None], player=PLAYERS, count=4)
        found = np.array([pinned.contrast(row) for row in X])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        assert pinned.reference == pytest.approx(trees.margin(reference[None])[0], abs=1e-9)


def test_rows_of_another_width_are_refused() -> None:
    trees = TreeEnsemble.of(model_of("regression").model_to_string())
    with pytest.raises(LoadlineError, match="another number of features"):
        PinnedTrees.of(trees, np.zeros(FEATURES - 1), player=PLAYERS, count=4)
    assert CATEGORY == FEATURES - 1
