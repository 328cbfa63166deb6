"""Which rows are tested on a model that has not seen them: whole events together, or the later by the earlier."""

from __future__ import annotations

import numpy as np

from models.deterioration.problem import NO_EVENT, DeteriorationProblem

FOLDS = 5
FEWER_FOLDS = 3
MANY_ROWS = 4_000
"""Rows from which three folds do: each model then learns from enough."""
BLOCK_YEARS = 3
"""Uneventful rows of a unit stay together for as many years, since they hardly differ."""
FORWARD_BLOCKS = 4
"""Time is cut into so many stretches with equally many positives; all but the first are foretold from the earlier."""
FEWEST_EVENTS_BEFORE = 8
"""Events that must lie before a stretch that is foretold."""


def grouped_folds(problem: DeteriorationProblem, *, seed: int) -> np.ndarray:
    """Number the fold of each row (n,); rows of an event share one, and so do uneventful rows of a unit nearby.

    Random folds that split an event would test a model on what it has learned by heart.
    """
    folds = FOLDS if len(problem) < MANY_ROWS else FEWER_FOLDS
    folds = max(2, min(folds, problem.events))
    rng = np.random.default_rng(seed)
    found = np.empty(len(problem), np.int64)
    eventful = problem.event != NO_EVENT
    found[eventful] = _dealt(problem.event[eventful], folds, rng)
    block = problem.period // (BLOCK_YEARS * problem.per_year)
    group = problem.unit * (int(block.max(initial=0)) - int(block.min(initial=0)) + 1) + block - block.min(initial=0)
    found[~eventful] = _dealt(group[~eventful], folds, rng)
    return found


def _dealt(group: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal groups out to folds, the largest first and each to the smallest fold, so that folds weigh alike."""
    _, number, size = np.unique(group, return_inverse=True, return_counts=True)
    order = rng.permutation(len(size))
    order = order[np.argsort(-size[order], kind="stable")]
    fold = np.empty(len(size), np.int64)
    filled = np.zeros(folds, np.int64)
    for one in order:
        fold[one] = np.argmin(filled)
        filled[fold[one]] += size[one]
    return fold[number]


def forward_splits(problem: DeteriorationProblem) -> list[tuple[np.ndarray, np.ndarray]]:
    """List masks of rows to learn from and of later rows to foretell; empty where there is too little time.

    A year is left out in between, and events that are foretold are left out of what is learned from.
    """
    if problem.positives == 0:
        return []
    shares = np.arange(1, FORWARD_BLOCKS) / FORWARD_BLOCKS
    starts = np.unique(np.quantile(problem.period[problem.y == 1], shares, method="higher"))
    found = []
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else np.inf
        later = (problem.period >= start) & (problem.period < end)
        earlier = (problem.period < start - problem.per_year) & ~np.isin(
            problem.event, np.setdiff1d(problem.event[later], [NO_EVENT])
        )
        known = problem.rows(earlier)
        if known.events >= FEWEST_EVENTS_BEFORE and 0 < problem.y[later].sum() < later.sum():
            found.append((earlier, later))
    return found
