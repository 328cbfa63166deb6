"""What the rest of a year is expected to be: a learned pace, momentum where there is any, the same in any order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from target_problems import RATE, SIGNED, make_indicator

from features.in_year import InYear, Part
from features.indicators import Indicator
from models.in_year.rest import CARRIED, expected_rest, expected_year

FLOW = make_indicator(kind="flow", code="FEES")


def made(months: np.ndarray, *, done: int, scale: float = 1.0, flow: bool = True) -> InYear:
    """Cut years of months (years, 12, units); the last year's rest is hidden."""
    months = months * scale
    line = months.reshape(-1, months.shape[2])

    def part(first: int, last: int) -> Part:
        value = np.full((len(months), months.shape[2]), np.nan)
        for year in range(len(months)):
            begin, end = 12 * year + first, 12 * year + last
            if begin >= 0 and not (year == len(months) - 1 and end > 12 * year + done):
                value[year] = line[begin:end].mean(axis=0) * (12 if flow else 1)
        return Part(value, np.full(value.shape, float(last - first)))

    years = np.arange(2017, 2017 + len(months))
    stretches = (part(0, done), part(done, 12), part(done - 12, done), part(done - 3, done), part(done - 1, done))
    return InYear(years, done, 12 - done, *stretches)


def season(years: int = 7, units: int = 40, *, seed: int = 0, drift: float = 0.0) -> np.ndarray:
    """Draw months (years, 12, units) with an opening push, and perhaps a level that wanders."""
    rng = np.random.default_rng(seed)
    push = np.linspace(1.5, 0.6, 12)[:, None]
    level = rng.normal(4, 1, units)
    wander = np.cumsum(drift * rng.standard_normal((years * 12, units)), axis=0).reshape(years, 12, units)
    return np.exp(level + wander + 0.02 * rng.standard_normal((years, 12, units))) * push


@pytest.mark.parametrize("done", [3, 6, 11])
def test_the_pace_is_learned_and_no_twelfths(done: int) -> None:
    months = season()
    found = expected_rest(FLOW, made(months, done=done))[-1]
    truth = months[-1, done:].mean(axis=0) * 12
    by_twelfths = months[-1, :done].mean(axis=0) * 12
    assert np.median(np.abs(np.log(found / truth))) < 0.03
    assert np.median(np.abs(np.log(by_twelfths / truth))) > 0.3


def test_a_level_that_wanders_is_followed() -> None:
    months = season(drift=0.06, units=120)
    cut = made(months, done=9)
    truth = np.log(months[-1, 9:].mean(axis=0) * 12)
    found = np.log(expected_rest(FLOW, cut)[-1])
    pace = truth - np.log(cut.so_far.value[-1])
    by_pace = np.log(cut.so_far.value[-1]) + np.median(pace)  # even with the right pace given
    assert np.mean(np.abs(found - truth)) < 0.9 * np.mean(np.abs(by_pace - truth))


def test_the_order_of_the_units_has_no_say_nor_has_the_scale() -> None:
    months = season(drift=0.03)
    order = np.random.default_rng(1).permutation(months.shape[2])
    found = expected_rest(FLOW, made(months, done=5))
    np.testing.assert_allclose(expected_rest(FLOW, made(months[:, :, order], done=5)), found[:, order], rtol=1e-9)
    np.testing.assert_allclose(expected_rest(FLOW, made(months, done=5, scale=1000)), 1000 * found, rtol=1e-9)


def test_the_rest_of_a_year_never_enters_the_weights_used_for_it() -> None:
    months = season(drift=0.03)
    cut = made(months, done=6)
    changed = cut.rest.value.copy()
    changed[-2] *= np.exp(np.random.default_rng(2).normal(0, 0.1, changed.shape[1]))
    other = InYear(cut.years, 6, 6, cut.so_far, Part(changed, cut.rest.weight), cut.trailing, cut.quarter, cut.latest)
    before, after = np.log(expected_rest(FLOW, cut)), np.log(expected_rest(FLOW, other))
    gap = after[-2] - before[-2]
    np.testing.assert_allclose(gap, gap[0], atol=1e-12)  # the constant that puts the base where the rest usually is


def test_ratios_and_signed_figures_stay_within_reason() -> None:
    rng = np.random.default_rng(3)
    rate = make_indicator(**RATE)
    months = np.clip(2 + np.cumsum(rng.normal(0, 0.1, (84, 20)), axis=0), 0.05, 99).reshape(7, 12, 20)
    found = expected_rest(rate, made(months, done=8, flow=False))
    assert np.nanmin(found) >= 0
    assert np.nanmax(found) <= 100
    signed: Indicator = make_indicator(**SIGNED)
    found = expected_rest(signed, made(months - 2, done=8, flow=False))
    truth = (months - 2)[-1, 8:].mean(axis=0)
    assert np.corrcoef(found[-1], truth)[0, 1] > 0.9


def test_nothing_known_gives_nothing() -> None:
    cut = made(np.full((3, 12, 4), np.nan), done=6)
    assert np.isnan(expected_rest(FLOW, cut)).all()


def test_a_unit_at_zero_stays_at_zero() -> None:
    months = season()
    months[:, :, 0] = 0.0
    assert expected_rest(FLOW, made(months, done=6))[-1, 0] == 0.0


def ahead(months: np.ndarray, *, flow: bool = True) -> InYear:
    """Cut years of months (years, 12, units) at their beginnings; the year after the last is asked about."""
    units = months.shape[2]
    line = np.concatenate([np.full((12, units), np.nan), months.reshape(-1, units), np.full((12, units), np.nan)])
    rate, count = 12 if flow else 1, len(months) + 1

    def part(first: int, last: int) -> Part:
        value = np.stack(
            [line[12 * row + 12 + first : 12 * row + 12 + last].mean(axis=0) * rate for row in range(count)]
        )
        return Part(value, np.full(value.shape, float(last - first)))

    nothing = Part(np.full((count, units), np.nan), np.zeros((count, units)))
    years = np.arange(2017, 2017 + count)
    return InYear(years, 0, 12, nothing, part(0, 12), part(-12, 0), part(-3, 0), part(-1, 0))


def test_a_balance_that_wanders_is_carried_over() -> None:
    months = season(drift=0.06, units=150, years=8) / np.linspace(1.5, 0.6, 12)[:, None]
    truth = np.log(months[-1].mean(axis=0))
    cut = ahead(months[:-1], flow=False)
    stock = make_indicator(kind="stock", code="DEPOSITS")
    carried = np.log(expected_year(stock, cut, basis="average")[-1]) - truth
    trailing = np.log(cut.trailing.value[-1]) - truth
    assert np.mean(np.abs(carried)) < 0.92 * np.mean(np.abs(trailing))


def test_a_season_of_its_own_is_not_carried_over() -> None:
    months = season(units=60)
    months[:, 9:, 0] *= 3  # the first unit earns most in its last quarter, every year
    cut = ahead(months)
    assert expected_year(FLOW, cut, basis="sum")[-1, 0] == pytest.approx(cut.trailing.value[-1, 0], rel=0.1)
    assert cut.quarter.value[-1, 0] / cut.trailing.value[-1, 0] > 1.3


@pytest.mark.parametrize("basis", CARRIED)
def test_before_a_year_neither_order_nor_scale_has_a_say(basis: str) -> None:
    months = season(drift=0.03)
    order = np.random.default_rng(1).permutation(months.shape[2])
    found = expected_year(FLOW, ahead(months), basis=basis)
    np.testing.assert_allclose(expected_year(FLOW, ahead(months[:, :, order]), basis=basis), found[:, order], rtol=1e-9)
    np.testing.assert_allclose(expected_year(FLOW, ahead(1000 * months), basis=basis), 1000 * found, rtol=1e-9)


def test_what_came_of_a_year_never_enters_the_weights_used_for_its_start() -> None:
    cut = ahead(season(drift=0.03))
    changed = cut.rest.value.copy()
    changed[-2] *= np.exp(np.random.default_rng(2).normal(0, 0.1, changed.shape[1]))
    other = replace(cut, rest=Part(changed, cut.rest.weight))
    before, after = (np.log(expected_year(FLOW, each, basis="ratio of sums")) for each in (cut, other))
    np.testing.assert_allclose(after[-2], before[-2], atol=1e-12)
    assert np.abs(after[-1] - before[-1]).max() > 1e-6


def test_while_no_outcome_is_known_a_year_starts_from_the_one_before() -> None:
    cut = ahead(season(years=1))
    np.testing.assert_array_equal(expected_year(FLOW, cut, basis="sum"), cut.trailing.value)
    nothing = ahead(np.full((3, 12, 4), np.nan))
    assert np.isnan(expected_year(FLOW, nothing, basis="average")).all()


def test_growth_keeps_its_mean_before_a_year() -> None:
    months = season(drift=0.02) * 1.01 ** np.arange(84).reshape(7, 12, 1)
    cut = ahead(months)
    moves = np.log(expected_year(FLOW, cut, basis="average")[1:] / cut.trailing.value[1:])
    assert abs(np.median(moves, axis=1).mean()) < 0.005
    young = replace(cut, quarter=Part(np.full_like(cut.quarter.value, np.nan), cut.quarter.weight))
    assert np.isfinite(expected_year(FLOW, young, basis="sum")[1:]).all()


@pytest.mark.parametrize("years", [2, 5])
def test_what_all_units_have_in_common_moves_once_it_can_be_told_from_a_season(years: int) -> None:
    months = season(years=years)
    months[-1, 9:] *= 1.3  # all earn more at the end of the last year
    cut = ahead(months)
    moved = np.median(expected_year(FLOW, cut, basis="sum")[-1] / cut.trailing.value[-1])
    assert bool(moved > 1.03) is (years > 3)
