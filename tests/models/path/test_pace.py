"""The learned pace: rising to one, in the unit's own rhythm where it is borne out, never twelfths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar import holiday_days
from features.periods import Calendar
from models.path.pace import pace_curve

MONTHS = Calendar("M")
FIRST = MONTHS.parse("2015-01")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), months=st.integers(24, 70), zeros=st.floats(0, 0.8))
def test_a_pace_rises_to_one(seed: int, months: int, zeros: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.gamma(1.0, 5.0, (months, 4)) * (rng.random((months, 4)) > zeros)
    values[0, 0] = 1.0
    pace = pace_curve(values, MONTHS, first=FIRST)
    assert (np.diff(pace.share, axis=0) >= -1e-12).all()
    np.testing.assert_allclose(pace.share[-1], 1.0)
    assert (pace.spread >= 0).all()


def test_a_steady_rhythm_is_learned_and_a_chaotic_one_leans_on_peers() -> None:
    rng = np.random.default_rng(1)
    push = np.tile([4.0] + [1.0] * 11, 6)[:, None]
    values = push * rng.lognormal(0, 0.05, (72, 10))
    values[:, 0] = np.tile([1.0] * 11 + [9.0], 6)
    pace = pace_curve(values, MONTHS, first=FIRST)
    assert pace.share[0, 1] == pytest.approx(4 / 15, abs=0.03)
    assert pace.share[10, 0] == pytest.approx(11 / 20, abs=0.03)
    newcomer = values.copy()
    newcomer[:60, 1] = np.nan
    assert pace_curve(newcomer, MONTHS, first=FIRST).own[1] == 0
    assert pace_curve(newcomer, MONTHS, first=FIRST).share[0, 1] > 1.5 / 12


def test_scale_and_order_of_units_do_not_matter() -> None:
    values = np.random.default_rng(2).gamma(2.0, 5.0, (60, 6))
    pace, scaled = (pace_curve(part, MONTHS, first=FIRST) for part in (values, values * 1000))
    np.testing.assert_allclose(scaled.share, pace.share)
    turned = pace_curve(values[:, ::-1], MONTHS, first=FIRST)
    np.testing.assert_allclose(turned.share[:, ::-1], pace.share)


@pytest.mark.parametrize("effect", [0.0, -0.1])
def test_the_new_year_moves_the_pace_only_where_it_is_borne_out(effect: float) -> None:
    days = np.array([holiday_days(MONTHS, FIRST + month) for month in range(96)])
    noise = np.random.default_rng(3).lognormal(0, 0.01, (96, 20))
    pace = pace_curve(100 * np.exp(effect * days)[:, None] * noise, MONTHS, first=FIRST)
    assert pace.new_year == pytest.approx(effect, abs=0.01)


def test_less_than_a_year_has_no_pace() -> None:
    pace = pace_curve(np.ones((7, 2)), MONTHS, first=FIRST)
    assert np.isnan(pace.share).all()


def test_the_fiscal_year_is_the_one_of_the_calendar() -> None:
    calendar = Calendar("M", fiscal_year_end_month=3)
    first = calendar.parse("2015-02")
    values = np.array([9.0 if calendar.position(first + row) == 0 else 1.0 for row in range(60)])[:, None]
    assert pace_curve(values, calendar, first=first).share[0, 0] == pytest.approx(0.45)
