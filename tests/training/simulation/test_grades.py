"""Moves between grades, on one scale or two."""

from __future__ import annotations

import numpy as np
import pytest
from tried_rules import DECEMBER, present

from features.snapshot import Snapshot
from training.simulation.compared import Compared, compare
from training.simulation.grades import grade_moves, grade_scale
from training.simulation.groups import group_table
from training.simulation.replay import replay
from training.simulation.verdict import verdict

EASY = [{"name": "A", "from": "1"}, {"name": "B", "from": "0.5"}, {"name": "C"}]
HARD = [{"name": "A", "from": "900"}, {"name": "B", "from": "800"}, {"name": "C"}]
LONGER = [{"name": "AAA", "from": "950"}, *HARD]
OTHERS = [{"name": "good", "from": "50"}, {"name": "bad"}]


def compared(snapshot: Snapshot, before: list, after: list) -> Compared:
    sides = (replay(snapshot, present(gates=[], grades=grades), [DECEMBER]) for grades in (before, after))
    return compare(*sides)


def test_from_the_lowest_to_the_highest_is_up(snapshot: Snapshot) -> None:
    found = compared(snapshot, HARD, EASY)
    rows = np.flatnonzero(found.both)
    assert (grade_moves(found, rows) == 2).all()
    assert (grade_moves(compared(snapshot, EASY, HARD), rows) == -2).all()
    said = [sentence.en for sentence in verdict(found, str)]
    assert f"{len(rows)} get a better grade, 0 a worse one, of {len(rows)}." in said
    table = group_table(found)
    assert table["grade_up"].sum() == table["scores"].sum() > 0
    assert table["grade_down"].sum() == 0


def test_a_grade_more_on_top_is_still_one_scale(snapshot: Snapshot) -> None:
    found = compared(snapshot, EASY, LONGER)
    assert grade_scale(found.before.policy, found.after.policy) == {"AAA": 0, "A": 1, "B": 2, "C": 3}
    assert (grade_moves(found, np.flatnonzero(found.both)) == -2).all()


@pytest.mark.parametrize("after", [OTHERS, EASY[::-1]])
def test_moves_between_two_scales_are_not_counted(snapshot: Snapshot, after: list) -> None:
    names = [{"name": grade["name"]} | ({"from": str(50 - 10 * n)} if n < 2 else {}) for n, grade in enumerate(after)]
    found = compared(snapshot, EASY, names)
    assert np.isnan(grade_moves(found, np.flatnonzero(found.both))).all()
    assert any("different scales" in sentence.en for sentence in verdict(found, str))
    assert group_table(found)["grade_up"].isna().all()
