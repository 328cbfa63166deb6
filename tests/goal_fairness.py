"""Past years replayed: who would have attained, by past growth, had a goal been broken down one way or another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.goals.allocation import Constraints, allocate
from models.goals.alternatives import METHODS, Record, compare_methods
from models.goals.goal_tree import TOTAL
from models.goals.ratchet import growth_gap
from models.joint.drawn import meets
from models.outcome.baselines import ModelFitter, pooled_growth
from models.outcome.problem import TargetProblem


def realised_gaps(
    problems: Iterable[TargetProblem], *, origins: int, fit: ModelFitter | Callable[..., Any] = pooled_growth
) -> dict[str, float]:
    """Give by method the mean over years of the slow third's share attaining less the fast third's.

    Every year the goal is the sum of medians as of then.
    """
    gaps: dict[str, list[float]] = {"equal_difficulty": []} | {name: [] for name in METHODS}
    for problem in problems:
        known = np.flatnonzero(problem.known.any(axis=1))[-origins:]
        for row in known:
            past = problem.at(int(row))
            found = fit(past, seed=1).predict(past)
            keep = np.flatnonzero(found.known & np.isfinite(problem.outcome[row]) & np.isfinite(past.base[-1]))
            found, past = found.take(keep), past.take(keep)
            averaged = found.indicator.kind in ("ratio", "level")
            weights = np.ones(len(keep)) if past.weight is None else past.weight[-1]
            middle = found.quantile(0.5)
            goal = round(float(np.average(middle, weights=weights) if averaged else middle.sum()), 2)
            plan = allocate(found, goal, weights=weights if averaged else None)
            record = Record.of(past.base, weights=weights, transform=found.transform, horizon=past.horizon)
            table = compare_methods(found, plan, Constraints(pins={TOTAL: goal}), record)
            better = -1.0 if found.indicator.direction == "lower" else 1.0
            for name, found_gaps in gaps.items():
                value = table[f"value_{name}"].to_numpy(dtype=float)
                hits = meets(found.indicator, problem.outcome[row][keep], value).astype(float)
                found_gaps.append(growth_gap(hits, better * table["growth"].to_numpy(dtype=float)))
    return {name: float(np.nanmean(values)) for name, values in gaps.items()}
