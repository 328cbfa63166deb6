"""Whether the target model tells the same as before of what sets a unit apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.explanation.contrast import Reference
from models.explanation.learners import FEATURE_GROUPS, broken_down
from models.explanation.own_course import NEWCOMER, SERIES, Course
from models.levels import Level
from models.outcome.opinions import POOLED
from models.outcome.target import TargetModel
from models.outcome.trial import evenly_spread
from training.gating.stability import UNITS, Overlap, Sides, main_drivers, overlap_of

DRIVERS = (*FEATURE_GROUPS, NEWCOMER, SERIES)
"""What a manager is told of a unit's own course, without what is the same whichever model tells it."""


def overlap_target(
    levels: Sequence[Level],
    models: Mapping[str, TargetModel],
    before: Mapping[str, Callable[[], TargetModel]],
    *,
    champion: str | None = "",
) -> Overlap:
    """Compare what sets units apart from the middle of their group, by champion and challenger, on the same figures.

    Parameters
    ----------
    levels : sequence of Level
    models : Mapping
        The challenger, by key of the level.
    before : Mapping
        The champion, by key of the level; see `training.target_model.models_in`. Empty where there is none.
    champion : str, optional
        Its version.
    """
    if not before:
        return Overlap("target", None)
    compared = []
    for level in levels:
        if level.key not in models or level.key not in before:
            continue
        known = np.flatnonzero(np.isfinite(level.problem.base[-1]))
        some = known[evenly_spread(level.problem.base[-1][known], UNITS)]
        if not len(some):
            continue
        old, new = (
            main_drivers(set_apart(Course.of(level, model), some)) for model in (before[level.key](), models[level.key])
        )
        compared.append(Sides(level.key, level.problem.units[some], old, new))
    return overlap_of("target", champion, compared, drivers=DRIVERS)


def set_apart(course: Course, some: np.ndarray) -> np.ndarray:
    """Give what a model makes of units against the middle of all: (n, `DRIVERS`)."""
    rows = course.rows[-1]
    seen = np.isfinite(course.asked.begin.history.base[-1])
    columns = [column[np.isfinite(column)] for column in rows[seen].T]
    held = Reference.of("group", np.array([np.median(column) if len(column) else np.nan for column in columns])).values
    values = np.zeros((len(some), len(DRIVERS)))
    for name, share in course.model.blend.shares.items():
        if name in course.series:
            values[:, -1] += share * course.series[name][some]
        elif name != POOLED:
            values[:, :-2] += share * broken_down(name, course.model, row=rows[some], reference=held)[0]
    values[:, -2] = course.asked.newcomers[0][some]
    return np.nan_to_num(values)
