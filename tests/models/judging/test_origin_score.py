"""Judging past years: the common growth that came, and scores of distributions given before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from target_problems import make_indicator

from models.judging.calibration import Calibration
from models.judging.origin_score import own_pit, realised_common, score_origin
from models.outcome.distribution import TargetDistribution
from models.outcome.growth import Transform
from models.outcome.spread import Spread, even_probabilities

UNITS = 300
NORMAL = ndtri(even_probabilities(100))


def normal_distribution(*, shock: float = 0.05, own: float = 0.1, zero: float = 0.0) -> TargetDistribution:
    return TargetDistribution(
        make_indicator(),
        pd.Index([f"u{place}" for place in range(UNITS)]),
        Transform("log", low=0.0, hurdle=zero > 0),
        np.linspace(2, 8, UNITS),
        Spread(0.04 + shock * ndtri(even_probabilities(41)), NORMAL, np.full(UNITS, own)),
        np.full(UNITS, zero),
        np.full(UNITS, "", dtype=object),
        np.zeros(UNITS, dtype=bool),
    )


def outcomes(found: TargetDistribution, *, common: float, own: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(UNITS)
    return np.exp(found.location + common + own * noise)


def test_the_common_growth_is_found() -> None:
    found = normal_distribution()
    assert realised_common(found, outcomes(found, common=0.2, own=0.1, seed=1)) == pytest.approx(0.2, abs=0.02)
    assert np.isnan(realised_common(found, np.full(UNITS, np.nan)))
    assert np.isnan(own_pit(found, np.full(UNITS, np.nan))).all()


def test_given_the_common_growth_the_units_are_uniform_in_any_year() -> None:
    found = normal_distribution()
    for common in (-0.3, 0.04, 0.4):
        shares = np.sort(own_pit(found, outcomes(found, common=common, own=0.1, seed=2)))
        assert np.abs(shares - even_probabilities(UNITS)).max() < 0.08


def test_zeros_behind_a_hurdle_do_not_disturb_the_score() -> None:
    plain, hurdle = normal_distribution(), normal_distribution(zero=0.3)
    actual = outcomes(plain, common=0.04, own=0.1, seed=3)
    actual[:60] = 0.0
    known = np.where(actual > 0, actual, np.nan)
    one, other = score_origin(plain, known, year=2020), score_origin(hurdle, actual, year=2020)
    assert one is not None
    assert other is not None
    assert one.outcomes == other.outcomes == UNITS - 60
    assert one.whole == pytest.approx(other.whole, abs=0.02)


def test_calibration_restores_coverage_of_a_model_that_is_too_narrow() -> None:
    """Learned on thirty years, shown on thirty others."""
    stated, truth = normal_distribution(shock=0.03, own=0.06), normal_distribution(shock=0.05, own=0.1)
    years = truth.sample(60, seed=4)
    calibration = Calibration.fit([score_origin(stated, row, year=year) for year, row in enumerate(years[:30])])
    mended = stated.recalibrated(calibration)

    def coverage(found: TargetDistribution) -> float:
        low, high = found.quantile([0.1, 0.9]).T
        return float(np.mean((years[30:] >= low) & (years[30:] <= high)))

    assert coverage(stated) < 0.65
    assert coverage(mended) == pytest.approx(0.8, abs=0.06)
    assert calibration.own == pytest.approx((0.1 / 0.06) ** (30 / 33), rel=0.08)


def test_recalibrated_parts_stay_consistent() -> None:
    found = replace(normal_distribution(), spread=replace(normal_distribution().spread, residual=NORMAL - 0.2))
    mended = found.recalibrated(Calibration(whole=1.5, own=0.8, origins=9))
    for q in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(mended.cdf(mended.quantile(q)), q, atol=1e-6)
    draws = mended.sample(4000, seed=5)
    assert np.mean(draws <= mended.quantile(0.9)) == pytest.approx(0.9, abs=0.02)
    assert (np.diff(mended.quantile(np.linspace(0, 1, 101)), axis=1) >= 0).all()
    assert mended.common_growth == pytest.approx(found.common_growth)
    same = found.recalibrated(Calibration())
    np.testing.assert_array_equal(same.quantile(0.8), found.quantile(0.8))
