"""The files that steer a plan, and every problem of theirs named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from target_panels import make_panel

from features.errors import LoadlineError
from features.indicators import IndicatorSet
from features.units import UnitTree
from training.goals import read_flagged_file, read_goal_file, read_limit_file, read_pin_file

PANEL = make_panel()
FLOW = PANEL.indicator("FLOW")
MONITORED = FLOW.model_copy(update={"code": "SEEN", "target_allowed": False})


@dataclass(frozen=True)
class Known:
    """What readers look at of a snapshot."""

    tree: UnitTree
    indicators: IndicatorSet


SNAPSHOT = Known(PANEL.tree, IndicatorSet([FLOW, MONITORED]))


def written(folder: Path, text: str) -> Path:
    path = folder / "given.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_goals_of_the_year_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "unit,indicator,year,value\nG,FLOW,2024,100.5\nG,FLOW,2025,90\n")
    goals = read_goal_file(path, SNAPSHOT, 2024)  # type: ignore[arg-type]
    assert goals["value"].tolist() == [100.5]


def test_limits_and_flags_are_read(tmp_path: Path) -> None:
    limits = read_limit_file(written(tmp_path, "unit,indicator,value\nR0,FLOW,3\n"), SNAPSHOT)  # type: ignore[arg-type]
    assert limits["value"].tolist() == [3.0]
    text = "unit,indicator,growth\nR0,,\nR1-B0,FLOW,2.5\n"
    flagged = read_flagged_file(written(tmp_path, text), SNAPSHOT)  # type: ignore[arg-type]
    assert flagged["indicator"].tolist() == ["", "FLOW"]
    np.testing.assert_array_equal(flagged["growth"], [np.nan, 2.5])
    bare = read_flagged_file(written(tmp_path, "unit,indicator\nR0,\n"), SNAPSHOT)  # type: ignore[arg-type]
    assert bare["growth"].isna().all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unit,indicator,year,value\nR0-B0,FLOW,2024,5\n", "a unit that has units below it"),
        ("unit,indicator,year,value\nG,SEEN,2024,5\n", "an indicator that may have targets"),
        ("unit,indicator,year,value\nX,FLOW,2024,5\n", "a unit of units.csv"),
        ("unit,indicator,year,value\nG,FLOW,2023,5\n", "no goal is for the year 2024"),
    ],
)
def test_goals_that_may_not_be_are_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(LoadlineError) as caught:
        read_goal_file(written(tmp_path, text), SNAPSHOT, 2024)  # type: ignore[arg-type]
    told = str(caught.value) + " ".join(str(breach) for breach in getattr(caught.value, "breaches", ()))
    assert expected in told


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("unit,indicator,value\nR0,FLOW,1\nX,FLOW,1\n", 3, "a unit of the data"),
        ("unit,indicator,value\nR0,SEEN,1\n", 2, "an indicator that may have targets"),
        ("unit,indicator,value\nR0,NONE,1\n", 2, "an indicator of the data"),
        ("unit,indicator,value\nR0,FLOW,much\n", 2, "a finite number"),
        ("unit,indicator,value\nR0,FLOW,1\nR0,FLOW,2\n", 3, "each key once"),
    ],
)
def test_pins_that_may_not_be_are_named(tmp_path: Path, text: str, line: int, expected: str) -> None:
    with pytest.raises(LoadlineError) as caught:
        read_pin_file(written(tmp_path, text), SNAPSHOT)  # type: ignore[arg-type]
    (breach,) = caught.value.breaches  # type: ignore[attr-defined]
    assert breach.line == line
    assert expected in breach.expected


def test_a_ceiling_that_is_no_percentage_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadlineError) as caught:
        read_flagged_file(written(tmp_path, "unit,indicator,growth\nR0,,-100\n"), SNAPSHOT)  # type: ignore[arg-type]
    assert "a percentage above -100" in str(caught.value.breaches[0])  # type: ignore[attr-defined]


def test_a_missing_file_says_what_it_should_hold(tmp_path: Path) -> None:
    for reader in (read_pin_file, read_limit_file, read_flagged_file):
        with pytest.raises(LoadlineError, match="no such file") as caught:
            reader(tmp_path / "nowhere.csv", SNAPSHOT)  # type: ignore[arg-type]
        assert "unit" in caught.value.hint
