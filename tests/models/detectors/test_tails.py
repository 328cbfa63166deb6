import numpy as np
import pytest
from scipy import stats

from features.windows import IQR_PER_SD
from models.detectors.tails import (
    MOST_EVIDENCE,
    Counts,
    best_of,
    count_tail,
    either,
    negative_binomial_tail,
    upper_tail,
)

CUSTOMERS = 30_000.0
RATE = 5e-5


def test_is_the_upper_tail_of_student_t_with_four_degrees():
    z = np.concatenate([np.linspace(-9, 9, 181), [-1e6, 1e6]])
    np.testing.assert_allclose(upper_tail(z), stats.t.sf(z, 4), rtol=1e-9)


def test_keeps_what_is_unknown_unknown():
    assert np.isnan(upper_tail(np.array([np.nan]))).all()


@pytest.mark.parametrize("peers", [8, 20, 100])
@pytest.mark.parametrize("draw", ["normal", "student"])
def test_robust_z_of_ordinary_figures_is_rarely_significant(peers: int, draw: str):
    rng = np.random.default_rng(peers)
    size = (20_000, peers)
    x = rng.normal(size=size) if draw == "normal" else rng.standard_t(3, size)
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=1)[..., None]
    p = upper_tail((x - middle) * IQR_PER_SD / (high - low))
    assert (p <= 0.05).mean() <= 0.06
    assert (p <= 0.01).mean() <= 0.02


def test_either_of_two_looks_pays_for_both():
    p, q = np.array([0.01, 0.7, np.nan, 0.03, np.nan]), np.array([0.2, 0.9, 0.04, np.nan, np.nan])
    np.testing.assert_allclose(either(p, q), [0.02, 1.0, 0.04, 0.03, np.nan])


def test_the_best_of_several_looks_pays_for_all():
    np.testing.assert_allclose(best_of(np.array([0.01, 0.5, np.nan]), 3), [0.03, 1.0, np.nan])


def test_negative_binomial_tail_is_exact():
    events, expected, shape = np.array([0.0, 1, 3, 40]), np.array([2.0, 2, 0.4, 11]), np.array([1.5, 7, 20, 50])
    np.testing.assert_allclose(
        negative_binomial_tail(events, expected, shape),
        stats.nbinom.sf(events - 1, shape, shape / (shape + expected)),
        rtol=1e-9,
    )


def bank_of(units: int, *, past: float, recent: float) -> tuple[Counts, Counts]:
    """Give units that have all had the same number of events: 24 months, then 3."""
    ones = np.ones((1, units))
    return Counts(recent * ones, 3 * CUSTOMERS * ones), Counts(past * ones, 24 * CUSTOMERS * ones)


def test_two_complaints_at_a_small_branch_are_no_surprise_and_the_same_rate_at_a_large_one_is():
    recent, past = bank_of(20, past=36, recent=4)
    for counts in (recent, past):
        counts.exposure[0, 0] /= 100
        counts.exposure[0, 1] *= 10
    past.events[0, :2] = [0, 360]
    recent.events[0, :2] = [2, 200]
    p = count_tail(recent, past, np.zeros(20, dtype=int))
    assert p[0, 0] > 0.001
    assert p[0, 1] < 1e-6
    assert (p[0, 2:] > 0.2).all()


def test_a_rise_that_all_peers_share_is_expected():
    recent, past = bank_of(20, past=36, recent=12)
    shared = count_tail(recent, past, np.zeros(20, dtype=int))
    recent.events[0, 1:] = 4.0
    alone = count_tail(recent, past, np.zeros(20, dtype=int))
    assert shared.min() > 0.2
    assert alone[0, 0] < 0.03


def test_a_rate_that_was_always_high_is_no_surprise():
    recent, past = bank_of(20, past=36, recent=4)
    recent.events[0, 0] = 16.0
    new = count_tail(recent, past, np.zeros(20, dtype=int))[0, 0]
    past.events[0, 0] = 16.0 * 8
    usual = count_tail(recent, past, np.zeros(20, dtype=int))[0, 0]
    assert new < 0.001
    assert usual > 0.1


def test_own_past_counts_for_so_much_only():
    recent, past = bank_of(8, past=36_000, recent=4_600)
    p = count_tail(recent, past, np.zeros(8, dtype=int))
    assert (p > 0.3).all()
    recent.events[0, 0] *= 1.1
    p = count_tail(recent, past, np.zeros(8, dtype=int))[0, 0]
    assert p > 0.1, f"a tenth more is within a spread of 1 / sqrt({MOST_EVIDENCE:.0f})"


@pytest.mark.parametrize("unlike", [0.0, 0.3, 0.8])
def test_counts_of_an_ordinary_bank_are_rarely_significant(unlike: float):
    rng = np.random.default_rng(7)
    periods, units = 40, 1500
    size = CUSTOMERS * rng.lognormal(0, 1, units) * np.ones((periods, 1))
    rate = RATE * np.exp(unlike * rng.normal(size=units))
    past = Counts(rng.poisson(24 * size * rate).astype(float), 24 * size)
    recent = Counts(rng.poisson(1.3 * 3 * size * rate).astype(float), 3 * size)
    p = count_tail(recent, past, rng.integers(0, 30, units))
    assert (p <= 0.05).mean() <= 0.05
    assert (p <= 0.001).mean() <= 0.002
    assert (p <= 0.2).mean() >= 0.1, "not so cautious that nothing is ever found"


def test_silent_below_five_known_peers_and_where_unknown():
    recent, past = bank_of(11, past=36, recent=4)
    recent.events[0, 0] = np.nan
    past.exposure[0, 1] = 0.0
    groups = np.array([0] * 6 + [1] * 4 + [-1])
    p = count_tail(recent, past, groups)
    assert np.isnan(p).all()
    recent.events[0, 0] = 4.0
    p = count_tail(recent, past, groups)
    assert np.isnan(p[0, 1])
    assert np.isfinite(p[0, [0, 2, 3, 4, 5]]).all()
    assert np.isnan(p[0, 6:]).all()


def test_nothing_ever_happened_anywhere():
    recent, past = bank_of(10, past=0, recent=0)
    assert (count_tail(recent, past, np.zeros(10, dtype=int)) == 1).all()
    recent.events[0, 0] = 6.0
    assert count_tail(recent, past, np.zeros(10, dtype=int))[0, 0] < 0.001
