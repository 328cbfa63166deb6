"""Who is compared with whom, and quantiles of groups: the same as numpy's, group by group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.periods import Calendar
from features.units import MIN_PEERS, UnitTree
from training.scoring.peers import group_quantiles, groups_at

figures = st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float), st.floats(-1e9, 1e9))


@given(rows=st.lists(st.tuples(st.integers(-1, 3), figures), max_size=60), q=st.floats(0, 1))
def test_quantiles_are_those_of_each_group(rows: list[tuple[int, float]], q: float) -> None:
    groups = np.array([group for group, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=float)
    found = group_quantiles(values, groups, (q, 0.5))
    for number, group in enumerate(groups):
        known = values[(groups == group) & np.isfinite(values)]
        if group < 0 or len(known) < MIN_PEERS:
            assert np.isnan(found[:, number]).all()
        else:
            np.testing.assert_allclose(found[:, number], np.quantile(known, [q, 0.5]), rtol=1e-9, atol=1e-6)


def tree_of(regions: int, coastal: int) -> UnitTree:
    rows = [("G", "", "group", "", "")]
    rows += [(f"R{n}", "G", "region", "", "coastal" if n < coastal else "inland") for n in range(regions)]
    rows += [(f"R{n}-{b}", f"R{n}", "branch", "county", "") for n in range(regions) for b in range(5)]
    columns = ["unit", "parent", "level", "peer_group", "region_type"]
    return UnitTree.from_frame(pd.DataFrame(rows, columns=columns).assign(name=""), Calendar("A"))


def named(tree: UnitTree) -> dict[str, int]:
    return dict(zip(tree.codes, groups_at(tree, 2024).tolist(), strict=True))


def test_regions_are_compared_with_regions_of_their_type() -> None:
    groups = named(tree_of(10, 5))
    assert len({groups[f"R{n}"] for n in range(5)}) == 1
    assert len({groups[f"R{n}"] for n in range(5, 10)}) == 1
    assert groups["R0"] != groups["R9"]
    assert groups["G"] == -1
    assert groups["R0"] not in {groups["R0-0"], groups["R9-4"]}


def test_too_few_of_a_type_go_together_and_too_few_regions_have_no_peers() -> None:
    groups = named(tree_of(6, 3))
    assert len({groups[f"R{n}"] for n in range(6)}) == 1
    assert groups["R0"] >= 0
    assert {named(tree_of(4, 2))[f"R{n}"] for n in range(4)} == {-1}


def test_regions_left_over_from_a_type_that_is_compared_by_itself_have_no_peers() -> None:
    groups = named(tree_of(8, 5))
    assert [groups[f"R{n}"] >= 0 for n in range(8)] == [True] * 5 + [False] * 3
