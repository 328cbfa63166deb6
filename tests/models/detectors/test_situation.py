import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from watched_bank import PLANTED, situation, watched_bank

from features.windows import IQR_PER_SD
from models.detectors import situation as about
from models.detectors.measures import Measure
from models.detectors.situation import OWN_YEARS, PEER_WEIGHT, Situation

MEASURE = Measure("growth", "LOANS", 6)
ROW = 40


@pytest.fixture(scope="module")
def at() -> Situation:
    return situation()


def test_peers_of_the_same_period_tell_what_is_usual(at: Situation):
    x, group = at.values(MEASURE)[ROW], at.panel.tree.peer_groups()
    low, middle, high = np.nanquantile(x[group == group[PLANTED]], (0.25, 0.5, 0.75))
    expected = (x[PLANTED] - middle) * IQR_PER_SD / (high - low)
    assert at.peer_z(MEASURE)[ROW, PLANTED] == pytest.approx(expected, rel=1e-6)
    assert np.isnan(at.peer_z(MEASURE)[:, at.panel.tree.ever_parent]).all()


def test_the_own_past_ends_before_the_window_and_its_spread_is_drawn_to_the_peers(at: Situation):
    unit = PLANTED + 3
    x, group = at.values(MEASURE), at.panel.tree.peer_groups()
    past = x[: ROW - 6 + 1, unit][-OWN_YEARS * 12 :]
    past = past[np.isfinite(past)]
    low, high = np.nanquantile(x[ROW, group == group[unit]], (0.25, 0.75))
    squares = ((past - past.mean()) ** 2).sum()
    prior = ((high - low) / IQR_PER_SD) ** 2
    spread = np.sqrt((PEER_WEIGHT * prior + squares) / (PEER_WEIGHT + len(past) - 1))
    assert at.own_z(MEASURE)[ROW, unit] == pytest.approx((x[ROW, unit] - past.mean()) / spread, rel=1e-5)
    assert np.isnan(at.own_z(MEASURE)[:17]).all()
    assert np.isfinite(at.own_z(MEASURE)[24:, ~at.panel.tree.ever_parent]).all()


@pytest.mark.parametrize("portion", [1, 100])
def test_how_units_are_cut_into_portions_does_not_show(portion: int, monkeypatch: pytest.MonkeyPatch):
    whole = situation()
    expected = whole.peer_z(MEASURE), whole.own_z(MEASURE)
    monkeypatch.setattr(about, "PORTION", portion)
    small = situation()
    np.testing.assert_array_equal(small.peer_z(MEASURE), expected[0])
    np.testing.assert_array_equal(small.own_z(MEASURE), expected[1])


def test_what_several_ask_for_at_once_is_computed_once(at: Situation):
    calls, ready = [], Barrier(4)

    def compute() -> int:
        calls.append(1)
        time.sleep(0.01)
        return len(calls)

    def ask(_: int) -> int:
        ready.wait()
        return at.once("asked at once", compute)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [1] * 4
    assert calls == [1]


def test_what_is_forgotten_is_computed_again_alike():
    at = situation()
    before = at.peer_z(MEASURE)
    assert at.peer_z(MEASURE) is before
    at.forget()
    again = at.peer_z(MEASURE)
    assert again is not before
    np.testing.assert_array_equal(again, before)


def test_series_cannot_be_written_to_and_the_figures_stay_as_they_were():
    panel = watched_bank()
    level = Situation(panel).values(Measure("level", "R01"))
    with pytest.raises(ValueError, match="read-only"):
        level[0, 0] = 1.0
    assert panel.array("R01").flags.writeable
    assert level.base is panel.array("R01")  # nor are they copied
