"""The target problems of a panel: levels of the tree, late figures, units that come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from target_panels import make_panel

from features.errors import LoadlineError
from features.periods import Calendar
from features.units import UnitTree
from models.levels import FEWEST_UNITS, LEAVES, levels_of, target_codes
from models.outcome.target import TargetModel


def test_small_levels_are_added_up_and_not_learned_from() -> None:
    panel = make_panel()
    levels = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    assert [(level.name, level.learned) for level in levels] == [(LEAVES, True), ("depth-1", False), ("depth-0", False)]
    assert FEWEST_UNITS > 2
    leaves, _, root = levels
    np.testing.assert_allclose(root.problem.base[:, 0], leaves.trailing.sum(axis=1))
    np.testing.assert_allclose(root.latest, leaves.latest.sum())


def test_a_level_of_enough_units_is_learned_from() -> None:
    panel = make_panel(regions=FEWEST_UNITS, leaves=2)
    learned = {level.name: level.learned for level in levels_of(panel, "FLOW", year=2024, origin=panel.last)}
    assert learned == {LEAVES: True, "depth-1": True, "depth-0": False}


def test_figures_that_are_out_late_are_taken_from_where_they_stand() -> None:
    panel = make_panel(lag=1)
    known = panel.array("FLOW").copy()
    known[-1] = np.nan  # December is not out yet
    panel = panel.with_values({"FLOW": known})
    level = levels_of(panel, "FLOW", year=2024, origin=panel.last)[0]
    problem, first = level.problem, panel.tree.number("R0-B0")
    assert level.trailing[-1, 0] == pytest.approx(known[-13:-1, first].sum())
    assert level.trailing[-2, 0] == pytest.approx(known[-25:-13, first].sum())
    assert problem.horizon == 2  # in November, the year's own outcome is not known
    assert np.isfinite(problem.base[-1]).all()


def test_figures_that_stop_without_a_lag_are_missing() -> None:
    panel = make_panel()
    known = panel.array("FLOW").copy()
    known[-1] = np.nan
    panel = panel.with_values({"FLOW": known})
    assert np.isnan(levels_of(panel, "FLOW", year=2024, origin=panel.last)[0].problem.base[-1]).all()


def test_what_means_nothing_below_the_entity_is_asked_of_the_root_alone() -> None:
    panel = make_panel(entity_only=True)
    levels = levels_of(panel, "FLOW", year=2024, origin=panel.last)
    assert [level.name for level in levels] == ["depth-0"]
    assert levels[0].problem.units.tolist() == ["G"]


def test_a_year_that_is_over_is_refused() -> None:
    panel = make_panel()
    with pytest.raises(LoadlineError, match="the year 2023 is over by 2023-12"):
        levels_of(panel, "FLOW", year=2023, origin=panel.last)


def test_context_and_monitored_indicators_have_no_targets() -> None:
    assert target_codes(make_panel()) == ["FLOW"]
    assert target_codes(make_panel(perspective="context")) == []
    assert target_codes(make_panel(target_allowed=False)) == []


def test_within_the_year_the_problem_is_about_its_rest() -> None:
    panel = make_panel()
    june = panel.calendar.parse("2023-06")
    leaves = levels_of(panel.up_to(june), "FLOW", year=2023, origin=june)[0]
    flow = panel.array("FLOW")[:, leaves.numbers]
    assert leaves.key == "FLOW.leaves.rest6"
    assert leaves.cut is not None
    assert leaves.so_far is not None
    np.testing.assert_allclose(leaves.problem.outcome[-2], 2 * flow[42:48].sum(axis=0))
    np.testing.assert_allclose(leaves.so_far.known, flow[48:54].sum(axis=0))
    np.testing.assert_allclose(leaves.so_far.share, 0.5)
    np.testing.assert_allclose(leaves.latest, flow[42:54].sum(axis=0))
    assert np.isnan(leaves.problem.outcome[-1]).all()


def test_a_total_within_the_year_has_what_its_leaves_have() -> None:
    panel = make_panel()
    june = panel.calendar.parse("2023-06")
    levels = {level.name: level for level in levels_of(panel.up_to(june), "FLOW", year=2023, origin=june)}
    leaves, root = levels[LEAVES].so_far, levels["depth-0"].so_far
    assert leaves is not None
    assert root is not None
    np.testing.assert_allclose(root.known[0], leaves.known.sum())


def test_late_figures_count_as_not_in() -> None:
    panel = make_panel(lag=1)
    june = panel.calendar.parse("2023-06")
    known = panel.up_to(june).array("FLOW").copy()
    known[-1] = np.nan
    leaves = levels_of(panel.up_to(june).with_values({"FLOW": known}), "FLOW", year=2023, origin=june)[0]
    assert leaves.key == "FLOW.leaves.rest7"
    assert leaves.so_far is not None
    np.testing.assert_allclose(leaves.so_far.known, known[48:53, leaves.numbers].sum(axis=0))


def test_a_unit_with_a_gap_in_the_year_is_judged_by_its_other_part() -> None:
    panel = make_panel()
    june = panel.calendar.parse("2023-06")
    flow = panel.up_to(june).array("FLOW").copy()
    holed = panel.tree.number("R0-B1")
    flow[50, holed] = np.nan
    leaves = levels_of(panel.up_to(june).with_values({"FLOW": flow}), "FLOW", year=2023, origin=june)[0]
    place = int(np.flatnonzero(leaves.numbers == holed)[0])
    assert leaves.so_far is not None
    assert np.flatnonzero(~leaves.so_far.whole).tolist() == [place]
    assert (leaves.so_far.known[place], leaves.so_far.share[place]) == (0.0, 1.0)
    year = leaves.of_year(TargetModel.fit(leaves.problem, seed=1).predict(leaves.problem))
    middle = year.quantile(0.5)
    assert year.known.all()
    assert 0.7 * np.median(middle) < middle[place] < 1.3 * np.median(middle)
    assert year.evidence[place].startswith("low: a gap")


def test_the_future_within_the_year_has_no_say() -> None:
    panel = make_panel()
    august = panel.calendar.parse("2023-08")
    changed = panel.array("FLOW").copy()
    changed[august - panel.first + 1 :] *= 50
    both = [each.up_to(august) for each in (panel, panel.with_values({"FLOW": changed}))]
    for one, other in zip(*(levels_of(each, "FLOW", year=2023, origin=august) for each in both), strict=True):
        np.testing.assert_array_equal(one.problem.base, other.problem.base)
        np.testing.assert_array_equal(one.problem.outcome, other.problem.outcome)


def test_before_the_year_a_balance_starts_from_where_it_ended() -> None:
    panel = make_panel(kind="stock", averaging="daily")
    values = panel.array("FLOW").copy()
    leaves = np.flatnonzero(np.isfinite(values[0]))
    risen = leaves[0]
    values[:, leaves] = 8.0 + 0.05 * values[:, leaves]
    values[-2:, risen] *= 1.1  # late in the last year: the average has hardly seen it
    level = levels_of(panel.with_values({"FLOW": values}), "FLOW", year=2024, origin=panel.last)[0]
    place = int(np.flatnonzero(level.numbers == risen)[0])
    carried = level.problem.base[-1] / level.latest
    assert carried[place] > 1.03
    assert np.median(np.abs(np.delete(carried, place) - 1)) < 0.02
    assert level.key == "FLOW.leaves"
    assert (level.cut, level.so_far) == (None, None)


@pytest.mark.parametrize("changes", [{}, {"kind": "stock", "averaging": "daily"}])
def test_the_future_before_the_year_has_no_say(changes: dict[str, Any]) -> None:
    panel = make_panel(**changes)
    origin = panel.calendar.parse("2022-12")
    changed = panel.array("FLOW").copy()
    changed[origin - panel.first + 1 :] *= 50
    cut = [each.up_to(origin) for each in (panel, panel.with_values({"FLOW": changed}))]
    whole = panel.with_values({"FLOW": changed})
    for one, *others in zip(*(levels_of(e, "FLOW", year=2023, origin=origin) for e in (*cut, whole)), strict=True):
        for other in others:
            np.testing.assert_array_equal(one.problem.base, other.problem.base)
            np.testing.assert_array_equal(one.problem.outcome, other.problem.outcome)


def test_a_year_whose_end_counts_starts_from_its_figure() -> None:
    panel = make_panel(kind="stock")
    level = levels_of(panel, "FLOW", year=2024, origin=panel.last)[0]
    np.testing.assert_array_equal(level.problem.base, level.trailing)
    np.testing.assert_array_equal(level.latest, panel.array("FLOW")[-1, level.numbers])


@pytest.mark.parametrize("changes", [{}, {"kind": "stock", "averaging": "daily"}])
def test_annual_figures_start_from_the_year_before(changes: dict[str, Any]) -> None:
    monthly = make_panel(**changes)
    annual = Calendar("A")
    codes = monthly.tree.codes
    frame = pd.DataFrame({"unit": codes, "parent": ["", *["G"] * 2, *[c.split("-")[0] for c in codes[3:]]]})
    tree = UnitTree.from_frame(frame.assign(name=codes), annual)
    panel = replace(monthly, calendar=annual, tree=tree, first=annual.parse("1964"))
    for level in levels_of(panel, "FLOW", year=2024, origin=panel.last)[:1]:
        np.testing.assert_array_equal(level.problem.base[1:], level.problem.outcome[:-1])
        np.testing.assert_array_equal(level.problem.base, panel.array("FLOW")[:, level.numbers])
