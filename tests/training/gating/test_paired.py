"""Paired differences: noise alone seldom looks like harm, and units that share a year do not count as many."""

import numpy as np
import pytest

from training.gating.losses import Losses
from training.gating.paired import Paired, means, paired, same

ORIGINS, UNITS, PARTS = 6, 60, 2
RUNS = 600


def noisy(rng: np.random.Generator, *, shock: float = 0.05, own: float = 0.2, worse: float = 0.0) -> Losses:
    """Draw losses of two models that differ by a shock of the year and by chance of the unit."""
    shape = (ORIGINS, PARTS, UNITS)
    year, part, unit = (axis.ravel() for axis in np.indices(shape))
    champion = np.exp(rng.normal(0, 0.3, shape))
    change = worse + shock * rng.standard_normal((ORIGINS, 1, 1)) + own * rng.standard_normal(shape)
    group = np.array(["a", "b", "c"], dtype=object)[unit % 3]
    flat = champion.ravel()
    return Losses(year, unit, part, flat + change.ravel(), flat, np.ones_like(flat), {"peer_group": group})


def test_noise_alone_is_called_worse_in_about_one_of_twenty() -> None:
    rng = np.random.default_rng(1)
    found = [noisy(rng).difference() for _ in range(RUNS)]
    rate = np.mean([one.worse(confidence=0.95) for one in found])
    assert 0.03 <= rate <= 0.08
    naive = [
        paired(np.asarray(one.challenger - one.champion), origin=one.unit, unit=one.unit, part=one.part)
        for one in (noisy(rng) for _ in range(100))
    ]
    assert np.mean([one.worse(confidence=0.95) for one in naive]) > 0.25, "units share the shock of their year"


def test_a_real_loss_is_found() -> None:
    rng = np.random.default_rng(2)
    found = [noisy(rng, shock=0.02, worse=0.06).difference().worse(confidence=0.95) for _ in range(200)]
    assert np.mean(found) > 0.95


def test_the_error_is_that_of_the_origins_means() -> None:
    rng = np.random.default_rng(3)
    losses = noisy(rng)
    found = losses.difference()
    each = (losses.challenger - losses.champion).reshape(ORIGINS, PARTS, UNITS).mean(axis=(1, 2))
    assert found.mean == pytest.approx(each.mean())
    assert found.error == pytest.approx(each.std(ddof=1) / np.sqrt(ORIGINS))
    assert (found.origins, found.units, found.basis) == (ORIGINS, UNITS, "origins")
    assert found.reach(0.95) == pytest.approx(2.015 * found.error, rel=1e-3)


@pytest.mark.parametrize("origins", [1, 2])
def test_with_one_or_two_origins_units_stand_in_and_it_says_so(origins: int) -> None:
    losses = noisy(np.random.default_rng(4), worse=0.5)
    found = losses.where(losses.year < origins).difference()
    assert found.basis == "units"
    assert found.weak
    assert found.worse(confidence=0.95)


def test_nothing_to_pair_is_not_worse() -> None:
    losses = noisy(np.random.default_rng(5))
    none = losses.where(np.zeros(len(losses), dtype=bool)).difference()
    assert none.mean is None
    assert not none.worse(confidence=0.95)
    unanswered = Losses(
        losses.year, losses.unit, losses.part, losses.challenger * np.nan, losses.champion, losses.baseline, {}
    )
    assert unanswered.difference().mean is None


def test_a_difference_that_never_varies_is_no_noise() -> None:
    values = np.full(12, 0.01)
    found = paired(values, origin=np.repeat(range(4), 3), unit=np.tile(range(3), 4), part=np.zeros(12))
    assert found.worse(confidence=0.95)
    assert not found.worse(confidence=0.95, margin=0.02)
    assert not same(origins=4).worse(confidence=0.95)


def test_every_part_and_every_origin_has_one_vote() -> None:
    values = np.array([1.0, 1.0, 1.0, 5.0, 7.0])
    outer, inner = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1])
    np.testing.assert_allclose(means(values, outer, inner), [3.0, 7.0])


def test_losses_are_told_in_parts_of_the_baseline_of_their_own_indicator() -> None:
    losses = noisy(np.random.default_rng(6))
    factor = np.where(losses.part == 1, 1000.0, 1.0)
    scaled = Losses(
        losses.year,
        losses.unit,
        losses.part,
        losses.challenger * factor,
        losses.champion * factor,
        losses.baseline * factor,
        losses.groups,
    )
    mine, theirs = scaled.difference(), losses.difference()
    assert mine.mean == pytest.approx(theirs.mean)
    assert mine.error == pytest.approx(theirs.error)
    for one, other in zip(scaled.by_year(), losses.by_year(), strict=True):
        assert one == pytest.approx(other)


def test_small_groups_are_not_judged() -> None:
    losses = noisy(np.random.default_rng(7))
    groups = np.where(losses.unit < 4, "few", "many").astype(object)
    kept = Losses(
        losses.year, losses.unit, losses.part, losses.challenger, losses.champion, losses.baseline, {"size": groups}
    )
    assert set(kept.by_group("size")) == {"many"}


def test_it_survives_json() -> None:
    found = noisy(np.random.default_rng(8)).difference()
    assert Paired.from_dict(found.as_dict()) == found
