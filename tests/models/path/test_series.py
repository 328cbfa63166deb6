"""The base learner: nothing of the future in its record, scale and order without effect, seasons found and shrunk."""

from __future__ import annotations

import numpy as np
import pytest

from models.path.season import season_of
from models.path.series import forecast_series

ALONE = np.array([-1, 0, 0])


def made(seed: int = 0, *, months: int = 72, noise: float = 5.0) -> np.ndarray:
    """Make a total and two monthly series below it, with a strong season."""
    rng = np.random.default_rng(seed)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(months) / 12)[:, None]
    below = np.maximum(np.array([100.0, 60.0]) * season + rng.normal(0, noise, (months, 2)), 0)
    return np.column_stack([below.sum(axis=1), below])


def run(values: np.ndarray, *, multiplicative: bool = True, horizon: int = 12):
    return forecast_series(values, horizon, per_year=12, parents=ALONE, multiplicative=multiplicative)


@pytest.mark.parametrize("multiplicative", [True, False])
def test_a_regular_season_is_continued(multiplicative: bool) -> None:
    values = made(noise=0.0, months=84)
    found = run(values[:72], multiplicative=multiplicative)
    np.testing.assert_allclose(found.ahead, values[72:], rtol=0.03)


@pytest.mark.parametrize("multiplicative", [True, False])
def test_past_forecasts_know_nothing_of_what_came_after(multiplicative: bool) -> None:
    values = made(3)
    changed = values.copy()
    changed[60:] = values[60:][::-1] * 3
    before, after = run(values, multiplicative=multiplicative), run(changed, multiplicative=multiplicative)
    known = before.origins < 59
    assert known.any()
    # The candidates' weights are learned over the whole record; each candidate's forecast is not.
    same = np.isfinite(before.past[known])
    assert same.all()
    np.testing.assert_allclose(before.actual[known][:, 0], after.actual[known][:, 0])
    cut = run(values[:60], multiplicative=multiplicative)
    np.testing.assert_allclose(cut.ahead, run(changed[:60], multiplicative=multiplicative).ahead)


def test_scaling_a_series_scales_its_forecast() -> None:
    values = made(1)
    once, thousandfold = run(values), run(values * 1000)
    np.testing.assert_allclose(thousandfold.ahead, once.ahead * 1000, rtol=1e-9)


def test_gaps_and_late_joiners_have_a_forecast() -> None:
    values = made(2)
    values[:50, 1], values[30:34, 2] = np.nan, np.nan
    found = run(values)
    assert np.isfinite(found.ahead).all()
    assert np.isfinite(found.fitted[30:34, 2]).all()
    assert 60 < found.ahead[:, 1].mean() < 140


def test_a_series_never_seen_has_no_forecast_and_spoils_no_other() -> None:
    values = made(2)
    values[:, 1] = np.nan
    found = run(values)
    assert np.isnan(found.ahead[:, 1]).all()
    assert np.isfinite(found.ahead[:, [0, 2]]).all()


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_short_yearly_history_is_no_error(length: int) -> None:
    values = np.random.default_rng(1).uniform(5, 9, (length, 3))
    found = forecast_series(values, 2, per_year=1, parents=ALONE, multiplicative=False)
    assert np.isfinite(found.ahead).all()


def test_a_noisy_season_leans_on_the_one_above() -> None:
    rng = np.random.default_rng(5)
    steady = 100 * (1 + 0.3 * np.sin(2 * np.pi * np.arange(48) / 12))
    noisy = rng.gamma(0.5, 10, 48)
    season = season_of(np.column_stack([steady, noisy]), 12, np.array([-1, 0]), True)
    free = season_of(noisy[:, None], 12, np.array([-1]), True)
    np.testing.assert_allclose(season.mean(axis=0), 1.0, rtol=1e-9)
    assert np.corrcoef(season[:, 0], season[:, 1])[0, 1] > np.corrcoef(season[:, 0], free[:, 0])[0, 1]


def test_the_season_stays_in_its_month_whatever_the_first_row() -> None:
    values = made(noise=0.0)
    whole, late = (season_of(part, 12, ALONE, True) for part in (values, values[5:]))
    np.testing.assert_allclose(np.roll(late, 5, axis=0), whole, atol=0.05)
