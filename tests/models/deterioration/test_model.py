import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from failing_banks import NAMES, failing_banks

from features.errors import LoadlineError
from models.bundle import ModelBundle
from models.deterioration.contenders import CONTENDERS, SIMPLE
from models.deterioration.judging import area_under_curve, area_within
from models.deterioration.model import DeteriorationModel
from models.deterioration.problem import DeteriorationProblem
from models.explanation.contrast import Players


@cache
def fitted(telling: float = 1.0, seed: int = 7) -> DeteriorationModel:
    return DeteriorationModel.fit(failing_banks(telling=telling), seed=seed)


def test_it_foretells_banks_that_it_has_never_seen():
    model, other = fitted(), failing_banks(seed=99)
    p = model.predict(other.X)
    assert area_under_curve(other.y, p, other.weight) > 0.85
    assert area_within(other.y, p, other.weight, other.period) > 0.85
    assert p.mean() == pytest.approx(other.y.mean(), rel=0.35)
    assert model.skill


def test_features_that_show_nothing_give_no_skill():
    model = fitted(0.0)
    assert not model.skill
    assert model.record["blend"]["auc"] < 0.65


def test_it_is_no_worse_than_the_simple_learners_on_rows_that_none_has_seen():
    model = fitted()
    for name in SIMPLE:
        found = model.record["contenders"][name]
        blend = model.record["blend"]
        assert blend["auc"] >= found["auc"] or blend["average_precision"] >= found["average_precision"]


def test_a_simple_learner_that_nothing_beats_serves_alone():
    rng = np.random.default_rng(0)
    rows = 1500
    X = rng.normal(0, 1, (rows, 4)).astype(np.float32)
    y = (rng.random(rows) < 1 / (1 + np.exp(4 - 2.5 * X[:, 0]))).astype(int)
    problem = DeteriorationProblem.of(
        X, ("A.level", "B.level", "C.level", "D.level"), y=y, period=rng.integers(0, 20, rows), unit=np.arange(rows)
    )
    model = DeteriorationModel.fit(problem, seed=0)
    assert model.record["replaced_by"] in SIMPLE
    assert list(model.learners) == [model.record["replaced_by"]]
    assert "nothing beat it" in model.method


def test_the_same_seed_gives_the_same_model():
    problem = failing_banks(units=60)
    one, other = (DeteriorationModel.fit(problem, seed=3) for _ in range(2))
    assert np.array_equal(one.predict(problem.X), other.predict(problem.X))
    assert one.record == other.record


def test_rows_in_another_order_make_no_model_that_knows_their_outcome():
    problem = failing_banks()
    shuffled = replace(problem, y=np.random.default_rng(1).permutation(problem.y))
    stray = DeteriorationProblem.of(
        shuffled.X, shuffled.names, y=shuffled.y, period=shuffled.period, unit=shuffled.unit, per_year=4
    )
    assert not DeteriorationModel.fit(stray, seed=1).skill


def test_parts_and_a_saved_bundle_give_the_same_model(tmp_path):
    model, problem = fitted(), failing_banks(seed=5)
    parts = model.to_parts()
    ModelBundle("warning", parts["meta"], parts["texts"], parts["arrays"]).save(tmp_path / "model")
    loaded = ModelBundle.load(tmp_path / "model")
    again = DeteriorationModel.from_parts({"meta": loaded.meta, "texts": loaded.texts, "arrays": loaded.arrays})
    assert np.array_equal(again.predict(problem.X), model.predict(problem.X))
    assert again.record == json.loads(json.dumps(model.record))
    assert again.method == model.method
    values, base = model.contributions(problem.X[:5])
    values_again, base_again = again.contributions(problem.X[:5])
    assert np.array_equal(values, values_again)
    assert np.array_equal(base, base_again)


def test_parts_of_another_format_are_refused():
    parts = fitted().to_parts()
    parts["meta"]["format"] = 99
    with pytest.raises(LoadlineError, match="format 99"):
        DeteriorationModel.from_parts(parts)


@pytest.mark.parametrize("kind", ["typical", "one", "each"])
def test_contributions_add_up_to_the_probability(kind):
    model, problem = fitted(), failing_banks(seed=5)
    X = problem.X[::50]
    reference = {"typical": None, "one": problem.X[7], "each": problem.X[1::50][: len(X)]}[kind]
    X = X[: len(reference)] if kind == "each" and reference is not None else X
    values, base = model.contributions(X, reference=reference)
    assert values.shape == (len(X), len(NAMES))
    assert base + values.sum(axis=1) == pytest.approx(model.predict(X), abs=1e-12)
    if kind == "one":
        assert base == pytest.approx(model.predict(problem.X[[7]])[0])


def test_contributions_may_be_by_groups_and_a_noise_column_has_the_least():
    model, problem = fitted(), failing_banks(seed=5)
    players = Players.grouped({"balance": NAMES[:3], "noise": NAMES[3:4], "others": NAMES[4:]}, NAMES)
    failing = problem.X[(problem.y == 1)]
    values, base = model.contributions(failing, players=players)
    assert base + values.sum(axis=1) == pytest.approx(model.predict(failing), abs=1e-12)
    size = np.abs(values).mean(axis=0)
    assert size[1] == min(size)
    assert size[0] == max(size)


def test_a_row_held_against_itself_has_nothing_to_share_out():
    model, problem = fitted(), failing_banks(seed=5)
    values, base = model.contributions(problem.X[[11]], reference=problem.X[11])
    assert not values.any()
    assert base == model.predict(problem.X[[11]])


def test_the_record_says_what_was_measured():
    record = fitted().record
    problem = failing_banks()
    assert json.loads(json.dumps(record)) == record
    assert (record["rows"], record["positives"], record["events"]) == (len(problem), problem.positives, problem.events)
    assert set(record["contenders"]) == set(CONTENDERS)
    assert sum(one["share"] for one in record["contenders"].values()) == pytest.approx(1.0)
    assert record["blend"]["log_loss"] < record["base"]["log_loss"]
    assert record["working_point"]["hits"] + record["working_point"]["false_alarms"] == pytest.approx(
        record["working_point"]["reviewed"]
    )
    assert sum(row["rows"] for row in record["calibration"]) == pytest.approx(len(problem))
    assert record["forward"]["blend"]["auc"] > 0.7


def test_the_calibration_is_honest_out_of_fold():
    for row in fitted().record["calibration"]:
        assert abs(row["predicted"] - row["observed"]) < 0.2


def test_too_few_events_are_refused_and_so_is_another_number_of_columns():
    with pytest.raises(LoadlineError, match="too few"):
        DeteriorationModel.fit(failing_banks(failing=2), seed=0)
    with pytest.raises(LoadlineError, match="columns"):
        fitted().predict(np.zeros((3, 2)))
