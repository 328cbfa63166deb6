import numpy as np
import pytest
from watched_bank import PLANTED, Plant, all_of, situation, swell, watched_bank

from models.detectors.detector import Finding
from models.detectors.situation import Situation
from models.detectors.targets import holding_back, threshold_bunching

ROW = 30
JANUARY = 36


def others(at: Situation) -> np.ndarray:
    return ~at.panel.tree.ever_parent & (np.arange(at.shape[1]) != PLANTED)


def given(found: Finding | None) -> Finding:
    assert found is not None
    return found


def late(percent: float) -> Plant:
    def plant(values: dict[str, np.ndarray]) -> None:
        values["LAST_DAYS_SHARE"][ROW - 2 : ROW + 1, PLANTED] = percent

    return plant


def look_at(plant: Plant, attained: list[float]) -> Situation:
    panel = watched_bank(plant)
    attainment = np.full((48, len(panel.tree)), 1.1)
    attainment[ROW - 2 : ROW + 1, PLANTED] = attained
    delays = {code: panel.indicator(code).publication_lag for code in panel.codes}
    return Situation(panel, delays=delays, attainment=attainment)


def test_three_periods_just_above_target_booked_late_are_found():
    at = look_at(late(36.0), [1.0, 1.01, 1.02])
    found = given(threshold_bunching(at))
    assert found.met[:, PLANTED].nonzero()[0].tolist() == [ROW]
    assert not found.met[:, others(at)].any()
    assert found.joint[ROW, PLANTED] == pytest.approx(1.5 / 20), "no more can be told among twenty peers"


def test_results_well_above_below_or_booked_in_time_are_not():
    for share, attained in ((36.0, [1.0, 1.01, 1.05]), (36.0, [0.99, 1.01, 1.01]), (25.0, [1.01, 1.01, 1.01])):
        assert not given(threshold_bunching(look_at(late(share), attained))).met.any()


def test_two_periods_are_chance():
    assert not given(threshold_bunching(look_at(late(36.0), [1.3, 1.01, 1.01]))).met.any()


def test_without_targets_last_year_is_the_mark():
    def plant(values: dict[str, np.ndarray]) -> None:
        late(36.0)(values)
        values["P01"][ROW - 2 : ROW + 1, PLANTED] = 1.01 * values["P01"][ROW - 14 : ROW - 11, PLANTED]

    at = situation(plant)
    found = given(threshold_bunching(at))
    assert found.met[ROW, PLANTED]
    assert found.met[:, others(at)].sum() == 0


def test_where_all_peers_are_just_above_it_is_no_coincidence():
    at = look_at(late(36.0), [1.01, 1.01, 1.01])
    assert at.attainment is not None
    at.attainment[ROW - 2 : ROW + 1] = 1.01
    found = given(threshold_bunching(at))
    assert found.performance is not None
    assert found.performance[ROW, PLANTED] > 0.9


def kept_back(autumn: float = 1.3, winter: float = 0.6, january: float = 2.0) -> Plant:
    """Plant sales of the year that ends before `JANUARY`, and of that January."""

    def plant(values: dict[str, np.ndarray]) -> None:
        sales = values["SALES"]
        sales[24:33, PLANTED] *= autumn
        sales[33:36, PLANTED] *= winter
        sales[JANUARY, PLANTED] *= january

    return plant


def test_sales_kept_for_january_are_found_and_told_for_three_months():
    at = situation(kept_back())
    found = given(holding_back(at))
    assert found.met[:, PLANTED].nonzero()[0].tolist() == [JANUARY, JANUARY + 1, JANUARY + 2]
    assert found.joint[JANUARY, PLANTED] < 0.02
    assert np.isnan(found.joint[JANUARY + 4 : JANUARY + 12]).all(), "fees are published a month later"
    assert found.met[:, others(at)].mean() < 0.02


def test_holding_back_needs_attainment_a_fade_and_a_jump():
    for changes in ({"autumn": 0.7}, {"winter": 1.4}, {"january": 0.8}):
        found = given(holding_back(situation(kept_back(**changes))))
        assert not found.met[JANUARY : JANUARY + 3, PLANTED].any(), changes


def test_a_target_missed_leaves_nothing_to_hold_back():
    panel = watched_bank(kept_back())
    attainment = np.full((48, len(panel.tree)), 0.9)
    assert not given(holding_back(Situation(panel, attainment=attainment))).met.any()
    attainment[32] = 1.02
    assert given(holding_back(Situation(panel, attainment=attainment))).met[JANUARY, PLANTED]


def test_january_is_told_when_it_is_known():
    panel = watched_bank(kept_back())
    found = given(holding_back(Situation(panel, delays={"SALES": 2})))
    assert found.met[:, PLANTED].nonzero()[0].tolist() == [JANUARY + 2, JANUARY + 3, JANUARY + 4]


def test_a_merger_makes_no_january():
    panel = watched_bank(all_of(kept_back(), swell("SALES", 1.0, first=0, last=1)))
    merged = np.zeros((48, len(panel.tree)), dtype=bool)
    merged[:, PLANTED] = True
    assert not given(holding_back(Situation(panel, disturbed={"merger": merged}))).met[:, PLANTED].any()
