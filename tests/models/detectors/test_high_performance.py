from dataclasses import replace

import numpy as np
import pytest
from watched_bank import PLANTED, Plant, all_of, situation, swell, watched_bank

from features.indicators import IndicatorSet, library
from features.panel import Panel
from models.detectors.high_performance import (
    NOTHING_TO_SEE,
    VOLUMES_ONLY,
    HighPerformance,
    high_performance,
    performance_indicators,
)
from models.detectors.measures import Measure
from models.detectors.situation import Situation

START = 24
SHOWN = slice(START + 6, START + 12)
CORE = ("P01", "P04", "P07", "P08", "PROFIT")


def surge(factor: float, *, first: int = START, last: int = START + 5) -> Plant:
    return all_of(*(swell(code, factor, first=first, last=last) for code in CORE))


def renamed(panel: Panel, changes: dict[str, dict[str, object]]) -> Panel:
    """Change definitions of some indicators."""
    specs = [spec.model_copy(update=changes.get(code, {})) for code, spec in panel.indicators.items()]
    return replace(panel, indicators=IndicatorSet(specs))


def test_a_surge_is_high_performance_and_rare():
    high = high_performance(situation(surge(1.3)))
    assert high.p is not None
    assert high.p.dtype == np.float32
    assert high.met[SHOWN, PLANTED].all()
    assert high.p[SHOWN, PLANTED].max() < 0.01
    assert high.rank[SHOWN, PLANTED].min() > 0.9
    assert high.attainment[SHOWN, PLANTED].min() > 1.2
    assert {measure.code for measure in high.by} == set(CORE)
    assert high.note is None


def test_four_in_ten_units_perform_well_and_few_unusually():
    at = situation()
    high = high_performance(at)
    leaves = ~at.panel.tree.ever_parent
    later = slice(START, None)
    assert 0.25 < high.met[later, leaves].mean() <= 0.45
    assert high.p is not None
    assert np.nanmean(high.p[later, leaves] < 0.05) <= 0.05
    assert not high.met[:, ~leaves].any()


def test_a_unit_that_falls_behind_the_year_before_does_not_perform_well_even_if_its_peers_do_worse():
    def shrink(values: dict[str, np.ndarray]) -> None:
        for code in CORE:
            values[code] *= np.exp(-np.linspace(0, 2.0, 48))[:, None]

    high = high_performance(situation(all_of(shrink, surge(1.1))))
    assert high.rank[SHOWN, PLANTED].min() > 0.6
    assert not high.met[SHOWN].any()


def test_lasting_fast_growth_is_high_performance_but_no_surge():
    steady = surge(4.0, first=0, last=47)
    at = situation(steady)
    lasting, sudden = high_performance(at), high_performance(situation(surge(1.35)))
    assert lasting.p is not None
    assert sudden.p is not None
    assert lasting.met[40:, PLANTED].all()
    assert lasting.p[40:, PLANTED].min() > 10 * sudden.p[SHOWN, PLANTED].max()


def test_attainment_of_targets_goes_before_last_year():
    at = situation(surge(1.3))
    targets = np.full(at.shape, np.nan)
    targets[SHOWN, 3:] = 0.9
    targets[SHOWN, PLANTED + 1] = 1.05
    high = high_performance(at, attainment=targets)
    assert not high.met[SHOWN, PLANTED].any()
    assert high.met[SHOWN, PLANTED + 1].all()
    np.testing.assert_array_equal(high.attainment[SHOWN, PLANTED], 0.9)
    before = high_performance(at)
    np.testing.assert_array_equal(high.met[: SHOWN.start], before.met[: SHOWN.start])
    told = Situation(at.panel, delays=at.delays, attainment=targets)
    np.testing.assert_array_equal(high_performance(told).met, high.met)


def test_a_merger_is_no_performance():
    panel = watched_bank(surge(1.3))
    merged = np.zeros((48, len(panel.tree)), dtype=bool)
    merged[START : START + 12, PLANTED] = True
    high = high_performance(Situation(panel, disturbed={"merger": merged}))
    assert high.p is not None
    assert not high.met[merged].any()
    assert np.isnan(high.p[merged]).all()
    assert np.isfinite(high.p[SHOWN, PLANTED + 1]).all()


def test_without_any_performance_indicator_volumes_stand_for_it():
    panel = watched_bank(surge(1.3)).only(["P01", "P08", "R04"])
    odd = renamed(panel, {"P01": {"perspective": "risk"}, "P08": {"perspective": "risk"}})
    indicators, note = performance_indicators(Situation(odd))
    assert [each.code for each in indicators] == ["P01"]
    assert note == VOLUMES_ONLY
    assert high_performance(Situation(odd)).met[SHOWN, PLANTED].all()


def test_with_no_volume_at_all_nothing_can_be_narrowed():
    high = high_performance(Situation(watched_bank().only(["R04", "R05"])))
    assert high.met.all()
    assert high.p is None
    assert high.best_p(3) is None
    assert high.by == ()
    assert high.note == NOTHING_TO_SEE
    assert high.held(3).all()


def test_core_indicators_with_targets_come_first():
    def chosen(*codes: str) -> list[str]:
        return [each.code for each in performance_indicators(Situation(watched_bank().only(list(codes))))[0]]

    assert chosen("P01", "P04", "P08", "U01", "SALES", "LOANS") == ["P01", "P04", "P08"]
    assert chosen("P01", "U01", "LOANS") == ["P01", "U01"], "LOANS has no targets"
    assert chosen("LOANS", "R04") == ["LOANS"]
    assert chosen("BILLS", "U04", "C01", "R01") == [], "the less the better is no performance here"


def test_what_a_unit_cannot_control_is_no_performance_of_its_own():
    panel = renamed(watched_bank().only(["P01", "P04"]), {"P04": {"controllable": False}})
    assert [each.code for each in performance_indicators(Situation(panel))[0]] == ["P01"]


def test_a_ratio_is_held_against_last_year():
    panel = watched_bank(swell("S01", 1.5, first=START, last=START + 3)).only(["S01"])
    panel = renamed(panel, {"S01": {"perspective": "performance"}})
    high = high_performance(Situation(panel))
    assert high.met[SHOWN, PLANTED].all()
    assert 1.2 < high.attainment[START + 8, PLANTED] < 1.6
    assert high.by == (Measure("attainment", "S01"),)


def test_a_window_looks_back_and_not_round():
    met = np.zeros((6, 1), dtype=bool)
    met[[0, 5], 0] = True
    p = np.array([[0.5], [np.nan], [0.1], [0.9], [0.8], [0.01]], dtype=np.float32)
    high = HighPerformance(met, p, p, p, ())
    assert high.held(2)[:, 0].tolist() == [True, True, True, False, False, True]
    best = high.best_p(1)
    assert best is not None
    np.testing.assert_allclose(best[:, 0], [0.5, 0.5, 0.1, 0.1, 0.8, 0.01], rtol=1e-6)
    assert high.held(0)[:, 0].tolist() == met[:, 0].tolist()
    assert high.held(99)[:, 0].all()


@pytest.mark.parametrize("last", [14, 30])
def test_nothing_of_the_future_is_seen(last: int):
    at = situation(surge(1.3))
    whole = high_performance(at)
    then = high_performance(Situation(at.panel.up_to(at.panel.first + last), delays=at.delays))
    rows = slice(0, last + 1)
    assert then.p is not None
    assert whole.p is not None
    np.testing.assert_array_equal(then.met, whole.met[rows])
    np.testing.assert_allclose(then.p, whole.p[rows], rtol=1e-5)


def test_an_indicator_that_comes_later_changes_no_earlier_choice():
    panel = watched_bank(surge(1.3)).only(["P01", "P04", "P08", "U01"])
    late = panel.array("P08").copy()
    late[:30] = np.nan
    panel = panel.with_values(dict(panel.values) | {"P08": late})
    whole, then = high_performance(Situation(panel)), high_performance(Situation(panel.up_to(panel.first + 29)))
    assert [measure.code for measure in then.by] == ["P01", "P04", "U01"]
    assert [measure.code for measure in whole.by] == ["P01", "P04", "P08"]
    np.testing.assert_array_equal(whole.met[:30], then.met)
    np.testing.assert_array_equal(whole.rank[:30], then.rank)


@pytest.mark.parametrize(("frequency", "periods"), [("Q", 16), ("A", 6)])
def test_works_on_coarser_data(frequency, periods: int):
    plant = surge(1.6, first=periods - 1, last=periods - 1)
    high = high_performance(situation(plant, frequency=frequency, periods=periods))
    assert high.p is not None
    assert high.met[-1, PLANTED]
    assert high.p[-1, PLANTED] < 0.05


def test_the_library_names_enough_core_indicators():
    assert sum(spec.core and spec.is_target and spec.perspective == "performance" for spec in library().values()) >= 3
