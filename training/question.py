"""One question of a backtest: one level of one indicator at one origin, put to every model, and all that is learned."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from models.judging.evaluation import Answer, against, answers_at
from models.judging.fairness import DESCRIBED, SMALLEST_GROUP, attainment_counts
from models.judging.metrics import CHECKED_LEVELS
from models.judging.reliability import reliability
from models.outcome.baselines import BASELINES, ModelFitter
from models.outcome.distribution import TargetLevels
from models.outcome.problem import TargetProblem
from models.outcome.series_baselines import SeriesBudget, series_baselines
from models.outcome.target import TargetModel

LOADLINE = "loadline"
"""Name of the model that serves, in the metrics."""
REFERENCE = "pooled_growth"
"""What losses are measured against."""
AHEAD = 2
"""Questions read ahead for each process: enough to keep it busy, few enough to keep memory small."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked.

    Attributes
    ----------
    problem : TargetProblem
        Its last row is the year asked about, with what came of it.
    level : str
    groups : pd.DataFrame
        As `models.judging.fairness.unit_groups` gives them.
    levels : TargetLevels
    budget : SeriesBudget
    seed : int
    """

    problem: TargetProblem
    level: str
    groups: pd.DataFrame
    levels: TargetLevels
    budget: SeriesBudget
    seed: int


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found: tables as described at `training.backtest.Backtest`, fairness as counts."""

    metrics: pd.DataFrame
    by_group: pd.DataFrame
    fairness: pd.DataFrame
    calibration: pd.DataFrame

    @classmethod
    def joined(cls, found: Iterable[Findings]) -> Findings:
        """Put the tables of several questions under each other."""
        parts = list(found)
        tables = {}
        for field in fields(cls):
            every = [getattr(part, field.name) for part in parts]
            frames = [frame for frame in every if not frame.empty] or every[:1] or [pd.DataFrame()]
            tables[field.name] = pd.concat(frames, ignore_index=True)
        return cls(**tables)


def models_asked(budget: SeriesBudget) -> dict[str, ModelFitter]:
    """Give every model and named baseline of the backtest."""
    return dict(BASELINES) | series_baselines(budget) | {LOADLINE: TargetModel.fit}


def answer(question: Question) -> Findings:
    """Ask every model, and judge the answers by what came."""
    problem, row = question.problem, len(question.problem.years) - 1
    answers = answers_at(problem, models_asked(question.budget), row=row, levels=question.levels, seed=question.seed)
    about = {"indicator": problem.indicator.code, "level": question.level, "year": problem.asked}
    actual = np.where(np.isfinite(problem.base[-1]), problem.outcome[row], np.nan)
    reference = answers[REFERENCE].units
    metrics = [
        {"model": name} | about | given.units.mean() | against(given.units, reference)
        for name, given in answers.items()
        if given.units.judged.any()
    ]
    counts = [
        _fairness(name, given, question).assign(model=name)
        for name, given in answers.items()
        if given.units.judged.any()
    ]
    return Findings(
        metrics=pd.DataFrame(metrics),
        by_group=pd.DataFrame(_by_group(answers, question, about)),
        fairness=pd.concat(counts, ignore_index=True).assign(**about) if counts else pd.DataFrame(),
        calibration=_in_front(about, reliability(answers[LOADLINE].found, actual)),
    )


def _by_group(answers: dict[str, Answer], question: Question, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Average over peer groups and region types, where there are several."""
    rows = []
    for grouping in DESCRIBED:
        labels = question.groups[grouping].to_numpy()
        names = sorted({str(label) for label in labels} - {""})
        for group in names if len(names) > 1 else []:
            mine = labels == group
            for model, given in answers.items():
                means = given.units.mean(mine)
                if means["n"] >= SMALLEST_GROUP:
                    named = {"model": model} | about | {"grouping": grouping, "group": group}
                    rows.append(named | means | against(given.units, answers[REFERENCE].units, mine))
    return rows


def _fairness(name: str, given: Answer, question: Question) -> pd.DataFrame:
    """Count promises and attainments by group: of the model that serves all, of the others what past growth does."""
    levels = question.levels.as_dict() | CHECKED_LEVELS
    asked = levels if name == LOADLINE else {"target": levels["target"]}
    values = given.found.level_values(asked)
    promised = {level: given.found.attain(value) for level, value in values.items()}
    hits = {level: given.units.scores[f"attained_{level}"] for level in asked}
    counts = attainment_counts(question.groups, promised, hits)
    return counts if name == LOADLINE else counts[counts["dimension"] == "past_growth"]


def _in_front(about: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(about, index=table.index), table], axis=1)


def answer_all(questions: Iterable[Question], *, workers: int = 1) -> Iterator[Findings]:
    """Answer questions in their order, in this process or in several; no more are read ahead than are being worked on.

    Parameters
    ----------
    questions : iterable of Question
    workers : int
        Processes. They start afresh and do not inherit threads.
    """
    if workers <= 1:
        yield from map(answer, questions)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Findings]] = deque()
        for question in questions:
            waiting.append(pool.submit(answer, question))
            if len(waiting) >= AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
