from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from target_problems import KINDS, make_problem

from features.errors import LoadlineError
from models.outcome.global_growth import GlobalGrowth, rolling_growth
from models.outcome.problem import TargetProblem
from models.outcome.relative import RelativeGrowth
from models.outcome.settings import DEFAULT, TargetSettings
from models.outcome.target import TargetModel

OTHER = DEFAULT.with_knobs({"kept": 1.0, "ridge_penalty": 10.0, "own.leaves": 8, "shared.trees": 60})


def coded(number: int, kind: str) -> TargetProblem:
    problem = make_problem(kind, units=90, years=9, seed=number)
    return replace(problem, indicator=problem.indicator.model_copy(update={"code": f"I{number}"}))


PROBLEMS = [coded(number, kind) for number, kind in enumerate(KINDS)]
QUANTILES = [0.1, 0.5, 0.9]


@cache
def fitted(settings: TargetSettings | None = None) -> TargetModel:
    given = {} if settings is None else {"settings": settings}
    shared = rolling_growth(PROBLEMS, origins=6, seed=1, **given)
    return TargetModel.fit(PROBLEMS[0], seed=1, shared=shared, **given)


def test_the_usual_settings_are_those_that_everything_was_measured_with():
    found = fitted().predict(PROBLEMS[0]).quantile(QUANTILES)[[0, 40, 89]]
    before = [
        [380.1830284304157, 402.9503933918595, 427.6435028684087],
        [259.8217038872221, 328.41602638783917, 417.0562341283098],
        [218.6369284412754, 229.88424846271647, 241.9547099939187],
    ]
    np.testing.assert_allclose(found, before, rtol=1e-9)


def test_usual_settings_given_change_nothing():
    assert fitted().to_parts()["texts"] == fitted(TargetSettings()).to_parts()["texts"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kept", 1.0),
        ("ridge_penalty", 10.0),
        ("own.leaves", 8),
        ("own.least_rows", 80),
        ("own.trees", 40),
        ("own.l2", 50.0),
        ("own.rate", 0.1),
    ],
)
def test_every_knob_of_an_indicator_changes_its_growth(name: str, value: float):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 6))
    y = 0.2 * X[:, 0] - 0.1 * np.abs(X[:, 1]) + rng.normal(size=800)
    usual, other = (
        RelativeGrowth.fit(X, y, deviation=1.0, seed=1, settings=settings).predict(X)
        for settings in (DEFAULT, DEFAULT.with_knobs({name: value}))
    )
    assert np.abs(usual - other).max() > 1e-3


@pytest.mark.parametrize("name", ["shared.leaves", "shared.least_rows", "shared.trees"])
def test_every_knob_of_the_shared_trees_changes_them(name: str):
    usual, other = (
        GlobalGrowth.fit(PROBLEMS, seed=1, settings=one) for one in (DEFAULT, DEFAULT.with_knobs({name: 6}))
    )
    assert usual is not None
    assert other is not None
    assert usual.trees != other.trees


def test_saved_with_the_model_and_usual_for_those_saved_before():
    model = fitted(OTHER)
    parts = model.to_parts()
    again = TargetModel.from_parts(parts)
    assert again.settings == OTHER
    np.testing.assert_array_equal(
        again.predict(PROBLEMS[0]).quantile(QUANTILES), model.predict(PROBLEMS[0]).quantile(QUANTILES)
    )
    older = fitted().to_parts()
    del older["meta"]["settings"], older["meta"]["kept"]
    assert TargetModel.from_parts(older).settings == DEFAULT
    np.testing.assert_array_equal(
        TargetModel.from_parts(older).predict(PROBLEMS[0]).quantile(QUANTILES),
        fitted().predict(PROBLEMS[0]).quantile(QUANTILES),
    )


def test_plain_and_back():
    assert TargetSettings.from_dict(OTHER.as_dict()) == OTHER
    for damaged in ({}, OTHER.as_dict() | {"depth": 3}, OTHER.as_dict() | {"own": {"leaves": 4}}):
        with pytest.raises(LoadlineError, match="settings"):
            TargetSettings.from_dict(damaged)
