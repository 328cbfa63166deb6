"""What is different between two versions of a period's scores."""

from __future__ import annotations

import pandas as pd

from training.scoring.differences import differences

BEFORE = pd.DataFrame(
    [("A", "P01", 30.1), ("A", "R01", 50.0), ("B", "P01", 20.0), ("C", "P01", 10.0)],
    columns=["unit", "line", "amount"],
)


def test_lines_add_up_and_what_stayed_is_left_out() -> None:
    after = BEFORE.assign(amount=[30.4, 49.0, 20.0, 10.0])
    found = differences(BEFORE, after)
    assert found.to_numpy().tolist() == [
        ["A", "score", 80.1, 79.4, -0.7],
        ["A", "P01", 30.1, 30.4, 0.3],
        ["A", "R01", 50.0, 49.0, -1.0],
    ]


def test_who_had_no_score_before_has_a_blank_and_no_difference() -> None:
    found = differences(BEFORE[BEFORE["unit"] != "B"], BEFORE[BEFORE["unit"] != "C"]).set_index(["unit", "line"])
    assert list(found.loc[("B", "score")].isna()) == [True, False, True]
    assert list(found.loc[("C", "P01")].isna()) == [False, True, True]
