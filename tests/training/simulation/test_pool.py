"""The bonus pool: to the cent, whatever is shared out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tried_rules import DECEMBER, JUNE, other, present

from features.snapshot import Snapshot
from training.simulation.compared import Compared, compare
from training.simulation.pool import pool_of
from training.simulation.replay import replay


@pytest.fixture(scope="module")
def compared(snapshot: Snapshot) -> Compared:
    periods = [JUNE, DECEMBER]
    return compare(replay(snapshot, present(), periods), replay(snapshot, other(), periods))


@pytest.mark.parametrize("value", [100.0, 33.33, 0.07])
def test_a_fixed_pool_stays_as_large_in_every_period(compared: Compared, value: float) -> None:
    pool = pool_of(compared, value)
    for rows in compared.about.groupby("period").indices.values():
        assert round(pool.fixed[rows].sum(), 2) == round(pool.before[rows].sum(), 2)
    assert (np.round(pool.fixed, 2) == pool.fixed).all()
    assert (pool.fixed != pool.before).any()


def test_a_point_is_worth_its_value(compared: Compared) -> None:
    pool = pool_of(compared, 100.0)
    assert (pool.before[compared.both] == compared.old.tenths[compared.both] * 10).all()
    assert pool.extra == pytest.approx(compared.difference.sum() * 10)
    assert not pool.before[~compared.both].any()


def test_a_score_below_zero_earns_nothing(compared: Compared) -> None:
    below = replace(compared, new=replace(compared.new, tenths=np.full_like(compared.new.tenths, -50)))
    pool = pool_of(below, 10.0)
    assert not pool.after.any()
    assert not pool.fixed.any()
