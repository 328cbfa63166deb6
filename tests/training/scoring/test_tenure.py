"""What protection counts from: a unit's opening and its latest change of parent, whatever else is rewritten."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scoring_bank import CALENDAR

from features.units import UnitTree
from training.scoring.tenure import months_since

ROWS = [
    ("ROOT", "", "", ""),
    ("R1", "ROOT", "", ""),
    ("R2", "ROOT", "", ""),
    ("OLD", "R1", "", ""),
    ("RENAMED", "R1", "", "2024-03"),
    ("RENAMED", "R1", "2024-04", ""),
    ("MOVED", "R1", "", "2024-03"),
    ("MOVED", "R2", "2024-04", ""),
    ("BACK", "R1", "2020-01", "2023-12"),
    ("BACK", "R2", "2024-01", "2024-05"),
    ("BACK", "R1", "2024-06", ""),
    ("GONE", "R1", "2023-01", "2024-05"),
]
TREE = UnitTree.from_frame(
    pd.DataFrame(ROWS, columns=["unit", "parent", "valid_from", "valid_to"]).assign(level="", name=""), CALENDAR
)


@pytest.mark.parametrize(
    ("unit", "period", "opened", "moved"),
    [
        ("OLD", "2024-06", np.inf, np.inf),
        ("RENAMED", "2024-06", np.inf, np.inf),  # another line of the table, the same parent
        ("MOVED", "2024-03", np.inf, np.inf),
        ("MOVED", "2024-04", np.inf, 0),
        ("MOVED", "2025-04", np.inf, 12),
        ("BACK", "2024-05", 52, 4),
        ("BACK", "2024-07", 54, 1),  # it came back, and that is a move too
        ("GONE", "2024-05", 16, np.inf),
        ("GONE", "2024-06", np.inf, np.inf),
    ],
)
def test_months_count_from_opening_and_from_the_latest_move(
    unit: str, period: str, opened: float, moved: float
) -> None:
    found = months_since(TREE, CALENDAR.parse(period))
    assert [float(months[TREE.number(unit)]) for months in found] == [opened, moved]
