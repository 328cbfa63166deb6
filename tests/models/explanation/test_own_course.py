"""A unit's own course, part by part: exact for every blend and scale, and silent where it would give a unit away."""

from dataclasses import replace
from functools import cache
from itertools import product
from math import factorial
from typing import Any

import numpy as np
import pytest
from target_problems import KINDS, make_problem

from features.errors import LoadlineError
from models.explanation.learners import BREAKDOWNS, FEATURE_GROUPS, PLAYERS
from models.explanation.own_course import AGAINST, CARRIED, COURSE_PARTS, NEWCOMER, REFERENCE, SERIES, SPREAD, Course
from models.in_year.so_far import SoFar
from models.levels import LEAVES, Level
from models.outcome.global_growth import GlobalGrowth
from models.outcome.opinions import DRIFT, ETS, GLOBAL, LEARNERS, POOLED
from models.outcome.problem import TargetProblem
from models.outcome.stacking import BLENDS, Blend
from models.outcome.target import TargetModel
from models.reasons import like_the_group
from models.wording import AGAINST_WORDS, COURSE_WORDS

UNITS, YEARS = 45, 16
FIGURES: Any = None  # how the year's figure was taken plays no part here


def level_of(problem: TargetProblem, **changes: Any) -> Level:
    numbers = np.arange(len(problem.units))
    trailing = changes.pop("trailing", problem.base)
    return Level(problem.indicator, LEAVES, problem, numbers, FIGURES, True, trailing, **changes)


@cache
def fitted(kind: str) -> tuple[TargetProblem, TargetModel]:
    problem = make_problem(kind, units=UNITS, years=YEARS)
    model = TargetModel.fit(problem, seed=1)
    other = make_problem(kind, units=UNITS, years=YEARS, seed=9)
    return problem, replace(model, shared=GlobalGrowth.fit([problem, other], seed=2))


def course_of(kind: str, blend: Blend, **changes: Any) -> Course:
    problem, model = fitted(kind)
    return Course.of(level_of(problem, **changes), replace(model, blend=blend))


def test_the_models_of_these_tests_have_trees() -> None:
    _, model = fitted("log")
    assert model.recipe.relative.trees
    assert model.shared is not None


@pytest.mark.parametrize("against", AGAINST)
@pytest.mark.parametrize("kind", KINDS)
def test_parts_add_up_for_every_blend(kind: str, against: Any) -> None:
    for blend in BLENDS:
        told = 0
        course = course_of(kind, blend)
        gap = course.distribution.quantile(0.5) - like_the_group(course.level, course.distribution)
        moved = course.distribution.location - course.asked.begin.base
        for number, unit in list(enumerate(course.level.problem.units))[::9]:
            parts = course.parts(unit, against)
            if parts is None:
                continue
            assert sum(parts.amounts.values()) == pytest.approx(gap[number], rel=1e-9, abs=1e-9), blend.name
            assert sum(parts.latent.values()) == pytest.approx(moved[number], rel=1e-9, abs=1e-12), blend.name
            told += 1
            assert list(parts.amounts) == [code for code in COURSE_PARTS if code in parts.amounts]
        assert told >= 3


def test_parts_add_up_for_tuned_settings() -> None:
    problem, model = fitted("log")
    relative = replace(model.recipe.relative, kept=0.9)
    assert model.shared is not None
    shared = replace(model.shared, kept=0.9)
    blend = next(blend for blend in BLENDS if GLOBAL in blend.shares)
    tuned = replace(model, blend=blend, recipe=replace(model.recipe, relative=relative), shared=shared)
    course = Course.of(level_of(problem), tuned)
    moved = course.distribution.location - course.asked.begin.base
    parts = course.parts(problem.units[7], "peers")
    assert parts is not None
    assert sum(parts.latent.values()) == pytest.approx(moved[7], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("blend", [blend for blend in BLENDS if blend.name != "pooled growth"], ids=lambda b: b.name)
def test_groups_get_what_asking_about_every_coalition_gives(blend: Blend) -> None:
    problem, model = fitted("log")
    course = course_of("log", blend)
    unit = problem.units[7]
    parts = course.parts(unit, "peers")
    assert parts is not None
    row, reference = course.rows[-1, 7], parts.reference.values
    player, count = np.array(PLAYERS.of_feature), len(PLAYERS.names)
    coalitions = np.array(list(product([False, True], repeat=count)))
    rows = np.where(coalitions[:, player], row, reference)
    relative, shared = model.recipe.relative, model.shared
    assert shared is not None
    functions = {
        GLOBAL: lambda X: shared.predict(X, standard=relative.standard, deviation=relative.deviation),
        DRIFT: lambda X: X[:, 2],
        POOLED: lambda X: np.zeros(len(X)),
    }
    worth = sum(
        share * functions.get(name, relative.predict)(rows) for name, share in blend.shares.items() if name != ETS
    )
    at = {tuple(c): w for c, w in zip(coalitions.tolist(), np.asarray(worth), strict=True)}
    for one, code in enumerate(PLAYERS.names):
        expected = 0.0
        for members in (c for c in at if not c[one]):
            share = factorial(sum(members)) * factorial(count - sum(members) - 1) / factorial(count)
            expected += share * (at[(*members[:one], True, *members[one + 1 :])] - at[members])
        assert parts.latent[code] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert parts.latent[REFERENCE] == pytest.approx(at[(False,) * count], rel=1e-9, abs=1e-12)


def test_every_learner_is_taken_apart_or_has_a_line_of_its_own() -> None:
    assert set(LEARNERS) - set(BREAKDOWNS) == {ETS}
    course = course_of("log", next(blend for blend in BLENDS if ETS in blend.shares))
    parts = course.parts(course.level.problem.units[0], "group")
    assert parts is not None
    assert parts.latent[SERIES] == pytest.approx(0.2 * course.series[ETS][0])


def test_every_feature_is_in_a_group_and_every_part_has_words() -> None:
    assert set(COURSE_WORDS) == set(COURSE_PARTS)
    assert set(AGAINST_WORDS) == set(AGAINST)
    assert set(FEATURE_GROUPS) < set(COURSE_PARTS)


def test_pooled_growth_tells_no_features_apart() -> None:
    course = course_of("log", BLENDS[0])
    parts = course.parts(course.level.problem.units[3], "peers")
    assert parts is not None
    assert set(parts.amounts) <= {CARRIED, SPREAD, NEWCOMER}


def test_held_against_itself_as_it_was_nothing_is_set_apart_if_nothing_changed() -> None:
    problem, model = fitted("log")
    course = Course.of(level_of(problem), replace(model, blend=BLENDS[4]))
    course.rows[-2] = course.rows[-1]
    parts = course.parts(problem.units[0], "last_year")
    assert parts is not None
    assert parts.units == 1
    assert not any(parts.amounts[code] for code in FEATURE_GROUPS)
    assert parts.latent[REFERENCE] == pytest.approx(course.distribution.location[0] - course.asked.begin.base[0])


def test_amounts_follow_the_part_of_the_year_that_is_left() -> None:
    count = UNITS
    so_far = SoFar(np.full(count, 50.0), np.full(count, 0.25), np.ones(count, dtype=bool), "9 of 12 periods are in")
    course = course_of("log", BLENDS[4], so_far=so_far)
    whole = course_of("log", BLENDS[4])
    like = so_far.year(like_the_group(course.level, course.distribution))
    gap = course.level.of_year(course.distribution).quantile(0.5) - like
    for number in (0, 20):
        unit = course.level.problem.units[number]
        parts, plain = course.parts(unit, "peers"), whole.parts(unit, "peers")
        assert parts is not None
        assert plain is not None
        assert sum(parts.amounts.values()) == pytest.approx(gap[number], rel=1e-9)
        assert parts.amounts["level"] == pytest.approx(0.25 * plain.amounts["level"], rel=1e-9)


def test_what_the_last_periods_carry_over_has_its_own_line() -> None:
    problem, _ = fitted("log")
    carried = np.exp(np.random.default_rng(3).normal(0.02, 0.05, len(problem.units)))
    trailing = problem.base / carried
    course = course_of("log", BLENDS[4], trailing=trailing)
    gap = course.distribution.quantile(0.5) - like_the_group(course.level, course.distribution)
    for number in (1, 30):
        parts = course.parts(problem.units[number], "group")
        assert parts is not None
        own = np.log(carried[number]) - np.median(np.log(carried))
        assert parts.latent[CARRIED] == pytest.approx(own, rel=1e-9)
        assert sum(parts.amounts.values()) == pytest.approx(gap[number], rel=1e-9)


def test_without_a_figure_to_grow_from_there_is_no_course() -> None:
    problem, model = fitted("hurdle")
    base = problem.base.copy()
    base[-1, :2] = [0.0, np.nan]
    course = Course.of(level_of(replace(problem, base=base)), model)
    assert course.parts(problem.units[0], "peers") is None
    assert course.parts(problem.units[1], "peers") is None
    assert course.parts(problem.units[4], "peers") is not None


def test_small_groups_are_not_given_away() -> None:
    problem, model = fitted("log")
    base = problem.base.copy()
    base[:, 6:] = np.nan
    base[-2, 0] = np.nan
    peers = np.where(np.arange(UNITS) < 4, 0, 1)
    course = Course.of(level_of(replace(problem, base=base, peers=peers)), model)
    first = problem.units[0]
    with pytest.raises(LoadlineError, match="fewer than 5 units"):
        course.reference(first, "peers")
    assert course.usual_reference(first) == "group"
    assert course.reference(first, "group")[1] == 6
    base[:, 4:] = np.nan
    few = Course.of(level_of(replace(problem, base=base, peers=peers)), model)
    with pytest.raises(LoadlineError, match="there are 4"):
        few.reference(first, "group")
    assert few.usual_reference(first) == "last_year"


def test_a_unit_that_was_not_there_a_year_ago_is_not_held_against_it() -> None:
    problem, model = fitted("log")
    base = problem.base.copy()
    base[:-1, 0] = np.nan
    course = Course.of(level_of(replace(problem, base=base)), model)
    with pytest.raises(LoadlineError, match="no figure a year before"):
        course.reference(problem.units[0], "last_year")


def test_peers_are_those_of_the_group_or_all_where_there_are_none() -> None:
    problem, model = fitted("log")
    course = Course.of(level_of(problem), model)
    reference, units = course.reference(problem.units[0], "peers")
    assert problem.peers is not None
    alike = problem.peers == problem.peers[0]
    assert units == alike.sum()
    np.testing.assert_array_equal(reference.values, np.median(course.rows[-1, alike], axis=0))
    alone = Course.of(level_of(replace(problem, peers=None)), model)
    assert alone.reference(problem.units[0], "peers")[1] == UNITS
