from __future__ import annotations

import numpy as np
import pytest
from target_problems import make_problem

from models.judging.reliability import PIT_BINS, PROMISES, realised_common, reliability
from models.outcome.baselines import BASELINES
from models.outcome.target import TargetModel


def test_outcomes_drawn_from_the_forecast_keep_its_promises() -> None:
    problem = make_problem(units=60)
    found = TargetModel.fit(problem, seed=1).predict(problem)
    tables = [reliability(found, draw) for draw in found.sample(120, seed=2)]
    mean = sum(table["share"] for table in tables) / len(tables)
    table = tables[0].assign(share=mean)
    flat = table[table["kind"] == "pit"]
    assert len(flat) == PIT_BINS
    np.testing.assert_allclose(flat["share"], 1 / PIT_BINS, atol=0.04)
    kept = table[table["kind"] == "attained"].set_index("point")["share"]
    np.testing.assert_allclose(kept[list(PROMISES)], PROMISES, atol=0.06)


def test_knowing_the_years_growth_takes_its_luck_out() -> None:
    problem = make_problem(units=80, shock=0.08)
    found = TargetModel.fit(problem, seed=1).predict(problem)
    tables = [reliability(found, draw).set_index(["kind", "point"])["share"] for draw in found.sample(60, seed=3)]
    swing = {kind: np.std([table[kind, 0.7] for table in tables]) for kind in ("attained", "attained_given_group")}
    assert swing["attained_given_group"] < 0.4 * swing["attained"]


def test_the_common_growth_is_found_again() -> None:
    problem = make_problem(units=200)
    found = BASELINES["pooled_growth"](problem, seed=0).predict(problem)
    came = found.given_common(0.123).quantile(0.5)
    assert realised_common(found, came) == pytest.approx(0.123, abs=0.02)
    assert np.isnan(realised_common(found, np.full(200, np.nan)))


def test_without_outcomes_there_is_nothing_to_tabulate() -> None:
    problem = make_problem()
    found = BASELINES["pooled_growth"](problem, seed=0).predict(problem)
    assert reliability(found, np.full(31, np.nan)).empty
