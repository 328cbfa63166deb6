"""Units of one group move together in joint draws, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from models.joint.kinship import MOST, Kinship

GROUPS = np.repeat([f"r{number}" for number in range(30)], 20)


def residuals(correlation: float, *, years: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.standard_normal((years, 30)), 20, axis=1)
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.standard_normal((years, 600))


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.4])
def test_the_correlation_is_found_and_drawn_towards_zero(correlation: float) -> None:
    found = Kinship.fit(residuals(correlation), GROUPS).correlation
    assert found == pytest.approx(correlation * 12 / 14, abs=0.02)


def test_lasting_differences_between_groups_are_no_kinship() -> None:
    lasting = np.repeat(np.random.default_rng(1).standard_normal(30), 20)
    assert Kinship.fit(residuals(0.0) + lasting, GROUPS).correlation < 0.02


def test_nothing_known_ties_nothing() -> None:
    assert Kinship.fit(np.full((4, 600), np.nan), GROUPS).correlation == 0
    assert Kinship.fit(residuals(0.3), np.arange(600).astype(str)).correlation == 0
    assert Kinship.fit(np.zeros((4, 600)), GROUPS).correlation == 0
    assert Kinship.fit(np.repeat(residuals(0.999)[:, :1], 600, axis=1), np.full(600, "a")).correlation <= MOST


def test_order_and_labels_of_groups_change_nothing() -> None:
    values, order = residuals(0.3), np.random.default_rng(2).permutation(600)
    assert Kinship.fit(values[:, order], GROUPS[order]).correlation == pytest.approx(
        Kinship.fit(values, GROUPS).correlation
    )


def test_tied_draws_stay_normal_and_go_together() -> None:
    rng = np.random.default_rng(3)
    scores = Kinship(GROUPS, 0.5).related(rng.standard_normal((4000, 600)), rng)
    drawn = ndtr(scores)
    assert (
        np.abs(np.mean(drawn[:, 0] <= np.linspace(0.1, 0.9, 9)[:, None], axis=1) - np.linspace(0.1, 0.9, 9)).max()
        < 0.03
    )
    together = np.corrcoef(drawn[:, [0, 1, 20]].T)
    assert together[0, 1] == pytest.approx(0.48, abs=0.05)
    assert abs(together[0, 2]) < 0.06
