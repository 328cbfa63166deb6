import numpy as np
from watched_bank import PLANTED, situation, swell, watched_bank

from models.detectors.legs import (
    against_peers,
    count_surprise,
    finding,
    formation,
    long_known,
    met_within,
    undisturbed,
    unusual,
)
from models.detectors.measures import Measure
from models.detectors.situation import Situation

START = 24
LEVEL = Measure("level", "R14")


def test_the_more_demanding_of_peers_and_own_past_counts():
    at = situation(swell("R14", 1.5, first=START, last=START))
    z = unusual(at, LEVEL)
    peers, own = at.peer_z(LEVEL), at.own_z(LEVEL)
    known = np.isfinite(z) & np.isfinite(own)
    assert known.any()
    np.testing.assert_allclose(z[known], np.minimum(peers, own)[known])
    assert z[START + 1, PLANTED] > 3


def test_what_was_always_high_is_not_unusual():
    def high(values: dict[str, np.ndarray]) -> None:
        values["R14"][:, PLANTED] *= 1.5

    at = situation(high)
    assert against_peers(at, LEVEL)[START, PLANTED] > 3
    assert unusual(at, LEVEL)[START:, PLANTED].max() < 3


def test_nothing_is_said_before_a_year_is_known():
    def late(values: dict[str, np.ndarray]) -> None:
        values["R14"][:20, PLANTED] = np.nan

    at = situation(late)
    known = long_known(at, "R14")
    assert not known[:31, PLANTED].any()
    assert known[31:, PLANTED].all()
    assert np.isnan(against_peers(at, LEVEL)[:31, PLANTED]).all()
    assert np.isfinite(against_peers(at, LEVEL)[31:, PLANTED]).all()


def test_formation_is_held_against_the_base_of_then_where_it_is_at_hand():
    at = situation()
    assert formation(at, "R04", 6).kind == "net_formation"
    assert formation(Situation(at.panel.only(["R04"])), "R04", 6).kind == "rise"


def test_a_disturbance_lingers():
    at = situation()
    marked = np.zeros(at.shape, dtype=bool)
    marked[START, PLANTED] = True
    at = Situation(at.panel, disturbed={"merger": marked})
    calm = undisturbed(at, "merger", "transfer", months=2)
    assert np.flatnonzero(~calm[:, PLANTED]).tolist() == [START, START + 1, START + 2]
    assert undisturbed(at, "transfer").all()
    np.testing.assert_array_equal(met_within(marked, 100)[:, PLANTED], np.arange(len(marked)) >= START)


def test_nothing_is_met_where_a_leg_is_unknown():
    p = np.array([[0.1, np.nan, 0.1]])
    q = np.array([[0.1, 0.1, np.nan]])
    assert finding(p, q, np.ones((1, 3), dtype=bool), LEVEL).met.tolist() == [[True, False, False]]
    assert finding(None, q, np.ones((1, 3), dtype=bool), LEVEL).met.tolist() == [[True, True, False]]


def test_a_burst_of_complaints_stands_out_and_nothing_else_does():
    def burst(values: dict[str, np.ndarray]) -> None:
        values["COMPLAINTS"][START : START + 3, PLANTED] += 10

    at = situation(burst)
    p = count_surprise(at, "U04", 3)
    assert p is not None
    assert p[START + 2, PLANTED] < 1e-3
    assert np.nanargmin(np.where(np.isnan(p[START + 2]), 2, p[START + 2])) == PLANTED
    known = p[np.isfinite(p)]
    assert (known < 0.05).mean() < 0.05
    assert np.isnan(p[:14]).all(), "twelve months of past and three of present"
    assert np.isfinite(p[14:, PLANTED]).all()


def test_plain_counts_are_held_against_their_own_past():
    def findings(values: dict[str, np.ndarray]) -> None:
        values["C04"][START : START + 3, PLANTED] = 8

    p = count_surprise(situation(findings), "C04", 3)
    assert p is not None
    assert p[START + 2, PLANTED] < 1e-3


def test_what_is_no_count_has_no_exact_tail():
    at = situation()
    assert count_surprise(at, "R04", 3) is None
    assert count_surprise(at, "P04", 3) is None
    assert count_surprise(Situation(at.panel.only(["U04"])), "U04", 3) is None


def test_counts_of_coarser_data():
    at = Situation(watched_bank(frequency="A", periods=8))
    p = count_surprise(at, "U04", 3)
    assert p is not None
    assert np.isnan(p[:3]).all()
    assert np.isfinite(p[3:, PLANTED]).all()
