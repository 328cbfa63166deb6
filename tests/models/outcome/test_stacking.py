from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_problems import make_problem

from models.outcome.baselines import Learned
from models.outcome.entry import start
from models.outcome.opinions import LEARNERS, POOLED, RECIPE, Asked, Opinion
from models.outcome.recipe import Recipe
from models.outcome.stacking import BLENDS, FALLBACK, PROOF_ORIGINS, Blend, choose, described, mixed, opinions, possible

POOLED_BLEND, RECIPE_BLEND = "pooled growth", "recipe"


def asked() -> Asked:
    problem = make_problem()
    learned = Learned.of(problem)
    begin = start(problem, learned.transform, learned.zero, deviation=learned.history.deviation)
    return Asked(problem, begin, Recipe.fit(learned, seed=1), None)


def losses(recipe: float, *, others: float = 1.5) -> dict[str, float]:
    """Make the losses of one origin; pooled growth's is 1."""
    return {blend.name: others for blend in BLENDS} | {POOLED_BLEND: 1.0, RECIPE_BLEND: recipe}


def test_catalogue_of_blends() -> None:
    assert FALLBACK.shares == {POOLED: 1.0}
    assert FALLBACK.record == 1.0
    assert len({blend.name for blend in BLENDS}) == len(BLENDS)
    for blend in BLENDS:
        assert sum(blend.shares.values()) == pytest.approx(1.0)
        assert set(blend.shares) <= set(LEARNERS)


def test_nothing_untested_is_used() -> None:
    choice = choose([])
    assert choice.blend == FALLBACK
    assert choice.ratios == {}


def test_one_bad_year_does_not_outweigh_the_record_but_a_bad_record_does() -> None:
    alone = {POOLED_BLEND: 1.0, RECIPE_BLEND: 1.05}
    assert choose([alone]).blend.name == RECIPE_BLEND
    assert choose([{POOLED_BLEND: 1.0, RECIPE_BLEND: 1.6}]).blend == FALLBACK
    assert choose([alone] * PROOF_ORIGINS).blend == FALLBACK


@given(st.lists(st.floats(0.5, 2.0), min_size=PROOF_ORIGINS, max_size=8))
def test_with_proof_no_blend_that_lost_is_used(found: list[float]) -> None:
    choice = choose([losses(recipe) for recipe in found])
    assert choice.ratios[choice.blend.name] <= 1.0
    assert choice.expected <= 1.0


def test_the_best_blend_wins_when_it_wins_often() -> None:
    year = losses(0.9) | {"recipe with own drift": 0.7}
    assert choose([year] * 6).blend.name == "recipe with own drift"


def test_a_blend_that_was_not_tested_counts_as_the_recipe() -> None:
    short = {POOLED_BLEND: 1.0, RECIPE_BLEND: 0.9}
    full = short | {"recipe with AutoETS": 0.8}
    assert choose([short, full]).ratios["recipe with AutoETS"] == pytest.approx(np.sqrt(0.9 * 0.8))


def test_a_mix_is_the_average_of_its_parts() -> None:
    found = opinions(asked())
    half = mixed(found, {POOLED: 0.5, RECIPE: 0.5})
    for part in ("growth", "scale", "shock", "residual"):
        expected = (getattr(found[POOLED], part) + getattr(found[RECIPE], part)) / 2
        np.testing.assert_allclose(getattr(half, part), expected)


def test_the_recipe_stands_in_for_who_has_nothing_to_say() -> None:
    found = opinions(asked())
    assert "global trees" not in found
    assert all("global trees" not in blend.shares for blend in possible(found))
    one: Opinion = mixed(found, {RECIPE: 0.7, "global trees": 0.3})
    np.testing.assert_allclose(one.growth, found[RECIPE].growth)


def test_only_the_learners_that_are_needed_are_asked() -> None:
    assert set(opinions(asked(), of=(FALLBACK,))) == {POOLED}


def test_blends_are_described_by_their_shares() -> None:
    assert described(Blend("x", {RECIPE: 1.0}, 1.0).shares) == "recipe"
    assert described({RECIPE: 0.7, "global trees": 0.3}) == "recipe 70%, global trees 30%"
