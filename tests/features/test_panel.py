"""The panel: frames of one shape, rows without gaps, nothing written to by accident."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree

CALENDAR = Calendar("Q")
FIRST = CALENDAR.parse("2023-Q3")


def indicator(code: str) -> Indicator:
    about = {"name": {"en": code, "zh": code}, "unit": "n", "direction": "higher", "perspective": "performance"}
    return Indicator.model_validate({"code": code, "kind": "stock", **about})


def panel(**values: np.ndarray) -> Panel:
    units = pd.DataFrame({"unit": ["T", "A", "B"], "parent": ["", "T", "T"], "name": ["T", "A", "B"]})
    tree = UnitTree.from_frame(units, CALENDAR)
    return Panel(CALENDAR, tree, IndicatorSet([indicator(c) for c in "XYZ"]), FIRST, values, date(2024, 12, 31))


X, Y = np.arange(12.0).reshape(4, 3), -np.arange(12.0).reshape(4, 3)


def test_a_frame_has_periods_down_and_units_across():
    frame = panel(X=X)["X"]
    assert list(frame.columns) == ["T", "A", "B"]
    assert [str(p) for p in frame.index] == ["2023Q3", "2023Q4", "2024Q1", "2024Q2"]
    assert frame.loc[pd.Period("2024Q1", "Q-DEC"), "A"] == 7.0


def test_rows_are_numbered_without_gaps():
    ours = panel(X=X, Y=Y)
    assert ours.ordinals.tolist() == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert CALENDAR.format(ours.last) == "2024-Q2"
    assert ours.codes == ["X", "Y"]
    assert "Z" not in ours
    assert ours.indicator("Z").code == "Z"


@pytest.mark.parametrize("kept", range(-1, 6))
def test_cutting_later_rows_changes_no_earlier_one(kept):
    ours = panel(X=X).up_to(FIRST + kept - 1)
    rows = min(max(kept, 0), 4)
    assert ours.array("X").tolist() == X[:rows].tolist()
    assert ours.last == FIRST + rows - 1


def test_only_keeps_what_is_asked_for():
    assert panel(X=X, Y=Y).only(["Y"]).codes == ["Y"]
    with pytest.raises(LoadlineError, match="no indicator 'Z'") as caught:
        panel(X=X, Y=Y).only(["Z"])
    assert "X, Y" in caught.value.hint


def test_an_empty_panel_has_no_rows():
    ours = panel()
    assert len(ours.ordinals) == 0
    assert len(ours.periods) == 0
    assert ours.last == FIRST - 1


def test_frames_of_different_shapes_are_refused():
    with pytest.raises(LoadlineError, match="different shapes"):
        panel(X=X, Y=Y[:3])
    with pytest.raises(LoadlineError, match="different shapes"):
        panel(X=X[:, :2])
    with pytest.raises(LoadlineError, match="different shapes"):
        panel(X=X).with_values({"X": X, "Y": Y[:1]})
