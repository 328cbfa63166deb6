"""Keeping the rows that carry something: every positive, and as many of the others as time allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.deterioration.problem import DeteriorationProblem

MOST_FIGURES = 1_500_000
"""Figures (rows x columns) learned from: some six seconds' work. Twice as many ranked no better on made-up banks."""
MOST_ROWS = 60_000
POSITIVE_SHARE = 0.4
"""Positives are thinned out only where they alone would take more than this share."""


def sampled(problem: DeteriorationProblem, *, seed: int, figures: int = MOST_FIGURES) -> DeteriorationProblem:
    """Draw rows evenly within positives and others; the weight of what stays makes up for what goes.

    Both kinds come from all periods alike: were some periods to give positives only, they would be learned to be bad.
    """
    most = min(MOST_ROWS, figures // max(1, problem.X.shape[1]))
    if len(problem) <= most:
        return problem
    rng = np.random.default_rng(seed)
    positive, calm = np.flatnonzero(problem.y == 1), np.flatnonzero(problem.y == 0)
    kept = positive
    if len(positive) > POSITIVE_SHARE * most:
        kept = np.sort(rng.choice(positive, int(POSITIVE_SHARE * most), replace=False))
    room = min(len(calm), most - len(kept))
    others = np.sort(rng.choice(calm, room, replace=False))
    weight = problem.weight.copy()
    for chosen, whole in ((kept, positive), (others, calm)):
        if len(chosen):
            weight[chosen] *= problem.weight[whole].sum() / problem.weight[chosen].sum()
    chosen = np.sort(np.concatenate([kept, others]))
    return replace(problem, weight=weight).rows(chosen)
