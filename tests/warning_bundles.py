"""A small warning model with a learner of each kind, as it is kept."""

from __future__ import annotations

from functools import cache

import numpy as np
from failing_banks import failing_banks

from features.indicators import Title
from models.bundle import ModelBundle
from models.deterioration.blending import Calibration
from models.deterioration.boosted import Boosted
from models.deterioration.contenders import CONTENDERS, Work
from models.deterioration.forest import Forest
from models.deterioration.judging import measured
from models.deterioration.model import DeteriorationModel, middle
from models.deterioration.rows import Rows
from models.deterioration.scores import NormalScores
from models.deterioration.settings import DEFAULT
from training.warning.fitting import Fitted, to_bundle

FACTORS = {"regression": 0.3, "boosted": 0.5, "forest": 0.4}


@cache
def small_model(seed: int = 7) -> DeteriorationModel:
    """Fit a learner of each kind on made-up banks, and blend them as nobody has found best."""
    problem = failing_banks(units=60, failing=20)
    scale = NormalScores.of(problem.X)
    rows = Rows(problem.X, scale)
    learners = {
        "regression": CONTENDERS["regression"].fit(Work(problem, rows, seed, 1, DEFAULT), 30.0),
        "boosted": Boosted.fit(problem, seed=seed, rounds=30, bags=2),
        "forest": Forest.fit(rows, problem.y, seed=seed),
    }
    margin = sum(factor * learners[name].margin(rows) for name, factor in FACTORS.items())
    calibration = Calibration.fit(margin, problem.y, problem.weight)
    given = problem.y, calibration.probability(margin), problem.weight, problem.period
    base = problem.y, np.full(len(problem), problem.base_rate), problem.weight, problem.period
    record = {"rows": len(problem), "positives": problem.positives, "events": problem.events}
    record |= {"base_rate": problem.base_rate, "first": 0, "last": 23, "contenders": {}, "replaced_by": ""}
    record |= {"blend": measured(*given), "base": measured(*base), "forward": None}
    return DeteriorationModel(problem.names, scale, middle(problem.X), learners, FACTORS, 0.1, calibration, record)


def as_bundle(model: DeteriorationModel, dataset: str = "small") -> ModelBundle:
    """Put a model into the bundle in which it is kept."""
    counted = model.record["rows"], model.record["positives"], 5
    note = Title(en="A note.", zh="说明。")
    fitted = Fitted(model.record["last"], model, model.names, *counted, "derived", note)
    return to_bundle(fitted, {"dataset": dataset, "origin": model.record["last"], "seed": 7})


def awkward_rows(count: int = 40) -> np.ndarray:
    """Give rows (count, F) float32 of the made-up banks, some unknown, some beyond all that was learned from."""
    X = failing_banks(seed=99).X[:count].copy()
    X[0], X[1], X[2] = np.nan, 1e30, -1e30
    X[3, 0] = X[4, 1] = 0.0
    return X
