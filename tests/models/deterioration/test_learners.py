from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest
from failing_banks import DIRECTION, NAMES, failing_banks
from sklearn.linear_model import LogisticRegression

from models.deterioration.boosted import Boosted
from models.deterioration.contenders import CONTENDERS, INDICATOR, PRIOR, BestIndicator, Work
from models.deterioration.forest import Forest
from models.deterioration.linear import Linear, ridge_path, single
from models.deterioration.problem import DeteriorationProblem
from models.deterioration.rows import Rows
from models.deterioration.scores import NormalScores
from models.explanation.contrast import Players

PLAYERS = Players(("balance", "rest"), (0, 0, 1, 1, 0, 1))


def work(**changes) -> Work:
    problem = failing_banks(**changes)
    return Work(problem, Rows(problem.X, NormalScores.of(problem.X)), 5)


def test_the_regression_is_that_of_scikit_learn():
    given = work()
    penalty = 10.0
    (found,) = ridge_path(given.rows, given.problem.y, penalties=(penalty,))
    Z = np.concatenate([given.rows.scores, np.isnan(given.problem.X)], axis=1)
    oracle = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=1000).fit(Z, given.problem.y)
    assert np.concatenate([found.coefficients, found.gaps]) == pytest.approx(oracle.coef_[0], abs=2e-3)
    assert found.intercept == pytest.approx(oracle.intercept_[0], abs=2e-3)


def test_a_larger_penalty_learns_less():
    given = work()
    sizes = [np.abs(one.coefficients).sum() for one in ridge_path(given.rows, given.problem.y)]
    assert sizes == sorted(sizes)


def test_a_single_column_may_not_turn_against_its_sign():
    given = work()
    right, wrong = (single(given.rows, given.problem.y, 0, sign=sign) for sign in (-1, 1))
    assert right.coefficients[0] < 0
    assert not wrong.coefficients.any()


def test_the_best_indicator_is_found():
    given = work()
    found = CONTENDERS[INDICATOR].fit(given, 0.0)
    assert isinstance(found, Linear)
    assert NAMES[int(np.flatnonzero(found.coefficients)[0])] == "CAPITAL.level"


def test_the_prior_contends_only_where_there_is_one():
    problem = failing_banks()
    assert CONTENDERS[PRIOR].possible(problem)
    without = type(problem).of(problem.X[:, :5], NAMES[:5], y=problem.y, period=problem.period, unit=problem.unit)
    assert not CONTENDERS[PRIOR].possible(without)


def test_boosted_trees_keep_to_the_directions_that_are_known():
    given = work(failing=60)
    grown = Boosted.fit(given.problem, seed=1)
    rng = np.random.default_rng(0)
    for column in np.flatnonzero(DIRECTION):
        X = given.problem.X[rng.integers(0, len(given.problem), 30)]
        low, high = X.copy(), X.copy()
        low[:, column], high[:, column] = np.nanquantile(given.problem.X[:, column], [0.2, 0.9])
        gap = grown.margin(Rows(high, given.rows.scale)) - grown.margin(Rows(low, given.rows.scale))
        assert (gap * DIRECTION[column] >= 0).all()


def test_the_forest_is_read_by_lightgbm_as_it_was_grown():
    from sklearn.ensemble import ExtraTreesClassifier

    from models.deterioration.forest import LEAST_LEAF, TREES

    given = work(units=60)
    found = Forest.fit(given.rows, given.problem.y, seed=5)
    state = int(np.random.default_rng(5).integers(2**31))
    grown = ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_LEAF, random_state=state)
    grown.fit(given.rows.scores, given.problem.y)
    expected = np.asarray(grown.predict_proba(given.rows.scores))[:, 1]
    rate = lgb.Booster(model_str=found.text).predict(given.problem.X)
    assert rate == pytest.approx(expected, abs=1e-9)
    assert found.rate == pytest.approx(given.problem.y.mean())


def test_every_tree_of_a_large_forest_sees_every_positive(monkeypatch):
    monkeypatch.setattr("models.deterioration.forest.CALM_ROWS", 100)
    given = work()
    found = Forest.fit(given.rows, given.problem.y, seed=5)
    positives = given.problem.positives
    assert found.rate == pytest.approx(positives / (positives + 4 * positives))


@pytest.mark.parametrize("name", list(CONTENDERS))
def test_what_the_players_are_given_adds_up_to_the_gap(name):
    given = work(failing=40)
    learner = CONTENDERS[name].fit(given, CONTENDERS[name].settings[-1])
    rows = given.rows.at(np.arange(0, len(given.problem), 97))
    reference = Rows(given.problem.X[[3]], given.rows.scale)
    values = learner.contrast(rows, reference, PLAYERS)
    assert values.shape == (len(rows.X), 2)
    assert values.sum(axis=1) == pytest.approx(learner.margin(rows) - learner.margin(reference), abs=1e-9)


def test_a_smaller_forest_ranks_as_the_one_that_is_kept():
    given = work(failing=60)
    seen = np.arange(len(given.problem)) % 3 > 0
    grown, later = given.at(seen), given.rows.at(~seen)
    tried = Forest.trial(grown.rows, grown.problem.y, later, seed=5)
    kept = Forest.fit(grown.rows, grown.problem.y, seed=5).margin(later)
    assert np.corrcoef(tried, kept)[0, 1] > 0.98


def test_a_figure_as_reported_is_the_best_single_one_where_it_tells_nearly_as_much():
    rng = np.random.default_rng(0)
    y = (np.arange(3_000) < 300).astype(int)
    level = 2.0 * y + rng.normal(0, 1, len(y))
    columns = np.stack([level + 0.4 * y, level, rng.normal(0, 1, len(y))], axis=1)
    names = ("EQUITY.gap_to_year", "EQUITY.level", "NOISE.level")
    period, unit = np.divmod(np.arange(len(y)), 150)
    problem = DeteriorationProblem.of(columns, names, y=y, period=period, unit=unit)
    given = Work(problem, Rows(problem.X, NormalScores.of(problem.X)), seed=1)
    assert np.flatnonzero(BestIndicator().fit(given, 0.0).coefficients).tolist() == [1]
    noise = replace(problem, names=("EQUITY.gap_to_year", "EQUITY.own_z", "NOISE.level"))
    assert np.flatnonzero(BestIndicator().fit(replace(given, problem=noise), 0.0).coefficients).tolist() == [0]


def test_rows_that_stand_for_many_count_as_many_where_the_best_indicator_is_chosen():
    y = np.repeat([1, 0, 0, 0], [50, 10, 10, 200])
    first, second = (
        np.where(np.arange(270) < 60, 1.0, 0.0),
        np.where((np.arange(270) < 50) | (np.arange(270) >= 258), 1.0, 0),
    )
    problem = DeteriorationProblem.of(
        np.stack([first, second], axis=1),
        ("A.level", "B.level"),
        y=y,
        period=np.arange(270) % 10,
        unit=np.arange(270),
        weight=np.where((np.arange(270) >= 50) & (np.arange(270) < 60), 9.0, 1.0),
    )
    given = Work(problem, Rows(problem.X, NormalScores.of(problem.X)), seed=1)
    assert np.flatnonzero(BestIndicator().fit(given, 0.0).coefficients).tolist() == [1]
    alike = replace(given, problem=replace(problem, weight=np.ones(270)))
    assert np.flatnonzero(BestIndicator().fit(alike, 0.0).coefficients).tolist() == [0]
