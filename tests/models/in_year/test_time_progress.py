"""Time progress: a unit that is exactly on pace stands at what is expected, whatever its season."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from target_panels import make_panel

from features.panel import Panel
from models.in_year.time_progress import TimeProgress, pace_ratio
from models.levels import Level, levels_of


def pushing_panel(**changes: Any) -> Panel:
    """Give every branch the same season, twice as much in the first quarter as in the others, and no noise."""
    panel = make_panel(**changes)
    season = np.tile(np.repeat([2.0, 1.0, 1.0, 1.0], 3), 5)[:, None]
    size = np.arange(1.0, len(panel.tree) + 1)
    values = season * size
    values[:, panel.tree.ever_parent] = np.nan
    return panel.with_values({"FLOW": values})


def level_of(panel: Panel, period: str, *, year: int = 2023) -> Level:
    origin = panel.calendar.parse(period)
    return levels_of(panel.up_to(origin), "FLOW", year=year, origin=origin)[0]


@pytest.mark.parametrize(("period", "share"), [("2023-01", 2 / 15), ("2023-03", 6 / 15), ("2023-11", 14 / 15)])
def test_a_unit_on_pace_stands_where_it_should(period: str, share: float) -> None:
    panel = pushing_panel()
    level = level_of(panel, period)
    progress = TimeProgress.of(level, begun=True)
    whole = panel.array("FLOW")[-12:, level.numbers].sum(axis=0)
    np.testing.assert_allclose(progress.to_date, share * whole)
    np.testing.assert_allclose(progress.expected_by_now(whole), share * whole)
    np.testing.assert_allclose(pace_ratio(progress.to_date, progress.expected_by_now(whole)), 1.0)
    harder = progress.expected_by_now(1.25 * whole)
    np.testing.assert_allclose(harder, 1.25 * share * whole)


def test_a_units_own_habit_counts() -> None:
    panel = pushing_panel()
    values = panel.array("FLOW").copy()
    late = panel.tree.number("R0-B0")
    values[:, late] = np.tile(np.repeat([1.0, 1.0, 1.0, 4.0], 3), 5)
    level = level_of(panel.with_values({"FLOW": values}), "2023-09")
    progress = TimeProgress.of(level, begun=True)
    place = int(np.flatnonzero(level.numbers == late)[0])
    share = progress.expected_by_now(np.ones(len(level.numbers)))
    assert 9 / 21 < share[place] < 0.65 < share[place + 1] == pytest.approx(0.8)


def test_before_the_year_nothing_is_in() -> None:
    level = level_of(pushing_panel(), "2022-12")
    progress = TimeProgress.of(level, begun=False)
    assert np.isnan(progress.to_date).all()
    assert np.isnan(progress.expected_by_now(np.ones(len(level.numbers)))).all()


def test_of_a_stock_the_latest_figure_is_in() -> None:
    panel = make_panel(kind="stock")
    level = level_of(panel, "2023-05")
    progress = TimeProgress.of(level, begun=True)
    np.testing.assert_array_equal(progress.to_date, panel.array("FLOW")[52, level.numbers])
    assert np.isfinite(progress.expected_by_now(np.full(len(level.numbers), 7.0))).all()


def test_a_ratio_to_nothing_is_not_given() -> None:
    found = pace_ratio(np.array([3.0, 3.0, 3.0, np.nan]), np.array([0.0, -2.0, 4.0, 4.0]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, 0.75, np.nan])
