from __future__ import annotations

import json

import numpy as np
import pytest
from target_problems import make_problem

from models.outcome.baselines import Learned
from models.outcome.recipe import Recipe


@pytest.mark.parametrize(("kind", "units"), [("log", 31), ("logit", 31), ("log", 100)])
def test_parts_make_the_same_recipe_again(kind: str, units: int) -> None:
    learned = Learned.of(make_problem(kind, units=units))
    recipe = Recipe.fit(learned, seed=1)
    parts = recipe.to_parts()
    parts["meta"] = json.loads(json.dumps(parts["meta"], allow_nan=False))
    again = Recipe.from_parts(parts)
    np.testing.assert_array_equal(again.scale.pooled(learned.history), recipe.scale.pooled(learned.history))
    np.testing.assert_array_equal(again.residuals, recipe.residuals)
    np.testing.assert_array_equal(again.shocks, recipe.shocks)
    assert again.relative.trees == recipe.relative.trees


def test_residuals_have_a_size_of_one_and_points_in_order() -> None:
    recipe = Recipe.fit(Learned.of(make_problem()), seed=1)
    np.testing.assert_allclose(np.abs(recipe.residuals).mean(axis=1), 1.0)
    assert (np.diff(recipe.residuals, axis=1) >= 0).all()
    assert (np.diff(recipe.shocks, axis=1) >= 0).all()


def test_one_year_of_growth_gives_the_recipe_the_shock_of_pooled_growth() -> None:
    recipe = Recipe.fit(Learned.of(make_problem(years=2)), seed=1)
    np.testing.assert_array_equal(recipe.shocks[0], recipe.shocks[1])
