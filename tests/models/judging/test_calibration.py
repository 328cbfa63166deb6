"""Calibration by year: what past years ask for, and that few of them hardly move anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from features.errors import LoadlineError
from models.judging.calibration import FEWEST_ORIGINS, NEUTRAL, REACH, Calibration, OriginScore

RNG = np.random.default_rng(7)


def score(year: int, *, width: float = 1.0, units: int = 400, common: float = 0.5) -> OriginScore:
    """Score a year whose outcomes lie `width` times as far out as had been said."""
    shock = common * RNG.standard_normal()
    own = np.sqrt(1 - common**2) * RNG.standard_normal(units)
    found = OriginScore.of(
        ndtr(width * (shock + own)), ndtr(width * (own - np.median(own)) / np.sqrt(1 - common**2)), year=year
    )
    assert found is not None
    return found


def test_a_right_model_is_left_alone() -> None:
    found = Calibration.fit([score(year) for year in range(40)])
    assert found.whole == pytest.approx(1, abs=0.12)
    assert found.own == pytest.approx(1, abs=0.03)
    assert found.origins == 40


@pytest.mark.parametrize("width", [0.6, 1.6])
def test_a_wrong_width_is_drawn_towards_what_was_seen_and_more_so_with_more_years(width: float) -> None:
    scores = [score(year, width=width, common=0.2) for year in range(40)]
    few, many = Calibration.fit(scores[:6]), Calibration.fit(scores)
    for name in ("whole", "own"):
        asked = [abs(np.log(getattr(each, name))) for each in (few, many)]
        assert 0 < asked[0] < asked[1] < abs(np.log(width)) * 1.1
        assert (getattr(many, name) > 1) == (width > 1)


def test_few_years_change_nothing() -> None:
    found = Calibration.fit([score(year, width=2.0) for year in range(FEWEST_ORIGINS - 1)])
    assert (found.whole, found.own) == (1.0, 1.0)
    assert found.origins == FEWEST_ORIGINS - 1
    assert Calibration.fit([]) == NEUTRAL


def test_each_year_has_one_vote_however_many_units_it_shows() -> None:
    small = [OriginScore(year, 1.0, 1.0, 10) for year in range(9)]
    crowded = [*small, OriginScore(9, 4.0, 4.0, 100_000)]
    alike = [*small, OriginScore(9, 4.0, 4.0, 10)]
    assert Calibration.fit(crowded) == Calibration.fit(alike)


def test_the_order_of_years_does_not_matter_and_empty_years_do_not_count() -> None:
    scores = [score(year, width=1.3) for year in range(12)]
    one, other = Calibration.fit(scores), Calibration.fit([None, *scores[::-1]])
    assert one.whole == pytest.approx(other.whole)
    assert one.own == pytest.approx(other.own)
    assert one.origins == other.origins == 12


@given(st.floats(0, 9), st.floats(0, 9), st.integers(5, 60))
@settings(max_examples=40, deadline=None)
def test_no_record_moves_the_width_beyond_reach(whole: float, own: float, years: int) -> None:
    found = Calibration.fit([OriginScore(year, whole, own, 30) for year in range(years)])
    assert 1 / REACH <= found.whole <= REACH
    assert 1 / REACH <= found.own <= REACH
    assert (found.whole >= 1) == (whole >= 1)


def test_a_year_with_a_single_outcome_gives_no_score() -> None:
    assert OriginScore.of(np.array([0.4, np.nan]), np.array([0.4, 0.2]), year=2020) is None


def test_certain_misses_count_but_stay_finite() -> None:
    found = OriginScore.of(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.5]), year=2020)
    assert found is not None
    assert found.whole == pytest.approx(9.0)


def test_plain_data_comes_back_as_it_was() -> None:
    scores = [score(year, width=1.2) for year in range(8)]
    found = Calibration.fit(scores)
    assert Calibration(**found.as_dict()) == found
    assert [OriginScore(**each.as_dict()) for each in scores] == scores


def test_a_factor_of_zero_is_refused() -> None:
    with pytest.raises(LoadlineError, match="positive"):
        Calibration(whole=0.0)
