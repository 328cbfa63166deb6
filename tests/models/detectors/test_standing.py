import numpy as np
from watched_bank import PLANTED, situation

from models.detectors.counts import silence
from models.detectors.measures import Measure
from models.detectors.standing import among_peers, both_tails, peer_totals, rarity
from models.detectors.tails import upper_tail

AT = situation()
LEAVES = ~AT.panel.tree.ever_parent
RNG = np.random.default_rng(5)


def test_figures_stand_among_their_peers_as_measures_do():
    measure = Measure("growth", "LOANS", 6)
    np.testing.assert_allclose(among_peers(AT, AT.values(measure)), AT.peer_z(measure), rtol=1e-6)


def test_tails_of_chance_are_no_smaller_than_they_say():
    x = RNG.normal(size=AT.shape)
    p = both_tails(AT, x, gap=1)
    known = p[np.isfinite(p)]
    for level in (0.01, 0.05, 0.2):
        assert (known < level).mean() <= level
    assert np.isnan(p[:, ~LEAVES]).all()


def test_a_unit_that_is_always_high_is_no_surprise_but_one_that_has_risen_is():
    x = 0.1 * RNG.normal(size=AT.shape)
    x[:, PLANTED] += 3.0
    x[40:, PLANTED + 2] += 3.0
    p = both_tails(AT, x, gap=1)
    assert np.median(p[20:, PLANTED]) > 0.2
    assert p[40, PLANTED + 2] < 0.001
    assert p[5, PLANTED] == upper_tail(among_peers(AT, x))[5, PLANTED], "the past is too short to be held against"


def test_a_unit_of_wide_swings_is_held_against_its_own():
    x = 0.1 * RNG.normal(size=AT.shape)
    x[:, PLANTED] = 2.0 * RNG.normal(size=len(x))
    assert (both_tails(AT, x, gap=1)[24:, PLANTED] < 0.01).mean() < 0.15
    assert (upper_tail(among_peers(AT, x))[24:, PLANTED] < 0.01).mean() > 0.3


def test_rarity_is_the_share_of_the_peers():
    happened = np.zeros(AT.shape, dtype=bool)
    happened[0, PLANTED] = True
    happened[1] = True
    known = np.ones(AT.shape, dtype=bool)
    known[2] = False
    p = rarity(AT, happened, known)
    group = AT.panel.tree.peer_groups()
    peers = (group == group[PLANTED]).sum()
    assert p[0, PLANTED] == 1.5 / peers
    assert p[0, PLANTED + 2] == 1.0
    assert (p[1, LEAVES] == 1.0).all()
    assert np.isnan(p[2]).all()
    assert np.isnan(p[:, ~LEAVES]).all()


def test_totals_are_those_of_the_peer_group():
    x = RNG.normal(size=AT.shape)
    group = AT.panel.tree.peer_groups()
    wanted = np.stack([x[:, group == number].sum(axis=1) if number >= 0 else np.zeros(len(x)) for number in group], 1)
    np.testing.assert_allclose(peer_totals(AT, x), wanted, atol=1e-9)


def test_the_chance_of_none_falls_with_what_is_expected():
    quiet = silence(AT, "C03", 6)
    assert quiet is not None
    none = quiet.none & (quiet.expected > 0)
    assert none.any()
    np.testing.assert_allclose(quiet.p[none], (2.0 / (2.0 + quiet.expected[none])) ** 2)
    assert (quiet.p[~quiet.none & np.isfinite(quiet.p)] == 1.0).all()
    assert not quiet.none[:, ~LEAVES].any()
    assert silence(AT, "C04", 6) is not None
    assert silence(AT, "LOANS", 6) is None


def test_what_was_not_reported_is_not_none():
    incidents = AT.panel.array("INCIDENTS").copy()
    incidents[:, PLANTED] = 0.0
    incidents[30:33, PLANTED] = np.nan
    gappy = situation()
    panel = gappy.panel.with_values(dict(gappy.panel.values) | {"INCIDENTS": incidents})
    quiet = silence(type(gappy)(panel), "C03", 6)
    assert quiet is not None
    assert quiet.none[29, PLANTED]
    assert not quiet.none[33, PLANTED]
    assert np.isnan(quiet.p[33, PLANTED])
