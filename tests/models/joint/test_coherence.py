"""Draws of units brought into line with what was learned of their totals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from target_problems import make_indicator

from models.joint.coherence import adjustment
from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform
from models.outcome.spread import Spread, even_probabilities

SPOTS = even_probabilities(100)


def even(centre: list[float], width: float, transform: Transform) -> TargetDistribution:
    """Make distributions that are uniform on the latent scale."""
    units = len(centre)
    return TargetDistribution(
        make_indicator(),
        pd.Index([f"u{place}" for place in range(units)]),
        transform,
        transform.latent(np.array(centre)),
        Spread(np.zeros(41), 2 * SPOTS - 1, np.full(units, width)),
        np.zeros(units),
        np.full(units, "", dtype=object),
        np.zeros(units, dtype=bool),
    )


PAIRS = csr_array(([1.0, 1.0, 1.0], ([0, 0, 1], [0, 1, 2])), shape=(2, 4))
"""Units 0 and 1 form one group, unit 2 another, unit 3 none."""


@pytest.mark.parametrize("transform", [Transform("log", low=0.0), Transform("difference")])
def test_totals_become_what_was_learned_and_others_stay(transform: Transform) -> None:
    below = even([10.0, 20.0, 30.0, 40.0], 0.1, transform)
    learned = even([36.0, 33.0], 0.02, transform)
    draws = below.sample(800, seed=1)
    change = adjustment(draws @ PAIRS.T.toarray(), learned, below, PAIRS, PAIRS)
    moved = change.apply(draws, 0)
    found = moved @ PAIRS.T.toarray()
    np.testing.assert_allclose(
        np.quantile(found, [0.1, 0.5, 0.9], axis=0).T, learned.quantile([0.1, 0.5, 0.9]), rtol=2e-3
    )
    np.testing.assert_array_equal(moved[:, 3], draws[:, 3])
    if transform.kind == "log":  # shares within a group stay
        np.testing.assert_allclose(moved[:, 0] / moved[:, 1], draws[:, 0] / draws[:, 1])


def test_chunks_are_adjusted_like_the_whole() -> None:
    below = even([10.0, 20.0, 30.0, 40.0], 0.1, Transform("log", low=0.0))
    draws = below.sample(60, seed=1)
    change = adjustment(draws @ PAIRS.T.toarray(), even([36.0, 33.0], 0.02, below.transform), below, PAIRS, PAIRS)
    np.testing.assert_array_equal(
        np.concatenate([change.apply(draws[:25], 0), change.apply(draws[25:], 25)]), change.apply(draws, 0)
    )


def test_where_nothing_was_learned_nothing_moves() -> None:
    below = even([10.0, 20.0, 30.0, 40.0], 0.1, Transform("log", low=0.0))
    learned = even([np.nan, 33.0], 0.02, below.transform)
    draws = below.sample(60, seed=1)
    moved = adjustment(draws @ PAIRS.T.toarray(), learned, below, PAIRS, PAIRS).apply(draws, 0)
    np.testing.assert_array_equal(moved[:, :2], draws[:, :2])
    assert not np.array_equal(moved[:, 2], draws[:, 2])
