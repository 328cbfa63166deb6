"""Pass-through of last year's out-performance: measured as defined, per unit and on average, and capped."""

from __future__ import annotations

import numpy as np
import pytest
from target_problems import RATE, make_indicator

from models.goals.ratchet import capped_values, growth_gap, measure_ratchet
from models.outcome.growth import Transform

AMOUNT = make_indicator()
LOG = Transform("log", low=0.0)
RNG = np.random.default_rng(5)
EXPECTED = RNG.lognormal(6, 1, 60)
GAINED = RNG.normal(0, 0.08, 60)
LAST = EXPECTED * np.exp(GAINED)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0, 1.7])
def test_a_known_pass_through_is_found_for_all_and_for_each(share: float) -> None:
    target = EXPECTED * np.exp(0.05 + share * GAINED)
    found = measure_ratchet(AMOUNT, LOG, expected=EXPECTED, last=LAST, target=target, cap=0.5)
    assert found.average == pytest.approx(share, abs=1e-9)
    assert found.common == pytest.approx(0.05)
    told = np.isfinite(found.passed_on)
    np.testing.assert_allclose(found.passed_on[told], share, atol=1e-9)
    assert np.all(np.abs(GAINED[told]) > np.abs(GAINED[~told]).max(initial=0))
    assert found.over.any() == (share > 0.5)
    assert not found.over[GAINED < 0].any()


def test_a_few_odd_units_hardly_move_the_average() -> None:
    target = EXPECTED * np.exp(0.05 + 0.4 * GAINED)
    target[:4] *= 5
    found = measure_ratchet(AMOUNT, LOG, expected=EXPECTED, last=LAST, target=target, cap=0.5)
    assert found.average == pytest.approx(0.4, abs=0.1)


def test_lower_is_better_turns_the_sign() -> None:
    rate = make_indicator(**RATE)
    last = EXPECTED * np.exp(-np.abs(GAINED))
    target = EXPECTED * np.exp(-0.02 - 0.8 * np.abs(GAINED))
    found = measure_ratchet(rate, LOG, expected=EXPECTED, last=last, target=target, cap=0.5)
    assert found.average == pytest.approx(0.8)
    assert np.nanmin(found.outperformance) >= 0
    held = capped_values(rate, LOG, ratchet=found, expected=EXPECTED, cap=0.5)
    assert np.all(held[found.over] > target[found.over])


def test_the_cap_lets_exactly_its_share_pass() -> None:
    target = EXPECTED * np.exp(0.05 + 0.9 * GAINED)
    found = measure_ratchet(AMOUNT, LOG, expected=EXPECTED, last=LAST, target=target, cap=0.5)
    held = capped_values(AMOUNT, LOG, ratchet=found, expected=EXPECTED, cap=0.5)
    np.testing.assert_allclose(held[found.over], (EXPECTED * np.exp(0.05 + 0.5 * GAINED))[found.over])
    assert np.isnan(held[~found.over]).all()


def test_nothing_is_measured_where_there_is_nothing_to_measure() -> None:
    few = measure_ratchet(AMOUNT, LOG, expected=EXPECTED[:3], last=LAST[:3], target=LAST[:3], cap=0.5)
    assert np.isnan(few.average)
    assert np.isnan(few.passed_on).all()
    band = make_indicator(direction="band", band=[1, 2], kind="ratio")
    none = measure_ratchet(band, LOG, expected=EXPECTED, last=LAST, target=LAST, cap=0.5)
    assert np.isnan(none.average)
    assert not none.over.any()


def test_the_gap_is_the_slow_third_less_the_fast_third() -> None:
    growth = np.arange(9.0)
    assert growth_gap(np.repeat([0.9, 0.5, 0.2], 3), growth) == pytest.approx(0.7)
    assert np.isnan(growth_gap(np.ones(3), np.arange(3.0)))
