from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
from target_problems import make_problem

from models.outcome.distribution import TargetLevels
from models.outcome.series_baselines import SeriesBudget
from training.question import LOADLINE, Findings, Question, answer, answer_all, models_asked

NO_FITS = SeriesBudget(ets=0, arima=0)


def make_question(seed: int = 0, **size: Any) -> Question:
    problem = make_problem(seed=seed, **size).at(6)
    outcome = make_problem(seed=seed, **size).outcome[:7]
    problem = replace(problem, outcome=outcome)
    units = len(problem.units)
    groups = pd.DataFrame(
        {
            "region_type": np.where(np.arange(units) < 4, "small", "large"),
            "peer_group": "one",
            "size": "",
            "volatility": "",
            "past_growth": np.resize(["low", "middle", "high"], units),
            "growth_rank": (np.arange(units) + 1) / units,
        },
        index=problem.units,
    )
    return Question(problem, "leaves", groups, TargetLevels(), NO_FITS, 1)


def test_an_answer_holds_every_table_and_small_groups_are_left_out() -> None:
    found = answer(make_question())
    assert set(found.metrics["model"]) == set(models_asked(NO_FITS)) - {"auto_ets", "auto_arima"}
    assert set(found.by_group["group"]) == {"large"}
    assert set(found.fairness.loc[found.fairness["dimension"] == "region_type", "group"]) == {"large"}
    assert set(found.fairness.loc[found.fairness["model"] != LOADLINE, "dimension"]) == {"past_growth"}
    assert (found.calibration["year"] == found.metrics["year"].iloc[0]).all()


def test_too_few_units_to_group_leave_empty_tables_with_their_columns() -> None:
    found = Findings.joined([answer(make_question(units=4, years=8))])
    assert len(found.metrics)
    assert found.fairness.empty
    assert {"model", "indicator", "level", "year", "dimension"} <= set(found.fairness)


def test_several_processes_answer_as_one_does_and_in_order() -> None:
    questions = [make_question(seed, units=12, years=7) for seed in (1, 2, 3)]
    alone, together = (Findings.joined(answer_all(iter(questions), workers=n)) for n in (1, 2))
    for field in fields(Findings):
        pd.testing.assert_frame_equal(getattr(alone, field.name), getattr(together, field.name))


def test_nothing_asked_gives_empty_tables() -> None:
    assert Findings.joined([]).metrics.empty
