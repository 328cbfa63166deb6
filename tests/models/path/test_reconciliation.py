"""Adding up: MinT against the library's, the pass over a tree against the matrix, and draws that stay coherent."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.path.reconciliation import (
    Summing,
    keep_nonnegative,
    projection,
    reconcile_by_variance,
    shrunk_covariance,
)

TREE = Summing(np.array([-1, 0, 0, 1, 1, 2, 2, 2]))


def test_the_projection_is_that_of_mint_written_out() -> None:
    rng = np.random.default_rng(1)
    covariance = shrunk_covariance(rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8)), independent=60)
    inverse, sums = np.linalg.inv(covariance), TREE.matrix
    written_out = np.linalg.solve(sums.T @ inverse @ sums, sums.T @ inverse)
    np.testing.assert_allclose(projection(TREE, covariance), written_out, atol=1e-8)


def test_the_projection_is_that_of_the_library() -> None:
    """HierarchicalForecast is the oracle: the same coherent means from the same covariance."""
    from hierarchicalforecast.methods import MinTrace

    rng = np.random.default_rng(3)
    actual = TREE.add_up(rng.uniform(5, 9, (60, len(TREE))))
    fitted, said = actual + rng.normal(0, 1, actual.shape), rng.uniform(5, 9, (len(TREE), 3))
    errors = actual - fitted
    theirs = MinTrace(method="mint_cov").fit_predict(
        S=TREE.matrix, y_hat=said, y_insample=actual.T, y_hat_insample=fitted.T
    )
    ours = TREE.matrix @ projection(TREE, np.cov(errors.T)) @ said
    np.testing.assert_allclose(ours, theirs["mean"], rtol=1e-5)
    by_structure = MinTrace(method="wls_struct").fit_predict(S=TREE.matrix, y_hat=said)
    variance = TREE.matrix.sum(axis=1)
    np.testing.assert_allclose(reconcile_by_variance(TREE, said.T, variance).T, by_structure["mean"], rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_one_pass_up_and_down_is_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    variance, values = rng.uniform(0.1, 9, len(TREE)), rng.normal(20, 9, (5, len(TREE)))
    by_matrix = (values @ projection(TREE, np.diag(variance)).T) @ TREE.matrix.T
    np.testing.assert_allclose(reconcile_by_variance(TREE, values, variance), by_matrix, atol=1e-8)


def test_what_adds_up_already_stays() -> None:
    coherent = TREE.add_up(np.random.default_rng(2).uniform(1, 9, (4, len(TREE))))
    np.testing.assert_allclose(reconcile_by_variance(TREE, coherent, np.ones(len(TREE))), coherent)
    np.testing.assert_allclose(keep_nonnegative(TREE, coherent), coherent)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_figure_is_negative_and_a_positive_total_keeps_its_figure(seed: int) -> None:
    values = TREE.add_up(np.random.default_rng(seed).normal(1, 3, (20, len(TREE))))
    fixed = keep_nonnegative(TREE, values)
    assert (fixed >= 0).all()
    np.testing.assert_allclose(fixed, TREE.add_up(fixed))
    np.testing.assert_allclose(fixed[:, 0], np.maximum(values[:, 0], 0), atol=1e-9)


def test_correlations_shrink_as_evidence_does() -> None:
    errors = np.random.default_rng(3).normal(size=(40, 6)) + np.random.default_rng(4).normal(size=(40, 1))
    off = ~np.eye(6, dtype=bool)
    sure, unsure = (np.abs(shrunk_covariance(errors, independent=n)[off]).mean() for n in (40, 5))
    assert unsure < sure
    np.testing.assert_allclose(np.diag(shrunk_covariance(errors, independent=5)), (errors**2).mean(axis=0), rtol=1e-6)
