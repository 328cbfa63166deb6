"""The effective-dated tree: who belongs to whom when, and who is compared with whom."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.breaches import Breaches
from features.errors import LoadlineError
from features.periods import Calendar
from features.unit_file import read_tree
from features.units import ALWAYS, FOREVER, MIN_PEERS, UnitTree, parse_day

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MONTHLY, ANNUAL = Calendar("M"), Calendar("A")
COLUMNS = ["unit", "parent", "name", "valid_from", "valid_to", "successor"]

LINES = [
    # B moves from north to south in 2021-07; C pauses in 2021; D merges into B; E splits into F and G.
    *[("bank", "", "Bank", "", "", ""), ("north", "bank", "North", "", "", ""), ("south", "bank", "South", "", "", "")],
    ("A", "north", "A", "", "", ""),
    *[("B", "north", "B", "", "2021-06-30", ""), ("B", "south", "B, moved", "2021-07-01", "", "")],
    *[("C", "south", "C", "", "2020-12", ""), ("C", "south", "C", "2022-01", "2022-12", "")],
    ("D", "south", "D", "2019-05", "2021-03", "B"),
    ("E", "north", "E", "", "2020-06", "F|G"),
    *[("F", "north", "F", "2020-07", "", ""), ("G", "south", "G", "2020-07", "", "")],
]


def tree_of(lines=LINES, calendar: Calendar = MONTHLY) -> UnitTree:
    return UnitTree.from_frame(pd.DataFrame(lines, columns=COLUMNS, dtype=object), calendar)


def codes(tree: UnitTree, which: np.ndarray) -> set[str]:
    return set(tree.codes[which])


def parent_at(tree: UnitTree, code: str, period: str) -> str | None:
    parent = tree.parents(tree.calendar.parse(period))[tree.number(code)]
    return None if parent < 0 else str(tree.codes[parent])


def test_a_unit_belongs_to_its_parent_of_the_time():
    tree = tree_of()
    assert parent_at(tree, "B", "2021-06") == "north"
    assert parent_at(tree, "B", "2021-07") == "south"
    assert parent_at(tree, "bank", "2021-07") is None
    assert codes(tree, tree.subtree("north", MONTHLY.parse("2021-06"))) == {"north", "A", "B", "F"}
    assert codes(tree, tree.subtree("north", MONTHLY.parse("2021-07"))) == {"north", "A", "F"}
    assert codes(tree, tree.subtree("bank", MONTHLY.parse("2021-07"))) == {"bank", "north", "south", *"ABFG"}
    assert tree.attributes.loc["B", "name"] == "B, moved"


@pytest.mark.parametrize(
    ("period", "there"),
    [
        ("2019-04", "ABCE"),
        ("2019-05", "ABCDE"),
        ("2020-06", "ABCDE"),
        ("2020-07", "ABCDFG"),
        ("2021-01", "ABDFG"),
        ("2021-04", "ABFG"),
        ("2022-01", "ABCFG"),
        ("2023-01", "ABFG"),
    ],
)
def test_units_come_pause_and_go(period, there):
    tree = tree_of()
    assert codes(tree, tree.leaves(MONTHLY.parse(period))) == set(there)
    assert codes(tree, tree.valid(MONTHLY.parse(period))) == {*there, "bank", "north", "south"}


def test_successors_are_one_for_a_merger_and_several_for_a_split():
    tree = tree_of()
    named = {str(tree.codes[u]): [str(tree.codes[h]) for h in heirs] for u, heirs in tree.successors.items()}
    assert named == {"D": ["B"], "E": ["F", "G"]}


def test_a_parent_that_lost_its_units_is_a_leaf_for_a_while():
    tree = tree_of([("T", "", "T", "", "", ""), ("P", "T", "P", "", "", ""), ("A", "P", "A", "2020-03", "2020-05", "")])
    assert codes(tree, tree.leaves(MONTHLY.parse("2020-02"))) == {"P"}
    assert codes(tree, tree.leaves(MONTHLY.parse("2020-04"))) == {"A"}
    assert codes(tree, tree.ever_parent) == {"T", "P"}


def test_a_move_within_a_period_counts_from_that_period():
    lines = [("T", "", "T", "", "", ""), ("P", "T", "P", "", "", ""), ("Q", "T", "Q", "", "", "")]
    lines += [("A", "P", "A", "", "2021-06-30", ""), ("A", "Q", "A", "2021-07-01", "2021-09-14", "")]
    lines += [("A", "P", "A", "2021-09-15", "", "")]
    yearly = tree_of(lines, ANNUAL)
    assert [parent_at(yearly, "A", year) for year in ("2020", "2021", "2022")] == ["P", "P", "P"]
    quarterly = tree_of(lines, Calendar("Q"))
    periods = ("2021-Q1", "2021-Q2", "2021-Q3", "2021-Q4")
    assert [parent_at(quarterly, "A", period) for period in periods] == ["P", "P", "P", "P"]
    monthly = tree_of(lines)
    assert [parent_at(monthly, "A", f"2021-{month:02d}") for month in range(6, 11)] == ["P", "Q", "Q", "P", "P"]
    for tree in (yearly, quarterly, monthly):
        spells = tree.spells[tree.spells["unit"] == tree.number("A")].sort_values(["first", "last"])
        assert (spells["first"].to_numpy()[1:] > spells["last"].to_numpy()[:-1]).all()


def test_depth_counts_the_units_above():
    tree = tree_of()
    depths = dict(zip(tree.codes, tree.depths(MONTHLY.parse("2020-01")), strict=True))
    assert depths == {"bank": 0, "north": 1, "south": 1, "A": 2, "B": 2, "C": 2, "D": 2, "E": 2, "F": 0, "G": 0}


@given(st.integers(MONTHLY.parse("2018-01"), MONTHLY.parse("2023-12")), st.integers(0, 60))
def test_within_a_segment_nothing_changes(first, more):
    tree = tree_of()
    segments = tree.segments(first, first + more)
    covered = [ordinal for begin, end in segments for ordinal in range(begin, end + 1)]
    assert covered == list(range(first, first + more + 1))
    for begin, end in segments:
        for ordinal in range(begin, end + 1):
            assert (tree.parents(ordinal) == tree.parents(begin)).all()
            assert (tree.valid(ordinal) == tree.valid(begin)).all()


def test_no_periods_no_segments():
    assert tree_of().segments(10, 9) == []
    assert tree_of().segments(10, 10) == [(10, 10)]


def test_an_unknown_unit_is_named():
    with pytest.raises(LoadlineError, match="no unit 'Z'"):
        tree_of().number("Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("2021-07-01", "2021-07"), ("2021-07", "2021-07"), (" 2021-07-31 ", "2021-07")],
        ("2021-07-31 23:59:59", "2021-07"),
    ],
)
def test_days_and_periods_are_read(text, expected):
    assert parse_day(text, MONTHLY) == MONTHLY.parse(expected)


@pytest.mark.parametrize("text", ["01/07/2021", "07-01-2021", "2021-W01-1", "2021-02-30", "soon", "99", "12", "2021"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises((LoadlineError, ValueError)):
        parse_day(text, MONTHLY)


def test_the_year_9999_means_an_open_end():
    assert parse_day("9999-12", MONTHLY) == FOREVER
    assert parse_day("9999-12-31", MONTHLY) > MONTHLY.parse("2199-12")
    assert parse_day("0001-01", MONTHLY) == ALWAYS
    with pytest.raises(LoadlineError):
        parse_day("9999-13", MONTHLY)


def peers(rows: list[tuple[str, str, str]], minimum: int = MIN_PEERS) -> list[set[str]]:
    """Group units `u0`, `u1`, ... of the given level, region type and peer group."""
    lines = [("T", "", "T", "bank", "", "")] + [(f"u{i}", "T", f"u{i}", *row) for i, row in enumerate(rows)]
    frame = pd.DataFrame(lines, columns=["unit", "parent", "name", "level", "region_type", "peer_group"], dtype=object)
    tree = UnitTree.from_frame(frame, ANNUAL)
    groups = tree.peer_groups(minimum)
    assert groups[0] == -1
    assert set(groups[1:]) == set(range(len(set(groups[1:]))))
    return sorted((set(tree.codes[groups == g]) for g in range(groups.max() + 1)), key=sorted)


def units(*numbers: int) -> set[str]:
    return {f"u{i}" for i in numbers}


def test_peers_share_level_and_peer_group():
    rows = [("branch", "", "large")] * 5 + [("branch", "", "small")] * 6
    assert peers(rows) == [units(*range(5)), units(*range(5, 11))]


def test_small_groups_widen_to_the_region_type():
    rows = [("branch", "east", "large")] * 5 + [("branch", "west", "a")] * 3 + [("branch", "west", "b")] * 2
    assert peers(rows) == [units(*range(5)), units(*range(5, 10))]


def test_what_is_left_over_goes_together():
    rows = [("branch", "east", "large")] * 5 + [("branch", "west", "a")] * 3 + [("desk", "", "b")] * 2
    assert peers(rows) == [units(*range(5)), units(*range(5, 10))]


def test_one_stray_unit_is_not_alone():
    rows = [("branch", "east", "large")] * 7 + [("branch", "east", "small")] * 5 + [("branch", "east", "odd")]
    assert peers(rows) == [units(*range(7)), units(*range(7, 13))]


def test_few_leaves_are_one_group():
    assert peers([("branch", "east", "a"), ("branch", "west", "b")]) == [units(0, 1)]


labels = st.sampled_from(["", "a", "b", "c"])


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), labels, labels), min_size=1, max_size=40), st.randoms())
def test_groups_are_never_too_small_and_ignore_the_order_of_units(rows, random):
    groups = peers(rows)
    assert len(groups) == 1 or min(map(len, groups)) >= MIN_PEERS
    order = list(range(len(rows)))
    random.shuffle(order)
    again = peers([rows[i] for i in order])
    assert sorted(sorted(f"u{order[int(u[1:])]}" for u in g) for g in again) == sorted(sorted(g) for g in groups)


def test_large_narrow_groups_stay_whole():
    rows = [("x", "a", "p")] * 5 + [("x", "a", "q")] * 9 + [("y", "a", "p")] * 5
    assert [len(group) for group in peers(rows)] == [5, 9, 5]


def test_eighty_thousand_units_are_quick():
    path = DATA / "us-branches" / "units.csv"
    if not path.exists():
        pytest.skip("the us-branches dataset is not at hand")
    breaches = Breaches()
    _, tree = read_tree(path, ANNUAL, breaches)
    assert tree is not None
    assert len(tree) > 80_000
    start = time.perf_counter()
    tree.parents(1996), tree.leaves(1996), tree.depths(1996), tree.segments(1990, 2000), tree.peer_groups()
    assert tree.subtree("AK", 1996).sum() > 1
    assert time.perf_counter() - start < 2.0
