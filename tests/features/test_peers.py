from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from feature_panels import make_panel
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.groups import KNOWN_SHARE, PeerGroups
from features.sets import catalogue
from features.units import MIN_PEERS
from features.windows import IQR_PER_SD


@pytest.fixture(scope="module")
def panel():
    return make_panel("Q", periods=20, leaves=30)


@pytest.fixture(scope="module")
def matrix(panel):
    return catalogue().compute(panel)


def by_group(panel, frame: pd.DataFrame, function) -> pd.DataFrame:
    """Apply a function of the known figures of a peer group, row by row and unit by unit."""
    groups = panel.tree.peer_groups()
    out = np.full(frame.shape, np.nan)
    for row, figures in enumerate(frame.to_numpy()):
        for group in set(groups[groups >= 0]):
            members = np.flatnonzero(groups == group)
            known = figures[members][np.isfinite(figures[members])]
            if len(known) >= MIN_PEERS:
                for unit in members:
                    out[row, unit] = function(known, figures[unit])
    return pd.DataFrame(out, index=frame.index, columns=frame.columns)


def same(ours: pd.DataFrame, slow: pd.DataFrame) -> None:
    np.testing.assert_allclose(ours.to_numpy(), slow.to_numpy(), rtol=1e-5, atol=1e-6, equal_nan=True)


def mid_rank(known: np.ndarray, own: float) -> float:
    return ((known < own).sum() + 0.5 * (known == own).sum()) / len(known) if np.isfinite(own) else np.nan


@pytest.mark.parametrize("code", ["LOANS", "NPL", "COMPLAINTS"])
def test_quartiles_ranks_and_z_among_the_peers(panel, matrix, code):
    value = panel[code]
    quartile = {
        share: by_group(panel, value, lambda known, own, share=share: np.quantile(known, share))
        for share in (0.25, 0.5, 0.75)
    }
    same(matrix.frame(f"{code}.peer_q25"), quartile[0.25])
    same(matrix.frame(f"{code}.peer_median"), quartile[0.5])
    same(matrix.frame(f"{code}.peer_q75"), quartile[0.75])
    same(matrix.frame(f"{code}.peer_rank"), by_group(panel, value, mid_rank))
    spread = (quartile[0.75] - quartile[0.25]).replace(0, np.nan)
    same(matrix.frame(f"{code}.peer_z"), (value - quartile[0.5]) * IQR_PER_SD / spread)


def test_growth_is_compared_with_the_peers(panel, matrix):
    growth = panel["NPL"].diff(4)
    median = by_group(panel, growth, lambda known, own: np.median(known))
    same(matrix.frame("NPL.peer_growth"), median)
    same(matrix.frame("NPL.peer_growth_gap"), growth - median)


def test_headroom_points_to_the_better_side(panel, matrix):
    up, down = panel["LOANS"], panel["NPL"]
    best_up = by_group(panel, up, lambda known, own: np.quantile(known, 0.75))
    best_down = by_group(panel, down, lambda known, own: np.quantile(known, 0.25))
    same(matrix.frame("LOANS.headroom"), (best_up - up) / ((best_up.abs() + up.abs()) / 2))
    same(matrix.frame("NPL.headroom"), down - best_down)
    assert "COVERAGE.headroom" not in matrix


def test_parents_have_no_peers(panel, matrix):
    assert not np.isfinite(matrix.array("LOANS.peer_rank")[:, :3]).any()


def test_shares_of_the_parent(panel, matrix):
    value = panel["LOANS"]
    parents = panel.tree.parents(panel.first)
    share = pd.DataFrame(np.nan, index=value.index, columns=value.columns)
    for parent in set(parents[parents >= 0]):
        members = value.columns[parents == parent]
        known = value[members].notna().sum(axis=1)
        total = value[members].sum(axis=1).where(known >= KNOWN_SHARE * len(members))
        share[members] = value[members].div(total, axis=0)
    same(matrix.frame("LOANS.parent_share"), share)
    same(matrix.frame("LOANS.parent_share_change"), share - share.shift(4))
    assert np.isfinite(share.to_numpy()).any()
    assert "NPL.parent_share" not in matrix


@settings(max_examples=25, deadline=None)
@given(
    x=arrays(np.float64, (3, 25), elements=st.one_of(st.sampled_from([0.0, 1.0, np.nan]), st.floats(-1e6, 1e6))),
    numbers=arrays(np.int64, 25, elements=st.integers(-1, 3)),
)
def test_ranks_and_quartiles_hold_with_ties_gaps_and_groups_of_any_size(x, numbers):
    standing = PeerGroups(numbers).order(x).cut(slice(0, 25))
    (low, middle, high), rank = standing.quartiles, standing.rank
    for row in range(3):
        for unit in range(25):
            peers = x[row, (numbers == numbers[unit])]
            known = peers[np.isfinite(peers)]
            if numbers[unit] < 0 or len(known) < MIN_PEERS:
                assert np.isnan([low[row, unit], rank[row, unit]]).all()
                continue
            np.testing.assert_allclose(
                [low[row, unit], middle[row, unit], high[row, unit]],
                np.quantile(known, [0.25, 0.5, 0.75]),
                rtol=1e-9,
                atol=1e-9,
            )
            np.testing.assert_allclose(rank[row, unit], mid_rank(known, x[row, unit]), equal_nan=True)
